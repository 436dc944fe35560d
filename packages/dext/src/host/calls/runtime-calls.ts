// What the C++ runtime asks of the host: objects, memory, logs, time, locks. And WASI, of which there is nothing.

import { ContractViolation } from "@drydock/core/base/errors";
import type { LogLevel } from "@drydock/core/platform/log-row";
import type { Thread } from "@drydock/core/runtime/thread";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import { formatLog } from "../log-format.ts";
import { DextTrap, troubleText } from "../trouble.ts";
import { createAction } from "./action-calls.ts";
import { callsOf, plain, plainWaiting, silent } from "./host-call.ts";

/** os_log's types. */
const levels: Readonly<Record<number, LogLevel>> = {
  0: "default",
  1: "info",
  2: "debug",
  16: "error",
  17: "fault",
};
const plainText = 0x100;
/** WASI's errno of a function that the system has not (ENOSYS), and of a file that is not open (EBADF). */
const noSuchFunction = 52;
const notOpen = 8;
/** Kinds of trouble (runtime/host.h) that are the framework's contract broken, by rule. */
const rules: Readonly<Record<number, string>> = { 2: "object-use-after-free", 4: "object-over-release" };

export const runtimeCalls: HostCalls = {
  ...callsOf("drydock", {
    created: plain((cxx, object: number, record: number) => void cxx.created(object, record)),
    counted: silent,
    freed: plain((cxx, object: number) => void cxx.freed(object)),
    trouble: plain((cxx, kind: number, object: number, what: number, number: number) => {
      const named = kind === 4 ? cxx.classNameOf(object) : cxx.memory.text(what);
      const text = troubleText(kind, named, object, number);
      const frames = cxx.here();
      if (rules[kind] !== undefined)
        throw new ContractViolation(rules[kind], frames.length === 0 ? text : `${text}, in ${frames[0]}`);
      throw new DextTrap(text, frames);
    }),
    allocated: silent,
    released: silent,
    guards: silent,
    may_allocate: plain((cxx, size: number) => (cxx.mustFail(`an allocation of ${size} bytes`) ? 0 : 1)),
    log: plain((cxx, type: number, format: number, list: number) => {
      const text = formatLog(cxx.memory, cxx.memory.text(format), list, (type & plainText) !== 0);
      cxx.kernel.logFrom(cxx.process, levels[type & 0xff] ?? "default", text);
      return undefined;
    }),
    IOSleep: plainWaiting(async (cxx, nanoseconds: bigint) => {
      await cxx.kernel.scheduler.sleep(Number(BigInt.asUintN(64, nanoseconds)));
      return undefined;
    }),
    now: plain((cxx) => BigInt(Math.floor(cxx.kernel.scheduler.nowNs()))),
    task: plain((cxx) => taskOf(cxx)),
    IOLockLock: plainWaiting(async (cxx, lock: number, holder: number) => {
      await waitForLock(cxx, lock, holder);
      return undefined;
    }),
    unlocked: plain((cxx, lock: number) => {
      const waiting = waitingFor.get(cxx)?.get(lock);
      waiting?.shift()?.();
      return undefined;
    }),
    create_action: plain(
      (
        cxx,
        target: number,
        method: bigint,
        callback: bigint,
        size: number,
        typeName: number,
        action: number,
      ) => createAction(cxx, target, method, callback, size, cxx.memory.text(typeName), action),
    ),
  }),
  ...callsOf("wasi_snapshot_preview1", {
    fd_write: plain(() => notOpen),
    fd_close: plain(() => notOpen),
    fd_seek: plain(() => notOpen),
    fd_read: plain(() => notOpen),
    fd_fdstat_get: plain(() => notOpen),
    fd_prestat_get: plain(() => notOpen),
    fd_prestat_dir_name: plain(() => notOpen),
    environ_get: plain(() => noSuchFunction),
    environ_sizes_get: plain(() => noSuchFunction),
    clock_time_get: plain(() => noSuchFunction),
    random_get: plain(() => noSuchFunction),
    proc_exit: plain((cxx, code: number) => {
      throw new DextTrap(`the dext ended itself with exit status ${code}`, cxx.here());
    }),
  }),
};

/** The thread whose code runs, as locks know who holds them; 0 is nobody. */
function taskOf(cxx: CxxProcess): number {
  const { current } = cxx.kernel.scheduler;
  if (current === null) return nobodysTask;
  const known = tasks.get(cxx) ?? new Map<number, Thread>();
  tasks.set(cxx, known);
  known.set(current.id, current);
  return current.id;
}

const nobodysTask = 0xffff;
/** Threads by what locks call them, so that a deadlock can name who holds one. */
const tasks = new WeakMap<CxxProcess, Map<number, Thread>>();

const waitingFor = new WeakMap<CxxProcess, Map<number, (() => void)[]>>();

async function waitForLock(cxx: CxxProcess, lock: number, holder: number): Promise<void> {
  const { scheduler } = cxx.kernel;
  const thread = scheduler.requireCurrent("IOLockLock");
  if (holder === thread.id)
    throw new ContractViolation(
      "lock-held-by-caller",
      `IOLockLock of a lock that ${thread} holds already: it waits for itself, in ${cxx.here()[0] ?? "the runtime"}`,
    );
  const place = cxx.here()[0];
  await scheduler.block<void>(
    `IOLockLock of the lock at 0x${lock.toString(16)}${place === undefined ? "" : ` in ${place}`}`,
    (completion) => {
      const all = waitingFor.get(cxx) ?? new Map<number, (() => void)[]>();
      waitingFor.set(cxx, all);
      const waiting = all.get(lock) ?? [];
      all.set(lock, waiting);
      waiting.push(() => completion.succeed(undefined));
    },
    // Its first word is who holds it (runtime/library.cpp).
    () => tasks.get(cxx)?.get(cxx.memory.u32(lock)) ?? null,
  );
}
