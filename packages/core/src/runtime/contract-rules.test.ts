// posts.md F26: each forbidden call stops the machine with its rule's name, whatever it would do on a real system.

import assert from "node:assert/strict";
import { test } from "node:test";
import { IODispatchQueue } from "./dispatch-queue.ts";
import { IOTimerDispatchSource } from "./dispatch-source.ts";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "./memory.ts";
import { IOService, kIOServicePowerCapabilityOn } from "./service.ts";
import { QuietDriver, startDriver } from "./test/resource-driver.ts";

const nothing = (): void => {};
const queueOf = (driver: IOService) => IODispatchQueue.create(driver.process, "own");
const bufferOf = (driver: IOService) =>
  IOBufferMemoryDescriptor.create(driver.process.memory, kIOMemoryDirectionOutIn, 64, 0)
    .value as IOBufferMemoryDescriptor;

/** What the driver does in Start, and the rule that it breaks. */
const violations: Readonly<Record<string, (driver: IOService, provider: IOService) => void | Promise<void>>> =
  {
    "action-cancelled-twice": (driver) => {
      const action = driver.createAction("done", nothing);
      action.cancel(nothing);
      action.cancel(nothing);
    },
    "source-cancelled-twice": (driver) => {
      const timer = IOTimerDispatchSource.create(driver.defaultQueue);
      timer.cancel(nothing);
      timer.cancel(nothing);
    },
    "queue-cancelled-twice": (driver) => {
      const queue = queueOf(driver);
      queue.cancel(nothing);
      queue.cancel(nothing);
    },
    "queue-over-release": (driver) => {
      const queue = queueOf(driver);
      queue.release();
      queue.release();
    },
    "queue-use-after-release": (driver) => {
      const queue = queueOf(driver);
      queue.release();
      queue.dispatchAsync(nothing);
    },
    "queue-ledgers-disagree": async (driver) => {
      // The queue is given up while its own work runs; its block is reused, and asked whether this thread holds it.
      const queue = queueOf(driver);
      await queue.dispatchSync(() => queue.release());
      await queue.dispatchSync(nothing);
    },
    "memory-released-twice": (driver) => {
      const buffer = bufferOf(driver);
      buffer.release();
      buffer.release();
    },
    "memory-use-after-release": (driver) => {
      const buffer = bufferOf(driver);
      buffer.release();
      buffer.bytes.fill(0);
    },
    "service-over-release": (driver) => {
      for (let count = driver.retainCount; count >= 0; count--) driver.release();
    },
    "busy-underflow": (driver) => {
      driver.adjustBusy(-1);
    },
    "completed-twice": (driver) =>
      driver.process.scheduler.block<void>("a call", (completion) => {
        completion.succeed(undefined);
        completion.succeed(undefined);
      }),
    "power-acknowledged-without-change": (driver) =>
      IOService.prototype.setPowerState.call(driver, kIOServicePowerCapabilityOn),
    "stopped-twice": async (driver) => {
      const child = driver.create(driver, "Child");
      await child.stop(driver);
      await child.stop(driver);
    },
    "no-thread": (driver) => {
      // A timer of the host's, in effect: the call comes from no thread of the machine.
      driver.process.scheduler.after(1000, () => driver.terminate(), undefined);
    },
  };

for (const [rule, violate] of Object.entries(violations)) {
  test(`F26: ${rule} stops the machine`, async () => {
    class OffendingDriver extends IOService {
      override async start(provider: IOService): Promise<void> {
        await super.start(provider);
        await violate(this, provider);
      }
    }
    const { machine } = await startDriver(OffendingDriver, {
      personality: { Child: { IOClass: "IOUserService", IOUserClass: "QuietDriver" } },
      classes: { QuietDriver },
    });
    assert.equal(machine.failure?.kind, "violation");
    const named = machine.failure?.kind === "violation" ? machine.failure.rule : "";
    // A freed queue has one name for both of its ends (posts.md F04).
    const expected = rule === "queue-ledgers-disagree" ? "queue-use-after-release" : rule;
    assert.equal(named, expected);
    assert.match(machine.failure?.text ?? "", new RegExp(`^${expected}: `));
    const outcome = await machine.run();
    assert.equal(outcome.reason, "stopped");
  });
}

test("F26: the table has at least twelve rules, and a lawful driver breaks none", async () => {
  assert.ok(new Set(Object.keys(violations)).size >= 12);
  const { machine } = await startDriver(QuietDriver);
  machine.setSystemPower("sleep");
  await machine.run(machine.scheduler.nowNs() + 1e9);
  machine.setSystemPower("wake");
  await machine.run(machine.scheduler.nowNs() + 1e9);
  assert.equal(machine.failure, null);
  assert.deepEqual(machine.crashes, []);
});
