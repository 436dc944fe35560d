// FX-LAUNCH: a driver matched, and its process could not be started.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Actor, Finding, Rule } from "../rule.ts";

const kernel = watch(
  [
    ...["failed to launch server", "failed to reuse server", "no IOUserClass defined for"],
    ...["instantiate failed 0x", "server exit before start()"],
  ],
  /(?:DK: )?([\w.()-]{1,200}?)(?:-0x[0-9a-f]{1,16}\)?)?[:\s-]*\s*(failed to launch server|failed to reuse server|no IOUserClass defined for ?([\w.-]{0,200})|instantiate failed (0x[0-9a-f]{1,8})|server exit before start\(\))/,
);
const launching = watch(
  [
    "launching dext",
    "launch dext",
    "launching driver extension",
    "failed to launch",
    "spawn failed",
    "NSPOSIXErrorDomain",
  ],
  /(?:Error launching (?:dext|driver extension) |[Ff]ailed to (?:launch|spawn|start) (?:dext |driver extension )?)([\w.-]{3,255}?)[:.,)]? .{0,200}?(?:NSPOSIXErrorDomain Code=|errno ?=? ?|error:? ?|POSIX(?: error)? ?)(\d{1,3})\b(?: ?"([^"]{1,120})")?|[Ll]aunchd job spawn failed(?:: | with error )(\d{1,3})/,
);

interface Errno {
  readonly words: string;
  readonly why: string;
  readonly fix: readonly string[];
  readonly who?: Actor;
}

const slices: readonly string[] = [
  "Look at the slices of the executable: lipo -archs BINARY, or otool -hv BINARY. On Apple silicon a driver extension has to be arm64e; a plain arm64 one is staged and enabled without complaint and then fails like this.",
  "Build the driver's target with ARCHS = $(ARCHS_STANDARD), which has arm64e for DriverKit, and install the new version.",
];

/** POSIX errors of a launch; those of launchd begin at 100. */
const errnos: Readonly<Record<number, Errno>> = {
  1: {
    words: "Operation not permitted",
    why: "The system does not permit this executable to run: its signature or an entitlement was refused.",
    fix: [
      "Read the lines of amfid and taskgated-helper in the same second.",
      "codesign -dvvv --entitlements - and codesign --verify of the .dext below /Library/SystemExtensions.",
    ],
  },
  2: {
    words: "No such file or directory",
    why: "The executable that CFBundleExecutable names is not in the staged bundle, or its bundle is gone.",
    fix: [
      "Compare CFBundleExecutable with the file in the bundle below /Library/SystemExtensions.",
      "Build again with a higher CFBundleVersion and activate it.",
    ],
  },
  8: {
    words: "Exec format error",
    why: "The executable has no slice that this Mac runs (ENOEXEC).",
    fix: slices,
  },
  13: {
    words: "Permission denied",
    why: "The staged copy of the executable may not be executed: most likely it lost its executable bit on the way into the bundle.",
    fix: [
      "ls -l the executable in the bundle: it needs its x bits; chmod +x before signing, and pack with a tool that keeps modes.",
      "Activate the new version.",
    ],
  },
  85: {
    words: "Bad executable (or shared library)",
    why: "The executable is damaged or of another format.",
    fix: slices,
  },
  86: {
    words: "Bad CPU type in executable",
    why: "The executable is for another kind of processor.",
    fix: slices,
  },
  88: {
    words: "Malformed Mach-o file",
    why: "The executable's load commands are not what this system takes.",
    fix: ["Check it with otool -l and codesign --verify; build again with the current Xcode."],
  },
  153: {
    words: "launchd: the job may not be started",
    why: "launchd refused to start the executable (a constraint or its signature).",
    fix: ["Read the lines of amfid in the same second."],
  },
  162: {
    words: "launchd: code signing refused",
    why: "launchd could not start the executable because its signature or entitlements were refused.",
    fix: ["Read the lines of amfid and taskgated-helper in the same second."],
  },
  163: {
    words: "launchd: code signing refused",
    why: "launchd could not start the executable because its signature or entitlements were refused.",
    fix: ["Read the lines of amfid and taskgated-helper in the same second."],
  },
};

