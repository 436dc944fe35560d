// Dispatch queues: order, nesting, sleep and wakeup, the two ledgers and the trap.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ContractViolation } from "../base/errors.ts";
import { IOReturns } from "../base/io-return.ts";
import { Random } from "../base/random.ts";
import { TimelineKind } from "../ports/recorder.ts";
import {
  DispatchTrap,
  dispatchSyncTrapText,
  IODispatchQueue,
  kIODispatchQueueReentrant,
} from "./dispatch-queue.ts";
import { Process } from "./process.ts";
import { Scheduler } from "./scheduler.ts";

function newBench(seed = 1) {
  const scheduler = new Scheduler(new Random(seed), () => nextTurn());
  const faults: unknown[] = [];
  const process = new Process(
    9,
    { kind: "dext", name: "dext", bundleIdentifier: "d", teamIdentifier: "", entitlements: {}, path: "/d" },
    scheduler,
    (_process, _thread, error) => faults.push(error),
  );
  return { scheduler, process, faults };
}

test("a queue is serial and first in first out, whatever the seed", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { scheduler, process } = newBench(seed);
    const queue = IODispatchQueue.create(process, "Default");
    const seen: number[] = [];
    let running = 0;
    for (let index = 0; index < 10; index++) {
      queue.dispatchAsync(async () => {
        assert.equal(++running, 1);
        await scheduler.sleep(seed % 3);
        seen.push(index);
        running--;
      });
    }
    await scheduler.run();
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
});

test("nested dispatchSync runs inline by the chain, directly and through another queue", async () => {
  const { scheduler, process, faults } = newBench();
  const first = IODispatchQueue.create(process, "first");
  const second = IODispatchQueue.create(process, "second");
  const seen: string[] = [];
  first.dispatchAsync(async () => {
    await second.dispatchSync(async () => {
      seen.push(`on both ${first.onQueue()} ${second.onQueue()}`);
      await first.dispatchSync(() => seen.push("inline"));
    });
    seen.push(`after ${first.onQueue()} ${second.onQueue()}`);
  });
  await scheduler.run();
  assert.deepEqual(seen, ["on both true true", "inline", "after true false"]);
  assert.deepEqual(faults, []);
});

test("raw libdispatch without the chain traps with its text and the owner word", async () => {
  const { scheduler, process, faults } = newBench();
  const queue = IODispatchQueue.create(process, "raw", 0, 0, { chain: false, stopOnDisagreement: false });
  queue.dispatchAsync(async () => {
    await queue.dispatchSync(() => {});
  });
  await scheduler.run();
  assert.equal(faults.length, 1);
  const trap = faults[0];
  assert.ok(trap instanceof DispatchTrap);
  assert.equal(trap.message, dispatchSyncTrapText);
  assert.notEqual(trap.ownerWord, 0);
  assert.equal(trap.ownerWord & 3, 0);
});

test("use of a released queue is stopped before the trap would spring", async () => {
  const { scheduler, process, faults } = newBench();
  const queue = IODispatchQueue.create(process, "gone");
  queue.release();
  process.spawn("source", async () => {
    await queue.dispatchSync(() => {});
  });
  await scheduler.run();
  assert.ok(faults[0] instanceof ContractViolation);
  assert.equal((faults[0] as ContractViolation).rule, "queue-use-after-release");
});

test("sleep on a plain queue is refused with kIOReturnNotReady and does not sleep", async () => {
  const { scheduler, process } = newBench();
  const queue = IODispatchQueue.create(process, "plain");
  const results: number[] = [];
  queue.dispatchAsync(async () => {
    results.push(await queue.sleep({}, 1_000), scheduler.nowNs(), queue.wakeup({}));
  });
  await scheduler.run();
  assert.deepEqual(results, [IOReturns.kIOReturnNotReady, 0, IOReturns.kIOReturnNotReady]);
});

test("sleep on a reentrant queue lets other work run, and wakeup brings it back", async () => {
  const { scheduler, process } = newBench();
  const queue = IODispatchQueue.create(process, "re", kIODispatchQueueReentrant);
  const event = {};
  const seen: string[] = [];
  process.spawn("sleeper", () =>
    queue.dispatchSync(async () => {
      seen.push("sleeps");
      const result = await queue.sleep(event);
      seen.push(`woken ${result} ${queue.onQueue()}`);
    }),
  );
  scheduler.after(
    10,
    () =>
      queue.dispatchAsync(() => {
        seen.push(`other work ${queue.wakeup(event)} ${queue.wakeup({})}`);
      }),
    undefined,
  );
  await scheduler.run();
  assert.deepEqual(seen, ["sleeps", `other work 0 ${IOReturns.kIOReturnNotFound}`, "woken 0 true"]);
});

test("sleep with a timeout ends with kIOReturnTimeout", async () => {
  const { scheduler, process } = newBench();
  const queue = IODispatchQueue.create(process, "re", kIODispatchQueueReentrant);
  let result = 0;
  process.spawn("sleeper", () =>
    queue.dispatchSync(async () => {
      result = await queue.sleep({}, 5_000);
    }),
  );
  await scheduler.run();
  assert.equal(result, IOReturns.kIOReturnTimeout);
  assert.equal(scheduler.nowNs(), 5_000);
});

test("a thread that waits for a queue says so to the timeline, and that it goes on; who waits for nobody says nothing", async () => {
  const { scheduler, process } = newBench();
  const rows: string[] = [];
  scheduler.recorder = {
    record: (kind, text, a = 0) => {
      if (kind === TimelineKind.wait) rows.push(`${text} ${a}`);
      return rows.length;
    },
  };
  const queue = IODispatchQueue.create(process, "io");
  process.spawn("main", () => queue.dispatchSync(() => scheduler.sleep(50)));
  process.spawn("other", async () => {
    await scheduler.sleep(20);
    await queue.dispatchSync(() => {});
  });
  await scheduler.run();
  assert.deepEqual(rows, [
    "thread other of dext[9]: waits for queue io of dext, held by thread main of dext[9] 0",
    "thread other of dext[9]: goes on 1",
  ]);
});

test("two queues that wait for each other are a deadlock with both names, not a trap", async () => {
  const { scheduler, process, faults } = newBench();
  const left = IODispatchQueue.create(process, "left");
  const right = IODispatchQueue.create(process, "right");
  left.dispatchAsync(async () => {
    await scheduler.sleep(10);
    await right.dispatchSync(() => {});
  });
  right.dispatchAsync(async () => {
    await scheduler.sleep(10);
    await left.dispatchSync(() => {});
  });
  const outcome = await scheduler.run();
  assert.equal(outcome.reason, "deadlock");
  assert.deepEqual(outcome.waits.map((wait) => wait.waitsFor).sort(), [
    "queue left of dext",
    "queue right of dext",
  ]);
  assert.deepEqual(outcome.waits.map((wait) => wait.heldBy).sort(), [
    "dext[9] queue left",
    "dext[9] queue right",
  ]);
  assert.deepEqual(faults, []);
});

test("cancel runs its handler after the last work and takes no more", async () => {
  const { scheduler, process } = newBench();
  const queue = IODispatchQueue.create(process, "q");
  const seen: string[] = [];
  queue.dispatchAsync(() => {
    seen.push("work");
  });
  queue.cancel(() => seen.push("cancelled"));
  queue.dispatchAsync(() => {
    seen.push("too late");
  });
  await scheduler.run();
  assert.deepEqual(seen, ["work", "cancelled"]);
  assert.throws(() => queue.cancel(() => {}), /queue-cancelled-twice/);
});
