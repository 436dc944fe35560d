// DR01-1: the app does not declare the accessory's protocol.

import { watch } from "../../evidence/watch.ts";
import { absent } from "../../facts/statement.ts";
import { listsOf } from "../../signing/entitlement-lists.ts";
import { spoken, stringsOf } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const session = watch(["EASession"], /EASession\b.{0,300}?\b(?:nil|null|fail\w*)\b/i);
const protocol = watch(
  ["forProtocol", "protocolString", "EASession"],
  /protocol\w*\W{1,20}([a-z][\w-]{0,80}(?:\.[\w-]{1,80}){2,8})/i,
);

export const protocolNotDeclared: Rule = {
  id: "DR01-1",
  title: "The app does not declare the accessory's protocol",
  severity: "error",
  certainty: "established",
  source: "Apple, Information Property List: UISupportedExternalAccessoryProtocols",
  needs: ["log", "Info.plist"],
  why: "EASession's initialiser answers nil when the protocol is not in the app's UISupportedExternalAccessoryProtocols. The names are compared letter by letter, in the case in which the accessory reports them.",
  fix: [
    "Add the protocol to UISupportedExternalAccessoryProtocols exactly as the accessory's protocolStrings give it.",
    "Build again and look at the Info.plist of the built app, not of the project.",
  ],
  who: "you",
  watches: [session, protocol],
  judge(evidence) {
    const failed = spoken(evidence, session);
    if (failed.length === 0) return [];
    const lists = listsOf(evidence, "Info.plist");
    const declared = lists.flatMap(({ value }) =>
      stringsOf(value.value.UISupportedExternalAccessoryProtocols),
    );
    const wanted = new Map(
      spoken(evidence, protocol)
        .filter((hit) => failed.some((other) => other.place.file === hit.place.file))
        .map((hit) => [hit.match[1], hit.place]),
    );
    const findings: Finding[] = [];
    for (const [name, place] of wanted) {
      if (declared.includes(name)) continue;
      const near = declared.find((other) => other.toLowerCase() === name.toLowerCase());
      findings.push({
        ...(lists.length === 0 ? {} : { states: absent("list", `the protocol ${name}`) }),
        score: lists.length === 0 ? 45 : near === undefined ? 92 : 95,
        claim:
          lists.length === 0
            ? `The session for ${name} could not be opened; whether the app declares that protocol is not in this evidence.`
            : near === undefined
              ? `The app does not declare the protocol ${name}, so its session is nil.`
              : `The app declares ${near}, the accessory says ${name}: the case differs, so the session is nil.`,
        because: [failed[0].place, place, ...lists.slice(0, 1).map((list) => list.place)],
        about: [name],
        missing: lists.length === 0 ? ["the app's Info.plist"] : [],
      });
    }
    if (findings.length > 0 || lists.length === 0 || wanted.size > 0) return findings;
    return declared.length > 0
      ? []
      : [
          {
            score: 78,
            states: absent("list", "UISupportedExternalAccessoryProtocols"),
            claim: "The session could not be opened, and the app declares no protocol at all.",
            because: [failed[0].place, lists[0].place],
            missing: ["the accessory's protocolStrings"],
          },
        ];
  },
};
