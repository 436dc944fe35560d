// FX-PANIC: what kind of panic it is, and who must act.

import { cutText } from "../../facts/cut-text.ts";
import { absent } from "../../facts/statement.ts";
import {
  accessWords,
  classOf,
  isBacktraceWhole,
  isMobile,
  kextOf,
  mobileName,
  otherRules,
} from "../panic-classes.ts";
import type { Finding, Rule } from "../rule.ts";

export const panicClassed: Rule = {
  id: "FX-PANIC",
  title: "The kind of a panic, and who must act",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 panic texts; the layout of panic reports as Apple's tools write them",
  needs: ["panic report"],
  why: "The first line of a panic says what happened; the list of kernel extensions in the backtrace says whose code was on the stack; the panicked task says in whose call.",
  fix: ["Read the first line, then the kernel extensions in the backtrace."],
  who: "Apple",
  judge(evidence) {
    return evidence.facts("panic").flatMap(({ place, value }): Finding[] => {
      const about = [value.panickedTask].filter((name) => name !== "");
      const task = value.panickedTask === "" ? "" : ` in a call of the process ${value.panickedTask}`;
      const kext = kextOf(value);
      if (kext !== null && !isMobile(value)) {
        const access = accessWords(value);
        return [
          {
            score: kext.address === null ? 72 : 88,
            claim: `The kernel extension ${kext.bundle} ${kext.version} is in the backtrace of the panic${kext.address === null ? "" : `: its range holds the return address ${kext.address}`}${access === "" ? "" : `; the fault is ${access}`}.`,
            because: [place],
            about: [kext.bundle],
            who: "the vendor of the kernel extension",
            why: "A kernel extension runs inside the kernel, so its mistakes stop the machine. Of the code on the stack between the fault and the kernel this extension is the one that is not Apple's.",
            fix: [
              `Update ${kext.bundle}, or remove it until its vendor has mended it.`,
              "Send its vendor the whole report.",
            ],
          },
        ];
      }
      if (value.isPart)
        return [
          {
            score: 55,
            claim: `This is a part of a panic report whose first line, panic(cpu ...), is missing: what happened stands there. The kernel panicked${task}.`,
            because: [place],
            about,
            who: "you",
            why: "Without the first line and the list of kernel extensions no cause can be told.",
            fix: ["Give the whole file from /Library/Logs/DiagnosticReports (panic-full-*.ips)."],
            missing: ["the whole file from /Library/Logs/DiagnosticReports (panic-full-*.ips)"],
          },
        ];
      const found = classOf(value);
      if (isMobile(value)) {
        const what = found?.claim ?? `${firstLine(value.message)}${task}`;
        return [
          {
            score: found?.score ?? 60,
            claim: `This is ${mobileName(value)} (${value.product}): ${lowerFirst(what)}${what.endsWith(".") ? "" : "."}`,
            because: [place],
            about: [value.product, ...about],
            who: "Apple",
            why: `${found?.why ?? "The kernel of the device stopped itself."}${value.product.startsWith("iPad") ? "" : " No driver extension exists on such a device."}`,
            fix: [
              "Send the whole panic-full-*.ips to Apple with Feedback Assistant; say what the process in the report did.",
            ],
          },
        ];
      }
      if (found !== null && !otherRules.test(value.message)) return [{ ...found, because: [place], about }];
      if (otherRules.test(value.message)) return [];
      const access = accessWords(value);
      const claim = `The kernel panicked${task}: ${firstLine(value.message)}${access === "" ? "" : `, ${access}`}`;
      const score = access === "" ? 45 : 56;
      if (!isBacktraceWhole(value))
        return [
          {
            score,
            claim: `${claim}; whose code was on the stack cannot be told: the backtrace is not here, or it is cut off.`,
            because: [place],
            about,
            who: "you",
            why: "Who must act is told by the kernel extensions in the backtrace, which come after the first line.",
            fix: ["Give the whole file from /Library/Logs/DiagnosticReports (panic-full-*.ips)."],
            missing: ["the whole file from /Library/Logs/DiagnosticReports (panic-full-*.ips)"],
          },
        ];
      return [
        {
          score,
          states: absent("report", "a kernel extension of another vendor in the backtrace"),
          claim: `${claim}; no kernel extension of another vendor stands in its backtrace.`,
          because: [place],
          about,
          missing: ["the whole file from /Library/Logs/DiagnosticReports (panic-full-*.ips)"],
        },
      ];
    });
  },
};

function firstLine(message: string): string {
  return cutText(message.split("\n")[0].replace(/, registers:\s*$/, ""), 160);
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
