// The cable is pulled at every step of the scheduler: nothing may be left behind, whenever it is.

import { ownUsbRig } from "@drydock/core/rigs/own-rig";
import { explorableOf } from "@drydock/core/trials/explorables";
import { explore } from "@drydock/core/trials/explore";
import { hostTurn } from "@drydock/node/host-turn";
import { Logger } from "../logger-device.ts";
import { loggerBundle } from "../logger-driver.ts";

const devices = [{ name: "a logger", make: () => new Logger() }];
const entry = ownUsbRig({ name: "logger", summary: "a logger", devices, bundles: [loggerBundle] });
const state = await explore({ entry: explorableOf(entry), seed: 1, turn: hostTurn });
console.log(state.steps > 10, state.failures.length);
// prints:
// true 0
