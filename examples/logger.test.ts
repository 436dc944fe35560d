// Three tests of the logger and its driver: what is read, what is missing, and that a seed says all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openUsbRig } from "@drydock/node/open-rig";
import { Logger } from "./logger-device.ts";
import { type LoggerDriver, loggerBundle } from "./logger-driver.ts";

async function run(device: Logger) {
  const rig = openUsbRig();
  rig.machine.install(loggerBundle);
  rig.bus.plugIn(device);
  await rig.run(3e9);
  return { rig, drivers: rig.machine.registry.byClass("LoggerDriver") as LoggerDriver[] };
}

test("all samples are read", async () => {
  const { drivers } = await run(new Logger());
  assert.deepEqual(drivers[0]?.read, [200, 215, 223]);
});

test("a logger with too few samples stops the driver, and the log says where", async () => {
  const device = new Logger();
  device.samples.pop();
  const { rig, drivers } = await run(device);
  assert.equal(drivers.length, 0);
  const log = rig.machine.log.show().map(({ message }) => message);
  assert.match(log.join(), /LoggerDriver .*does not run.*deviceRequest/);
});

test("the same seed gives the same run", async () => {
  const [first, second] = [await run(new Logger()), await run(new Logger())];
  assert.equal(first.rig.digest(), second.rig.digest());
});
