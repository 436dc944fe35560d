// The letters of proc(5), names that imitate them, and a process of our own: asleep, stopped, gone.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { conditionOf, processCondition, stateLetter } from "./process-condition.ts";

test("the state is behind the last parenthesis: a process may be called `) R (`", () => {
  assert.equal(stateLetter("12 (qemu) S 1 12 12"), "S");
  assert.equal(stateLetter("12 () R () T 1 12 12"), "T");
});

test("one thread at work is work, but a stop is everybody's; other systems say nothing", () => {
  assert.equal(conditionOf(["S", "D", "S"]), "working");
  assert.equal(conditionOf(["T", "D"]), "stopped");
  assert.equal(conditionOf(["t", "R"]), "working");
  assert.equal(conditionOf(["t", "t"]), "stopped");
  assert.equal(conditionOf(["S", "I"]), "asleep");
  assert.equal(conditionOf(["Z"]), "gone");
  assert.equal(conditionOf([]), "gone");
  assert.equal(conditionOf(["?"]), "unknown");
  assert.equal(processCondition(process.pid, "darwin"), "unknown");
  assert.equal(processCondition(process.pid, "win32"), "unknown");
});

test("this process works, a sleeper sleeps, stopped it is stopped", {
  skip: process.platform === "linux" ? false : "only Linux says it",
}, async () => {
  assert.equal(processCondition(process.pid), "working");
  const sleeper = spawn("sleep", ["60"], { stdio: "ignore" });
  const exited = once(sleeper, "exit");
  await once(sleeper, "spawn");
  const pid = sleeper.pid as number;
  const settles = async (wanted: string): Promise<void> => {
    for (let tries = 0; tries < 1000 && processCondition(pid) !== wanted; tries++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(processCondition(pid), wanted);
  };
  await settles("asleep");
  sleeper.kill("SIGSTOP");
  await settles("stopped");
  sleeper.kill("SIGKILL");
  await exited;
  assert.equal(processCondition(pid), "unknown", "its directory is gone");
});
