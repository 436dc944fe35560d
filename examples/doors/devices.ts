// A model of ours on a bus: it comes up like hardware, and goes when its cable is pulled.

import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import { openUsbRig } from "@drydock/node/open-rig";

const rig = openUsbRig();
const connector = rig.bus.plugIn(new LoopbackDevice());
await rig.run(1e9);
console.log(rig.machine.registry.byClass("IOUSBHostDevice").length);
rig.bus.unplug(connector);
await rig.run(2e9);
console.log(rig.machine.registry.byClass("IOUSBHostDevice").length);
// prints:
// 1
// 0
