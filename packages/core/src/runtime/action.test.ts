// driverkit-core.md §6 and posts.md T8: actions, timers, interrupts, and the order in which they end.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Nanoseconds } from "../base/clock.ts";
import { IOReturns } from "../base/io-return.ts";
import type { OSAction } from "./action.ts";
import { IODispatchQueue } from "./dispatch-queue.ts";
import {
  type InterruptProvider,
  IOInterruptDispatchSource,
  IOTimerDispatchSource,
  kIOTimerClockMachAbsoluteTime,
  kIOTimerClockMonotonicRaw,
} from "./dispatch-source.ts";
import { QuietDriver, startDriver } from "./test/resource-driver.ts";

const millisecond = 1e6;

test("a typed action is delivered on the target's queue, in order, never inside invoke", async () => {
  const { machine, service } = await startDriver(QuietDriver);
  const seen: string[] = [];
  const action = service.createAction("done", (_action, a, b, c) => {
    assert.equal(service.defaultQueue.onQueue(), true);
    seen.push(`${a} ${b} ${c}`);
  });
  assert.equal(action.typeName, "OSAction_QuietDriver_done");
  action.invoke(1, 2, 3);
  action.invoke(4, 5, 6);
  assert.deepEqual(seen, []);
  await machine.run();
  assert.deepEqual(seen, ["1 2 3", "4 5 6"]);
});

test("an action made with OSAction::Create is never delivered, and the drop is noted with its cause", async () => {
  const { machine, service } = await startDriver(QuietDriver);
  let calls = 0;
  const action = service.createUntypedAction("done", () => {
    calls++;
  });
  action.invoke(0, 0, 0);
  await machine.run();
  assert.equal(calls, 0);
  assert.match(machine.notes.join("\n"), /QuietDriver::done_Impl dropped: .* made with OSAction::Create/);
});

test("cancel: the handler runs after what is in progress, nothing is delivered later, the target is let go", async () => {
  const { machine, service } = await startDriver(QuietDriver);
  const seen: string[] = [];
  const before = service.retainCount;
  const action = service.createAction("done", async () => {
    await machine.scheduler.sleep(5 * millisecond);
    seen.push("delivered");
  });
  assert.equal(service.retainCount, before + 1);
  action.invoke(0, 0, 0);
  await machine.run(machine.scheduler.nowNs() + millisecond);
  action.cancel(() => seen.push("cancelled"));
  action.invoke(0, 0, 0);
  await machine.run();
  assert.deepEqual(seen, ["delivered", "cancelled"]);
  assert.equal(service.retainCount, before);
});

test("the aborted handler runs once, before or after it is set", async () => {
  const { machine, service } = await startDriver(QuietDriver);
  let aborts = 0;
  const early = service.createAction("done", () => {});
  early.setAbortedHandler(() => aborts++);
  early.abort();
  early.abort();
  const late = service.createAction("done", () => {});
  late.abort();
  late.setAbortedHandler(() => aborts++);
  await machine.run();
  assert.equal(aborts, 2);
});

test("a timer: one shot, replaced by a second wake, silent while disabled, refused after cancel", async () => {
  const { machine, service } = await startDriver(QuietDriver);
  const { scheduler } = machine;
  const start = scheduler.nowNs();
  const fired: Nanoseconds[] = [];
  const timer = IOTimerDispatchSource.create(service.defaultQueue);
  timer.setHandler(service.createAction("tick", (_action, time) => void fired.push(time - start)));
  assert.equal(timer.wakeAtTime(0x99, start), IOReturns.kIOReturnBadArgument);
  assert.equal(timer.wakeAtTime(kIOTimerClockMonotonicRaw, Number.NaN), IOReturns.kIOReturnBadArgument);
  assert.equal(timer.wakeAtTime(kIOTimerClockMonotonicRaw, start + 5 * millisecond), 0);
  await machine.run();
  assert.deepEqual(fired, []);
  assert.equal(timer.setEnable(true), 0);
  assert.equal(timer.wakeAtTime(kIOTimerClockMachAbsoluteTime, start + 9 * millisecond), 0);
  await machine.run();
  assert.deepEqual(fired, [9 * millisecond]);
  timer.wakeAtTime(kIOTimerClockMonotonicRaw, start + 20 * millisecond);
  const ended: string[] = [];
  timer.cancel(() => ended.push("cancelled"));
  await machine.run();
  assert.deepEqual([fired.length, ended], [1, ["cancelled"]]);
  assert.equal(timer.wakeAtTime(kIOTimerClockMonotonicRaw, start), IOReturns.kIOReturnUnsupported);
  assert.equal(timer.setEnable(true), IOReturns.kIOReturnUnsupported);
});

