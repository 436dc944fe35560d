// What was handed in whole, so that something may be called absent from it: a list, a function, a report, a class.

import type { Evidence } from "../evidence/evidence.ts";
import type { Place } from "../facts/evidence-source.ts";
import type { Whole } from "../facts/statement.ts";
import type { SourceFile } from "../source/source-file.ts";
import { sources } from "./source-questions.ts";

/** Whether what stands at `place` can be called absent from its surroundings of this kind. A log is never whole. */
export function isWhole(evidence: Evidence, within: Whole, place: Place): boolean {
  const isThere = (name: "property-list" | "profile" | "crash" | "transfer" | "scsi-command") =>
    evidence.facts(name).some((fact) => fact.place.file === place.file);
  switch (within) {
    case "list":
    case "profile":
      return isThere("property-list") || isThere("profile");
    case "report":
      return (
        isThere("crash") ||
        evidence.facts("panic").some((fact) => fact.place.file === place.file && !fact.value.isPart)
      );
    case "capture":
      return isThere("transfer") || isThere("scsi-command");
    case "function":
      return isFunctionWhole(evidence, place);
    case "source":
      return isSourceWhole(evidence);
    case "registry":
      return evidence
        .facts("registry-entry")
        .some(
          ({ place: { file }, value }) => file === place.file && value.parents.length === 0 && isRoot(value),
        );
    case "extensions list":
      return evidence
        .facts("extension-list")
        .some(({ place: { file }, value }) => file === place.file && value.promised === value.shown);
    case "bundle":
      // Its rules look for the rest of the product themselves: a signature, a profile in its place, code beside it.
      return true;
  }
}

const isRoot = ({ name, className }: { readonly name: string; readonly className: string }): boolean =>
  name === "Root" || className === "IOPlatformExpertDevice" || className === "IORegistryEntry";

/** Its last brace is there: text that was cut in the middle of a function is none. */
function isFunctionWhole(evidence: Evidence, place: Place): boolean {
  const file = evidence.facts("source").find((fact) => fact.place.file === place.file)?.value;
  if (file === undefined) return false;
  const around = file.functions.filter(({ node }) => {
    const first = file.placeOf(node).line;
    return first <= place.line && place.line < first + node.text.split("\n").length;
  });
  return around.length === 0 || around.every(({ body }) => body.text.trimEnd().endsWith("}"));
}

const wholeSources = new WeakMap<Evidence, boolean>();

/**
 * Nothing says that a file of the driver is missing: each method of a class that is implemented here has its body, and
 * each header of the driver's own that is included is here, or the .iig file that it is made from.
 */
function isSourceWhole(evidence: Evidence): boolean {
  const known = wholeSources.get(evidence);
  if (known !== undefined) return known;
  const files = sources(evidence);
  const answer = files.every((file) => includesAreHere(evidence, file)) && methodsAreHere(files);
  wholeSources.set(evidence, answer);
  return answer;
}

function includesAreHere(evidence: Evidence, file: SourceFile): boolean {
  const names = evidence.files.map(({ name }) => name);
  // Names that say nothing say nothing of what is missing.
  if (!names.some((name) => /\.(?:h|hh|hpp|iig)$/i.test(name))) return true;
  const here = new Set(names.map(stem));
  const declared = new Set(
    sources(evidence)
      .filter(({ language }) => language === "iig")
      .flatMap(({ classes }) => classes.map(({ name }) => name)),
  );
  const { text } = file;
  return [...text.matchAll(/^[ \t]*#[ \t]*include[ \t]*"([^"\n]{1,200})"/gm)].every(
    ([, path]) => here.has(stem(path)) || declared.has(stem(path)),
  );
}

const stem = (path: string): string =>
  (path.split("/").pop() ?? path).replace(/\.(?:h|hh|hpp|hxx|iig|cpp|cc|cxx|mm|m|c)$/i, "");

function methodsAreHere(files: readonly SourceFile[]): boolean {
  const bodies = new Set(
    files.flatMap(({ functions }) => functions.map(({ className, name }) => `${className} ${name}`)),
  );
  return files.every(({ classes }) =>
    classes.every(({ name, methods }) => {
      const own = methods.filter(({ node }) => !/=\s*(?:0|default|delete)\s*;?\s*$/.test(node.text));
      const isImplemented = own.some((method) => bodies.has(`${name} ${method.name}`));
      return (
        !isImplemented ||
        own.every((method) => bodies.has(`${name} ${method.name}`) || /\{/.test(method.node.text))
      );
    }),
  );
}
