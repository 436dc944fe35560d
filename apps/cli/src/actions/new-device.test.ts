// A recording of our own FTDI becomes a model, and the driver that was recorded cannot tell the two apart.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RecordedDevice } from "@drydock/core/devices/recorded/recorded-device";
import { ownUsbRig } from "@drydock/core/rigs/own-rig";
import type { BuiltRig } from "@drydock/core/rigs/rig-entry";
import { defaultSerialRig } from "@drydock/core/rigs/serial-rig";
import { SerialSession } from "@drydock/core/rigs/serial-session";
import { readUsbPcapng, writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { TraceKind, type UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import { modelOfTrace } from "@drydock/core/trials/device-recording";
import { hostTurn } from "@drydock/node/host-turn";
import { recordedIo } from "../../test/recorded-io.ts";
import { commandTable } from "../command-table.ts";
import { runCommandLine } from "../grammar/command-line.ts";
import { readDeviceSource } from "./device-source.ts";

const message = Uint8Array.from({ length: 700 }, (_, at) => (at * 31) & 0xff);

/** Opens the port, sends, hears the echo, closes. */
async function session(rig: Pick<BuiltRig, "machine" | "ports">): Promise<Uint8Array> {
  const { scheduler } = rig.machine;
  await scheduler.run(5e9, () => rig.ports.length > 0);
  const opened = new SerialSession(rig.ports[0]);
  opened.configure({ baudRate: 115_200 });
  opened.send(message);
  await scheduler.run(scheduler.nowNs() + 3e9, () => opened.received.length >= message.length);
  opened.port.close();
  await scheduler.run(scheduler.nowNs() + 0.1e9);
  return Uint8Array.from(opened.received);
}

/** What passed, direction by direction: SETUP packets with their data, and each endpoint's bytes, transfer by transfer. */
function passed(log: UsbTraceLog) {
  const asked = new Map(
    [...log.all()].filter(({ kind }) => kind === TraceKind.submit).map((row) => [row.id, row]),
  );
  const control: string[] = [];
  const data: Record<string, string[]> = {};
  for (const row of log.all()) {
    const from = asked.get(row.id);
    if (row.kind !== TraceKind.complete || from === undefined) continue;
    const bytes = Buffer.from(row.data.length > 0 ? row.data : from.data).toString("hex");
    if (from.setup !== null)
      control.push(`${Buffer.from(from.setup).toString("hex")} ${row.status} ${bytes}`);
    else if (row.status === 0) {
      const name = `0x${from.endpoint.toString(16)}`;
      data[name] = [...(data[name] ?? []), bytes];
    }
  }
  return { control, data };
}

test("our own FTDI, recorded and played: the driver's requests, its data and the echo are the same byte for byte", async () => {
  const real = defaultSerialRig(1, hostTurn, { devices: ["ftdi"] });
  const echoed = await session(real);
  assert.deepEqual(echoed, message);
  const capture = writeUsbPcapng(real.usb.trace);
  const { log } = readUsbPcapng(capture);
  const model = modelOfTrace(log, readDeviceSource(capture));
  const entry = ownUsbRig({
    name: "recorded",
    summary: "a recorded device",
    devices: [{ name: "a recorded device", make: () => new RecordedDevice(model.recording) }],
    bundles: [],
    withOurDrivers: true,
    outlets: ["terminal"],
  });
  const played = entry.build({ seed: 1, turn: hostTurn, platform: "open" });
  assert.deepEqual(await session(played), message);
  const before = passed(log);
  const after = passed(played.usb?.trace as UsbTraceLog);
  assert.deepEqual(after.control, before.control);
  assert.deepEqual(after.data["0x2"], before.data["0x2"]);
  const came = after.data["0x81"];
  assert.deepEqual(came, before.data["0x81"].slice(0, came.length));
  assert.ok(came.length >= before.data["0x81"].length - 1, `${came.length} of ${before.data["0x81"].length}`);
});

test("drydock new device writes a file of it: recorded answers, every inferred one listed, nothing written over", async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-device-"));
  const before = process.cwd();
  const line = async (words: string) => {
    const io = recordedIo();
    const code = await runCommandLine(commandTable, words.split(" "), io);
    return { code, out: io.printed(), said: io.said() };
  };
  try {
    const real = defaultSerialRig(1, hostTurn, { devices: ["ftdi"] });
    await session(real);
    writeFileSync(join(folder, "ftdi.pcapng"), writeUsbPcapng(real.usb.trace));
    process.chdir(folder);
    const made = await line("new device my-ftdi --from ftdi.pcapng");
    assert.equal(made.code, 0, made.said);
    const text = readFileSync(join(folder, "my-ftdi-device.ts"), "utf8");
    assert.match(text, /^export class MyFtdiDevice extends RecordedDevice/m);
    assert.match(text, /"setup":"8006000100001200","answers":\["12010002/);
    const listed = text.match(/^\/\/ {3}inferred: .*$/gm) ?? [];
    assert.ok(listed.length >= 5);
    // The same list is printed.
    for (const row of listed) assert.ok(made.out.includes(row.replace(/^\/\/ {3}/, "")), row);
    const again = await line("new device my-ftdi --from ftdi.pcapng");
    assert.equal(again.code, 2);
    assert.match(again.said, /is there already; nothing was written/);
    writeFileSync(join(folder, "cut.pcapng"), writeUsbPcapng(real.usb.trace).subarray(0, 200));
    const cut = await line("new device other --from cut.pcapng");
    assert.equal(cut.code, 2);
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
});
