// The npm package serialport over a rig: list, open, write, read, as on a desk.

import { FreeRunner } from "@drydock/core/rigs/free-runner";
import { defaultSerialRig } from "@drydock/core/rigs/serial-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { RigBinding } from "@drydock/serialport-binding/rig-binding";
import { serialPortOver } from "@drydock/serialport-binding/serial-port";

const rig = defaultSerialRig(1, hostTurn);
await rig.machine.scheduler.run(2e9, () => rig.ports.length > 0);
const runner = new FreeRunner(rig.machine.scheduler, (error) => console.log(error));
const SerialPort = serialPortOver(new RigBinding(rig));
const [{ path }] = await SerialPort.list();
const port = new SerialPort({ path, baudRate: 115200 });
port.write("ahoy");
console.log(path, await new Promise((resolve) => port.once("data", (bytes) => resolve(String(bytes)))));
await new Promise((resolve) => port.close(resolve));
runner.stop();
// prints:
// /dev/tty.usbserial-DD000001 ahoy
