// NT-814055: the system refused to activate the extension: each number has its own reason, fix and actor.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { activationError, activationNumberOf } from "../activation-errors.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

/** The domain as people type it, at most two words of any language, the number: "Code=9", "error 4.", "-Fehler 9". */
const failed = watch(
  ["OSSystemExtensionError"],
  /OSSystemExtensionErrorDomain(?:["']|\b)[\s"':=,.()[\]-]*(?:(?!(?:macOS|iOS|on|in|version|since)\b)\p{L}{1,16}[\s"':=,.()[\]-]*){0,2}(\d{1,2})(?![\d.]*\d)/iu,
);
/** As Swift prints the case. */
const named = watch(
  ["OSSystemExtensionError"],
  /OSSystemExtensionError(?:\.Code|Code)?(?:\.|\(rawValue: ?|_|(?=[A-Z]))(\d{1,2}|[A-Za-z]{5,40})/u,
);

export const activationRefused: Rule = {
  id: "NT-814055",
  title: "The system refused to activate the extension",
  severity: "error",
  certainty: "established",
  source: "Apple, OSSystemExtensionError; forum thread 814055",
  needs: ["log"],
  why: "OSSystemExtensionErrorDomain tells at which check the activation stopped; each number has its own reason.",
  fix: ["Look up the number: drydock explain OSSystemExtensionErrorDomain NUMBER."],
  who: "you",
  states: refused("activation of the extension"),
  watches: [failed, named],
  judge(evidence) {
    return [...spoken(evidence, failed), ...spoken(evidence, named)].flatMap(
      ({ match, place }): Finding[] => {
        const number = /^\d/.test(match[1]) ? Number(match[1]) : activationNumberOf(match[1]);
        if (number === null) return [];
        const known = activationError(number);
        return [
          {
            score: number === 1 || known === null ? 56 : number === 12 ? 60 : 84,
            claim: `The extension was not activated ${known === null ? `with the number ${number}, which is new` : `because ${known.because}`} (OSSystemExtensionErrorDomain ${number}).`,
            because: [place],
            about: [`OSSystemExtensionErrorDomain ${number}`],
            ...(known === null
              ? {}
              : { why: known.why, fix: known.fix, who: known.who, missing: known.missing }),
          },
        ];
      },
    );
  },
};
