// What source rules ask: each file, whether it belongs to a driver extension, declared callbacks, findings with places.

import type { Evidence } from "../evidence/evidence.ts";
import { isDriverKitBase, isFrameworkName } from "../source/driverkit-names.ts";
import type { SourceFile, SourceFunction } from "../source/source-file.ts";
import type { Finding } from "./rule.ts";
import { isKext, kextFiles } from "./source-targets.ts";

export function sources(evidence: Evidence): SourceFile[] {
  return evidence.facts("source").map(({ value }) => value);
}

/** Findings of every source file that is no part of a kernel extension: nobody here judges those. */
export function perSource(evidence: Evidence, make: (file: SourceFile) => Finding[]): Finding[] {
  const kexts = kextFiles(evidence);
  return sources(evidence)
    .filter((file) => !kexts.has(file))
    .flatMap(make);
}

/** Findings of every function of every source file. */
export function perFunction(
  evidence: Evidence,
  make: (one: SourceFunction, file: SourceFile) => Finding[],
): Finding[] {
  return perSource(evidence, (file) => file.functions.flatMap((one) => make(one, file)));
}

/**
 * Whether a function can be a method that the framework calls: written as one, or of a class that derives from
 * something of the framework, as far as the class is among the sources. Stand-ins for the framework's own classes, as
 * tests have them, are not.
 */
export function isServiceMethod(evidence: Evidence, one: SourceFunction): boolean {
  if (one.nameNode.text === "IMPL") return true;
  if (isFrameworkName(one.className)) return false;
  if (/_Impl$/.test(one.nameNode.text)) return true;
  const all = sources(evidence).flatMap(({ classes }) => classes);
  const seen = new Set<string>();
  const derives = (name: string): boolean => {
    if (isDriverKitBase(name)) return true;
    if (seen.has(name)) return false;
    seen.add(name);
    const declared = all.filter((other) => other.name === name);
    return declared.length === 0 ? seen.size === 1 : declared.some(({ bases }) => bases.some(derives));
  };
  return derives(one.className);
}

/** Its class is declared here, or it is written as only a method of a service can be. */
export function isClassKnown(evidence: Evidence, one: SourceFunction): boolean {
  return (
    one.nameNode.text === "IMPL" ||
    /_Impl$/.test(one.nameNode.text) ||
    sources(evidence).some(({ classes }) => classes.some(({ name }) => name === one.className))
  );
}

/** Something in it belongs to driver extensions alone. */
export function isDext(file: SourceFile): boolean {
  const known = dexts.get(file);
  if (known !== undefined) return known;
  const answer =
    !isKext(file) &&
    (/DriverKit\/|\bSUPERDISPATCH\b|\bIMPL\s*\(|\bivars->|\bIOUser[A-Z]\w+|\bIO\w*DispatchQueue\b|\bOSAction\b|\bIOUSBHost(?:Interface|Device|Pipe)\b/.test(
      file.text,
    ) ||
      file.language === "iig" ||
      file.classes.some(({ bases }) => bases.some(isDriverKitBase)));
  dexts.set(file, answer);
  return answer;
}

/** Asked for every function of a file, and the text may be long. */
const dexts = new WeakMap<SourceFile, boolean>();

export function nameOf(one: SourceFunction): string {
  return one.className === "" ? one.name : `${one.className}::${one.name}`;
}

/** Methods that run as a callback of this type: declared so in an .iig, or with its parameters. */
export function isHandler(
  evidence: Evidence,
  one: SourceFunction,
  callback: "InterruptOccurred" | "TimerOccurred",
): boolean {
  const isDeclared = sources(evidence).some((file) =>
    file.classes.some(
      ({ name, methods }) =>
        (one.className === "" || name === one.className) &&
        methods.some(
          (method) =>
            method.name === one.name &&
            method.annotations.some(
              ({ name: word, argument }) => word === "TYPE" && argument.endsWith(`::${callback}`),
            ),
        ),
    ),
  );
  if (isDeclared || one.name === callback) return true;
  const types = one.parameters.map(({ type }) => type.replace(/\s/g, ""));
  const wanted = callback === "InterruptOccurred" ? 3 : 2;
  return (
    types.length === wanted && types[0] === "OSAction*" && types.slice(1).every((type) => type === "uint64_t")
  );
}
