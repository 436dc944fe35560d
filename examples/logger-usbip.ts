// The logger for foreign programs: node examples/logger-usbip.ts [PORT], then attach it on Linux.

import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { listenUsbip } from "@drydock/node/usbip-listener";
import { Logger } from "./logger-device.ts";

const rig = new UsbExportRig({
  seed: 1,
  turn: hostTurn,
  onExported: (busId) => console.log(`usbip --tcp-port ${listener.port} attach -r 127.0.0.1 -b ${busId}`),
});
const runner = new LiveRunner(rig.scheduler);
const listener = await listenUsbip(rig.server, { port: Number(process.argv[2] ?? 3240), steps: runner });
rig.usb.bus.plugIn(new Logger(), 1);
await runner.start();
