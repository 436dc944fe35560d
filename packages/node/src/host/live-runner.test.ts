// The live runner: what it does by callbacks alone, and when it goes through a pass.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { Scheduler } from "@drydock/core/runtime/scheduler";
import { hostTurn } from "./host-turn.ts";
import { LiveRunner } from "./live-runner.ts";

const packetNs = 125_000;
/** Half a second of packets: as passes they would take a thousand turns, some hundreds where wakes come late. */
const packetCount = 4000;
/** For the passes in which the machine starts. */
const mostTurns = 50;

/** A machine on the real clock, and the turns of the host that it has asked for. */
function liveMachine() {
  const host = { turns: 0 };
  const scheduler = new Scheduler(new Random(1), (isWhole) => {
    host.turns++;
    return hostTurn(isWhole);
  });
  return { host, scheduler, runner: new LiveRunner(scheduler) };
}

test("callbacks that are due thousands of times a second cost no turn of the host, and whoever looks after each pass is told", async () => {
  const { host, runner, scheduler } = liveMachine();
  let packets = 0;
  let told = 0;
  await new Promise<void>((resolve) => {
    const serve = (): void => {
      packets++;
      if (packets < packetCount) scheduler.after(packetNs, serve, undefined);
      else resolve();
    };
    // Far enough away for the first sleep to begin.
    scheduler.after(20e6, serve, undefined);
    scheduler.after(60e9, () => {}, undefined);
    void runner.start(() => told++);
  });
  assert.ok(host.turns < mostTurns, `${host.turns} turns of the host for ${packets} packets`);
  assert.ok(told > 1, "it is told of what was done while the machine slept");
  await runner.stop();
});

test("driver code that holds a promise has its continuations run before time moves, also when a timer brought it", async () => {
  const { runner, scheduler } = liveMachine();
  const seen: string[] = [];
  const running = runner.start();
  await new Promise<void>((resolve) => {
    scheduler.after(
      5e6,
      () => {
        scheduler.expectContinuations();
        void Promise.resolve().then(() => seen.push("continuation"));
      },
      undefined,
    );
    scheduler.after(
      5e6 + 1,
      () => {
        seen.push("later");
        resolve();
      },
      undefined,
    );
  });
  assert.deepEqual(seen, ["continuation", "later"]);
  await runner.stop();
  await running;
});

test("work that makes more of itself without end leaves sockets and timers their turn", async () => {
  const { runner, scheduler } = liveMachine();
  let isOver = false;
  const again = (): void => {
    if (!isOver) scheduler.after(0, again, undefined);
  };
  scheduler.after(5e6, again, undefined);
  const running = runner.start();
  await new Promise((resolve) => setTimeout(resolve, 30));
  isOver = true;
  await runner.stop();
  await running;
});

test("what may be late is done in one go with what comes behind it, at its own instants", async () => {
  const { runner, scheduler } = liveMachine();
  let told = 0;
  let packets = 0;
  const instants: number[] = [];
  await new Promise<void>((resolve) => {
    const serve = (): void => {
      instants.push(scheduler.nowNs());
      if (++packets === packetCount) resolve();
      else scheduler.mayBeLate(scheduler.after(packetNs, serve, undefined), 20e6);
    };
    scheduler.after(20e6, serve, undefined);
    void runner.start(() => told++);
  });
  await runner.stop();
  assert.ok(
    instants.every((at, index) => index === 0 || at === instants[index - 1] + packetNs),
    "no instant has moved",
  );
  // Half a second in steps of 20 ms, and as much again for the start; each millisecond would be 500.
  assert.ok(told < 100, `told ${told} times of ${packets} packets`);
});

test("input comes behind what was due before it", async () => {
  const { runner, scheduler } = liveMachine();
  const seen: string[] = [];
  const running = runner.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
  runner.ready(() => {
    const due = scheduler.after(2e6, () => seen.push("due"), undefined);
    scheduler.mayBeLate(due, 10e9);
  }, undefined);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(seen.length, 0, "it may be late");
  runner.ready(() => void seen.push("input"), undefined);
  assert.deepEqual(seen, ["due", "input"]);
  await runner.stop();
  await running;
});