test("a deadline in the past fires at once; an enable handler runs only on a change", async () => {
  const { machine, service } = await startDriver(QuietDriver);
  let fired = 0;
  const changes: string[] = [];
  const timer = IOTimerDispatchSource.create(service.defaultQueue);
  timer.setHandler(service.createAction("tick", () => void fired++));
  timer.setEnable(false, () => changes.push("off"));
  timer.setEnable(true, () => changes.push("on"));
  timer.setEnable(true, () => changes.push("on again"));
  timer.wakeAtTime(kIOTimerClockMonotonicRaw, 0);
  await machine.run();
  assert.deepEqual([fired, changes], [1, ["on"]]);
});

/** Two interrupt lines: 0 level, 1 messaged. */
class TwoLines implements InterruptProvider {
  readonly handlers = new Map<number, (timeNs: Nanoseconds) => void>();

  interruptType(index: number): number | null {
    return [0x1, 0x0003_0000][index] ?? null;
  }

  registerInterrupt(index: number, handler: (timeNs: Nanoseconds) => void): number {
    if (this.handlers.has(index)) return IOReturns.kIOReturnNoResources;
    this.handlers.set(index, handler);
    return IOReturns.kIOReturnSuccess;
  }

  unregisterInterrupt(index: number): void {
    this.handlers.delete(index);
  }
}

async function interruptBench(handler: (action: OSAction, count: number) => void | Promise<void>) {
  const { machine, service } = await startDriver(QuietDriver);
  const lines = new TwoLines();
  const { source } = IOInterruptDispatchSource.create(lines, 1, service.defaultQueue);
  assert.ok(source);
  source.setHandler(service.createAction("interrupt", handler));
  return { machine, service, lines, source };
}

test("T8: a source takes one index; twice is kIOReturnNoResources, none is kIOReturnBadArgument", async () => {
  const { service, lines, source } = await interruptBench(() => {});
  const again = IOInterruptDispatchSource.create(lines, 1, service.defaultQueue);
  assert.deepEqual(again, { status: IOReturns.kIOReturnNoResources, source: null });
  const absent = IOInterruptDispatchSource.create(lines, 2, service.defaultQueue);
  assert.deepEqual(absent, { status: IOReturns.kIOReturnBadArgument, source: null });
  assert.equal(source.index, 1);
});

test("T8: disabled at first; a storm is folded into one callback with its count", async () => {
  const counts: number[] = [];
  const { machine, lines, source } = await interruptBench((_action, count) => void counts.push(count));
  lines.handlers.get(1)?.(5);
  await machine.run();
  assert.deepEqual(counts, []);
  source.setEnable(true);
  for (let index = 0; index < 50; index++) lines.handlers.get(1)?.(100 + index);
  assert.deepEqual(source.getLastInterrupt(), { count: 50, timeNs: 149 });
  await machine.run();
  assert.deepEqual(counts, [50]);
  assert.equal(source.getLastInterrupt().count, 0);
});

test("T8: delivered after the work that has the queue, and never after cancel's handler", async () => {
  const seen: string[] = [];
  const { machine, service, lines, source } = await interruptBench((_action, count) => {
    seen.push(`interrupt ${count}`);
  });
  source.setEnable(true);
  service.defaultQueue.dispatchAsync(async () => {
    lines.handlers.get(1)?.(1);
    await machine.scheduler.sleep(millisecond);
    seen.push("work done");
  });
  await machine.run();
  assert.deepEqual(seen, ["work done", "interrupt 1"]);
  const handler = lines.handlers.get(1);
  source.cancel(() => seen.push("cancelled"));
  handler?.(2);
  await machine.run();
  assert.deepEqual(seen.slice(2), ["cancelled"]);
  assert.equal(lines.handlers.has(1), false);
});

test("T8: an interrupt handler may nest dispatchSync onto its own queue", async () => {
  const seen: string[] = [];
  const { machine, service, lines, source } = await interruptBench(async () => {
    await service.defaultQueue.dispatchSync(() => seen.push("inline"));
  });
  source.setEnable(true);
  lines.handlers.get(1)?.(1);
  await machine.run();
  assert.deepEqual([seen, machine.crashes, machine.failure], [["inline"], [], null]);
});

test("a queue of the driver's own takes a method's callbacks when it is set for that method's QUEUENAME", async () => {
  class OwnQueueDriver extends QuietDriver {
    static override readonly queueNames = { tick: "TickQueue" };
  }
  const { machine, service } = await startDriver(OwnQueueDriver);
  const queue = IODispatchQueue.create(service.process, "ticks");
  assert.throws(() => service.setDispatchQueue("Unknown", queue), { code: IOReturns.kIOReturnBadArgument });
  assert.throws(() => service.copyDispatchQueue("TickQueue"), { code: IOReturns.kIOReturnNotFound });
  service.setDispatchQueue("TickQueue", queue);
  const on: boolean[] = [];
  service.createAction("tick", () => void on.push(queue.onQueue())).invoke(0, 0, 0);
  service.createAction("other", () => void on.push(queue.onQueue())).invoke(0, 0, 0);
  await machine.run();
  assert.deepEqual(on.sort(), [false, true]);
});
