// Panic reports: the JSON envelope (bug_type 210, 151), the text of .panic files, pasted fragments.

import type { PanicReport } from "../facts/panic-report.ts";
import { stringValueOf } from "./json-text.ts";
import type { FactSink, TextDocument, TextReader } from "./reader.ts";

const opening = /panic\s*\(\s*cpu\s+(\d+)\s+caller\s+(0x[0-9a-f]+)\s*\)\s*:\s*/i;
/** Lines of the report's own, which end the message. */
const endOfMessage =
  /^(?:Debugger message|Memory ID|OS release type|OS version|Panicked task|Backtrace \(CPU|Backtrace,|Kernel version|mach_absolute_time|CORE \d+|Zone info|BSD process name|Mac OS version|Panicked thread|secure boot|Compressor Info)\b/im;
const messageLength = 16_384;

export const panicReader: TextReader = {
  kind: "panic report",
  anchors: [
    ...["panic(cpu", "panicString", '"bug_type":"210"', '"bug_type" : "210"', '"bug_type":"151"'],
    ...["Panicked task 0x", "is the one that panicked", "Kernel Extensions in backtrace", "Paniclog version"],
    ...["last started kext at", "Compressor Info:"],
  ],
  read(document, sink) {
    let at = 0;
    let found = 0;
    for (const key of ["macOSPanicString", "panicString", "string"]) {
      for (let value = stringValueOf(document.text, key, 0); value !== null; ) {
        if (opening.test(value.value) || key !== "string") {
          readEnvelope(document, value, sink);
          found++;
        }
        at = value.end;
        value = stringValueOf(document.text, key, at);
        if (found >= 32) return;
      }
    }
    if (found > 0) return;
    readLoose(document, sink);
  },
};

function readEnvelope(
  document: TextDocument,
  value: { value: string; at: number; end: number },
  sink: FactSink,
): void {
  const first = document.lineAt(value.at);
  const place = document.placeAt(value.at);
  sink.claimLines(first, document.lineAt(Math.max(value.at, value.end - 1)));
  const around = document.text;
  const field = (key: string) => stringValueOf(around, key)?.value ?? "";
  const report = panicOfText(value.value);
  if (report === null) {
    // A machine check, or a text that was cut at its head: its lines are searched all the same.
    if (value.value.length > 0) sink.kind("panic report");
    sink.nestedText(place, value.value);
    return;
  }
  sink.kind("panic report");
  sink.nestedText(place, value.value);
  sink.add(
    "panic",
    { ...place, text: firstLine(report.message) },
    {
      ...report,
      osVersion: report.osVersion !== "" ? report.osVersion : field("os_version") || field("build"),
      product: field("product") || report.product,
      time: field("date") || field("timestamp"),
      processes: processesOf(around),
      isForcedReset: report.isForcedReset || /"bug_type"\s*:\s*"151"/.test(around),
    },
  );
}

const mostProcesses = 4096;

/** "processByPid" of the envelope: `"57": {"pid": 57, "procname": "x", ...}`, with the two in any order. */
function processesOf(text: string): { pid: number; name: string }[] {
  const found = new Map<string, { pid: number; name: string }>();
  for (const { 1: name, index } of text.matchAll(/"procname"\s*:\s*"([^"\\]{1,200})"/g)) {
    if (found.size === mostProcesses) break;
    const before = text.slice(Math.max(0, index - 400), index);
    const key = [...before.matchAll(/"(\d{1,9})"\s*:\s*\{/g)].at(-1)?.[1];
    const pid = key === undefined ? -1 : Number(key);
    found.set(`${pid} ${name}`, { pid, name });
  }
  return [...found.values()];
}

/** Text without an envelope: a .panic file, a photograph's transcript, a forum post. */
function readLoose(document: TextDocument, sink: FactSink): void {
  const all = new RegExp(opening.source, "gi");
  let kept = 0;
  for (const match of document.text.matchAll(all)) {
    if (++kept > 32) return;
    const next = document.text.slice(match.index + match[0].length).search(opening);
    const end = next < 0 ? document.text.length : match.index + match[0].length + next;
    const report = panicOfText(document.text.slice(match.index, Math.min(end, match.index + (1 << 20))));
    if (report === null) continue;
    sink.kind("panic report");
    sink.add("panic", document.placeAt(match.index), report);
  }
  if (kept === 0) readPart(document, sink);
}

/** Signs of a panic report's middle; one alone may stand in any text. */
const partSigns = [
  /^\W*CORE \d+ is the one that panicked/m,
  /^\W*CORE \d+: PC=0x/m,
  /Panicked task 0x[0-9a-f]+:/,
  /Panicked thread: 0x[0-9a-f]+, backtrace:/,
  /^\W*Compressor Info: /m,
  /^\W*Kernel Extensions in backtrace:/m,
  /^\W*(?:Paniclog version|Fileset Kernelcache UUID|Kernel slide|KernelCache slide): /m,
  /^\W*last started kext at \d+:/m,
  /^\W*Debugger message: panic/m,
];

/** What was copied without its first line. */
function readPart(document: TextDocument, sink: FactSink): void {
  const { text } = document;
  const found = partSigns.flatMap((sign) => sign.exec(text)?.index ?? []);
  if (found.length < 2) return;
  sink.kind("panic report");
  sink.add("panic", document.placeAt(Math.min(...found)), {
    ...panicOfText(`panic(cpu 0 caller 0x0): \n${text.slice(0, 1 << 20)}`, true),
    message: "",
    isPart: true,
  });
}

/** Null when the text holds no opening. */
export function panicOfText(text: string, isPart: true): PanicReport;
export function panicOfText(text: string): PanicReport | null;
export function panicOfText(text: string, isPart = false): PanicReport | null {
  const match = opening.exec(text);
  if (match === null) return null;
  const rest = text.slice(match.index + match[0].length, match.index + match[0].length + messageLength);
  const end = rest.search(endOfMessage);
  const message = (end < 0 ? rest.split(/\n\s*\n/)[0] : rest.slice(0, end)).trim();
  const line = (pattern: RegExp) => pattern.exec(text)?.[1].trim() ?? "";
  const kexts = /Kernel Extensions in backtrace:\s*\n((?:.*\n?){1,64})/.exec(text)?.[1] ?? "";
  const loaded = /^loaded kexts:\s*\n((?:[\w.-]+[\t ].*\n?){1,512})/m.exec(text)?.[1] ?? "";
  return {
    message,
    cpu: Number(match[1]),
    source: /@(\w+\.(?:cpp|c|h|m|mm):\d+)/.exec(message)?.[1] ?? "",
    osVersion: line(/^(?:OS version|Mac OS version):\s*\n?\s*(\S[^\n]{0,60})/m),
    product: line(/^System model name:\s*([^\n(]{1,60})/m),
    isPart,
    backtraceRanges: rangesOf(kexts),
    returnAddresses: addressesOf(text),
    faultAddress:
      /(?:Fault CR2|CR2): (0x[0-9a-f]{1,16})/i.exec(text)?.[1] ??
      /\bfar:? ?=? ?(0x[0-9a-f]{1,16})/i.exec(text)?.[1] ??
      "",
    backtraceKexts: [...kexts.matchAll(/^\s*(?:dependency:\s*)?([\w.-]{3,200})\(/gm)].map(([, name]) => name),
    loadedKexts: [...loaded.matchAll(/^([\w.-]{3,200})[\t ]/gm)].map(([, name]) => name),
    processes: [],
    panickedPid: Number(/Panicked task [^\n]{0,80}? pid (\d{1,9}): /.exec(text)?.[1] ?? -1),
    time: "",
    panickedTask:
      line(/Panicked task [^\n]{0,80}? pid \d+: ([^\n]{1,80})/) ||
      line(/^BSD process name corresponding to current thread:\s*([^\n]{1,80})/m),
    isForcedReset: /^\s*(?:userspace watchdog timeout|watchdog timeout|forced reset)/i.test(message),
    text,
  };
}

function firstLine(text: string): string {
  return text.split("\n")[0].slice(0, 300);
}

/** "bundle(version)[UUID]@0xstart->0xend" */
function rangesOf(kexts: string): PanicReport["backtraceRanges"] {
  const row =
    /^\s*([\w.-]{3,200})\(([^()]{0,60})\)(?:\[[^\]]{0,60}\])?@0x([0-9a-f]{1,16})->0x([0-9a-f]{1,16})/gim;
  return [...kexts.matchAll(row)].map(([, bundle, version, start, end]) => ({
    bundle,
    version,
    start: start.toLowerCase().padStart(16, "0"),
    end: end.toLowerCase().padStart(16, "0"),
  }));
}

/** "0xframe : 0xreturn" of Intel, "lr: 0x... fp: 0x..." of Apple silicon. */
function addressesOf(text: string): string[] {
  const rows = /^\s*0x[0-9a-f]{8,16} : 0x([0-9a-f]{8,16})|\blr: 0x([0-9a-f]{8,16}) {1,2}fp: 0x/gim;
  return [...text.matchAll(rows)]
    .slice(0, 256)
    .map(([, intel, apple]) => (intel ?? apple).toLowerCase().padStart(16, "0"));
}
