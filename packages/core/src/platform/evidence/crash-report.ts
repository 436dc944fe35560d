// Crash reports of a dext: the JSON .ips file and the legacy text, with the same facts.

import type { Random } from "../../base/random.ts";
import { hex } from "../../base/text.ts";
import { calendar } from "../log-text.ts";
import type { PlatformProfile } from "../platform-profile.ts";
import { drawUuid, type EvidenceFile } from "./evidence-file.ts";

/** One frame, innermost first in a thread. */
export interface CrashFrame {
  readonly image: string;
  readonly symbol: string;
}

export interface CrashFacts {
  readonly processName: string;
  readonly processPath: string;
  readonly bundleIdentifier: string;
  readonly bundleVersion: string;
  readonly pid: number;
  readonly timeNs: number;
  readonly exceptionType: "EXC_BREAKPOINT" | "EXC_BAD_ACCESS" | "EXC_CRASH";
  readonly signal: "SIGTRAP" | "SIGSEGV" | "SIGBUS" | "SIGABRT";
  /** The faulting address or the code, as two numbers. */
  readonly codes: readonly [number, number];
  /** "KERN_INVALID_ADDRESS at 0x..." where it applies. */
  readonly subtype: string | null;
  readonly threadName: string;
  readonly queueName: string | null;
  readonly frames: readonly CrashFrame[];
  /** Application specific information: image -> lines. */
  readonly information: Readonly<Record<string, readonly string[]>>;
  /** Who ended it and why, when that was not the signal: the dynamic linker, for example. */
  readonly termination?: {
    readonly namespace: string;
    readonly code: number;
    readonly indicator: string;
    readonly reasons: readonly string[];
  };
}

interface Image {
  readonly name: string;
  readonly path: string;
  readonly base: number;
  readonly size: number;
  readonly uuid: string;
}

function imagesOf(facts: CrashFacts, random: Random): Image[] {
  const names = [...new Set([facts.processName, ...facts.frames.map((frame) => frame.image)])];
  return names.map((name, index) => ({
    name,
    path: name === facts.processName ? facts.processPath : `/System/DriverKit/usr/lib/${name}`,
    base: 0x1_0200_0000 + index * 0x100_0000,
    size: 0x8_0000,
    uuid: drawUuid(random).toLowerCase(),
  }));
}

/** Offset of a frame in its image: a function of the symbol, so that equal runs give equal files. */
function offsetOf(symbol: string): number {
  let hash = 0x4000;
  for (let index = 0; index < symbol.length; index++)
    hash = (hash * 31 + symbol.charCodeAt(index)) % 0x7_0000;
  return hash + 0x1000;
}

/** posts.md §4.1: line 1 is one object, the rest another. */
export function writeCrashReport(facts: CrashFacts, profile: PlatformProfile, random: Random): EvidenceFile {
  const images = imagesOf(facts, random);
  const incident = drawUuid(random);
  const time = `${calendar(facts.timeNs).slice(0, 22)} +0000`;
  const header = {
    app_name: facts.processName,
    timestamp: time,
    app_version: facts.bundleVersion,
    slice_uuid: images[0].uuid,
    build_version: facts.bundleVersion,
    platform: 10,
    bundleID: facts.bundleIdentifier,
    share_with_app_devs: 0,
    is_first_party: 0,
    bug_type: "309",
    os_version: profile.osVersion,
    roots_installed: 0,
    incident_id: incident,
    name: facts.processName,
  };
  const body = {
    uptime: Math.floor(facts.timeNs / 1e9),
    procRole: "Unspecified",
    version: 2,
    userID: 270,
    deployVersion: 210,
    modelCode: profile.modelCode,
    osVersion: { train: profile.osTrain, build: profile.osBuild, releaseType: "User" },
    captureTime: `${calendar(facts.timeNs).slice(0, 24)} +0000`,
    incident,
    pid: facts.pid,
    cpuType: "ARM-64",
    procName: facts.processName,
    procPath: facts.processPath,
    bundleInfo: {
      CFBundleShortVersionString: facts.bundleVersion,
      CFBundleVersion: facts.bundleVersion,
      CFBundleIdentifier: facts.bundleIdentifier,
    },
    parentProc: "launchd",
    parentPid: 1,
    crashReporterKey: drawUuid(random),
    sip: "enabled",
    exception: {
      codes: facts.codes.map((code) => `0x${hex(code, 16)}`).join(", "),
      rawCodes: [...facts.codes],
      type: facts.exceptionType,
      signal: facts.signal,
      ...(facts.subtype === null ? {} : { subtype: facts.subtype }),
    },
    termination: {
      flags: 0,
      ...(facts.termination ?? { code: 5, namespace: "SIGNAL", indicator: facts.signal }),
      byProc: facts.termination === undefined ? "exc handler" : facts.processName,
      byPid: facts.pid,
    },
    ...(Object.keys(facts.information).length > 0 ? { asi: facts.information } : {}),
    faultingThread: 0,
    threads: [
      {
        triggered: true,
        id: 1000 + facts.pid,
        name: facts.threadName,
        ...(facts.queueName === null ? {} : { queue: facts.queueName }),
        frames: facts.frames.map((frame) => ({
          imageOffset: offsetOf(frame.symbol),
          symbol: frame.symbol,
          symbolLocation: 48,
          imageIndex: images.findIndex((image) => image.name === frame.image),
        })),
      },
    ],
    usedImages: images.map((image) => ({
      source: "P",
      arch: "arm64e",
      base: image.base,
      size: image.size,
      uuid: image.uuid,
      path: image.path,
      name: image.name,
    })),
    legacyInfo: {
      threadTriggered: facts.queueName === null ? { name: facts.threadName } : { queue: facts.queueName },
    },
  };
  const stamp = time.slice(0, 19).replace(" ", "-").replace(/:/g, "");
  return {
    name: `${facts.processName}-${stamp}.ips`,
    text: `${JSON.stringify(header)}\n${JSON.stringify(body, null, 2)}\n`,
  };
}

