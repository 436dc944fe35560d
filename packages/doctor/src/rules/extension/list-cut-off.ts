// FX-LIST-CUT: a list of system extensions that promises more than it shows.

import type { Finding, Rule } from "../rule.ts";

export const listCutOff: Rule = {
  id: "FX-LIST-CUT",
  title: "The list of system extensions is not whole",
  severity: "warning",
  certainty: "established",
  source: "systemextensionsctl list: the first line counts what the list has",
  needs: ["system extensions list"],
  why: "The first line counts the extensions that the system knows. When rows are missing the tool gave up, mostly because the bundle of one extension is gone or cannot be read; or only a part was copied. Nothing can be said of what is not shown.",
  fix: [
    "Look into /Library/SystemExtensions: each extension of db.plist needs its bundle there.",
    "Restart the Mac and list again; if it stays so, remove the app of the extension whose bundle is gone, restart, and install it again.",
  ],
  who: "you",
  judge(evidence) {
    return evidence.facts("extension-list").flatMap(({ place, value }): Finding[] =>
      value.shown < value.promised
        ? [
            {
              score: value.failure === "" ? 52 : 80,
              claim: `The list is not whole: ${value.promised} extensions promised, ${value.shown} shown${value.failure === "" ? "" : `, the tool aborted ("${value.failure}"): an extension's bundle is gone from /Library/SystemExtensions or cannot be read`}.`,
              because: [place],
              missing: value.failure === "" ? ["the whole list, from its first line to its last"] : [],
            },
          ]
        : [],
    );
  },
};
