// DR08-1: what the unit says after vendor commands.

import { isVendorCommand, senseCodeOf, senseWords } from "@drydock/core/dissect/storage-wire";
import { watch } from "../../evidence/watch.ts";
import { perHit } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

/** "7/74/71", "(2/04/01)" in a log; the key, and the additional sense code in two halves. */
const told = watch(
  ["sense", "UserSendCDB", "unlock", "relink"],
  /\b([267])\/(74|04|28|29|3f)\/([0-9a-f]{2})\b/i,
);

const changed = [0x2800, 0x2900, 0x3f0e];

/** What a sense code after a vendor command means; null for one that says nothing about a lock or a relink. */
function meaningOf(key: number, code: number): { score: number; text: string } | null {
  if (key === 7 && code >> 8 === 0x74)
    return { score: 88, text: "access is not authorised: the unlock is not in force" };
  if (key === 2 && code >> 8 === 0x04) {
    return code === 0x0401
      ? { score: 70, text: "it is becoming ready: poll, do not give up" }
      : {
          score: 80,
          text:
            code === 0x0402 ? "it waits for START UNIT" : "it is not ready and does not become so by itself",
        };
  }
  return key === 6 && changed.includes(code)
    ? { score: 62, text: "it is not what it was: read INQUIRY and READ CAPACITY anew" }
    : null;
}

export const senseSaysWhatIsMissing: Rule = {
  id: "DR08-1",
  title: "Sense data after an unlock or a relink say what is missing",
  severity: "error",
  certainty: "established",
  source: "SPC-4 table D.2; posts of that kind",
  needs: ["capture", "log"],
  why: "A vendor command that ends with GOOD was accepted, no more. What the drive is now, its next answers say: 7/74/xx, access not authorised: the unlock is not in force; 2/04/xx, not ready: it is still coming up, waits for START UNIT, or is stuck; 6/28/00, 6/29/00, 6/3F/0E: it is another one now, so INQUIRY and READ CAPACITY must be asked again.",
  fix: [
    "7/74/xx: query the lock state after the unlock and again after the relink; an unlock that does not survive a power cut must come after it.",
    "2/04/01: poll; 2/04/02: START STOP UNIT; 2/04/00 or 2/04/03: reset the port, then look again.",
    "6/28/00, 6/29/00, 6/3F/0E: read INQUIRY and READ CAPACITY anew (UserResumeServices does).",
  ],
  who: "you",
  watches: [told],
  judge(evidence) {
    const findings: Finding[] = [];
    const vendor = new Set<string>();
    const seen = new Set<string>();
    for (const { place, value } of evidence.facts("scsi-command")) {
      const { command } = value;
      const unit = `${place.file} ${command.device}`;
      if (isVendorCommand(command)) vendor.add(unit);
      const code = senseCodeOf(command.sense);
      if (code < 0 || !vendor.has(unit)) continue;
      const words = senseWords(command.sense);
      const meaning = meaningOf(
        command.sense[0] >= 0x72 ? command.sense[1] & 15 : command.sense[2] & 15,
        code,
      );
      if (meaning === null || seen.has(words)) continue;
      seen.add(words);
      findings.push({
        score: meaning.score,
        claim: `After the vendor commands the unit answered ${command.name} with ${words}: ${meaning.text}.`,
        because: [place],
      });
    }
    const answers = perHit(evidence, told, ({ match }) => {
      const meaning = meaningOf(Number(match[1]), Number.parseInt(match[2] + match[3], 16));
      if (meaning === null || seen.has(match[0].toLowerCase())) return null;
      seen.add(match[0].toLowerCase());
      return {
        score: Math.min(74, meaning.score),
        claim: `The unit answered with sense ${match[0]}: ${meaning.text}.`,
        missing: ["a capture of the USB traffic: which command it answered so"],
      };
    });
    return [...findings, ...answers];
  },
};
