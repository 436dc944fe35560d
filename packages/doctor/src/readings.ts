// What was read, one line a file: kind, system, process or driver, date, and what is notable; with who must act.

import { hex } from "@drydock/core/base/text";
import { isDictionary } from "@drydock/core/platform/properties";
import type { Answer, Reading } from "./diagnosis.ts";
import type { Evidence } from "./evidence/evidence.ts";
import type { Fact } from "./evidence/facts.ts";
import type { CrashReport } from "./facts/crash-report.ts";
import { cutText } from "./facts/cut-text.ts";
import type { Place } from "./facts/evidence-source.ts";
import type { PanicReport } from "./facts/panic-report.ts";
import type { ProvisioningProfile } from "./facts/provisioning-profile.ts";
import type { EvidenceKind, ReadFile } from "./facts/read-file.ts";
import type { RegistryEntry } from "./facts/registry-entry.ts";
import type { UsbTransfer } from "./facts/usb-transfer.ts";
import { classOf, isBacktraceWhole, isMobile, kextOf, mobileName } from "./rules/panic-classes.ts";
import type { Actor } from "./rules/rule.ts";
import { kextFiles } from "./rules/source-targets.ts";
import { driverKit, isDextEntitlements } from "./signing/entitlement-lists.ts";

type Line = { readonly text: string; readonly who: Actor | null };

/** Files of these kinds are told together when there are many. */
const folded: ReadonlySet<EvidenceKind> = new Set(["source", "text", "documentation", "property list"]);
const fewFiles = 4;

/**
 * In the order of the files. `today` (ISO 8601) null: no profile has expired. `answers`, the best first: who must act on a
 * panic is said once, and there.
 */
export function readingsOf(
  evidence: Evidence,
  today: string | null,
  answers: readonly Answer[] = [],
): Reading[] {
  const readings: Reading[] = [];
  const plain: ReadFile[] = [];
  const actors = actorsBy(answers);
  for (const file of evidence.files) {
    const lines = linesOf(evidence, file, today, actors);
    if (lines.length > 0) {
      for (const { text, who } of lines.slice(0, 4)) readings.push({ file: file.name, text, who });
      if (lines.length > 4)
        readings.push({ file: file.name, text: `and ${lines.length - 4} more of them`, who: null });
      // Of an empty file its problem says all that there is.
    } else if (file.kinds.includes("unknown") || file.kinds.length === 0) continue;
    else if (file.kinds.every((kind) => folded.has(kind))) plain.push(file);
    else readings.push({ file: file.name, text: file.kinds.join(" and "), who: null });
  }
  const sources = plain.filter(({ kinds }) => kinds.includes("source"));
  if (sources.length > fewFiles) {
    readings.push({
      file: `${sources[0].name} and ${sources.length - 1} more`,
      text: treeText(evidence),
      who: null,
    });
    for (const file of sources) plain.splice(plain.indexOf(file), 1);
  }
  // Beside something that says more, plain text is told in one line.
  if (readings.length > 0 && plain.length > 2) {
    readings.push({
      file: `${plain[0].name} and ${plain.length - 1} more`,
      text: "text and other files, with nothing in them that is a report or a list",
      who: null,
    });
    plain.length = 0;
  }
  for (const file of plain.slice(0, fewFiles * 2))
    readings.push({
      file: file.name,
      text: !file.kinds.includes("text")
        ? file.kinds.join(" and ")
        : file.problems.length > 0
          ? "text, not read whole"
          : "text, with nothing in it that is a report or a list",
      who: null,
    });
  if (plain.length > fewFiles * 2)
    readings.push({ file: `${plain.length - fewFiles * 2} more`, text: "text and other files", who: null });
  const unread = evidence.files.filter(({ kinds }) => kinds.includes("unknown")).map(({ name }) => name);
  if (unread.length > 0)
    readings.push({
      file: unread.length === 1 ? unread[0] : `${unread[0]} and ${unread.length - 1} more`,
      text: "not read: binary, and of no kind that is known here",
      who: null,
    });
  return readings;
}

