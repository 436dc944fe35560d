// Which rules a package is examined by: those that read what is shipped and signed, and what they may speak of.

import type { Evidence } from "../evidence/evidence.ts";
import type { EvidenceKind, ReadFile } from "../facts/read-file.ts";
import { allRules } from "./all-rules.ts";
import type { Rule } from "./rule.ts";

const packageKinds: ReadonlySet<EvidenceKind> = new Set<EvidenceKind>([
  "archive",
  "code signature",
  "disk image",
  "entitlements",
  "Info.plist",
  "installer package",
  "Mach-O",
  "property list",
  "provisioning profile",
]);

/** A log, a README or source that lies beside a package says nothing about the package. */
export const packageRules: readonly Rule[] = allRules.filter(({ needs }) =>
  needs.some((kind) => packageKinds.has(kind)),
);

/** Source often quotes a property list in a comment. */
const sourceName = /\.(?:iig|h|hh|hpp|c|cc|cpp|cxx|m|mm|swift)$/i;

/** A file that is part of a package, or could hold one, and that could not be read whole. */
export function isOfPackage({ name, kinds, problems }: ReadFile): boolean {
  return (
    (kinds.some((kind) => packageKinds.has(kind)) &&
      !kinds.includes("documentation") &&
      !(kinds.includes("source") && sourceName.test(name))) ||
    problems.some((problem) => problem.startsWith("cannot be read"))
  );
}

/** Project files carry settings of what is built. */
const projectFile = /\.(?:pbxproj|xcconfig)$/;

/** The package, and its project: what a log, a manual or source beside it says is left out. */
export function packageEvidence(evidence: Evidence): Evidence {
  return evidence.within((file) => projectFile.test(file.name) || isOfPackage(file));
}
