// On every rig: from a byte on the wire to the driver call behind it and back, from each log line to what led to it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { platformProfile } from "../platform/platform-profile.ts";
import { TimelineKind } from "../ports/recorder.ts";
import { HidRig } from "../rigs/hid-rig.ts";
import { NvmeRig } from "../rigs/nvme-rig.ts";
import { defaultSerialRig } from "../rigs/serial-rig.ts";
import { openSerialSession } from "../rigs/serial-session.ts";
import { defaultStorageRig } from "../rigs/storage-rig.ts";
import { usbPaths } from "../rigs/usb-paths.ts";
import type { UsbPath } from "../rigs/usb-rig.ts";
import type { UsbRigParts } from "../rigs/usb-rig-doors.ts";
import { writePerfetto } from "../trace/perfetto.ts";
import type { Timeline, TimelineRow } from "../trace/timeline.ts";
import { TraceKind } from "../trace/usb-trace-log.ts";

const rigs: Readonly<Record<string, (path: UsbPath | null) => Promise<UsbRigParts>>> = {
  serial: async (path) => {
    const rig = defaultSerialRig(1, hostTurn, { path });
    const session = await openSerialSession(rig);
    session.configure({ baudRate: 115200 });
    session.send(Uint8Array.of(0x41, 0x42));
    await rig.machine.scheduler.run(3e9, () => session.received.length === 2);
    return rig;
  },
  hid: async (path) => {
    const rig = new HidRig({ seed: 1, turn: hostTurn, profile: platformProfile("macos15"), path });
    await rig.untilInputs(2);
    rig.keyboard.press(4);
    await rig.machine.scheduler.run(rig.machine.scheduler.nowNs() + 1e8);
    return rig;
  },
  storage: async (path) => {
    const rig = defaultStorageRig(1, hostTurn, { path });
    await rig.openMedia();
    return rig;
  },
};

/** The row and what led to it, up to where nothing is known. A chain never comes back to a row. */
function chainOf(timeline: Timeline, row: TimelineRow): TimelineRow[] {
  const chain = [row];
  for (let cause = timeline.causeOf(row); cause !== null; cause = timeline.causeOf(cause)) {
    assert.ok(cause !== "lost");
    assert.ok(cause.sequence < (chain.at(-1)?.sequence ?? 0), "a cause comes before its effect");
    chain.push(cause);
  }
  return chain;
}

for (const [name, build] of Object.entries(rigs)) {
  for (const path of ["bus", "usbip", "xhci"] as const) {
    test(`${name} rig, ${path}: wire to call and back, log line to cause`, async () => {
      const rig = await build(usbPaths[path]);
      const { timeline } = rig;
      let calls = 0;
      for (const row of rig.usb.trace.all()) {
        if (row.kind !== TraceKind.complete || row.data.length === 0) continue;
        const completion = timeline.row(row.sequence);
        assert.ok(completion !== null);
        const submit = timeline.causeOf(completion);
        assert.ok(submit !== null && submit !== "lost" && submit.kind === TimelineKind.usb);
        assert.ok(
          [...timeline.effectsOf(submit)].some(({ sequence }) => sequence === row.sequence),
          "and back",
        );
        if (submit.text.includes("(")) calls++;
      }
      assert.ok(calls > 0, "some transfers name the driver's call");
      const lines = [...timeline.rows(undefined, [TimelineKind.log])];
      for (const line of lines) {
        const [, cause] = chainOf(timeline, line);
        assert.ok(cause !== undefined, `"${line.text}" has a cause`);
      }
      // What a driver did after the device came leads back to the device's coming.
      const hops = [...timeline.rows(undefined, [TimelineKind.hop])];
      assert.ok(hops.length > 0 && hops.some((hop) => chainOf(timeline, hop).length > 3));
    });
  }
}

test("nvme rig: a register access, a DMA and an interrupt each have their row, an interrupt leads back", async () => {
  const rig = new NvmeRig({ seed: 1, turn: hostTurn, profile: platformProfile("macos15") });
  await rig.openMedia();
  const { timeline } = rig;
  for (const kind of [TimelineKind.register, TimelineKind.dma, TimelineKind.interrupt])
    assert.ok(timeline.kept(kind) > 0, `rows of kind ${kind}`);
  const interrupts = [...timeline.rows(undefined, [TimelineKind.interrupt])];
  assert.ok(interrupts.some((row) => chainOf(timeline, row).length > 1));
});

test("Perfetto's file holds every row once, in its lane, with its cause", async () => {
  const rig = await rigs.serial(null);
  const { timeline } = rig;
  // Read back as any reader of the format would: JSON, phases, arguments.
  const file = JSON.parse(writePerfetto(timeline)) as {
    traceEvents: {
      ph: string;
      name: string;
      ts: number;
      dur?: number;
      pid: number;
      tid: number;
      args?: Record<string, unknown>;
    }[];
  };
  const seen = file.traceEvents.filter(({ ph }) => ph === "X" || ph === "i");
  assert.deepEqual(
    seen.map(({ args }) => args?.sequence),
    [...timeline.rows()].map(({ sequence }) => sequence),
  );
  for (const { args, dur, ts } of seen) {
    const row = timeline.row(Number(args?.sequence));
    assert.equal(Math.round(ts * 1000), row?.timeNs);
    assert.equal(args?.cause ?? 0, row?.cause);
    assert.ok(dur === undefined || dur >= 0);
  }
  const lanes = new Set(seen.map(({ pid, tid }) => `${pid} ${tid}`));
  const named = new Set(
    file.traceEvents.filter(({ name }) => name === "thread_name").map(({ pid, tid }) => `${pid} ${tid}`),
  );
  assert.deepEqual([...lanes].sort(), [...named].sort());
});
