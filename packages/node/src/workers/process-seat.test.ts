// A process of jobs: answers, refusals, a new process for one that has ended, and no orphan.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ProcessSeat, SeatEnded } from "./process-seat.ts";

const newSeat = () => new ProcessSeat<string, string>(new URL("./test/seat-process.ts", import.meta.url));
const pidOf = (answer: string): number => Number(answer.split(" ")[1]);

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("one process for job after job; a refusal is the job's, an end is the process's, and the next job has a new one", async () => {
  const seat = newSeat();
  const first = pidOf(await seat.ask("a"));
  assert.equal(pidOf(await seat.ask("b")), first);
  await assert.rejects(seat.ask("refuse"), { name: "Error", message: "not that one" });
  assert.equal(pidOf(await seat.ask("print")), first);
  // Whatever the process has begun beside its jobs does not keep it.
  await setTimeout(500);
  await assert.rejects(seat.ask("exit"), { name: "SeatEnded", message: "the process ended by exit 7" });
  const second = pidOf(await seat.ask("c"));
  assert.notEqual(second, first);
  // Ended while nobody asked: nobody hears of it.
  process.kill(second, "SIGKILL");
  while (lives(second)) await setTimeout(5);
  assert.notEqual(pidOf(await seat.ask("d")), second);
  await seat.end();
});

test("ended in a loop without end, the job is told so", async () => {
  const seat = newSeat();
  const pid = pidOf(await seat.ask("a"));
  const loop = seat.ask("loop");
  const told = assert.rejects(loop, SeatEnded);
  await seat.end();
  await told;
  assert.ok(!lives(pid));
});

test("whoever kills the owner ends the process too, though its job never ends", async () => {
  const owner = spawn(process.execPath, [join(import.meta.dirname, "test/seat-owner.ts")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [line] = (await once(owner.stdout, "data")) as [Buffer];
  const pid = Number(line);
  await once(owner.stderr, "data");
  assert.ok(lives(pid));
  owner.kill("SIGKILL");
  while (lives(pid)) await setTimeout(10);
});
