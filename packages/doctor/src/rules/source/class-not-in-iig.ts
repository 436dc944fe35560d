// DR06-2: a class of DriverKit is declared in a header instead of an .iig file.

import { isDriverKitBase, isFrameworkName } from "../../source/driverkit-names.ts";
import type { SourceFile } from "../../source/source-file.ts";
import type { Rule } from "../rule.ts";
import { perSource } from "../source-questions.ts";
import { isKext } from "../source-targets.ts";

export const classNotInIig: Rule = {
  id: "DR06-2",
  title: "A driver class is declared in a header, not in an .iig file",
  severity: "error",
  certainty: "established",
  source: "DriverKit: only the interface compiler makes a class description, from an .iig file",
  needs: ["source"],
  why: "A class in a plain header has no metaclass, no class description and no dispatch table, so the system cannot make it and no personality can name it. The target then has nothing to compile for it, which looks like a driver without a binary.",
  fix: [
    "Rename the file to ClassName.iig and add it to the target's sources: one class in each, named as the file.",
    "Include .iig files in it, mark overrides with override, keep state in ivars.",
    "Include the generated header in the .cpp, and implement ClassName::Method_Impl.",
  ],
  who: "you",
  judge(evidence) {
    return perSource(evidence, (file) =>
      isHeader(file)
        ? file.classes
            .filter(({ bases, name }) => bases.some(isDriverKitBase) && !isFrameworkName(name))
            .map((one) => ({
              score: 88,
              claim: `${one.name} derives from ${one.bases.join(", ")} and is declared in a header: it must be in an .iig file.`,
              because: [file.placeOf(one.node)],
              about: [one.name],
            }))
        : [],
    );
  },
};

function isHeader(file: SourceFile): boolean {
  if (isKext(file)) return false;
  return (
    file.language === "header" ||
    (file.language === "c++" && file.annotations.some(({ name }) => /Structors/.test(name)))
  );
}
