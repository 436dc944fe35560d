// FX-HALF-START: a setup function leaves half-way and can tell nobody.

import { callsIn } from "../../source/source-file.ts";
import type { Syntax } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { isDext, nameOf, perFunction } from "../source-questions.ts";

export const halfStartUntold: Rule = {
  id: "FX-HALF-START",
  title: "A setup that fails half-way is left as it is, and nobody is told",
  severity: "warning",
  certainty: "established",
  source: "DriverKit: a source that was created stays registered until it is cancelled or freed",
  needs: ["source"],
  why: "The function has no result and leaves in the middle of its loop. The sources and queues of earlier rounds stay alive, later ones are missing, and the caller goes on as if all were there.",
  fix: ["Answer a kern_return_t, take back what the earlier rounds made, and let Start fail with it."],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.returnType === "void" && isDext(file)
        ? one.body.all("for_statement", "while_statement").flatMap((loop): Finding[] => {
            const made = callsIn(loop).find(
              ({ name, scope }) => name === "Create" && /^IO\w*(?:Source|Queue)$/.test(scope),
            );
            if (made === undefined) return [];
            const left = loop
              .all("return_statement")
              .filter((node) => node.start > made.node.start && !undoes(node));
            if (left.length === 0) return [];
            return [
              {
                score: 60,
                claim: `${nameOf(one)} leaves its loop half-way when a call fails: what earlier rounds made stays, and the caller is not told.`,
                because: left.map((node) => file.placeOf(node)),
                about: [nameOf(one)],
              },
            ];
          })
        : [],
    );
  },
};

/** Something is taken back, or handed on, before the return. */
function undoes(node: Syntax): boolean {
  const block = node.above("compound_statement");
  return (
    block !== null &&
    block.above("if_statement") !== null &&
    /\b(?:Cancel|OSSafeReleaseNULL|release|TearDown|CleanUp|Terminate)\b/i.test(block.text)
  );
}
