// What a test puts in the place of a worker's navigator.usb: an FT232R with a loop-back plug, let in already.

import { makeSerialDevice } from "@drydock/core/rigs/serial-rig";
import { WebUsbRig } from "@drydock/core/rigs/web-usb-rig";
import { pageTurn } from "@drydock/lab/page/page-turn";

const rig = new WebUsbRig({ seed: 1, turn: pageTurn, allowAllDevices: true });
rig.bus.plugIn(makeSerialDevice("ftdi", { clock: rig.scheduler, pacing: "baud" }), 1);
/** On the real clock, as hardware is. */
const begunMs = performance.now();
async function goOn(): Promise<void> {
  await rig.scheduler.run(Math.floor((performance.now() - begunMs) * 1e6));
  setTimeout(goOn, 2);
}
void goOn();
Object.defineProperty(navigator, "usb", { value: rig.usb, configurable: true });
