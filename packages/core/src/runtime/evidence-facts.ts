// From a fault inside the machine to the files that a real system would have left behind.

import type { Random } from "../base/random.ts";
import type { MissingImport } from "../platform/driverkit-symbols.ts";
import {
  type CrashFacts,
  type CrashFrame,
  writeCrashReport,
  writeLegacyCrashReport,
} from "../platform/evidence/crash-report.ts";
import type { EvidenceFile } from "../platform/evidence/evidence-file.ts";
import { type PanicFacts, writePanicReport } from "../platform/evidence/panic-report.ts";
import { formatRegistryTree } from "../platform/evidence/registry-dump.ts";
import { formatLog } from "../platform/log-text.ts";
import { MemoryFault } from "./address-space.ts";
import { DispatchTrap } from "./dispatch-queue.ts";
import type { MachineParts } from "./machine-parts.ts";
import type { Process } from "./process.ts";
import type { IOService } from "./service.ts";
import type { Thread } from "./thread.ts";

export type { EvidenceFile } from "../platform/evidence/evidence-file.ts";

/** Frames of a symbolic stack, innermost first: "DriverKit symbol" or a bare symbol of the process itself. */
function framesOf(process: Process, stack: readonly string[]): CrashFrame[] {
  return [...stack].reverse().map((entry) => {
    const gap = entry.indexOf(" ");
    const image = gap < 0 ? process.name : entry.slice(0, gap);
    return { image, symbol: gap < 0 ? entry : entry.slice(gap + 1) };
  });
}

/** Crash report (JSON and text), registry and log of a process that died of `error` on `thread`. */
export function crashFacts(
  parts: MachineParts,
  random: Random,
  process: Process,
  thread: Thread,
  error: unknown,
): EvidenceFile[] {
  const queue = thread.chain.at(-1)?.name ?? null;
  const common = {
    processName: process.name,
    processPath: process.path,
    bundleIdentifier: process.bundleIdentifier,
    bundleVersion: "1",
    pid: process.pid,
    timeNs: parts.scheduler.nowNs(),
    threadName: thread.name,
    queueName: queue,
  };
  let facts: CrashFacts;
  if (error instanceof DispatchTrap) {
    const trapFrames: CrashFrame[] = [
      { image: "libdispatch.dylib", symbol: "__DISPATCH_WAIT_FOR_QUEUE__" },
      { image: "libdispatch.dylib", symbol: "_dispatch_sync_f_slow" },
      { image: "DriverKit", symbol: "IODispatchQueue::DispatchSync_f(void*, void (*)(void*))" },
    ];
    facts = {
      ...common,
      exceptionType: "EXC_BREAKPOINT",
      signal: "SIGTRAP",
      codes: [1, 0x1_8f2a_4000],
      subtype: null,
      frames: [...trapFrames, ...framesOf(process, thread.stack)],
      information: { "libdispatch.dylib": [error.message, `Abort Cause ${error.ownerWord}`] },
    };
  } else if (error instanceof MemoryFault) {
    const isProtection = error.reason === "read-only";
    facts = {
      ...common,
      exceptionType: "EXC_BAD_ACCESS",
      signal: isProtection ? "SIGBUS" : "SIGSEGV",
      codes: [isProtection ? 2 : 1, error.address],
      subtype: `${error.machCode} at 0x${error.address.toString(16).padStart(16, "0")}`,
      frames: framesOf(process, thread.stack),
      information: {},
    };
  } else {
    facts = {
      ...common,
      exceptionType: "EXC_CRASH",
      signal: "SIGABRT",
      codes: [0, 0],
      subtype: null,
      frames: [{ image: "libsystem_c.dylib", symbol: "abort" }, ...framesOf(process, thread.stack)],
      information: {
        "libsystem_c.dylib": [`abort() called: ${error instanceof Error ? error.message : String(error)}`],
      },
    };
  }
  return [
    writeCrashReport(facts, parts.profile, random),
    writeLegacyCrashReport(facts, parts.profile, random),
    ...systemFacts(parts),
  ];
}

/**
 * What the dynamic linker leaves behind when a dext needs a symbol that the system lacks: it ended before any of its code
 * ran (posts.md DR03-1; shape of the termination: public crash reports).
 */
export function unboundFacts(
  parts: MachineParts,
  random: Random,
  process: Process,
  missing: readonly MissingImport[],
): EvidenceFile[] {
  const first = missing[0];
  const facts: CrashFacts = {
    processName: process.name,
    processPath: process.path,
    bundleIdentifier: process.bundleIdentifier,
    bundleVersion: "1",
    pid: process.pid,
    timeNs: parts.scheduler.nowNs(),
    exceptionType: "EXC_CRASH",
    signal: "SIGABRT",
    codes: [0, 0],
    subtype: null,
    threadName: "main",
    queueName: null,
    frames: [{ image: "dyld", symbol: "__abort_with_payload" }],
    information: {},
    termination: {
      namespace: "DYLD",
      code: 4,
      indicator: "Symbol missing",
      reasons: [
        `Symbol not found: ${first.wanted.symbol}`,
        `Referenced from: ${process.path}`,
        `Expected in: /System/DriverKit/System/Library/Frameworks/${first.wanted.framework}.framework/${first.wanted.framework}`,
      ],
    },
  };
  return [
    writeCrashReport(facts, parts.profile, random),
    writeLegacyCrashReport(facts, parts.profile, random),
    ...systemFacts(parts),
  ];
}

/** Panic report, registry and log at the moment of a panic. `about` is the service whose driver was in charge. */
export function panicFacts(
  parts: MachineParts,
  random: Random,
  text: string,
  about: IOService | null,
): EvidenceFile[] {
  const processes = new Set([parts.kernelProcess]);
  for (const entry of parts.registry.entries()) processes.add(entry.process);
  const facts: PanicFacts = {
    text,
    timeNs: parts.scheduler.nowNs(),
    panickedTask: "kernel_task",
    panickedPid: 0,
    processes: Object.fromEntries([...processes].map((process) => [String(process.pid), process.name])),
  };
  if (about !== null) parts.ring.record("panic-about", about.registryId, 0, about.className);
  return [writePanicReport(facts, parts.profile, random), ...systemFacts(parts)];
}

/** What anybody can collect on any system: the log and the registry. */
export function systemFacts(parts: Pick<MachineParts, "log" | "registry">): EvidenceFile[] {
  return [
    { name: "log-show.txt", text: formatLog(parts.log.show({ info: true, debug: true })) },
    { name: "ioreg-l.txt", text: formatRegistryTree(parts.registry.snapshot()) },
  ];
}
