// PCI rows of the timeline: a bring-up, answers with their causes, refusals; the port's contract kept.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { Random } from "../base/random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { PciBoardDevice, PciBoardRegister } from "../devices/pci-board/pci-board-device.ts";
import { runContract } from "../ports/contract.ts";
import { pciHostContract, RecordingPciClient } from "../ports/pci-host.contract.ts";
import type { PciHostPort } from "../ports/pci-host.ts";
import { TimelineKind } from "../ports/recorder.ts";
import { defaultNvmeRig } from "../rigs/nvme-rig.ts";
import { SimIommu } from "../transports/sim/iommu.ts";
import { SimPciBus } from "../transports/sim/pci-bus.ts";
import { describePciRow, PciRow, withPciTrace } from "./pci-trace.ts";
import { Timeline } from "./timeline.ts";

test("a traced port keeps the contract of PCI ports", async () => {
  let seed = 0;
  const results = await runContract(pciHostContract, async () => {
    const clock = new VirtualClock();
    const bus = new SimPciBus({
      clock,
      random: new Random(++seed),
      iommu: new SimIommu({ clock, pageBytes: 4096 }),
    });
    const ports: PciHostPort[] = [];
    bus.onAttach((port) => ports.push(withPciTrace(port, { clock, timeline: new Timeline() })));
    bus.plugIn(new PciBoardDevice({ clock }), 1);
    clock.runUntil();
    const client = new RecordingPciClient();
    ports[0].connect(client);
    return {
      port: ports[0],
      client,
      settle: async () => clock.runUntil(),
      register: { range: 0, offset: PciBoardRegister.scratch, expected: (value: number) => value },
      unplug: () => bus.unplug(1),
    };
  });
  assert.deepEqual(
    results.filter(({ problem }) => problem !== null),
    [],
  );
});

test("an NVMe bring-up in rows: enable, ready, doorbells, messages; each answer names its read as its cause", async () => {
  const rig = defaultNvmeRig(1, hostTurn);
  await rig.openMedia();
  const rows = [
    ...rig.timeline.rows(undefined, [TimelineKind.register, TimelineKind.interrupt, TimelineKind.dma]),
  ];
  const lines = rows.map(describePciRow);
  const enable = lines.indexOf("register write range 0+0x14 = 0x460001");
  const ready = lines.indexOf("answer range 0+0x1c = 0x1");
  const doorbell = lines.indexOf("register write range 0+0x1000 = 0x1");
  const message = lines.indexOf("message 0");
  assert.ok(
    enable > 0 && ready > enable && doorbell > ready && message > doorbell,
    lines.slice(-60).join("\n"),
  );
  assert.ok(lines.some((line) => /^map 0x\w+, 16384 bytes, both ways$/.test(line)));
  const bySequence = new Map(rows.map((row) => [row.sequence, row]));
  for (const row of rows.filter(({ text }) => text === PciRow.answer)) {
    const cause = bySequence.get(row.cause);
    assert.ok(cause !== undefined && /read$/.test(cause.text));
    assert.equal(cause.text === PciRow.read ? cause.fields[1] : cause.fields[0], row.fields[1]);
  }
});

test("what the IOMMU refuses is a row, too", async () => {
  const rig = defaultNvmeRig(2, hostTurn, { device: { mischief: [{ kind: "stray-write", atCommand: 1 }] } });
  const media = await rig.openMedia();
  media.connect({ completed: () => {}, detached: () => {} });
  media.read(0, 0, 8, new Uint8Array(4096), 0);
  await rig.machine.run(rig.machine.scheduler.nowNs() + 1e9);
  const refused = [...rig.timeline.rows(undefined, [TimelineKind.dma])].filter(({ text }) =>
    /^refused/.test(text),
  );
  assert.equal(refused.length, 1);
  assert.equal(refused[0].text, "refused: no mapping");
  assert.equal(refused[0].fields[1], 64);
});
