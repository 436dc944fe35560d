// FX-CONSTRAINT: a program was started in a way that its launch constraints forbid.

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const violated = watch(
  ["Launch Constraint Violation", "launch constraint"],
  /(?:AMFI: )?Launch Constraint Violation(?:.{0,200}?\b(?:proc|process|path|for)[ :=]+"?([\w./-]{2,200}))?/i,
);

export const launchConstraintBroken: Rule = {
  id: "FX-CONSTRAINT",
  title: "A launch constraint was broken",
  severity: "error",
  certainty: "established",
  source: "Apple, Applying launch environment and library constraints; xnu-11417 exit reason CODESIGNING 4",
  needs: ["crash report", "log"],
  why: "A launch constraint says who may start a program and from where: its own app, launchd, or the place where the system has it. The signature itself is accepted; the program was started by a shell, by another program, or from another folder.",
  fix: [
    "Start it as its developer intends: by opening its app, or by the launchd job that belongs to it, from the place where it was installed.",
    "Its developer: look at the self, parent and responsible constraints in codesign -dvvvv, and at who really starts it.",
  ],
  who: "you",
  states: refused("a launch constraint was broken"),
  watches: [violated],
  judge(evidence) {
    const findings = evidence.facts("crash").flatMap(({ place, value }): Finding[] => {
      const isConstraint =
        /Launch Constraint/i.test(value.termination) ||
        (value.terminationNamespace === "CODESIGNING" && value.terminationCode === 4);
      return isConstraint
        ? [
            {
              score: 92,
              claim: `${value.process || "The program"} broke a launch constraint: it was started in a way that it does not allow (who may start it, and from where), so the system ended it at launch.`,
              because: [place],
              about: [value.process, value.bundleIdentifier].filter((word) => word !== ""),
            },
          ]
        : [];
    });
    if (findings.length > 0) return findings;
    return spoken(evidence, violated).map(
      ({ match, place }): Finding => ({
        score: 84,
        claim: `A launch constraint was broken${match[1] === undefined ? "" : ` by ${match[1]}`}: the program was started by somebody, or from a place, that it does not allow.`,
        because: [place],
        about: match[1] === undefined ? [] : [match[1]],
      }),
    );
  },
};
