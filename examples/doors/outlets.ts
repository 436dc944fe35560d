// A model for programs that know WebUSB: the same object that a page finds at navigator.usb.

import { WebUsbRig } from "@drydock/core/rigs/web-usb-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { Logger } from "../logger-device.ts";

const rig = new WebUsbRig({ seed: 1, turn: hostTurn });
rig.berth.bus.plugIn(new Logger());
await rig.settle();
const runner = rig.runFreely((error) => console.log(error));
const device = await rig.usb.requestDevice({ filters: [{ vendorId: 0x1209 }] });
await device.open();
const setup = { requestType: "vendor", recipient: "device", request: 1, value: 0, index: 1 } as const;
const { data } = await device.controlTransferIn(setup, 2);
console.log(device.productName, data?.getUint16(0, true));
await device.close();
runner.stop();
// prints:
// Temperature logger 215
