// The real clock for what needs no scheduler, and a rig in one line.

import { HostClock } from "@drydock/node/host-clock";
import { openUsbRig } from "@drydock/node/open-rig";

const clock = new HostClock();
const keepAlive = setTimeout(() => {}, 10_000);
await new Promise<void>((resolve) => clock.after(5e6, resolve, undefined));
clearTimeout(keepAlive);
console.log(clock.nowNs() >= 5e6);
console.log(openUsbRig().machine.profile.name);
// prints:
// true
// macOS 15
