// Events per second: the scheduler in callback form, with continuations, and its heap against a named peer.

import { Random } from "@drydock/core/base/random";
import { VirtualClock } from "@drydock/core/base/virtual-clock";
import { Scheduler } from "@drydock/core/runtime/scheduler";
import { hostTurn } from "@drydock/node/host-turn";
import FakeTimers from "@sinonjs/fake-timers";
import type { BenchTable } from "./run.ts";

const rounds = 5;

async function perSecond(count: number, run: () => Promise<void> | void): Promise<number> {
  const started = performance.now();
  await run();
  return (count / (performance.now() - started)) * 1000;
}

/** `pending` self-rescheduling callbacks until `count` have run. */
async function hold(pending: number, count: number, seeded: boolean): Promise<void> {
  const scheduler = new Scheduler(new Random(1), hostTurn);
  const delays = new Random(2);
  let left = count;
  const tick = (slot: number): void => {
    if (left-- > 0) scheduler.after(seeded ? delays.below(1000) : 1000, tick, slot);
  };
  for (let slot = 0; slot < pending; slot++) scheduler.after(delays.below(1000), tick, slot);
  await scheduler.run();
}

function holdHeap(pending: number, count: number): void {
  const clock = new VirtualClock();
  const delays = new Random(2);
  let left = count;
  const tick = (slot: number): void => {
    if (left-- > 0) clock.after(delays.below(1000), tick, slot);
  };
  for (let slot = 0; slot < pending; slot++) clock.after(delays.below(1000), tick, slot);
  clock.runUntil();
}

function holdFakeTimers(pending: number, count: number): void {
  const clock = FakeTimers.createClock();
  const delays = new Random(2);
  let left = count;
  const tick = (): void => {
    if (left-- > 0) clock.setTimeout(tick, 1 + delays.below(1000));
  };
  for (let slot = 0; slot < pending; slot++) clock.setTimeout(tick, 1 + delays.below(1000));
  while (clock.countTimers() > 0) clock.next();
}

async function sleeps(count: number): Promise<void> {
  const scheduler = new Scheduler(new Random(1), hostTurn);
  const { Process } = await import("@drydock/core/runtime/process");
  const process = new Process(
    1,
    { kind: "dext", name: "bench", bundleIdentifier: "b", teamIdentifier: "", entitlements: {}, path: "" },
    scheduler,
    () => {},
  );
  process.spawn("sleeper", async () => {
    for (let index = 0; index < count; index++) await scheduler.sleep(10);
  });
  await scheduler.run();
}

export async function bench(): Promise<BenchTable[]> {
  const rows: Record<string, number[]> = {};
  const add = (name: string, value: number) => {
    rows[name] ??= [];
    rows[name].push(value);
  };
  for (let round = 0; round < rounds; round++) {
    for (const pending of [16, 1000]) {
      add(
        `scheduler, callbacks, ${pending} pending`,
        await perSecond(1_000_000, () => hold(pending, 1_000_000, true)),
      );
      add(`heap alone, ${pending} pending`, await perSecond(1_000_000, () => holdHeap(pending, 1_000_000)));
      add(
        `@sinonjs/fake-timers next(), ${pending} pending`,
        await perSecond(20_000, () => holdFakeTimers(pending, 20_000)),
      );
    }
    add(
      "scheduler, blocked thread resumed (one host turn each)",
      await perSecond(100_000, () => sleeps(100_000)),
    );
  }
  return [
    {
      title: "Scheduler",
      unit: "events per second",
      rows: Object.entries(rows).map(([name, values]) => ({ name, rounds: values })),
      note: "Peer: @sinonjs/fake-timers in the same process. Callback form is bound by the heap and the seeded pick; a blocked thread costs one turn of the host's event loop (setImmediate), which is what lets every promise continuation run before time moves.",
    },
  ];
}
