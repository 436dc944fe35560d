// What a word, a code or a sentence means that somebody has: codes in every form, domains, entitlements, states, rules.

import { formatReturn, type IOReturnName, IOReturns, returnName } from "@drydock/core/base/io-return";
import { nearestName } from "@drydock/core/base/near-names";
import { deviceSupportOf, supportSystemNames, supportSystems } from "@drydock/core/platform/device-support";
import { diagnose } from "./diagnose.ts";
import { sourceOfText } from "./facts/evidence-source.ts";
import { activationError, activationErrors, activationNumberOf } from "./rules/activation-errors.ts";
import { allRules } from "./rules/all-rules.ts";
import { entitlementOf, knownEntitlements, wrongEntitlements } from "./rules/entitlement-names.ts";
import { isLoadersWord } from "./rules/kext-codes.ts";
import type { OtherCode } from "./rules/other-code.ts";
import { extensionStates, otherCodes } from "./rules/other-codes.ts";
import { returnContexts } from "./rules/return-contexts.ts";
import { meaningOf } from "./rules/return-meanings.ts";
import { codesIn, meantCode, toldCodes } from "./rules/return-numbers.ts";
import type { Rule } from "./rules/rule.ts";

/** A question about a kind of device has no more words. */
const mostDeviceWords = 8;

