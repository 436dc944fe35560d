// Two runs, one with a sample less: the first line of the wire at which they part.

import { firstDifference } from "@drydock/core/trace/trace-diff";
import { traceLines } from "@drydock/core/trace/usb-text";
import { openUsbRig } from "@drydock/node/open-rig";
import { Logger } from "../logger-device.ts";
import { loggerBundle } from "../logger-driver.ts";

async function wire(samples: number) {
  const device = new Logger();
  device.samples.length = samples;
  const rig = openUsbRig();
  rig.machine.install(loggerBundle);
  rig.bus.plugIn(device);
  await rig.run(3e9);
  return traceLines(rig.trace);
}
const { right } = firstDifference(await wire(3), await wire(2));
console.log(right?.wire);
// prints:
// ep0    c0 01 00 00 02 00 02 00  vendor in to device: request 0x01 value 0x0000 index 0x0002 length 2  -> STALL, 0 bytes
