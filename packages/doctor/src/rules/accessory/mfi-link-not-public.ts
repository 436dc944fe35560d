// DR01-3: link and authentication of MFi accessories are not public.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";

const question = watch(
  ["iAP2 ", "iAP3 ", "authentication coprocessor", "MFi auth"],
  /\biAP[23]\b.{0,200}?\b(?:authenticat\w+|link|sample|spec\w*|certificate|handshake|session)\b|authentication coprocessor|MFi auth/i,
);

export const mfiLinkNotPublic: Rule = {
  id: "DR01-3",
  title: "Link and authentication of MFi accessories are not public",
  severity: "note",
  certainty: "established",
  source: "Apple MFi program: the accessory interface specification is confidential",
  needs: ["text"],
  why: "The accessory protocol's link layer and its authentication are under the MFi program's confidentiality. What is public is the app's side: External Accessory sessions and their streams.",
  fix: [
    "Ask through the MFi portal; Apple's engineers answer such questions there only.",
    "For the app's side use EASession, with its streams scheduled on a run loop, and a framing of your own.",
  ],
  who: "Apple",
  watches: [question],
  judge(evidence) {
    const hits = spoken(evidence, question);
    return hits.length === 0
      ? []
      : [
          {
            score: 55,
            claim: "This asks about the accessory protocol's link or authentication, which is not public.",
            because: hits.slice(0, 3).map((hit) => hit.place),
          },
        ];
  },
};
