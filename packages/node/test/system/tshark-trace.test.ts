// Wireshark's command-line dissector, a reader that nobody here wrote, on every kind of trace the rigs can write.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { usbFaultKinds } from "@drydock/core/faults/usb-faults";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { type SerialDeviceKind, SerialRig } from "@drydock/core/rigs/serial-rig";
import { openSerialSession, type SerialSession } from "@drydock/core/rigs/serial-session";
import { writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { hostTurn } from "../../src/host/host-turn.ts";

const isMissing = spawnSync("tshark", ["--version"]).status !== 0;
const skip = isMissing ? "tshark is not installed (Debian package tshark)" : false;
const folder = mkdtempSync(join(tmpdir(), "drydock-tshark-"));
after(() => rmSync(folder, { recursive: true }));

/** Fields of every packet, one list per packet; tshark's own refusal fails the test. */
function dissect(capture: Uint8Array, fields: readonly string[], filter = ""): string[][] {
  const file = join(folder, "capture.pcapng");
  writeFileSync(file, capture);
  const args = ["-r", file, "-T", "fields", "-E", "separator=|", ...fields.flatMap((name) => ["-e", name])];
  const result = spawnSync("tshark", filter === "" ? args : [...args, "-Y", filter], {
    encoding: "utf8",
    maxBuffer: 64 << 20,
    timeout: 60_000,
  });
  assert.equal(result.status, 0, result.stderr);
  assert.doesNotMatch(result.stderr, /damaged|corrupt|cut short|appears to/);
  return result.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("|"));
}

/** Nothing that Wireshark itself finds broken. */
function assertClean(capture: Uint8Array, expectedPackets: number): void {
  assert.equal(dissect(capture, ["frame.number"]).length, expectedPackets);
  const broken = dissect(capture, ["frame.number", "_ws.col.Info"], "_ws.malformed || _ws.short");
  assert.deepEqual(broken, []);
}

async function tracedSession(
  device: SerialDeviceKind,
  use: (session: SerialSession, rig: SerialRig) => Promise<void>,
): Promise<SerialRig> {
  const rig = new SerialRig({
    seed: 5,
    turn: hostTurn,
    profile: platformProfile("open"),
    devices: [device],
  });
  const session = await openSerialSession(rig);
  await use(session, rig);
  session.port.close();
  await rig.machine.run(rig.machine.scheduler.nowNs() + 50_000_000);
  rig.usb.bus.unplug(1);
  await rig.machine.run();
  return rig;
}

async function talk(session: SerialSession, rig: SerialRig): Promise<void> {
  session.configure({ baudRate: 57600, dataBits: 7, parity: "even" });
  session.send(new Uint8Array(700).map((_, index) => index & 0x7f));
  await rig.machine.scheduler.run(3e9, () => session.received.length === 700);
  assert.equal(session.received.length, 700);
}

test("tshark: a CDC-ACM session has no malformed packet, and its requests have Wireshark's names", {
  skip,
}, async () => {
  const rig = await tracedSession("cdc-acm", talk);
  const capture = writeUsbPcapng(rig.usb.trace);
  assertClean(capture, [...rig.usb.trace.all()].filter((row) => row.kind < 2).length);
  const info = dissect(capture, ["_ws.col.Info"]).map(([text]) => text);
  for (const name of [
    "GET DESCRIPTOR Request DEVICE",
    "GET DESCRIPTOR Request CONFIGURATION",
    "SET CONFIGURATION Request",
  ]) {
    assert.ok(info.includes(name), `${name} in:\n${[...new Set(info)].join("\n")}`);
  }
  // bmRequestType 0x21 with the two requests of a line: 0x20 SET_LINE_CODING, 0x22 SET_CONTROL_LINE_STATE.
  const requests = dissect(
    capture,
    ["usb.setup.bRequest", "usbcom.control.request_code"],
    "usb.bmRequestType == 0x21",
  );
  const named = new Set(requests.map(([plain, communication]) => communication || plain));
  assert.ok(named.has("0x20") || named.has("32"), [...named].join(" "));
  assert.ok(named.has("0x22") || named.has("34"), [...named].join(" "));
  const protocols = new Set(dissect(capture, ["_ws.col.Protocol"]).map(([name]) => name));
  assert.ok(protocols.has("USBCOM"), [...protocols].join(" "));
});

test("tshark: an FT232R session has no malformed packet, and its vendor requests are FTDI's", {
  skip,
}, async () => {
  const rig = await tracedSession("ftdi", talk);
  const capture = writeUsbPcapng(rig.usb.trace);
  assertClean(capture, [...rig.usb.trace.all()].filter((row) => row.kind < 2).length);
  const vendor = dissect(
    capture,
    ["usb.setup.bRequest", "ftdi-ft.bRequest", "_ws.col.Protocol"],
    "usb.bmRequestType == 0x40",
  );
  assert.ok(vendor.length >= 5, `${vendor.length} vendor requests`);
  // 0 reset, 1 modem control, 2 flow control, 3 baud rate, 4 data.
  const codes = new Set(vendor.map(([plain, ftdi]) => Number(ftdi || plain)));
  for (const code of [0, 1, 2, 3, 4]) assert.ok(codes.has(code), `request ${code}`);
});

test("tshark: every kind of fault leaves a clean file, with the driver's calls and the faults as comments", {
  skip,
}, async () => {
  for (const kind of usbFaultKinds) {
    const rig = new SerialRig({
      seed: 9,
      turn: hostTurn,
      profile: platformProfile("open"),
      devices: ["cdc-acm"],
      faults: { rules: [{ kind, request: 0x20 }] },
    });
    await rig.machine.run(1e9);
    const [port] = rig.ports;
    if (port !== undefined) {
      const session = await openSerialSession(rig);
      session.configure({ baudRate: 300 });
      session.send(Uint8Array.of(1, 2, 3));
      await rig.machine.run(rig.machine.scheduler.nowNs() + 1e8);
    }
    const capture = writeUsbPcapng(rig.usb.trace);
    assertClean(capture, [...rig.usb.trace.all()].filter((row) => row.kind < 2).length);
    const comments = dissect(capture, ["frame.comment"], "frame.comment")
      .map(([text]) => text)
      .join("\n");
    assert.match(comments, /deviceRequest/);
    if (kind === "truncate") assert.doesNotMatch(comments, /fault/, "an OUT has nothing to cut");
    else assert.match(comments, new RegExp(`fault: ${kind}`));
  }
});
