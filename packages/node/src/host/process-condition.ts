// What another process is doing, as the system tells: for whoever waits for its answer. Linux alone says it (proc(5)).

import { readdirSync, readFileSync } from "node:fs";

/** `asleep`: no thread of it runs, waits for a disk, or wants to. `unknown`: this system does not say. */
export type ProcessCondition = "working" | "asleep" | "stopped" | "gone" | "unknown";

/** The state letter of a `stat` line: the name before it is in parentheses and may hold anything. */
export function stateLetter(stat: string): string {
  return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
}

/**
 * All threads' letters in one word. Stopped and traced are T and t; zombies Z; a wait for a disk is D. A stop is the whole
 * process's: a thread that still waits for its disk stops when it comes back.
 */
export function conditionOf(letters: readonly string[]): ProcessCondition {
  if (letters.length === 0 || letters.every((letter) => letter === "Z" || letter === "X")) return "gone";
  if (letters.includes("T")) return "stopped";
  if (letters.some((letter) => letter === "R" || letter === "D")) return "working";
  if (letters.every((letter) => letter === "t")) return "stopped";
  return letters.every((letter) => "SIZX".includes(letter)) ? "asleep" : "unknown";
}

export function processCondition(
  pid: number,
  platform: NodeJS.Platform = process.platform,
): ProcessCondition {
  if (platform !== "linux") return "unknown";
  try {
    const tasks = readdirSync(`/proc/${pid}/task`);
    return conditionOf(
      tasks.map((task) => stateLetter(readFileSync(`/proc/${pid}/task/${task}/stat`, "latin1"))),
    );
  } catch {
    // A thread that ended between the two, or a process that did.
    return "unknown";
  }
}
