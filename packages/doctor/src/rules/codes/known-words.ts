// FX-KNOWN: words that the system prints and that mean one thing, wherever they stand.

import { watch } from "../../evidence/watch.ts";
import { kextRefused } from "../extension/kext-not-loaded.ts";
import { isHarmless } from "../harmless-lines.ts";
import type { OtherCode } from "../other-code.ts";
import { otherCodes } from "../other-codes.ts";
import { spoken } from "../questions.ts";
import { codesIn } from "../return-numbers.ts";
import type { Finding, Rule } from "../rule.ts";

/** What rules of their own tell better. */
const toldElsewhere = new Set([
  "no capture entitlements",
  "persistent enumeration failures",
  "LIBUSB_ERROR_ACCESS",
  "LIBUSB_ERROR_BUSY",
]);
/** Names that nothing else has, and sentences of the system that say one thing. */
const isDistinct = ({ domain }: OtherCode, name: string): boolean =>
  /^(?:kOSKextReturn|LIBUSB_ERROR_|MACH_(?:SEND|RCV)_|kTCC)\w{3,}$/.test(name) ||
  /^\((?:iokit|os|ipc)\/\w+\) /.test(name) ||
  (/^(?:Gatekeeper|Security|notary|sysextd|DYLD)$/.test(domain) && name.split(" ").length >= 4);

/** Words as they are looked for -> what is known of them. */
const known = new Map<string, OtherCode>();
for (const code of otherCodes)
  for (const name of code.names) {
    // Curled quotation marks are made straight before anything is looked for.
    if (toldElsewhere.has(name) || /[^ -~]/.test(name)) continue;
    if (isDistinct(code, name)) known.set(name.toLowerCase(), code);
    // Short words of the loader mean something behind its own mark only (mach_error_string).
    else if (code.domain === "kext loader" && /^[a-z]/.test(name))
      known.set(`(libkern/kext) ${name}`.toLowerCase(), code);
    else if (/^(?:libusb on macOS|os_log)$/.test(code.domain)) known.set(name.toLowerCase(), code);
  }

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
const printed = watch(
  [...known.keys()],
  // The longest first: of words that begin alike the whole is meant.
  new RegExp(
    `(?<![\\w])(?:${[...known.keys()]
      .sort((left, right) => right.length - left.length)
      .map(escaped)
      .join("|")})(?![\\w-])`,
    "i",
  ),
);
const fewCodes = 4;
/** libusb's words for IOReturns are everyday words elsewhere. */
const ofLibusb = /libusb|\bdarwin_/i;
/** Hidden words are nobody's trouble but where they are the reason. */
const hidesAReason = /(?:error|fail\w*|reason)\b[^\n]{0,80}<private>/i;

export const knownWords: Rule = {
  id: "FX-KNOWN",
  title: "Words of the system that mean one thing, wherever they stand",
  severity: "error",
  certainty: "established",
  source: "headers of xnu, mach_error_string, Security.framework, libusb, and the messages of Apple's tools",
  needs: ["log"],
  why: "The words say which part of the system refused what; who asked, and for what, stands in the lines around them.",
  fix: ["Look the words up: drydock explain WORDS."],
  who: "you",
  watches: [printed],
  judge(evidence) {
    const findings = new Map<OtherCode, Finding>();
    const isLoaders = spoken(evidence, kextRefused).length > 0;
    for (const { match, place, row } of spoken(evidence, printed)) {
      const [words] = match;
      const code = known.get(words.toLowerCase());
      if (code === undefined || findings.has(code) || findings.size >= fewCodes) continue;
      // A number beside the words tells more, and so does the loader's own error.
      if (codesIn(place.text).length > 0 || (isLoaders && code.domain === "kext loader")) continue;
      if (code.domain === "os_log" && !hidesAReason.test(place.text)) continue;
      if (isHarmless(place.text) || (code.domain === "libusb on macOS" && !ofLibusb.test(place.text)))
        continue;
      // Small talk of Apple's own parts is no failure of anybody's.
      const isApples = /^com\.apple\.|^lib\w+\.dylib$/.test(row.sender);
      const isSentence = /^(?:kext loader|Gatekeeper|notary|sysextd|libusb on macOS)$/.test(code.domain);
      findings.set(code, {
        score: isApples ? 30 : isSentence ? 58 : 46,
        claim: `"${words}": ${code.means.split(/;|\. /)[0]}.`,
        because: [place],
        about: [code.names[0]],
        why: `${code.means.charAt(0).toUpperCase()}${code.means.slice(1)}.`,
        fix: [code.fix],
      });
    }
    return [...findings.values()];
  },
};
