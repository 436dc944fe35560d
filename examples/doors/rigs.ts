// A rig of your own as an entry that every command takes: drydock registry, explore, lab FILE.

import { ownUsbRig } from "@drydock/core/rigs/own-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { Logger } from "../logger-device.ts";
import { loggerBundle } from "../logger-driver.ts";

const entry = ownUsbRig({
  name: "logger",
  summary: "a logger and its driver",
  devices: [{ name: "a logger", make: () => new Logger() }],
  bundles: [loggerBundle],
});
const rig = entry.build({ seed: 1, turn: hostTurn });
await rig.machine.run(3e9);
console.log(entry.name, rig.machine.registry.byClass("LoggerDriver").length);
// prints:
// logger 1
