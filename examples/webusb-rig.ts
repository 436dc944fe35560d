// A rig as a module: exports `usb`, which programs import in place of navigator.usb or of npm usb's webusb.

import { FtdiDevice } from "@drydock/core/devices/ftdi/ftdi-device";
import { WebUsbRig } from "@drydock/core/rigs/web-usb-rig";
import { hostTurn } from "@drydock/node/host-turn";

const rig = new WebUsbRig({ seed: 1, turn: hostTurn });
rig.berth.bus.plugIn(new FtdiDevice({ clock: rig.scheduler, chip: "ft232r", pacing: "baud" }));
await rig.settle();
const runner = rig.runFreely((error) => {
  throw error;
});

export const { usb } = rig;
/** Pulls the cable and lets the rig rest, so that the process can end. */
export function unplug(): void {
  rig.berth.bus.unplug(1);
  runner.stop();
}
