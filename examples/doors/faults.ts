// The second answer of the device never comes: the driver's timeout is met, in virtual time.

import { parseUsbFaultRule } from "@drydock/core/faults/usb-faults";
import { openUsbRig } from "@drydock/node/open-rig";
import { Logger } from "../logger-device.ts";
import { loggerBundle } from "../logger-driver.ts";

const rig = openUsbRig({ faults: { rules: [parseUsbFaultRule("drop:request=1,nth=2")] } });
rig.machine.install(loggerBundle);
rig.bus.plugIn(new Logger());
await rig.run(5e9);
console.log(rig.machine.registry.byClass("LoggerDriver").length);
const said = rig.machine.log.show().map(({ message }) => message);
console.log(/Start failed with 0x[0-9a-f]+/.exec(said.join())?.[0]);
// prints:
// 0
// Start failed with 0xe00002d6
