// The server side of the usbredir bench, a process of its own: our outlets, or a bare socket that answers in kind.

import { UsbredirType } from "@drydock/core/codec/usbredir/usbredir";
import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { listenUsbredir } from "@drydock/node/usbredir-sockets";
import { serveBare } from "./bare-server.ts";
import { SinkDevice } from "./sink-device.ts";

/** Header of 16 bytes and the ten of a control or bulk packet under the capabilities that the bench agrees upon. */
const headerBytes = 26;

async function serveOurs(): Promise<void> {
  const rig = new UsbExportRig({ seed: 1, turn: hostTurn, timing: "none", trace: false });
  const runner = new LiveRunner(rig.scheduler);
  const ready = new Set<number>();
  const ports: number[] = [];
  for (const connector of [1, 2]) {
    const outlet = rig.addUsbredir(connector, {
      onReady: () => {
        if (ready.size < 2 && ready.add(connector).size === 2) process.stdout.write(`${ports.join(" ")}\n`);
      },
    });
    ports.push((await listenUsbredir(outlet, { port: 0, steps: runner })).port);
  }
  rig.usb.bus.plugIn(new LoopbackDevice(), 1);
  rig.usb.bus.plugIn(new SinkDevice(), 2);
  await runner.start();
}

if (process.argv[2] === "ours") await serveOurs();
else {
  serveBare(headerBytes, (bytes) => {
    const isControl = bytes.readUInt32LE(0) === UsbredirType.controlPacket;
    const length = isControl
      ? bytes.readUInt16LE(24)
      : bytes.readUInt16LE(18) | (bytes.readUInt16LE(24) << 16);
    const isIn = (bytes[16] & 0x80) !== 0;
    return { taken: isIn ? 0 : length, given: isIn ? length : 0 };
  });
}
