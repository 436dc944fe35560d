// DR04-5: entitlements with XML comments break signing by hand.

import { watch } from "../../evidence/watch.ts";
import { listsOf } from "../../signing/entitlement-lists.ts";
import type { Rule } from "../rule.ts";

const parse = watch(["AMFIUnserializeXML"], /AMFIUnserializeXML: syntax error near line (\d{1,6})/);

export const commentsBreakSigning: Rule = {
  id: "DR04-5",
  title: "Entitlements with XML comments break signing by hand",
  severity: "warning",
  certainty: "likely",
  source: "widely reported: AMFIUnserializeXML syntax error",
  needs: ["entitlements", "log"],
  why: "Xcode strips comments when it makes the .xcent; codesign by hand passes them on, and the strict parser of the kernel refuses the file.",
  fix: ["Remove the comments before codesign, for example with plutil -convert xml1."],
  who: "you",
  watches: [parse],
  judge(evidence) {
    // What a certificate stands for was not refused: published drivers carry comments in their readable copy, and run by the DER.
    const signed = new Set(
      evidence
        .facts("executable")
        .filter(({ value }) => value.certificates.length > 0)
        .map(({ place }) => place.file),
    );
    const commented = listsOf(evidence, "entitlements").filter(
      ({ place, value }) => value.hasComment && !signed.has(place.file),
    );
    const failed = evidence.hits(parse);
    if (commented.length === 0 && failed.length === 0) return [];
    return [
      {
        // Alone it is a hint: what Xcode signs never has them.
        score: failed.length > 0 ? 90 : 40,
        claim:
          failed.length > 0
            ? `The kernel's parser refused the entitlements near line ${failed[0].match[1]}${commented.length > 0 ? ": they hold an XML comment" : ""}.`
            : "The entitlements hold an XML comment, which breaks signing by hand.",
        because: [...failed.map((hit) => hit.place), ...commented.map(({ place }) => place)],
      },
    ];
  },
};
