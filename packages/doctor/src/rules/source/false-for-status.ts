// FX-FALSE-STATUS: a function that answers a status returns true or false.

import type { Finding, Rule } from "../rule.ts";
import { isDext, nameOf, perFunction } from "../source-questions.ts";

/** A manual shows the beginning of a function, and then another one: what follows this head is not the first's. */
const nextHead =
  /^(?:[A-Za-z_][\w \t*&<>]{0,200}[ \t*&\n]\w{1,80}::~?\w{1,80}|(?:\w{1,80}[ \t\n]{1,8})?IMPL)[ \t]{0,8}\([^;{}()]{0,500}\)\s{0,80}(?:const\s{0,80})?\{/m;

export const falseForStatus: Rule = {
  id: "FX-FALSE-STATUS",
  title: "A status is returned as true or false",
  severity: "error",
  certainty: "established",
  source: "C++: false converts to 0, and kIOReturnSuccess is 0 (IOReturn.h)",
  needs: ["source"],
  why: "A kern_return_t of false is 0, which means success: a Start that fails so counts as started, and what it has not set is used. true is 1, which is no code of IOKit's.",
  fix: [
    "Return the code that failed, or one of IOReturn.h: kIOReturnBadArgument, kIOReturnNotFound, kIOReturnError.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) => {
      if (!isDext(file) || !/\b(?:kern_return_t|IOReturn)\b/.test(one.returnType)) return [];
      const places = one.body
        .all("return_statement")
        .filter((node) => node.above("lambda_expression") === null)
        .filter(({ children }) => children.length === 1 && /^(?:true|false)$/.test(children[0].text))
        .filter((node) => !nextHead.test(file.text.slice(one.body.start, node.start)));
      if (places.length === 0) return [];
      const said = places[0].children[0].text;
      const finding: Finding = {
        score: 86,
        claim: `${nameOf(one)} returns ${said} for a status: ${said === "false" ? "that is 0, kIOReturnSuccess" : "that is 1, no code of IOKit's"}.`,
        because: places.map((node) => file.placeOf(node)),
        about: [nameOf(one)],
      };
      return [finding];
    });
  },
};
