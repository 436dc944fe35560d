// The server side of the USB/IP bench, a process of its own: our server, or a bare socket that answers in kind.

import { createServer } from "node:net";
import { encodeConfiguration, TransferType } from "@drydock/core/codec/usb/descriptors";
import { FtdiDevice } from "@drydock/core/devices/ftdi/ftdi-device";
import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import type { SerialFarEnd } from "@drydock/core/devices/uart";
import { UsbDeviceModel } from "@drydock/core/devices/usb-device-model";
import { UsbNak } from "@drydock/core/ports/usb-device";
import { UsbSpeed } from "@drydock/core/ports/usb-speed";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { listenUsbip } from "@drydock/node/usbip-listener";

const headerBytes = 48;

/** Takes everything and keeps nothing. */
const nobody: SerialFarEnd = {
  baudRate: null,
  connect: () => {},
  room: () => 1 << 20,
  receive: () => {},
  linesChanged: () => {},
  breakChanged: () => {},
};

/** Takes whatever comes on bulk OUT 01h and forgets it: the counterpart of the loopback device's zeros. */
class SinkDevice extends UsbDeviceModel {
  constructor() {
    const packet = { bmAttributes: TransferType.bulk, wMaxPacketSize: 64, bInterval: 0 };
    super({
      speed: UsbSpeed.full,
      device: {
        ...{
          bcdUSB: 0x0200,
          bDeviceClass: 0xff,
          bDeviceSubClass: 0,
          bDeviceProtocol: 0,
          bMaxPacketSize0: 64,
        },
        ...{ idVendor: 0x1209, idProduct: 0x0003, bcdDevice: 0x0100 },
        ...{ iManufacturer: 0, iProduct: 0, iSerialNumber: 0, bNumConfigurations: 1 },
      },
      configurations: [
        encodeConfiguration(
          { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
          [
            {
              ...{ bInterfaceNumber: 0, bInterfaceClass: 0xff, bInterfaceSubClass: 0, bInterfaceProtocol: 0 },
              endpoints: [{ bEndpointAddress: 0x01, ...packet }],
            },
          ],
        ),
      ],
      strings: [],
    });
  }

  protected override powerOn(): void {}
  protected override answerRequest(): null {
    return null;
  }
  protected override performRequest(): boolean {
    return false;
  }
  protected override dataIn(): number {
    return UsbNak;
  }
  protected override dataOut(
    _endpoint: number,
    _buffer: Uint8Array,
    _offset: number,
    length: number,
  ): number {
    return length;
  }
}

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
  const listener = await listenUsbip(rig.server, { port: 0, steps: rig.scheduler });
  rig.bus.plugIn(new LoopbackDevice());
  const ftdi = new FtdiDevice({
    clock: rig.scheduler,
    pacing: "none",
    rings: "transfer",
    farEnds: [nobody],
  });
  rig.bus.plugIn(ftdi);
  rig.bus.plugIn(new SinkDevice());
  await new LiveRunner(rig.scheduler).start();
}

/**
 * The same sizes without any protocol: of each header it reads the direction (byte 15) and the length (bytes 24 to 27),
 * takes the data of an OUT, and answers a header, with the data of an IN.
 */
async function serveBare(): Promise<void> {
  const data = new Uint8Array(1 << 20);
  const server = createServer({ noDelay: true }, (socket) => {
    let pending = Buffer.alloc(0);
    let skip = 0;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      let bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      socket.cork();
      for (;;) {
        const taken = Math.min(skip, bytes.length);
        skip -= taken;
        bytes = bytes.subarray(taken);
        if (skip > 0 || bytes.length < headerBytes) break;
        const length = bytes.readUInt32BE(24);
        const isIn = bytes[15] === 1;
        bytes = bytes.subarray(headerBytes);
        if (!isIn) skip = length;
        socket.write(data.subarray(0, headerBytes));
        if (isIn) socket.write(data.subarray(0, length));
      }
      pending = Buffer.from(bytes);
      process.nextTick(() => socket.uncork());
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (address !== null && typeof address === "object") process.stdout.write(`${address.port}\n`);
  });
}

await (process.argv[2] === "ours" ? serveOurs() : serveBare());