/** posts.md §4.2: the text that Console shows. */
export function writeLegacyCrashReport(
  facts: CrashFacts,
  profile: PlatformProfile,
  random: Random,
): EvidenceFile {
  const images = imagesOf(facts, random);
  const row = (key: string, value: string) => `${`${key}:`.padEnd(23)}${value}`;
  const queue = facts.queueName === null ? "" : `  Dispatch queue: ${facts.queueName}`;
  const information = Object.values(facts.information).flat();
  const lines = [
    row("Incident Identifier", drawUuid(random)),
    row("CrashReporter Key", drawUuid(random)),
    row("Hardware Model", profile.modelCode),
    row("Process", `${facts.processName} [${facts.pid}]`),
    row("Path", facts.processPath),
    row("Identifier", facts.bundleIdentifier),
    row("Version", `${facts.bundleVersion} (${facts.bundleVersion})`),
    row("Code Type", "ARM-64 (Native)"),
    row("Parent Process", "launchd [1]"),
    row("User ID", "270"),
    "",
    row("Date/Time", `${calendar(facts.timeNs)} +0000`),
    row("OS Version", profile.osVersion),
    row("Report Version", "12"),
    "",
    row("Crashed Thread", `0${queue}`),
    "",
    row("Exception Type", `${facts.exceptionType} (${facts.signal})`),
    row("Exception Codes", facts.subtype ?? facts.codes.map((code) => `0x${hex(code, 16)}`).join(", ")),
    row(
      "Termination Reason",
      facts.termination === undefined
        ? `Namespace SIGNAL, Code 5 ${facts.signal}`
        : `Namespace ${facts.termination.namespace}, Code ${facts.termination.code} ${facts.termination.indicator}`,
    ),
    ...(facts.termination?.reasons ?? []),
    "",
    ...(information.length > 0 ? ["Application Specific Information:", ...information, ""] : []),
    `Thread 0 name:${queue === "" ? `  ${facts.threadName}` : queue}`,
    `Thread 0 Crashed::${queue}`,
    ...facts.frames.map((frame, index) => {
      const image = images.find((entry) => entry.name === frame.image) as Image;
      const address = `0x${hex(image.base + offsetOf(frame.symbol), 16)}`;
      return `${String(index).padEnd(4)}${frame.image.padEnd(31)}${address} ${frame.symbol} + 48`;
    }),
    "",
    "Binary Images:",
    ...images.map(
      (image) =>
        `       0x${hex(image.base)} -        0x${hex(image.base + image.size - 1)} ${image.name} (*) <${image.uuid.replace(/-/g, "")}> ${image.path}`,
    ),
    "",
  ];
  return { name: `${facts.processName}.crash`, text: lines.join("\n") };
}
