// A command ends with whoever started it on its behalf: the launcher's other Node, and npx.

import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { exitCodes } from "./exit-codes.ts";

/** The number of a pipe whose other end the launcher holds and never writes to. */
const pipeVariable = "DRYDOCK_LAUNCHER_PIPE";
const lookMs = 500;
/** After this long an end is no longer waited for. */
const patienceMs = 10_000;
/** Processes between us and npx: a shell, the launcher. */
const mostBetween = 4;

/**
 * Kills leave no word to those below: the kernel closes the launcher's pipe, and npx is looked for. Only what npx runs
 * ends with it: a command that a shell's script puts into the background outlives the script on purpose.
 */
export function endWithParent(): void {
  const pipe = process.env[pipeVariable];
  delete process.env[pipeVariable];
  if (pipe !== undefined && /^\d$/.test(pipe)) {
    const launcher = new Socket({ fd: Number(pipe), readable: true, writable: false });
    launcher.on("close", end);
    launcher.on("error", () => {});
    launcher.resume();
    launcher.unref();
  }
  if (process.env.npm_command === "exec") watchAncestors();
}

function end(): void {
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.exit(exitCodes.interrupted), patienceMs).unref();
}

/** Linux: /proc names each process's parent. Elsewhere nothing is looked at. */
function watchAncestors(): void {
  const chain: number[] = [process.pid];
  let isFound = false;
  while (!isFound && chain.length <= mostBetween) {
    const parent = parentOf(chain[chain.length - 1]);
    if (parent === null || parent.pid <= 1) return;
    chain.push(parent.pid);
    isFound = parentOf(parent.pid)?.name.startsWith("npm") === true;
  }
  if (!isFound) return;
  const timer = setInterval(() => {
    const isWhole = chain.slice(1).every((pid, index) => parentOf(chain[index])?.pid === pid);
    if (isWhole) return;
    clearInterval(timer);
    end();
  }, lookMs);
  timer.unref();
}

/** The parent of a process, and the process's own name (proc(5)); null when it is gone. */
function parentOf(pid: number): { readonly pid: number; readonly name: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const close = stat.lastIndexOf(")");
    return {
      pid: Number(stat.slice(close + 2).split(" ")[1]),
      name: stat.slice(stat.indexOf("(") + 1, close),
    };
  } catch {
    return null;
  }
}