function linesOf(
  evidence: Evidence,
  file: ReadFile,
  today: string | null,
  actors: ReadonlyMap<string, Actor>,
): Line[] {
  const lines: Line[] = [];
  const judged = (place: Place, line: Line): Line => ({
    ...line,
    who: actors.get(lineOf(place)) ?? line.who,
  });
  for (const { place, value } of evidence.factsIn("panic", file.name))
    lines.push(judged(place, panicLine(value)));
  for (const { place, value } of evidence.factsIn("crash", file.name))
    lines.push(judged(place, crashLine(value)));
  for (const { value } of evidence.factsIn("profile", file.name))
    lines.push(profileLine(value.profile, today));
  const transfers = evidence.factsIn("transfer", file.name);
  if (transfers.length > 0) lines.push(captureLine(transfers));
  const lists = evidence.factsIn("extension-list", file.name);
  const rows = evidence.factsIn("system-extension", file.name);
  if (lists.length > 0 || rows.length > 0) lines.push(listLine(lists[0], rows));
  for (const { value } of evidence.factsIn("executable", file.name)) {
    const { slice, directory, certificates } = value;
    const build = slice?.build ?? null;
    const by =
      directory === null
        ? "not signed"
        : `signed ${certificates[0] === undefined ? "ad hoc" : `by ${certificates[0].commonName}`}`;
    lines.push({
      text: `${slice === null ? "code signature" : `executable, ${slice.architecture}`}${build === null ? "" : `, ${build.platform} ${build.minimumOS} and later, SDK ${build.sdk}`}, ${by}`,
      who: null,
    });
  }
  for (const { value } of evidence.factsIn("property-list", file.name)) {
    const line = plistLine(value.role, value.value);
    if (line !== null) lines.push(line);
  }
  const entries = evidence.factsIn("registry-entry", file.name);
  if (entries.length > 0) {
    const drivers = [
      ...new Set(
        entries.flatMap(({ value: { properties } }) =>
          "IOUserClass" in properties && typeof properties.CFBundleIdentifier === "string"
            ? [properties.CFBundleIdentifier]
            : [],
        ),
      ),
    ];
    lines.push({
      text: `registry dump, ${entries.length} entries${drivers.length === 0 ? "; no driver extension is among them" : `; driver extensions: ${drivers.slice(0, 5).join(", ")}`}`,
      who: null,
    });
  }
  const listed = evidence.factsIn("usb-listing", file.name);
  if (listed.length > 0) lines.push(usbListingLine(listed.map(({ value }) => value)));
  const isOnlyLog = lines.length === 0 && file.kinds.includes("log");
  if (isOnlyLog) lines.push({ text: "log", who: null });
  return lines;
}

const lineOf = ({ file, line }: Place): string => `${file}\n${line}`;

/** Who must act, by the line that the best answer about it stands on. */
function actorsBy(answers: readonly Answer[]): Map<string, Actor> {
  const actors = new Map<string, Actor>();
  for (const { because, who } of answers)
    for (const place of because) if (!actors.has(lineOf(place))) actors.set(lineOf(place), who);
  return actors;
}

const join = (words: readonly string[]): string => words.filter((word) => word !== "").join(", ");
const dayOf = (time: string): string => /\d{4}-\d\d-\d\d/.exec(time)?.[0] ?? "";

