// A rig as a module: exports `SerialPort`, which programs import in place of serialport's.

import { FreeRunner } from "@drydock/core/rigs/free-runner";
import { defaultSerialRig } from "@drydock/core/rigs/serial-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { RigBinding } from "@drydock/serialport-binding/rig-binding";
import { serialPortOver } from "@drydock/serialport-binding/serial-port";

const rig = defaultSerialRig(1, hostTurn);
const { scheduler } = rig.machine;
await scheduler.run(2e9, () => rig.ports.length > 0);
const runner = new FreeRunner(scheduler, (error) => {
  throw error;
});

export const SerialPort = serialPortOver(new RigBinding(rig));
/** Lets the rig rest, so that the process can end. */
export const rest = (): void => runner.stop();