const kernelWords: readonly (readonly [RegExp, string, string, readonly string[]])[] = [
  [
    /failed to launch server/,
    "its process did not come up: matching worked, launching did not",
    "The kernel asked for the driver's process and none came: the executable could not be started, or it ended at once.",
    [
      "Read the lines of kernelmanagerd, launchd and amfid in the same second: they have the reason of the launch.",
      "Check the slices of the executable: lipo -archs BINARY; arm64e is needed on Apple silicon.",
    ],
  ],
  [
    /failed to reuse server/,
    "the running process of its bundle could not be used for it",
    "Services of one IOUserServerName share a process. The one that runs is ending or belongs to another build.",
    [
      "Restart the Mac, or give this service an IOUserServerName of its own.",
      "See in systemextensionsctl list that only one version of the driver is alive.",
    ],
  ],
  [
    /no IOUserClass defined for/,
    "its personality has no IOUserClass, so there is no class to make",
    "The kernel makes the object whose class IOUserClass names. Without the key there is nothing to instantiate.",
    ["Add IOUserClass with the class of the .iig file to the personality."],
  ],
  [
    /instantiate failed/,
    "the process runs and could not make the object",
    "The class that IOUserClass names does not exist in the executable, or its init failed.",
    [
      "Compare IOUserClass, letter by letter, with the class in the .iig file.",
      "See that the .iig file belongs to the driver's target, and that init returns true.",
    ],
  ],
  [
    /server exit before start/,
    "its process ended before Start was called",
    "The process came up and went away before the kernel could call Start: it crashed, or was told to exit.",
    [
      "Look for a crash report of the driver in /Library/Logs/DiagnosticReports.",
      "Read the lines exit(...) of the kernel just before: an entitlement or the CDHash may have been refused.",
    ],
  ],
];

export const processNotLaunched: Rule = {
  id: "FX-LAUNCH",
  title: "A driver matched, and its process could not be started",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOService and IOUserServer; POSIX error numbers; two public drivers for arm64e",
  needs: ["log"],
  why: "Matching comes first, launching second. When the process does not come, no line of the driver itself can exist.",
  fix: ["Read the lines of kernelmanagerd, launchd and amfid in the same second."],
  who: "you",
  states: refused("launching the process"),
  watches: [kernel, launching],
  judge(evidence) {
    const starts = spoken(evidence, launching).flatMap(({ match, place }): Finding[] => {
      const number = Number(match[2] ?? match[4]);
      const known = errnos[number];
      const bundle = match[1] ?? "";
      const words = match[3] ?? known?.words ?? `error ${number}`;
      if (known === undefined && bundle === "") return [];
      return [
        {
          score: 91,
          claim: `The process of ${bundle || "the driver"} could not be started: ${words} (POSIX ${number}). Matching worked, launching did not.`,
          because: [place],
          about: bundle === "" ? [] : [bundle],
          ...(known === undefined ? {} : { why: known.why, fix: known.fix, who: known.who ?? "you" }),
        },
      ];
    });
    const said = spoken(evidence, kernel).flatMap(({ match, place }): Finding[] => {
      const found = kernelWords.find(([pattern]) => pattern.test(match[2]));
      if (found === undefined) return [];
      const name =
        match[3] !== undefined && match[3] !== "" ? match[3] : match[1].replace(/^IOUserServer\(|\)$/g, "");
      return [
        {
          // The launch line, where it is there, says why.
          score: starts.length > 0 ? 60 : 84,
          claim: `${name}: ${found[1]}${match[4] === undefined ? "" : ` (${match[4]})`}.`,
          because: [place],
          about: [name],
          why: found[2],
          fix: found[3],
        },
      ];
    });
    return [...starts, ...said];
  },
};