function panicLine(panic: PanicReport): Line {
  const head = isMobile(panic) ? mobileName(panic).replace(/'s panic$/, "'s panic report") : "panic report";
  const facts = join([head, panic.product, panic.osVersion, dayOf(panic.time)]);
  if (panic.isPart) return { text: `${facts}: a part of one, its first line is missing`, who: "you" };
  const kext = isMobile(panic) ? null : kextOf(panic);
  const found = classOf(panic);
  const what = cutText(panic.message.split("\n")[0], 160);
  if (kext !== null)
    return {
      text: `${facts}: ${what}; ${kext.bundle} is in its backtrace`,
      who: "the vendor of the kernel extension",
    };
  return {
    text: `${facts}: ${found === null ? what : `${found.name}: ${what}`}${panic.panickedTask === "" ? "" : `, in ${panic.panickedTask}`}`,
    who: found?.who ?? (isMobile(panic) || isBacktraceWhole(panic) ? "Apple" : null),
  };
}

function crashLine(crash: CrashReport): Line {
  const name = crash.process || crash.bundleIdentifier;
  const more = join([crash.version === "???" ? "" : crash.version, crash.osVersion, dayOf(crash.time)]);
  const ended =
    crash.terminationNamespace === ""
      ? ""
      : `ended by ${crash.terminationNamespace}${crash.terminationCode < 0 ? "" : ` ${crash.terminationCode}`}`;
  return {
    text: `crash report${name === "" ? "" : ` of ${name}`}${crash.isDext ? ", a driver extension" : ""}${more === "" ? "" : `, ${more}`}: ${join([crash.exceptionType || "no exception named", ended])}`,
    who: crash.isDext ? "the vendor of the driver" : "the developer of the program",
  };
}

function profileLine(profile: ProvisioningProfile, today: string | null): Line {
  const until = profile.expires.slice(0, 10);
  const isOver = today !== null && profile.expires !== "" && profile.expires < today;
  const keys = Object.keys(profile.allowlist).filter((key) => key.startsWith(driverKit));
  const machines =
    profile.devices === "all"
      ? "valid on any device"
      : profile.devices === null
        ? "for the store"
        : `valid on ${profile.devices.length} listed devices`;
  return {
    text: `provisioning profile "${profile.name}", ${profile.kind}, for ${profile.applicationIdentifier || "no App ID"}, team ${profile.teamIdentifiers.join(", ") || "unknown"}, ${machines}; ${until === "" ? "no end is given" : isOver ? `it expired on ${until}` : `valid until ${until}`}; ${keys.length === 0 ? "it holds no DriverKit entitlement" : `holds ${keys.map((key) => key.slice(driverKit.length + 1) || "driverkit").join(", ")}`}`,
    who: isOver ? "your team's admin" : null,
  };
}

function listLine(list: Fact<"extension-list"> | undefined, rows: readonly Fact<"system-extension">[]): Line {
  const head =
    list === undefined
      ? "part of a list of system extensions"
      : `list of system extensions, ${list.value.promised} promised, ${list.value.shown} shown`;
  const states = rows
    .slice(0, 4)
    .map(({ value }) => `${value.bundleIdentifier} ${value.version} ${value.state}`);
  return { text: `${head}${states.length === 0 ? "" : `: ${states.join("; ")}`}`, who: null };
}

function plistLine(role: EvidenceKind, value: Readonly<Record<string, unknown>>): Line | null {
  const text = (key: string): string => (typeof value[key] === "string" ? (value[key] as string) : "");
  if (role === "Info.plist") {
    const type = text("CFBundlePackageType");
    const kind =
      { DEXT: "a driver extension", KEXT: "a kernel extension", APPL: "an app" }[type] ?? "a bundle";
    const all = value.IOKitPersonalities as never;
    const names = isDictionary(all) ? Object.keys(all) : [];
    return {
      text: `Info.plist of ${kind}${text("CFBundleIdentifier") === "" ? "" : ` ${text("CFBundleIdentifier")}`}${text("CFBundleVersion") === "" ? "" : `, version ${text("CFBundleVersion")}`}${names.length === 0 ? "" : `, personalities: ${names.slice(0, 4).join(", ")}`}`,
      who: null,
    };
  }
  if (role !== "entitlements") return null;
  const keys = Object.keys(value);
  const isDext = isDextEntitlements(value as never);
  const own = keys
    .filter((key) => key.startsWith(driverKit) || key.includes("system-extension"))
    .map((key) =>
      key.startsWith(`${driverKit}.`) ? key.slice(driverKit.length + 1) : key.split(".").slice(-2).join("."),
    );
  return {
    text: `entitlements of ${isDext ? "a driver" : "a program"}: ${own.length === 0 ? `${keys.length} keys, none of DriverKit` : own.slice(0, 6).join(", ")}`,
    who: null,
  };
}

/** What happened on the bus: devices, first errors, stalls, who never answered, what hung. */
function captureLine(facts: readonly Fact<"transfer">[]): Line {
  const devices = new Map<number, { all: UsbTransfer[]; id: string }>();
  for (const { value } of facts) {
    const device = devices.get(value.device) ?? { all: [], id: "" };
    device.all.push(value);
    if (value.setup?.[1] === 6 && value.setup[3] === 1 && value.data.length >= 12 && value.result === "ok")
      device.id = ` (${word(value.data, 8)}:${word(value.data, 10)})`;
    devices.set(value.device, device);
  }
  const said = [...devices].slice(0, 4).map(([address, { all, id }]) => {
    const counts = new Map<string, number>();
    for (const { result } of all) if (result !== "ok") counts.set(result, (counts.get(result) ?? 0) + 1);
    const words: Readonly<Record<string, string>> = {
      stall: "answered with STALL",
      pending: "never answered",
      error: "ended with an error",
      gone: "ended because the device was gone",
      cancelled: "cancelled",
    };
    const bad = [...counts].map(([result, count]) => `${count} ${words[result] ?? result}`);
    const first = facts.find(
      ({ value }) => value.device === address && !["ok", "cancelled"].includes(value.result),
    );
    const isSilent = all.length > 1 && all.every(({ result }) => result === "pending" || result === "error");
    return `device ${address}${id}: ${all.length} transfers${bad.length === 0 ? ", all well" : `, ${bad.join(", ")}`}${isSilent ? "; it never answered" : ""}${first === undefined ? "" : `; first at 0x${hex(first.place.offset ?? 0)}: ${cutText(first.place.text, 120)}`}`;
  });
  return {
    text: `capture of ${devices.size} ${devices.size === 1 ? "device" : "devices"}: ${said.join("; ")}`,
    who: null,
  };
}

const word = (bytes: Uint8Array, at: number): string =>
  (bytes[at] | (bytes[at + 1] << 8)).toString(16).padStart(4, "0");

/** Devices with their numbers and speeds, and those that ask for more current than there is. */
function usbListingLine(entries: readonly RegistryEntry[]): Line {
  const devices = entries.filter(({ className }) => className !== "");
  const number = (value: unknown): string => (Number(value) || 0).toString(16).padStart(4, "0");
  const shownDevices = devices.slice(0, 6).map(({ name, properties }) => {
    const speed = typeof properties.Speed === "string" ? ` ${properties.Speed.toLowerCase()}` : "";
    return `${name} (${number(properties.idVendor)}:${number(properties.idProduct)}${speed})`;
  });
  const starved = devices.filter(
    ({ properties }) =>
      Number(properties["Current Required (mA)"]) > Number(properties["Current Available (mA)"]),
  );
  const power = starved
    .slice(0, 3)
    .map(
      ({ name, properties }) =>
        `; ${name} asks for ${String(properties["Current Required (mA)"])} mA where ${String(properties["Current Available (mA)"])} are there`,
    )
    .join("");
  return {
    text: `list of USB devices, ${devices.length}: ${shownDevices.join(", ")}${devices.length > 6 ? ` and ${devices.length - 6} more` : ""}${power}; it says nothing of drivers, classes or interfaces`,
    who: null,
  };
}

function treeText(evidence: Evidence): string {
  const kexts = kextFiles(evidence);
  const files = evidence.facts("source").map(({ value }) => value);
  const drivers = [
    ...new Set(
      files
        .filter((file) => !kexts.has(file))
        .flatMap(({ classes }) =>
          classes.filter(({ bases }) => bases.some((base) => /^IO|^OS/.test(base))).map(({ name }) => name),
        ),
    ),
  ];
  return `source${drivers.length === 0 ? "" : `, classes: ${drivers.slice(0, 6).join(", ")}`}${kexts.size === 0 ? "" : `; ${kexts.size} files of a kernel extension, which are not judged`}`;
}
