// Panic reports of Apple silicon: the envelope of two JSON objects and the text inside.

import type { Random } from "../../base/random.ts";
import { hex } from "../../base/text.ts";
import { calendar } from "../log-text.ts";
import type { PlatformProfile } from "../platform-profile.ts";
import { drawUuid, type EvidenceFile } from "./evidence-file.ts";

export interface PanicFacts {
  /** After "panic(cpu N caller 0x...): ". */
  readonly text: string;
  readonly timeNs: number;
  readonly panickedTask: string;
  readonly panickedPid: number;
  /** Processes alive: pid -> name. */
  readonly processes: Readonly<Record<string, string>>;
}

/** The text alone, as a photograph or a forum post has it (posts.md §4.3). */
export function panicString(facts: PanicFacts, profile: PlatformProfile, random: Random): string {
  const uuid = () => drawUuid(random);
  const seconds = Math.floor(facts.timeNs / 1e9);
  return [
    `panic(cpu ${random.below(8)} caller 0xfffffe00${hex(random.next32(), 8)}): ${facts.text}`,
    "Debugger message: panic",
    "Memory ID: 0x6",
    "OS release type: User",
    `OS version: ${profile.osBuild}`,
    `Kernel version: ${profile.darwinVersion}: root:xnu/RELEASE_ARM64`,
    `Fileset Kernelcache UUID: ${uuid().replace(/-/g, "")}`,
    `Kernel UUID: ${uuid()}`,
    `Boot session UUID: ${uuid()}`,
    "iBoot version: iBoot-11881.140.96",
    "secure boot?: YES",
    "roots installed: 0",
    "Paniclog version: 14",
    "KernelCache slide: 0x0000000010ba4000",
    "KernelCache base:  0xfffffe0017ba8000",
    `mach_absolute_time: 0x${hex(Math.floor(facts.timeNs * 0.024))}`,
    "Epoch Time:        sec       usec",
    "  Boot    : 0x68dd1940 0x00000000",
    "  Sleep   : 0x00000000 0x00000000",
    "  Wake    : 0x00000000 0x00000000",
    `  Calendar: 0x${hex(0x68dd1940 + seconds, 8)} 0x00000000`,
    "",
    `Panicked task 0xfffffe2a${hex(random.next32(), 8)}: 0 pages, 512 threads: pid ${facts.panickedPid}: ${facts.panickedTask}`,
    `Panicked thread: 0xfffffe2a${hex(random.next32(), 8)}, backtrace: 0xfffffe60${hex(random.next32(), 8)}, tid: ${random.between(100, 9999)}`,
    "",
    "last started kext at 1200000000: com.apple.filesystems.apfs\t2317.140.12 (addr 0x0, size 0)",
    "loaded kexts:",
    "com.apple.filesystems.apfs\t2317.140.12",
    "",
  ].join("\n");
}

/** panic-full-....ips, bug_type 210. */
export function writePanicReport(facts: PanicFacts, profile: PlatformProfile, random: Random): EvidenceFile {
  const incident = drawUuid(random);
  const time = calendar(facts.timeNs);
  const header = {
    bug_type: "210",
    timestamp: `${time.slice(0, 22)} +0000`,
    os_version: profile.osVersion,
    roots_installed: 0,
    incident_id: incident,
  };
  const body = {
    build: profile.osVersion,
    product: profile.modelCode,
    socId: "0x00008112",
    kernel: `${profile.darwinVersion}: root:xnu/RELEASE_ARM64`,
    incident,
    crashReporterKey: drawUuid(random),
    date: `${time.slice(0, 22)} +0000`,
    panicString: panicString(facts, profile, random),
    panicFlags: "0x902",
    bug_type: "210",
    otherString: "\n** Stackshot Succeeded ** Bytes Traced 0 (Uncompressed 0) **\n",
    processByPid: Object.fromEntries(
      Object.entries(facts.processes).map(([pid, procname]) => [
        pid,
        { pid: Number(pid), procname, threadById: {} },
      ]),
    ),
  };
  const stamp = time.slice(0, 19).replace(" ", "-").replace(/:/g, "");
  return {
    name: `panic-full-${stamp}.0002.ips`,
    text: `${JSON.stringify(header)}\n${JSON.stringify(body, null, 2)}\n`,
  };
}
