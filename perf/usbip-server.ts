// The server side of the USB/IP bench, a process of its own: ours, ours with a headset, a bare socket, or a paced one.

import { type AddressInfo, createServer } from "node:net";
import { usbipHeaderBytes, usbipIsoPacketBytes } from "@drydock/core/codec/usbip/usbip";
import { FtdiDevice } from "@drydock/core/devices/ftdi/ftdi-device";
import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import type { SerialFarEnd } from "@drydock/core/devices/uart";
import { makeHeadset } from "@drydock/core/rigs/usb-audio-rig";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { listenUsbip } from "@drydock/node/usbip-listener";
import { serveBare } from "./bare-server.ts";
import { SinkDevice } from "./sink-device.ts";

/** The load's URBs: one a millisecond. */
const pacedPackets = 8;
const pacedPacketBytes = 24;

/** Takes everything and keeps nothing. */
const nobody: SerialFarEnd = {
  baudRate: null,
  connect: () => {},
  room: () => 1 << 20,
  receive: () => {},
  linesChanged: () => {},
  breakChanged: () => {},
};

/** Says its port on stdout, then serves until it is killed. */
async function serveOurs(): Promise<void> {
  const rig = new UsbExportRig({
    seed: 1,
    turn: hostTurn,
    timing: "none",
    trace: false,
    onExported: () => {
      if (rig.server.exports.size === 3) process.stdout.write(`${listener.port}\n`);
    },
  });
  const runner = new LiveRunner(rig.scheduler);
  const listener = await listenUsbip(rig.server, { port: 0, steps: runner });
  rig.usb.bus.plugIn(new LoopbackDevice());
  const ftdi = new FtdiDevice({
    clock: rig.scheduler,
    pacing: "none",
    rings: "transfer",
    farEnds: [nobody],
  });
  rig.usb.bus.plugIn(ftdi);
  rig.usb.bus.plugIn(new SinkDevice());
  await runner.start();
}

/** A headset with 8000 packets a second, at the pace of the wall. */
async function serveHeadset(): Promise<void> {
  const rig = new UsbExportRig({
    seed: 1,
    turn: hostTurn,
    timing: "none",
    trace: false,
    onExported: () => process.stdout.write(`${listener.port}\n`),
  });
  const runner = new LiveRunner(rig.scheduler);
  const listener = await listenUsbip(rig.server, { port: 0, steps: runner });
  rig.usb.bus.plugIn(makeHeadset(2, { clock: rig.scheduler }));
  await runner.start();
}

/** The least that a server in Node can do at the pace of a headset: a timer, and the answers of the intervals that have passed. */
function servePaced(): void {
  const answerBytes = usbipHeaderBytes + pacedPackets * usbipIsoPacketBytes;
  const askedBytes = answerBytes + pacedPackets * pacedPacketBytes;
  const server = createServer({ noDelay: true }, (socket) => {
    let waiting = 0;
    let lastMs = performance.now();
    const answer = (): void => {
      const nowMs = performance.now();
      const due = Math.min(Math.floor(waiting), Math.floor(nowMs - lastMs));
      if (due > 0) socket.write(new Uint8Array(due * answerBytes));
      waiting -= due;
      lastMs = waiting < 1 ? nowMs : lastMs + due;
    };
    const timer = setInterval(answer, 1);
    socket.on("data", (bytes: Buffer) => {
      if (waiting < 1) lastMs = performance.now();
      waiting += bytes.length / askedBytes;
    });
    socket.on("error", () => {}).on("close", () => clearInterval(timer));
  });
  server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
}

if (process.argv[2] === "ours") await serveOurs();
else if (process.argv[2] === "headset") await serveHeadset();
else if (process.argv[2] === "paced") servePaced();
else {
  // Of each header: the direction (byte 15) and the length (bytes 24 to 27).
  serveBare(usbipHeaderBytes, (bytes) => {
    const length = bytes.readUInt32BE(24);
    const isIn = bytes[15] === 1;
    return { taken: isIn ? 0 : length, given: isIn ? length : 0 };
  });
}
