// Our FTDI driver on our FTDI model: what a program writes comes back from a loop-back plug.

import { defaultSerialRig } from "@drydock/core/rigs/serial-rig";
import { SerialSession } from "@drydock/core/rigs/serial-session";
import { hostTurn } from "@drydock/node/host-turn";

const rig = defaultSerialRig(1, hostTurn, { devices: ["ftdi"] });
const { scheduler } = rig.machine;
await scheduler.run(3e9, () => rig.ports.length > 0);
const session = new SerialSession(rig.ports[0]);
session.configure({ baudRate: 115200 });
session.send(Uint8Array.from("ahoy", (letter) => letter.charCodeAt(0)));
await scheduler.run(scheduler.nowNs() + 1e9, () => session.received.length === 4);
console.log(String.fromCharCode(...session.received));
// prints:
// ahoy
