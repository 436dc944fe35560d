// Takes what names a person, a team or a machine out of a diagnosis.

import type { Diagnosis } from "./diagnosis.ts";
import type { Secret } from "./evidence/evidence.ts";

/** Shapes that are secret wherever they stand. */
const shapes: readonly [RegExp, string | ((...groups: string[]) => string)][] = [
  // Home folders, and disks that people name.
  [/((?:^|[/\\]|\b[A-Z]:[/\\])(?:Users|home|HOME)[/\\]+)(?!Shared\b)[^/\\\s"':]+/g, "$1USER"],
  [/(\/Volumes\/)(?!Macintosh HD|Preboot|Recovery)[^/"':\n]*[^/"':\s]/g, "$1VOLUME"],
  // Devices: the new form, the old one, and names of panics and crashes.
  [/\b[0-9A-F]{8}-[0-9A-F]{16}\b/gi, "DEVICE"],
  [/\b[0-9a-f]{40}\b/g, "DEVICE"],
  [/\b((?:client|driver) team=)[A-Z0-9]{10}\b/g, "$1TEAM"],
  [/\bteam [A-Z0-9]{10}\b/g, "team TEAM"],
  [/\b[A-Z0-9]{10}(?=\.[a-z][\w-]*\.)/g, "TEAM"],
  [/\((?=[A-Z0-9]*\d)[A-Z0-9]{10}\)(?="|$|\s*[,;.])/g, "(TEAM)"],
  // What stands for one machine, one installation or one place in a network.
  [/\b[0-9A-F]{8}-(?:[0-9A-F]{4}-){3}[0-9A-F]{12}\b/gi, "UUID"],
  [
    /(?<![\w.])(?!127\.|0\.0\.0\.0)(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.])/g,
    "ADDRESS",
  ],
  // Certificates are made out to somebody.
  [
    /((?:Apple Development|Apple Distribution|Mac Developer|iPhone Developer|iPhone Distribution|3rd Party Mac Developer \w+|Developer ID (?:Application|Installer)): )[^"(\n]*[^"(\s]/g,
    "$1NAME",
  ],
  // Serial numbers: by their key, and in the brackets of an entry's name.
  [/("[^"]*[Ss]erial[^"]*"\s*[=:]\s*)"[^"]*"/g, '$1"SERIAL"'],
  [/\b((?:[Ss]erial\s?(?:[Nn]umber|[Nn]o\.?)|S\/N)(?: \(system\))?\s*[:=]\s*)[^\s,;"')]+/g, "$1SERIAL"],
  [/\(([A-Z0-9][A-Z0-9-]{4,})\)/g, (whole, inside) => (isSerial(inside) ? "(SERIAL)" : whole)],
  // Addresses of machines and people.
  [/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/gi, "MAC"],
  [/\b[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}\b/gi, "EMAIL"],
  [/\b[\w-]+\.local\b/g, "HOST.local"],
  [
    /[\w’'-]*[\w’'](?:-|’s |'s )(?:MacBook|iMac|Mac)(?:[- ](?:Pro|Air|mini|Studio|Neo))?(?:[- ]\d+)?\b/g,
    "HOST",
  ],
];

/** Digits and capitals as makers stamp them; numbers alone are codes as often as serial numbers. */
function isSerial(text: string): boolean {
  const digits = text.replace(/\D/g, "").length;
  if (/^\d{4}-\d\d-\d\d/.test(text) || /^(?:DR|NT|IO|FX)\d*-/.test(text)) return false;
  return digits >= 4 && (/[A-Z-]/.test(text) || text.length >= 11);
}

/** The machine of a log line: after the time, before the process (`log show --style syslog`, BSD syslog, RFC 5424). */
const hostShapes: readonly RegExp[] = [
  /\b\d{4}-\d\d-\d\d[ T][\d:.]+(?:[+-]\d\d:?\d\d|Z)?\s+([A-Za-z0-9][\w.-]*)\s+[\w.()/-]+(?:\[\d+\])?:/g,
  /\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+\d{1,2} \d\d:\d\d:\d\d ([A-Za-z0-9][\w.-]*) [\w.()/-]+(?:\[\d+\])?:/g,
  /(?:[Hh]ost ?[Nn]ame|[Cc]omputer ?[Nn]ame|LocalHostName)"?\s*[:=]\s*"?([A-Za-z0-9][\w.-]*)/g,
];
/** Words that stand there and name nobody. */
const noHost = /^(?:localhost|kernel|Df|Db|E|F|I|A|0x[0-9a-f]+|\d+|Default|Error|Fault|Info|Debug)$/;

/** Whose home a path names; the same person stands elsewhere without a path. */
const userShape = /(?:\/|[A-Z]:\\)(?:Users|home)[/\\]+([^/\\\s"':]{3,})/g;
/** Names of homes that are words of their own, or nobody's. */
const noUser = /^(?:Shared|user|users|root|admin|runner|builder|build|test|debian|ubuntu|Public|USER)$/i;

/** Endings that say what a file is; any other may be a name. */
const knownEnding =
  /\.(?:log|txt|ips|panic|crash|diag|spin|plist|entitlements|mobileprovision|provisionprofile|zip|gz|tgz|tar|pcap|pcapng|cpp|cc|c|h|hpp|iig|m|mm|swift|json|xml|dext|app|kext|logarchive|conf|md|html|csv)$/i;

/** A copy of the same shape. Secrets are what readers recognised; longer ones go first, so that none is left in part. */
export function redactDiagnosis(diagnosis: Diagnosis, secrets: readonly Secret[]): Diagnosis {
  const texts: string[] = [];
  visitStrings(diagnosis, (text) => {
    texts.push(text);
    return text;
  });
  const words = new Map<string, string>();
  diagnosis.files.forEach(({ name }, index) => {
    words.set(name, `file ${index + 1}${knownEnding.exec(name)?.[0].toLowerCase() ?? ""}`);
    const user = /(?:^|[/\\])(?:Users|home)[/\\]+([^/\\]{3,})[/\\]/.exec(name)?.[1];
    if (user !== undefined && user !== "Shared") words.set(user, "USER");
  });
  for (const { kind, text } of secrets) if (text.length >= 4) words.set(text, kind.toUpperCase());
  for (const text of texts) {
    for (const shape of hostShapes)
      for (const match of text.matchAll(shape))
        if (match[1].length >= 2 && !noHost.test(match[1])) words.set(match[1], "HOST");
    for (const match of text.matchAll(userShape)) if (!noUser.test(match[1])) words.set(match[1], "USER");
  }
  const known = [...words].sort((left, right) => right[0].length - left[0].length);
  const clean = (text: string): string => {
    let out = text;
    for (const [secret, word] of known) out = withoutWord(out, secret, word);
    for (const [shape, word] of shapes)
      out = typeof word === "string" ? out.replace(shape, word) : out.replace(shape, word);
    return out;
  };
  return visitStrings(diagnosis, clean) as Diagnosis;
}

/** A short one is replaced only where it is a word of its own: a host "pi" is in many words. */
function withoutWord(text: string, secret: string, word: string): string {
  if (!text.includes(secret)) return text;
  if (secret.length >= 8) return text.replaceAll(secret, word);
  const quoted = secret.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}_])${quoted}(?![\\p{L}\\p{N}_])`, "gu"), () => word);
}

function visitStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => visitStrings(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visitStrings(item, change)]));
}