/** Several words are one phrase. Null: nothing here knows it. Deterministic; never fails for any text. */
export async function explainPhrase(phrase: string): Promise<string | null> {
  const text = phrase
    .trim()
    .replace(/^["'`]+|["'`]+$/g, "")
    .replace(/\s+/g, " ");
  if (text === "") return null;
  return (
    ruleText(text) ??
    entitlementText(text) ??
    stateText(text) ??
    activationText(text) ??
    otherText(text) ??
    codeText(text) ??
    deviceText(text) ??
    (await sentenceText(text)) ??
    aboutText(text)
  );
}

/** A kind of device, perhaps with a system: "ncm", "ftdi on iphone", "does CDC-ACM work on iPad?". Longer texts mean something else. */
function deviceText(text: string): string | null {
  if (text.split(" ").length > mostDeviceWords) return null;
  const row = deviceSupportOf(text);
  if (row === null) return null;
  const lines = supportSystems.map((system) => {
    const { mark, route, through } = row.on[system];
    return `  ${supportSystemNames[system]}: ${route} (${mark}): ${through}\n`;
  });
  return `${row.name}: where it works, and through what\n\n${lines.join("")}\nLooked up on ${row.asOf}. Source: ${row.source}.\n`;
}

function ruleText(text: string): string | null {
  const rule = allRules.find(({ id }) => id.toLowerCase() === text.toLowerCase());
  if (rule === undefined) return null;
  const steps = rule.fix.map((step, index) => `  ${index + 1}. ${step}\n`).join("");
  return `${rule.id}: ${rule.title}\n\n${rule.why}\n\n${steps}\nTo be done by ${rule.who}. Knowledge: ${rule.certainty} (${rule.source}).\n`;
}

const holders = { driver: "the driver", app: "the app", either: "app or driver" } as const;

function entitlementText(text: string): string | null {
  const bare = text.replace(/<\/?key>/g, "").trim();
  const key =
    /^(?:[\w-]+ ){0,3}(com\.apple\.(?:developer|security|private|vm)\.[\w.-]+)(?: [\w-]+){0,2}$/.exec(
      bare,
    )?.[1] ?? bare;
  const short = `com.apple.developer.driverkit.${key}`;
  const known =
    entitlementOf(key) ??
    (/^(?:transport|family)\./.test(key) || /-/.test(key) ? entitlementOf(short) : null);
  if (known !== null) {
    const rules = rulesNaming(known.key);
    return `${known.key}\n\nAllows: ${known.allows}.\nValue: ${known.value}.\nHeld by ${holders[known.holder]}. Who gets it: ${known.how}.\n${ruleLines(rules)}`;
  }
  if (!/^com\.apple\.[\w.-]+$/.test(key)) return null;
  const listed = wrongEntitlements[key];
  const names = knownEntitlements.map((one) => one.key);
  const sorted = (name: string) => name.split(/[.-]/).sort().join(".");
  const meant = listed ?? names.find((name) => sorted(name) === sorted(key)) ?? nearestName(key, names, 6);
  const isOurs = /driverkit|system-extension|security\.(?:device|iokit)/.test(key);
  if (meant !== null && meant !== undefined) {
    const one = entitlementOf(meant);
    return `${key} is no known entitlement. Did you mean ${meant}?\n${one === null ? "" : `\n${meant} allows: ${one.allows}. Value: ${one.value}.\n`}`;
  }
  return isOurs
    ? `${key} is no entitlement that is known here; drydock knows ${names.length} of DriverKit and its programs.\n`
    : null;
}

function stateText(text: string): string | null {
  const bare = text.toLowerCase().replace(/^\[|\]$/g, "");
  const found = extensionStates.find(({ state }) => state.test(bare));
  if (found === undefined) return null;
  const rule = allRules.find(({ id }) => id === found.rule);
  return `[${bare}], a state of systemextensionsctl list: ${found.means}.\n${rule === undefined ? "" : `\n${rule.id}: ${rule.title}\n  ${rule.why}\n  ${rule.fix[0]}\n`}`;
}

function activationText(text: string): string | null {
  if (!/OSSystemExtensionError/i.test(text)) {
    const own = activationErrors.find(
      ({ name }) => name.toLowerCase() === text.toLowerCase().replace(/^\./, ""),
    );
    return own === undefined ? null : activationLines(own.number);
  }
  const number = /(\d{1,2})\D*$/.exec(text.replace(/OSSystemExtensionErrorDomain/i, ""))?.[1];
  const name = /OSSystemExtensionError(?:\.Code|Code)?[._]?([A-Za-z]{5,40})/i.exec(text)?.[1];
  const value =
    number !== undefined
      ? Number(number)
      : name === undefined || /^Domain/i.test(name)
        ? null
        : activationNumberOf(name);
  if (value !== null) return activationLines(value);
  const all = activationErrors.map((one) => `  ${one.number}: ${one.because}\n`).join("");
  return `OSSystemExtensionErrorDomain: why the system did not activate an extension. Its numbers:\n${all}`;
}

function activationLines(number: number): string {
  const one = activationError(number);
  if (one === null)
    return `OSSystemExtensionErrorDomain ${number}: not one of the numbers 1 to 13 that are known.\n`;
  const steps = one.fix.map((step, index) => `  ${index + 1}. ${step}\n`).join("");
  return `OSSystemExtensionErrorDomain ${number} (${one.name}): the extension was not activated because ${one.because}.\n\n${one.why}\n\n${steps}\nTo be done by ${one.who}.\n\nNT-814055: The system refused to activate the extension\n`;
}

const domains: readonly (readonly [RegExp, string])[] = [
  [/KMError/i, "KMErrorDomain"],
  [/POSIX|errno/i, "POSIX"],
  [/OSStatus|Security|errSec/i, "Security"],
  [/AppleMobileFileIntegrity|AMFI/i, "AppleMobileFileIntegrityError"],
  [/CODESIGNING/i, "CODESIGNING"],
  [/\bDYLD\b/i, "DYLD"],
  [/exit|status|killed|shell|zsh|bash/i, "exit"],
  [/launchd|spawn/i, "launchd"],
  [/libusb/i, "libusb"],
  [/\bsignal\b/i, "signal"],
  [/mach/i, "Mach"],
];

function otherText(phrase: string): string | null {
  const text = phrase.replace(/LIBUSB::ERROR_/gi, "LIBUSB_ERROR_");
  const lower = text.toLowerCase();
  const printed = otherCodes.filter(({ sentence }) => sentence?.toLowerCase() === lower);
  if (printed.length > 0) return otherLines(printed);
  // Of the kext loader's words most are anybody's: inside of a phrase they count behind its mark.
  const exact = otherCodes.filter(({ domain, names }) =>
    names.some((name) =>
      domain === "kext loader"
        ? isLoadersWord(name, lower)
        : name.toLowerCase() === lower || wordIn(lower, name.toLowerCase()),
    ),
  );
  if (exact.length > 0) return otherLines(longest(exact, lower));
  const numbers = [...text.matchAll(/(?<![\w.])(-?0x[0-9a-f]{1,8}|-?\d{1,10})(?![\w.]*\d)/gi)].map(
    ([number]) => Number(number),
  );
  const domain = domains.find(([pattern]) => pattern.test(text))?.[1];
  for (const number of numbers) {
    const found = otherCodes.filter(
      (code) =>
        code.number !== null &&
        (code.number === number || code.number >>> 0 === number >>> 0) &&
        (domain === undefined
          ? Math.abs(code.number) > 1000 || code.domain === "exit"
          : code.domain === domain),
    );
    if (found.length > 0) return otherLines(found);
  }
  return null;
}

/** A name of several letters as a whole word of a phrase. */
function wordIn(text: string, name: string): boolean {
  return (
    name.length >= 6 &&
    new RegExp(`(?<![\\w-])${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w])`).test(text)
  );
}

/** Of names one of which lies in another the longer. */
function longest(codes: readonly OtherCode[], text: string): OtherCode[] {
  const lengthOf = ({ names }: OtherCode) =>
    Math.max(...names.filter((name) => text.includes(name.toLowerCase())).map((name) => name.length), 0);
  const most = Math.max(...codes.map(lengthOf));
  return codes.filter((code) => lengthOf(code) === most);
}

function otherLines(codes: readonly OtherCode[]): string {
  return codes
    .map(({ names, number, domain, means, fix }) => {
      const shown =
        number === null
          ? ""
          : Math.abs(number) > 0xffff
            ? ` (0x${(number >>> 0).toString(16)}, ${number | 0})`
            : ` (${domain} ${number})`;
      return `${names[0]}${shown}: ${means}.\n  ${fix}\n`;
    })
    .join("\n");
}

function codeText(text: string): string | null {
  const told = toldCodes(text);
  const single = told.length > 0 ? told : bareCode(text);
  if (single.length > 0)
    return single.map(({ name, contradictions }) => codeLines(name, contradictions)).join("\n");
  const meant = /^[-\dxa-f ]{6,12}$/i.test(text) ? meantCode(text) : null;
  if (meant !== null)
    return `${text} is no code of the system; probably ${meant.text} was meant.\n\n${codeLines(meant.name, [])}`;
  const number = numberIn(text);
  if (number !== null) return numberLines(number);
  const known = Object.keys(IOReturns).find((name) => name.toLowerCase() === text.toLowerCase());
  if (known !== undefined) return codeLines(known, []);
  return /^k(?:IO|USB)|^KERN_/i.test(text) ? nearCode(text) : null;
}

/** A number alone: zeros before it and the sign of 64 bits change nothing; a kernel call's is short. */
function numberIn(text: string): number | null {
  const bare = /^0x(?:0*|f{8})([0-9a-f]{1,8})$/i.exec(text)?.[1];
  if (bare !== undefined) return Number.parseInt(bare, 16);
  if (/^(?:-\d{1,10}|0)$/.test(text)) return Number(text) >>> 0;
  const short = /^(?:kern(?:[ _]return(?:_t)?)?|kr|ret)[ :=]*(\d{1,3})$/i.exec(text)?.[1];
  return short === undefined ? null : Number(short);
}

function nearCode(text: string): string | null {
  const near = nearestName(text, Object.keys(IOReturns), 3);
  return near === null
    ? null
    : `${text} is no name that is known; did you mean ${near}?\n\n${codeLines(near, [])}`;
}

/** Hex without 0x, and unsigned decimals. */
function bareCode(text: string): { name: string; contradictions: readonly string[] }[] {
  const number =
    /^[0-9a-f]{8}$/i.test(text) && /[a-f]/i.test(text)
      ? Number.parseInt(text, 16)
      : /^\d{9,10}$/.test(text)
        ? Number(text)
        : null;
  if (number === null || number > 0xffffffff) return [];
  const name = returnName(number >>> 0);
  return name in IOReturns ? [{ name, contradictions: [] }] : [];
}

function numberLines(code: number): string {
  const name = returnName(code);
  return name in IOReturns
    ? codeLines(name, [])
    : `${formatReturn(code)} (${code | 0}): no name of IOKit, USB or Mach is known for it\n`;
}

function codeLines(name: string, contradictions: readonly string[]): string {
  const code = name in IOReturns ? IOReturns[name as IOReturnName] >>> 0 : null;
  const meaning = meaningOf(name);
  const head = code === null ? name : `${formatReturn(code)} (${code | 0}, ${code}): ${name}`;
  const wrong =
    contradictions.length === 0
      ? ""
      : `\nThe text also says ${contradictions.join(" and ")}, which does not fit that number: the number counts.\n`;
  const contexts = returnContexts
    .filter((entry) => entry.name === name)
    .map(({ calls, means, fix }) => `\nFrom ${calls.join(", ")}: ${means}.\n  ${fix}\n`)
    .join("");
  const rules = [
    ...new Set([...rulesNaming(name), ...(code === null ? [] : rulesNaming(formatReturn(code)))]),
  ];
  return `${head}${meaning === null ? "" : `. ${meaning}.`}\n${wrong}${contexts}${ruleLines(rules)}`;
}

/** A sentence that the system prints: what the doctor makes of it. */
async function sentenceText(text: string): Promise<string | null> {
  if (!/\s/.test(text) && !/^DK:|:/.test(text)) return null;
  const { answers, hints } = await diagnose([sourceOfText("phrase", `${text}\n`)]);
  const found = [...answers, ...hints].filter(({ rule }) => !["DR17-1"].includes(rule)).slice(0, 3);
  if (found.length === 0) return codesIn(text).length > 0 ? codeText(text) : null;
  return found
    .map(
      ({ rule, claim, why, fix, who }) =>
        `${claim} [${rule}]\n\n${why}\n\n${fix.map((step, index) => `  ${index + 1}. ${step}\n`).join("")}\nTo be done by ${who}.\n`,
    )
    .join("\n");
}

/** Rules whose words hold all words of the phrase. */
function aboutText(text: string): string | null {
  const words = text
    .toLowerCase()
    .split(/[^\w.-]+/)
    .filter((word) => word.length >= 4);
  if (words.length === 0) return null;
  const found = allRules.filter((rule) => words.every((word) => textOf(rule).includes(word)));
  return found.length === 0 || found.length > 12 ? null : `${text}\n${ruleLines(found)}`;
}

const textOf = ({ title, why, fix }: Rule): string => `${title} ${why} ${fix.join(" ")}`.toLowerCase();

function rulesNaming(word: string): Rule[] {
  const lower = word.toLowerCase();
  return allRules.filter((rule) =>
    new RegExp(`(?<![\\w-])${lower.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w-])`).test(textOf(rule)),
  );
}

function ruleLines(rules: readonly Rule[]): string {
  return rules
    .slice(0, 5)
    .map((rule) => `\n${rule.id}: ${rule.title}\n  ${rule.why}\n`)
    .join("");
}
