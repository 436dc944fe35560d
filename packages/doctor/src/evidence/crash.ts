// Crash reports: JSON (.ips, bug_type 309), the legacy text, and the pieces of either that people paste.

import type { CrashFrame, CrashReport, CrashThread } from "../facts/crash-report.ts";
import { isRecord, numberOf, parseJsonAt, stringValueOf, textOf } from "./json-text.ts";
import { cleanLine } from "./pasted-text.ts";
import type { FactSink, TextDocument, TextReader } from "./reader.ts";

const mostThreads = 512;
const mostFrames = 1024;

export const crashReader: TextReader = {
  kind: "crash report",
  anchors: [
    '"bug_type":"309"',
    '"bug_type" : "309"',
    '"usedImages"',
    '"faultingThread"',
    "Exception Type:",
    "Crashed Thread:",
    "Triggered by Thread:",
    " Crashed:",
    '"exception"',
  ],
  read(document, sink) {
    if (!readJson(document, sink)) readLegacy(document, sink);
  },
};

function readJson(document: TextDocument, sink: FactSink): boolean {
  const { text } = document;
  let header: Readonly<Record<string, unknown>> = {};
  let found = 0;
  let tries = 0;
  for (let at = text.indexOf("{"); at >= 0 && tries < 64; at = text.indexOf("{", at + 1)) {
    if (at > 0 && !/[\n\s`>]/.test(text[at - 1])) continue;
    tries++;
    const parsed = parseJsonAt(text, at);
    if (parsed === null || !isRecord(parsed.value)) continue;
    if ("threads" in parsed.value || ("exception" in parsed.value && "procName" in parsed.value)) {
      sink.claimLines(document.lineAt(at), document.lineAt(parsed.end - 1));
      const report = reportOfJson(header, parsed.value);
      const place = document.placeAt(at);
      const what = `${report.process} ${report.exceptionType} ${report.information[0] ?? report.termination}`;
      sink.kind("crash report");
      sink.add("crash", { ...place, text: what.slice(0, 300) }, report);
      sink.nestedText(place, [...report.information, report.termination].join("\n"));
      addSecrets(text.slice(at, Math.min(parsed.end, at + 4096)), sink);
      found++;
    } else if ("bug_type" in parsed.value) header = parsed.value;
    at = parsed.end - 1;
    if (found >= 16) break;
  }
  return found > 0 || readBrokenJson(document, header, sink);
}

function addSecrets(text: string, sink: FactSink): void {
  const key = stringValueOf(text, "crashReporterKey");
  if (key !== null) sink.secret("device", key.value);
}

function reportOfJson(
  header: Readonly<Record<string, unknown>>,
  body: Readonly<Record<string, unknown>>,
): CrashReport {
  const exception = isRecord(body.exception) ? body.exception : {};
  const termination = isRecord(body.termination) ? body.termination : {};
  const images = (Array.isArray(body.usedImages) ? body.usedImages : []).map((image) =>
    isRecord(image) ? textOf(image, "name") || (textOf(image, "path").split("/").pop() ?? "") : "",
  );
  const bundle = isRecord(body.bundleInfo) ? textOf(body.bundleInfo, "CFBundleIdentifier") : "";
  const subtype = textOf(exception, "subtype");
  const codes = subtype === "" ? textOf(exception, "codes") : subtype;
  const reasons = Array.isArray(termination.reasons) ? termination.reasons : [];
  const details = Array.isArray(termination.details) ? termination.details : [];
  const path = textOf(body, "procPath");
  return {
    process: textOf(body, "procName") || textOf(header, "app_name") || textOf(header, "name"),
    path,
    bundleIdentifier: bundle || textOf(header, "bundleID") || textOf(body, "coalitionName"),
    version: versionOf(body, header),
    pid: numberOf(body, "pid") ?? -1,
    time: textOf(body, "captureTime") || textOf(header, "timestamp"),
    product: textOf(body, "modelCode"),
    osVersion: textOf(header, "os_version") || osOfBody(body),
    exceptionType: textOf(exception, "type"),
    signal: textOf(exception, "signal"),
    codes,
    rawCodes: numbersOf(textOf(exception, "codes")),
    address: addressOf(codes, textOf(exception, "type")),
    information: linesOfInformation(body.asi),
    termination: [
      textOf(termination, "namespace"),
      textOf(termination, "indicator"),
      ...[...reasons, ...details].filter((item): item is string => typeof item === "string"),
    ]
      .filter((word) => word !== "")
      .join(" "),
    terminationNamespace: textOf(termination, "namespace"),
    terminationCode: numberOf(termination, "code") ?? -1,
    threads: threadsOfJson(body, images),
    images: images.slice(0, 4096),
    isDext: isDext(path, images, bundle),
  };
}

function versionOf(
  body: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>>,
): string {
  const bundle = isRecord(body.bundleInfo) ? body.bundleInfo : {};
  const short = textOf(bundle, "CFBundleShortVersionString");
  const build = textOf(bundle, "CFBundleVersion");
  if (short !== "" && build !== "") return short === build ? short : `${short} (${build})`;
  return short || build || textOf(header, "app_version");
}

/** "0x0000000000000001, 0x000000018f2a4000" */
function numbersOf(codes: string): number[] {
  return [...codes.matchAll(/0x[0-9a-f]{1,16}/gi)].slice(0, 8).map(([text]) => Number(text));
}

function osOfBody(body: Readonly<Record<string, unknown>>): string {
  const os = isRecord(body.osVersion) ? body.osVersion : {};
  const build = textOf(os, "build");
  return build === "" ? textOf(os, "train") : `${textOf(os, "train")} (${build})`;
}

function linesOfInformation(asi: unknown): string[] {
  if (!isRecord(asi)) return [];
  return Object.values(asi)
    .flatMap((lines) => (Array.isArray(lines) ? lines : [lines]))
    .filter((line): line is string => typeof line === "string")
    .slice(0, 256);
}

function threadsOfJson(body: Readonly<Record<string, unknown>>, images: readonly string[]): CrashThread[] {
  const threads = Array.isArray(body.threads) ? body.threads.slice(0, mostThreads) : [];
  const faulting = numberOf(body, "faultingThread");
  return threads.filter(isRecord).map((thread, index) => {
    const frames = Array.isArray(thread.frames) ? thread.frames.slice(0, mostFrames) : [];
    return {
      name: textOf(thread, "name"),
      queue: textOf(thread, "queue"),
      isTriggered: thread.triggered === true || index === faulting,
      frames: frames.filter(isRecord).map((frame) => ({
        image: images[numberOf(frame, "imageIndex") ?? -1] ?? "",
        symbol: textOf(frame, "symbol"),
        offset: numberOf(frame, textOf(frame, "symbol") === "" ? "imageOffset" : "symbolLocation") ?? null,
      })),
    };
  });
}

/** A report that was cut, or mangled by a forum: what can still be recognised. */
function readBrokenJson(
  document: TextDocument,
  header: Readonly<Record<string, unknown>>,
  sink: FactSink,
): boolean {
  const { text } = document;
  const at = text.search(/"exception"\s*:\s*\{/);
  if (at < 0) return false;
  const exception = parseJsonAt(text, text.indexOf("{", at))?.value;
  if (!isRecord(exception) || textOf(exception, "type") === "") return false;
  const asiAt = text.search(/"asi"\s*:\s*\{/);
  const asi = asiAt < 0 ? null : parseJsonAt(text, text.indexOf("{", asiAt))?.value;
  const symbols = [...text.matchAll(/"symbol"\s*:\s*"((?:[^"\\]|\\.){1,500})"/g)].slice(0, mostFrames);
  const path = stringValueOf(text, "procPath")?.value ?? "";
  const codes = textOf(exception, "subtype") || textOf(exception, "codes");
  sink.kind("crash report");
  sink.problem("is a crash report that is not whole; what is there was read");
  sink.add("crash", document.placeAt(at), {
    process: stringValueOf(text, "procName")?.value ?? textOf(header, "app_name"),
    path,
    bundleIdentifier: textOf(header, "bundleID"),
    version: versionOf({}, header),
    pid: -1,
    time: textOf(header, "timestamp"),
    product: stringValueOf(text, "modelCode")?.value ?? "",
    osVersion: textOf(header, "os_version"),
    exceptionType: textOf(exception, "type"),
    signal: textOf(exception, "signal"),
    codes,
    rawCodes: numbersOf(textOf(exception, "codes")),
    address: addressOf(codes, textOf(exception, "type")),
    information: linesOfInformation(asi),
    ...terminationOf(""),
    threads: [
      {
        name: "",
        queue: "",
        isTriggered: true,
        frames: symbols.map(([, symbol]) => ({ image: "", symbol })),
      },
    ],
    images: [],
    isDext: isDext(path, [], ""),
  });
  return true;
}

const frameRow = /^\s*(\d{1,4})\s+(\S.{0,200}?)\s+0x([0-9a-f]{4,16})\s+(.{1,2000})$/i;

/** posts.md §4.2: header, exception, threads. Also frames alone, as P11's post has them. */
function readLegacy(document: TextDocument, sink: FactSink): void {
  const head = (key: string) =>
    new RegExp(`^[> ]*${key}:[ \\t]+(\\S[^\\n]{0,500}?)\\s*$`, "m").exec(document.text)?.[1] ?? "";
  const exception = /^(\w+)(?: \((\w+)\))?/.exec(head("Exception Type"));
  const { threads, first } = legacyThreads(document);
  if (exception === null && threads.length === 0) return;
  const at = document.text.search(/Exception Type:|Crashed Thread:|Triggered by Thread:| Crashed:/);
  const codes = head("Exception Subtype") || head("Exception Codes");
  const path = head("Path");
  const information = [
    ...blockAfter(document, /Application Specific Information:/),
    ...blockAfter(document, /Dyld Error Message:/),
  ];
  const images = threads.flatMap((thread) => thread.frames.map((frame) => frame.image));
  sink.kind("crash report");
  sink.add("crash", document.place(at < 0 ? first : document.lineAt(at)), {
    process: head("Process").replace(/\s*\[\d+\]$/, ""),
    path,
    bundleIdentifier: head("Identifier"),
    version: /^(.*?) \((.*)\)$/
      .exec(head("Version"))
      ?.slice(1)
      .every((part, _index, both) => part === both[0])
      ? head("Version").replace(/ \(.*$/, "")
      : head("Version"),
    pid: Number(/\[(\d{1,9})\]$/.exec(head("Process"))?.[1] ?? -1),
    time: head("Date/Time"),
    product: head("Hardware Model"),
    osVersion: head("OS Version"),
    exceptionType: exception?.[1] ?? "",
    signal: exception?.[2] ?? "",
    codes,
    rawCodes: numbersOf(head("Exception Codes")),
    address: addressOf(codes, exception?.[1] ?? ""),
    information,
    ...terminationOf(head("Termination Reason")),
    threads,
    images: [...new Set(images)].slice(0, 4096),
    isDext: isDext(path, images, head("Identifier")),
  });
}

function legacyThreads(document: TextDocument): { threads: CrashThread[]; first: number } {
  const threads: { name: string; queue: string; isTriggered: boolean; frames: CrashFrame[] }[] = [];
  let first = 1;
  let current: (typeof threads)[number] | null = null;
  const names = new Map<string, string>();
  for (let number = 1; number <= document.lineCount; number++) {
    const line = cleanLine(document.line(number));
    if (line.length > 3000) continue;
    const name = /^\s*Thread (\d+) name:\s*(?:Dispatch queue:)?\s*(.*)$/.exec(line);
    if (name !== null) {
      names.set(name[1], name[2]);
      continue;
    }
    const start = /^\s*Thread (\d+)( Crashed)?:{1,2}(?:\s*(?:Dispatch queue:\s*)?(.*))?$/.exec(line);
    if (start !== null && threads.length < mostThreads) {
      if (threads.length === 0) first = number;
      current = {
        name: names.get(start[1]) ?? "",
        queue: (start[3] ?? "").trim(),
        isTriggered: start[2] !== undefined,
        frames: [],
      };
      threads.push(current);
      continue;
    }
    const frame = frameRow.exec(line);
    if (frame !== null && current !== null && current.frames.length < mostFrames)
      current.frames.push({
        image: frame[2].trim(),
        symbol: symbolOf(frame[4]),
        offset: Number(/ \+ (\d{1,12})/.exec(frame[4])?.[1] ?? Number.NaN) || null,
      });
  }
  return { threads, first };
}

/** "Namespace CODESIGNING, Code 0x1", "Namespace SIGNAL, Code 9 Killed: 9", "DYLD, [0x1] Library missing". */
function terminationOf(
  text: string,
): Pick<CrashReport, "termination" | "terminationNamespace" | "terminationCode"> {
  const match = /^(?:Namespace )?([A-Z][A-Z_]{2,40}),?\s+(?:Code:?\s*|\[)?(0x[0-9a-f]{1,8}|\d{1,10})\b/i.exec(
    text,
  );
  return {
    termination: text,
    terminationNamespace: match?.[1] ?? "",
    terminationCode: match === null ? -1 : Number(match[2]),
  };
}

/** "a(b) + 48 (x.cpp:3)" -> "a(b)"; "0x1000 + 8" -> "". */
function symbolOf(text: string): string {
  const symbol = text.replace(/ \+ \d+.*$/, "").trim();
  return /^0x[0-9a-f]+$/i.test(symbol) ? "" : symbol;
}

function blockAfter(document: TextDocument, title: RegExp): string[] {
  const at = document.text.search(title);
  if (at < 0) return [];
  const lines: string[] = [];
  for (let number = document.lineAt(at) + 1; number <= document.lineCount && lines.length < 64; number++) {
    const line = cleanLine(document.line(number)).trim();
    if (line === "") break;
    lines.push(line.slice(0, 2000));
  }
  return lines;
}

function addressOf(codes: string, type: string): number | null {
  if (type !== "EXC_BAD_ACCESS") return null;
  const at = / at (0x[0-9a-f]{1,16})/i.exec(codes) ?? /,\s*(0x[0-9a-f]{1,16})/i.exec(codes);
  return at === null ? null : Number(at[1]);
}

function isDext(path: string, images: readonly string[], bundle: string): boolean {
  return (
    /\.dext(?:\/|$)/.test(path) ||
    /SystemExtensions\//.test(path) ||
    images.includes("DriverKit") ||
    /\.dext$/.test(bundle)
  );
}
