// FX-MISTYPED: a number that is no code of the system, and with one digit changed is.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import { meaningOf } from "../return-meanings.ts";
import { codesIn, meantCode } from "../return-numbers.ts";
import type { Finding, Rule } from "../rule.ts";

/** Nearly -5368709xx or 0xe00002xx, where a code is spoken of. */
const number = watch(
  // What a code keeps when one digit of it is wrong; words such as "status" stand in every line of a log.
  ["-536", "6870", "8701", "8702", "0xe0", "3758"],
  /(?<!kIO|kUSBHost|kern_)(?:code|error|fail\w*|status|return\w*|result)\b[^\n]{0,60}?(?<![\w.])(-5\d{7,9}|0xe0{1,6}[0-9a-f]{2,4}|0xe0[0-9a-f]{5,7}|375\d{6,8})(?![\w.]*\d)/i,
);

export const codeMistyped: Rule = {
  id: "FX-MISTYPED",
  title: "A number is no code of the system, and with one digit changed it is",
  severity: "note",
  certainty: "likely",
  source: "xnu IOReturn.h: the codes of IOKit lie between 0xe00002bc and 0xe00002f0",
  needs: ["log"],
  why: "Somebody typed the number from a screen. No code of the system has it; the nearest one is a digit away.",
  fix: ["Look at the number again where it was printed."],
  who: "you",
  watches: [number],
  judge(evidence) {
    return spoken(evidence, number).flatMap(({ match, place, row }): Finding[] => {
      const text = match[1];
      if (codesIn(row.message).some((code) => code.text.endsWith(text.replace(/^0x/i, "")))) return [];
      const meant = meantCode(text);
      if (meant === null) return [];
      const meaning = meaningOf(meant.name);
      return [
        {
          score: 32,
          claim: `${text} is no code of the system; probably ${meant.text} was meant, ${meant.name}${meaning === null ? "" : `: ${meaning.charAt(0).toLowerCase()}${meaning.slice(1)}`}.`,
          because: [place],
          about: [meant.name],
        },
      ];
    });
  },
};
