// IO-RETURN: a call answered a code, and this is what it means there.

import { hex } from "@drydock/core/base/text";
import type { Evidence } from "../../evidence/evidence.ts";
import type { LogRow } from "../../evidence/log-row.ts";
import { watch } from "../../evidence/watch.ts";
import { crashedThread } from "../../facts/crash-report.ts";
import { driverKit, listsOf } from "../../signing/entitlement-lists.ts";
import { isHarmless } from "../harmless-lines.ts";
import { hidRefusals } from "../platform/hid-not-allowed.ts";
import { personalities, spoken } from "../questions.ts";
import { contextOf, knownCalls } from "../return-contexts.ts";
import { meaningOf, nameOfReturn } from "../return-meanings.ts";
import { nameWithNumber, toldCodes } from "../return-numbers.ts";
import type { Finding, Rule } from "../rule.ts";

const code = watch(
  [
    ...[
      "0xe00002",
      "e00002",
      "0xe000500",
      "0xe00040",
      "0xe0000001",
      "0xdc00",
      "-5368",
      "37580",
      "37581",
      "(-308)",
      "0xfffffe",
    ],
    ...["kIOReturn", "kUSBHost", "kIOUSB", "KERN_", "MIG_SERVER", "MIG_REPLY", "MIG_BAD"],
    ...["kOSReturn", "kOSMetaClass", "kSCSITaskStatus", "kSCSIServiceResponse", "kIOPM"],
  ],
  /\b(?:0x)?(e00002[b-f][0-9a-f]|e000500[0-2]|e00040[0-6][0-9a-f]|e0000001|dc00[04]0[0-9a-f]{2}|fffffe(?:cc|d0|d3))\b|(?<![\w.])(-5368[3-7]\d{4}|-308)\b|\b(k(?:IOReturn|USBHost(?:Return|Message)|IOUSB|OSReturn|OSMetaClass|SCSITaskStatus_|SCSIServiceResponse_|IOPM)\w{1,60}|(?:KERN|MIG)_[A-Z_]{4,40})\b|(?<![\w.])(3758[01]\d{5})\b/i,
);
const call = new RegExp(`(?<![A-Za-z])(${knownCalls.join("|")})(?:_Impl)?(?![A-Za-z0-9_])`);
/** A call that is named by itself: the codes of the next lines are its answers. */
const calling = watch(
  knownCalls.filter((name) => name.length > 7),
  call,
);
const fewLines = 4;
/** Apple's own parts log codes all day; only a driver's or an app's own lines are somebody's problem. */
const appleSender = /^com\.apple\.|^(?:IOKit|CoreFoundation|libsystem|AppleUSB|IOUSBHost)/;

export const codeFromACall: Rule = {
  id: "IO-RETURN",
  title: "A call answered a code, and this is what it means there",
  severity: "error",
  certainty: "established",
  source: "xnu IOReturn.h; the contracts of the calls in DriverKit's headers and kernel source",
  needs: ["log", "crash report"],
  why: "A code of IOKit says little by itself; the call that gave it says the rest. Codes that fit many causes are hints.",
  fix: ["Find the call in the line, or log it: name of the call, the code, and the arguments."],
  who: "you",
  watches: [code, calling],
  judge(evidence) {
    const findings: Finding[] = [];
    const isDext = isAboutDext(evidence);
    const reports = new Set(evidence.facts("crash").map(({ place }) => place.file));
    // A page that teaches a call names its codes; the rules of source read the calls themselves.
    const sources = new Set(
      evidence.files.filter(({ kinds }) => kinds.includes("source")).map(({ name }) => name),
    );
    const refusedHid = new Set(hidRefusals(evidence).map(({ place }) => `${place.file}:${place.line}`));
    const named = spoken(evidence, calling);
    for (const { match, row, place } of spoken(evidence, code)) {
      // What a crash report prints itself is judged below; what IOHIDLib and known harmless lines say, elsewhere.
      if (sources.has(place.file) || isHarmless(place.text)) continue;
      if (refusedHid.has(`${place.file}:${place.line}`)) continue;
      if (reports.has(place.file) && match[3]?.startsWith("KERN_") === true) continue;
      const told = toldCodes(row.message);
      const single = nameOfReturn(match[1] ?? match[2] ?? match[3] ?? match[4]);
      for (const { name, contradictions } of told.length > 0
        ? told
        : single === null
          ? []
          : [{ name: single, contradictions: [] }]) {
        if (/Success$|^KERN_SUCCESS$|NoErr$|_GOOD$/.test(name)) continue;
        const above = named
          .filter(
            (hit) =>
              hit.place.file === place.file &&
              place.line - hit.place.line <= fewLines &&
              hit.place.line < place.line,
          )
          .at(-1);
        const by =
          call.exec(row.message)?.[1] ??
          (row.style === null ? call.exec(above?.row.message ?? "")?.[1] : null) ??
          null;
        const meaning = meaningOf(name) as string;
        const context = by === null ? null : contextOf(by, name);
        const isApple = appleSender.test(row.sender) || row.subsystem.startsWith("com.apple.");
        const wrong =
          contradictions.length === 0
            ? ""
            : ` The text also says ${contradictions.join(" and ")}, which does not fit that number.`;
        findings.push({
          score:
            context === null ? (by === null ? 22 : 34) : isApple || !(isDext || isDextLine(row)) ? 40 : 66,
          claim: `${by ?? "A call"} answered ${nameWithNumber(name)}: ${context === null ? lowerFirst(meaning) : context.means}.${wrong}`,
          because: above !== undefined && call.exec(row.message) === null ? [place, above.place] : [place],
          why:
            context === null
              ? `By itself ${name} means: ${meaning}.`
              : `${meaning}. From ${by} it means that ${context.means}.`,
          ...(context === null ? {} : { fix: [context.fix] }),
          severity: context === null ? "note" : "error",
          about: [name, ...(by === null ? [] : [by])],
          missing: by === null ? [`which call answered ${name}`] : [],
        });
      }
    }
    for (const { place, value } of evidence.facts("crash")) {
      const name = /\b(KERN_[A-Z_]{4,40})\b/.exec(value.codes)?.[1];
      const meaning = name === undefined ? null : meaningOf(name);
      if (name === undefined || meaning === null) continue;
      const frame =
        crashedThread(value)?.frames.find(({ symbol }) => symbol !== "")?.symbol ?? "the crashed thread";
      findings.push({
        score: 34,
        claim: `${frame} touched ${value.address === null ? "an address" : `0x${hex(value.address)}`} and got ${name}: ${lowerFirst(meaning)}.`,
        because: [place],
        severity: "note",
        about: [name],
      });
    }
    return findings;
  },
};

/** The same calls exist outside of DriverKit, where the same codes have other reasons (Input Monitoring, sandboxes). */
function isAboutDext(evidence: Evidence): boolean {
  return (
    evidence.facts("system-extension").length > 0 ||
    evidence.facts("source").length > 0 ||
    evidence.facts("crash").some(({ value }) => value.isDext) ||
    evidence.facts("registry-entry").some(({ value }) => "IOUserClass" in value.properties) ||
    personalities(evidence).some(({ value }) => "IOUserClass" in value) ||
    listsOf(evidence, "entitlements").some(({ value }) =>
      Object.keys(value.value).some((key) => key.startsWith(driverKit)),
    )
  );
}

function isDextLine(row: LogRow): boolean {
  return row.sender.endsWith(".dext") || /\bdext\b|DriverKit|\bDK:/.test(row.message);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
