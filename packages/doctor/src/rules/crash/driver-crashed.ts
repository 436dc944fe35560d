// FX-CRASH: a driver extension or a program crashed: in whose code, in which call, by what kind of access.

import { hex } from "@drydock/core/base/text";
import { type CrashFrame, type CrashReport, crashedThread } from "../../facts/crash-report.ts";
import { cutText } from "../../facts/cut-text.ts";
import { absent } from "../../facts/statement.ts";
import type { Finding, Rule } from "../rule.ts";

/** These have rules of their own. */
const elsewhere = /^(?:CODESIGNING|DYLD)$/;

export const driverCrashed: Rule = {
  id: "FX-CRASH",
  title: "A process crashed: the first frame of its own code",
  severity: "error",
  certainty: "established",
  source: "Apple, Diagnosing issues using crash reports; Mach exception types",
  needs: ["crash report"],
  why: "Frames above the first one of the process's own image belong to the frameworks that it called: they show what it asked for, not who asked wrongly.",
  fix: [
    "Look at that line: what it calls, on which object, and who else holds it.",
    "Symbolicate what has only an offset: atos -o BINARY -l LOAD-ADDRESS ADDRESS, with the dSYM of this very build.",
  ],
  who: "the developer of the program",
  judge(evidence) {
    return evidence.facts("crash").flatMap(({ place, value }): Finding[] => {
      if (elsewhere.test(value.terminationNamespace) || /Code Signature/.test(value.signal)) return [];
      if (/Library not loaded|Symbol not found|^dyld\b/m.test(value.information.join("\n"))) return [];
      const thread = crashedThread(value);
      if (thread === null) return [];
      const own = thread.frames.findIndex((frame) => isOwn(frame, value));
      const frame = thread.frames[own];
      const above = own > 0 ? thread.frames[own - 1] : undefined;
      const subject = value.isDext ? `The driver extension ${name(value)}` : `The program ${name(value)}`;
      const call = above === undefined ? "" : `, in a call of ${short(above)}`;
      const queue = thread.queue === "" ? "" : `, on the queue ${thread.queue}`;
      const kind = kindOf(value, thread.frames.slice(0, Math.max(0, own)));
      if (frame === undefined)
        return [
          {
            score: 40,
            states: absent("report", "a frame of the driver's own on the crashed thread"),
            claim: `${subject} crashed (${exception(value)}) with no frame of its own code on the crashed thread${thread.frames[0] === undefined ? "" : `: ${show(thread.frames[0])} is on top`}${queue}.`,
            because: [place],
            about: [value.process],
            missing: ["the whole report with all threads and binary images"],
          },
        ];
      return [
        {
          score: value.isDext ? 76 : 58,
          claim: `${subject} crashed in its own code: ${show(frame)}${call}${queue} (${exception(value)}).`,
          because: [place],
          about: [value.process, ...(frame.symbol === "" ? [] : [frame.symbol])],
          ...(kind === null
            ? {}
            : { why: `${kind.why}${ownWords(value)}`, fix: [kind.fix, ...driverCrashed.fix] }),
          who: value.isDext ? "the vendor of the driver" : "the developer of the program",
        },
      ];
    });
  },
};

const name = (report: CrashReport): string => report.process || report.bundleIdentifier || "in this report";
const exception = ({ exceptionType, codes, address }: CrashReport): string =>
  [exceptionType || "no exception named", address === null ? codes : `at 0x${hex(address)}`]
    .filter((word) => word !== "")
    .join(" ");

/** Long images are cut with dots in the legacy text. */
function isOwn({ image }: CrashFrame, report: CrashReport): boolean {
  const cut = image.replace(/\.{3}$/, "").replace(/^\+/, "");
  if (cut === "" || cut === "???") return false;
  const executable = report.path.split("/").at(-1) ?? "";
  return [report.process, report.bundleIdentifier, executable].some(
    (own) => own !== "" && (own === cut || (image.endsWith("...") && own.startsWith(cut))),
  );
}

function show({ image, symbol, offset }: CrashFrame): string {
  const at = offset === null || offset === undefined ? "" : ` + ${offset}`;
  return symbol === "" ? `${image || "an unknown image"}${at}` : `${symbol}${at}`;
}

function short({ symbol, image }: CrashFrame): string {
  return symbol.replace(/\(.*$/, "").split("::").at(-1) || image;
}

/** What the program said of its own end, where that says something. */
function ownWords({ information }: CrashReport): string {
  const said = information
    .flatMap((line) => line.split("\n"))
    .map((line) => line.trim())
    .find((line) => line !== "" && !/^abort\(\) called$/.test(line));
  return said === undefined ? "" : ` It said: ${cutText(said, 240)}`;
}

function kindOf(report: CrashReport, above: readonly CrashFrame[]): { why: string; fix: string } | null {
  const called = above.map(({ symbol }) => symbol).join(" ");
  if (/\b(?:release|retain|free|dealloc|OSSafeRelease|objc_release|taggedRelease)\b/.test(called))
    return {
      why: "The fault lies inside a call that gives an object back or takes hold of it: the object is gone already, so somebody released it once too often, or kept a pointer that was never retained.",
      fix: "Look for an object that is released twice: compare each release with the retain, Create or Copy that it answers, and clear the variable after it (OSSafeReleaseNULL).",
    };
  if (/abort|__assert|assert|os_crash|fatalError|swift_/.test(called) || report.signal === "SIGABRT")
    return {
      why: "The code stopped itself: an assertion or a call that does not return.",
      fix: "Read the text of the assertion, and check the condition it names before the call.",
    };
  if (report.exceptionType === "EXC_BAD_ACCESS" && report.address !== null && report.address < 0x10000)
    return {
      why: "An address near 0 is a null pointer with the offset of a member: the object was never made, a cast failed, or it was cleared already.",
      fix: "Check what that line dereferences for null: the result of a Create, of OSDynamicCast, or a member after Stop.",
    };
  if (report.exceptionType === "EXC_BREAKPOINT")
    return {
      why: "The code ran into a trap that the compiler or the runtime put there: a failed check, a forced cast, an unreachable place.",
      fix: "Look at that line for a required cast (OSRequiredCast), a bounds check or a switch without a default.",
    };
  if (/EXC_RESOURCE|EXC_GUARD/.test(report.exceptionType))
    return {
      why: "The system ended the process for what it used or touched: too much processor time or memory, or a guarded object.",
      fix: "Read subtype and message of the exception: they name the resource and the limit.",
    };
  return null;
}
