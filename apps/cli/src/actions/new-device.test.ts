// A recording of our own FTDI becomes a model, and the driver that was recorded cannot tell the two apart.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PcapngWriter } from "@drydock/core/codec/pcapng/pcapng";
import { RecordedDevice } from "@drydock/core/devices/recorded/recorded-device";
import { ownUsbRig } from "@drydock/core/rigs/own-rig";
import type { BuiltRig } from "@drydock/core/rigs/rig-entry";
import { defaultSerialRig } from "@drydock/core/rigs/serial-rig";
import { SerialSession } from "@drydock/core/rigs/serial-session";
import { rampTone } from "@drydock/core/rigs/tone";
import { defaultUsbAudioRig } from "@drydock/core/rigs/usb-audio-rig";
import { readUsbPcapng, writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { TraceKind, type UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import { modelOfTrace } from "@drydock/core/trials/device-recording";
import { playRecordedHost } from "@drydock/core/trials/recorded-host";
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
    assert.match(
      made.out,
      /the recorded host, played against it: \d+ transfers and \d+ bytes of answers, each as recorded/,
    );
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

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));

/** What an analyser sees of a mouse (USB 2.0 chapter 8, HID 1.11): enumeration, then reports in packets that are always full. */
function analysersCapture(): Uint8Array {
  const writer = new PcapngWriter("an analyser");
  writer.addInterface(288);
  let timeNs = 0;
  const packets = (...each: string[]): void => {
    for (const text of each) {
      timeNs += 1_000_000;
      writer.addPacket(0, timeNs, bytesOf(text), []);
    }
  };
  const token = (pid: string, address: number, endpoint: number): string =>
    pid + Buffer.from([address | ((endpoint & 1) << 7), endpoint >> 1]).toString("hex");
  const data = (hex: string): string => `c3${hex}0000`;
  const read = (setup: string, answer: string): void => {
    packets(token("2d", 9, 0), data(setup), "d2", token("69", 9, 0), data(answer), "d2");
    packets(token("e1", 9, 0), data(""), "d2");
  };
  read("8006000100001200", "120100020000000809120a0000010000 0001".replace(" ", ""));
  read(
    "8006000200002200",
    "09022200010100a032 0904000001030102 00 092111010001223200 0705810304000a".replaceAll(" ", ""),
  );
  packets(token("2d", 9, 0), data("0009010000000000"), "d2", token("69", 9, 0), data(""), "d2");
  for (const report of ["00010000", "00ff0000", "01000000"])
    packets(token("69", 9, 1), "5a", token("69", 9, 1), data(report), "d2");
  return writer.finish();
}

test("a capture of an analyser becomes a model, too; whole packets are not ended where the wire shows no end", async () => {
  const capture = analysersCapture();
  const { log } = readUsbPcapng(capture);
  const model = modelOfTrace(log, readDeviceSource(capture));
  assert.deepEqual([model.recording.device.idVendor, model.recording.data.length], [0x1209, 3]);
  assert.ok(model.inferred.some(({ what }) => what === "ends of transfers"));
  const play = (recording: typeof model.recording) =>
    playRecordedHost(log, model.device, new RecordedDevice(recording));
  assert.deepEqual(play(model.recording), { transfers: 6, bytes: 64, differences: [] });
  // What was changed by hand is another device: each answer that differs is named.
  const [first, ...others] = model.recording.data;
  assert.ok(first !== undefined);
  const { differences } = play({ ...model.recording, data: [{ ...first, bytes: "00020000" }, ...others] });
  assert.deepEqual(differences, ["transfer 4, endpoint 0x81: recorded 00010000, came 00020000"]);
});

test("a headset of class 1, recorded: its isochronous packets are played as they came, from a capture too", async () => {
  const real = defaultUsbAudioRig(1, hostTurn, {});
  const { scheduler } = real.machine;
  const sound = await real.openDevice();
  assert.equal(sound.start({ source: rampTone(4800) }), true);
  await scheduler.run(scheduler.nowNs() + 1e9, () => sound.isDrained);
  sound.stop();
  await scheduler.run(scheduler.nowNs() + 1e9, () => sound.state === "stopped");
  const capture = writeUsbPcapng(real.usb.trace);
  const { log } = readUsbPcapng(capture);
  const model = modelOfTrace(log, readDeviceSource(capture));
  const packets = model.recording.data.flatMap((row) => row.packets ?? []);
  assert.ok(packets.length > 10 && packets.some((bytes) => bytes > 0), `${packets.length} packets`);
  const { differences, transfers } = playRecordedHost(log, model.device, new RecordedDevice(model.recording));
  assert.deepEqual(differences, []);
  assert.ok(transfers > 50);
});
