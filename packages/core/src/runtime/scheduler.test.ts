// The scheduler: order by seed, continuations before time, deadlocks by name.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Random } from "../base/random.ts";
import { Process } from "./process.ts";
import { Scheduler } from "./scheduler.ts";

const turn = () => nextTurn();
const newScheduler = (seed = 1) => new Scheduler(new Random(seed), turn);

function newProcess(scheduler: Scheduler, faults: unknown[] = []): Process {
  return new Process(
    7,
    { kind: "dext", name: "test", bundleIdentifier: "t", teamIdentifier: "", entitlements: {}, path: "/t" },
    scheduler,
    (_process, _thread, error) => faults.push(error),
  );
}

test("work due at one instant runs in the seed's order, the same for the same seed", async () => {
  const orderOf = async (seed: number): Promise<string> => {
    const scheduler = newScheduler(seed);
    const order: number[] = [];
    for (let index = 0; index < 8; index++) scheduler.after(100, (value: number) => order.push(value), index);
    await scheduler.run();
    return order.join();
  };
  assert.equal(await orderOf(3), await orderOf(3));
  const orders = new Set<string>();
  for (let seed = 0; seed < 20; seed++) orders.add(await orderOf(seed));
  assert.ok(orders.size > 10, `20 seeds gave ${orders.size} orders`);
});

test("all promise continuations run before the clock moves", async () => {
  const scheduler = newScheduler();
  const process = newProcess(scheduler);
  const seen: string[] = [];
  process.spawn("worker", async () => {
    await scheduler.sleep(10);
    for (let index = 0; index < 50; index++) await Promise.resolve();
    seen.push(`continuations at ${scheduler.nowNs()}`);
  });
  scheduler.after(11, () => seen.push("later"), undefined);
  await scheduler.run();
  assert.deepEqual(seen, ["continuations at 10", "later"]);
});

test("run stops at the limit and goes on from there", async () => {
  const scheduler = newScheduler();
  const times: number[] = [];
  for (const delay of [10, 20, 30]) scheduler.after(delay, () => times.push(scheduler.nowNs()), undefined);
  assert.equal((await scheduler.run(20)).reason, "time");
  assert.deepEqual(times, [10, 20]);
  assert.equal(scheduler.nowNs(), 20);
  assert.equal((await scheduler.run()).reason, "idle");
  assert.deepEqual(times, [10, 20, 30]);
});

test("step takes one piece of work", async () => {
  const scheduler = newScheduler();
  let count = 0;
  scheduler.ready(() => count++, undefined);
  scheduler.after(5, () => count++, undefined);
  assert.equal(await scheduler.step(), true);
  assert.equal(count, 1);
  assert.equal(await scheduler.step(), true);
  assert.equal(await scheduler.step(), false);
  assert.equal(count, 2);
  assert.equal(scheduler.steps, 2);
});

test("a deadlock is named: who waits, for what, held by whom", async () => {
  const scheduler = newScheduler();
  const process = newProcess(scheduler);
  const holder = scheduler.newThread(process, "holder");
  process.spawn("waiter", async () => {
    await scheduler.block<void>(
      "the answer",
      () => {},
      () => holder,
    );
  });
  const outcome = await scheduler.run();
  assert.equal(outcome.reason, "deadlock");
  assert.deepEqual(outcome.waits, [
    { thread: "test[7] waiter", waitsFor: "the answer", heldBy: "test[7] holder" },
  ]);
});

test("a wait for the world outside is no deadlock", async () => {
  const scheduler = newScheduler();
  newProcess(scheduler).spawn("reader", async () => {
    await scheduler.block<void>(
      "a key press",
      () => {},
      () => null,
      true,
    );
  });
  assert.equal((await scheduler.run()).reason, "idle");
});

test("a cancelled call does not run, even when it was due at the same instant", async () => {
  const scheduler = newScheduler();
  const ran: string[] = [];
  const handles: number[] = [];
  handles.push(
    scheduler.after(
      5,
      () => {
        ran.push("first");
        scheduler.cancel(handles[1]);
      },
      undefined,
    ),
    scheduler.after(
      5,
      () => {
        ran.push("second");
        scheduler.cancel(handles[0]);
      },
      undefined,
    ),
  );
  await scheduler.run();
  assert.equal(ran.length, 1);
});

test("a fault of a thread reaches its process and nobody else", async () => {
  const scheduler = newScheduler();
  const faults: unknown[] = [];
  const process = newProcess(scheduler, faults);
  process.spawn("bad", async () => {
    await scheduler.sleep(1);
    throw new Error("boom");
  });
  await scheduler.run();
  assert.equal(faults.length, 1);
  assert.match(String(faults[0]), /boom/);
});

test("a framework call from outside any thread is refused with what to do", () => {
  const scheduler = newScheduler();
  assert.throws(() => scheduler.block("deviceRequest", () => {}), /no-thread.*machine\.perform/);
});

test("a dead process runs nothing more", async () => {
  const scheduler = newScheduler();
  const process = newProcess(scheduler);
  let after = false;
  process.spawn("sleeper", async () => {
    await scheduler.sleep(100);
    after = true;
  });
  scheduler.after(50, () => process.end(0xfffffecc), undefined);
  await scheduler.run();
  assert.equal(after, false);
});

test("a call that the world outside schedules wakes whoever runs the machine", () => {
  const scheduler = newScheduler();
  let wakes = 0;
  scheduler.onWork = () => wakes++;
  scheduler.after(0, () => {}, undefined);
  assert.equal(wakes, 1);
});

test("scheduler: runCallbacks takes what is due at once, and leaves off where driver code holds a promise", async () => {
  const scheduler = newScheduler();
  const seen: string[] = [];
  scheduler.ready(() => {
    seen.push("first");
    scheduler.after(0, () => seen.push("second"), undefined);
    scheduler.after(1000, () => seen.push("later"), undefined);
  }, undefined);
  assert.equal(scheduler.runCallbacks(scheduler.nowNs()), true);
  assert.deepEqual(seen, ["first", "second"]);
  scheduler.ready(() => {
    scheduler.expectContinuations();
    void Promise.resolve().then(() => seen.push("continuation"));
  }, undefined);
  scheduler.after(0, () => seen.push("after it"), undefined);
  assert.equal(scheduler.runCallbacks(scheduler.nowNs()), false);
  assert.equal(seen.includes("after it"), false);
  await scheduler.run();
  assert.deepEqual(seen.slice(2), ["continuation", "after it", "later"]);
});

test("scheduler: runCallbacks leaves off after as many steps as it was allowed, and says that there may be more", () => {
  const scheduler = newScheduler();
  let taken = 0;
  const again = (): void => {
    taken++;
    scheduler.after(0, again, undefined);
  };
  again();
  assert.equal(scheduler.runCallbacks(scheduler.nowNs(), 10), false);
  assert.equal(taken, 11);
});
