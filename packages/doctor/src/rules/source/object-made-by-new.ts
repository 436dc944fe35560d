// FX-NEW-OBJECT: an object of DriverKit's is made by plain new.

import { isDriverKitBase, isFrameworkName } from "../../source/driverkit-names.ts";
import type { Finding, Rule } from "../rule.ts";
import { isDext, perSource, sources } from "../source-questions.ts";

/** A test on the host is built with stand-ins for the framework, whose objects new makes. */
const hostTest = /^[ \t]*#[ \t]*(?:include|import)[ \t]*[<"](?:gtest|gmock|XCTest|catch2|doctest)\//m;

export const objectMadeByNew: Rule = {
  id: "FX-NEW-OBJECT",
  title: "An OSObject is made by new",
  severity: "error",
  certainty: "likely",
  source:
    "DriverKit: OSTypeAlloc gives the first reference; a crash report of a driver whose object was made by new (mrmidi/ASFireWire, eff5abf0)",
  needs: ["source"],
  why: "OSTypeAlloc makes an object through its metaclass and gives it its first reference. One that was made by new has none: the first release is one too many, and the process ends of it.",
  fix: [
    "Make it with OSTypeAlloc(Class), then init; or derive it from nothing and hold it in a unique_ptr when nobody needs a reference to it.",
  ],
  who: "you",
  judge(evidence) {
    const classes = sources(evidence).flatMap(({ classes: own }) => own);
    const isObject = (name: string, depth = 0): boolean =>
      depth < 16 &&
      classes.some(
        (each) =>
          each.name === name &&
          each.bases.some(
            (base) => base === "OSObject" || isDriverKitBase(base) || isObject(base, depth + 1),
          ),
      );
    return perSource(evidence, (file) =>
      !isDext(file) || hostTest.test(file.text)
        ? []
        : file.root.all("new_expression").flatMap((node): Finding[] => {
            const name = node.child("type")?.text ?? "";
            // A framework's own name that is declared here is a stand-in for it.
            if (isFrameworkName(name) || !isObject(name)) return [];
            return [
              {
                score: 82,
                claim: `${name} is an OSObject and is made by new: it has no reference, and its first release is one too many.`,
                because: [file.placeOf(node)],
                about: [name],
              },
            ];
          }),
    );
  },
};
