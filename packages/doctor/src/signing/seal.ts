// A bundle's seal: CodeResources against the files that lie there. Public format, both versions.

import { sameBytes } from "@drydock/core/base/bytes";
import { isDictionary, type Properties, type PropertyValue } from "@drydock/core/platform/properties";
import type { Evidence } from "../evidence/evidence.ts";
import type { FileDigests, SignatureCrypto } from "../facts/signature-crypto.ts";
import type { VerifiedPoint } from "./cms-chain.ts";

export const sealPath = "_CodeSignature/CodeResources";
/** Names in one line; the rest is counted. */
const mostNames = 4;
const what = "sealed files";

/**
 * `root`: the folder whose names the seal has (Contents of a Mac's app). `mainExecutables`: what the signature itself covers.
 * `skipped`: names that were there and not read.
 */
export function verifySeal(
  evidence: Evidence,
  root: string,
  mainExecutables: ReadonlySet<string>,
  skipped: ReadonlySet<string>,
  crypto: SignatureCrypto,
): VerifiedPoint[] {
  const list = evidence.facts("property-list").find(({ place }) => place.file === `${root}/${sealPath}`)
    ?.value.value;
  if (list === undefined) return [];
  const isNew = isDictionary(list.files2);
  const sealed = isNew ? list.files2 : list.files;
  if (!isDictionary(sealed)) return [{ what, outcome: "broken", text: "the seal lists no files" }];
  const changed: string[] = [];
  const missing: string[] = [];
  let open = 0;
  let fitting = 0;
  for (const [name, entry] of Object.entries(sealed)) {
    const file = `${root}/${name}`;
    if (isDictionary(entry) && "symlink" in entry) {
      open++;
      continue;
    }
    if (isDictionary(entry) && entry.cdhash instanceof Uint8Array) {
      const verdict = nestedFits(evidence, file, entry.cdhash, crypto);
      if (verdict === true) fitting++;
      else if (verdict === false) changed.push(name);
      else if (isThere(evidence, file) || [...skipped].some((other) => other.startsWith(file))) open++;
      else missing.push(name);
      continue;
    }
    const digests = evidence.digests.get(file);
    if (digests === undefined) {
      if (skipped.has(file)) open++;
      else if (!(isDictionary(entry) && entry.optional === true)) missing.push(name);
      continue;
    }
    const fits = digestFits(entry, digests);
    if (fits === null) open++;
    else if (fits) fitting++;
    else changed.push(name);
  }
  const added = isNew ? unsealed(evidence, root, list, sealed, mainExecutables) : [];
  return [
    ...named(changed, "broken", "is not what was sealed", "are not what was sealed"),
    ...named(missing, "broken", "is sealed and not there", "are sealed and not there"),
    ...named(added, "broken", "lies there and is not sealed", "lie there and are not sealed"),
    ...(open > 0
      ? [
          {
            what,
            outcome: "open" as const,
            text: `${open} of the sealed entries were not read (links, and what was left out)`,
          },
        ]
      : []),
    ...(changed.length + missing.length + added.length === 0
      ? [
          {
            what,
            outcome: "fits" as const,
            text: `${fitting} sealed ${fitting === 1 ? "entry is" : "entries are"} unchanged`,
          },
        ]
      : []),
  ];
}

function named(names: readonly string[], outcome: "broken", one: string, many: string): VerifiedPoint[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, mostNames).join(", ");
  const rest = names.length > mostNames ? ` and ${names.length - mostNames} more` : "";
  return [{ what, outcome, text: `${shown}${rest} ${names.length === 1 ? one : many}` }];
}

/** Null: the entry has no hash that is known here. */
function digestFits(entry: PropertyValue, { sha1, sha256 }: FileDigests): boolean | null {
  if (entry instanceof Uint8Array) return sameBytes(entry, sha1);
  if (!isDictionary(entry)) return null;
  if (entry.hash2 instanceof Uint8Array) return sameBytes(entry.hash2, sha256);
  return entry.hash instanceof Uint8Array ? sameBytes(entry.hash, sha1) : null;
}

/** Nested code is sealed by the hash of its CodeDirectory. Null: none of it was read. */
function nestedFits(
  evidence: Evidence,
  at: string,
  cdHash: Uint8Array,
  crypto: SignatureCrypto,
): boolean | null {
  const inside = evidence
    .facts("executable")
    .filter(({ place }) => place.file === at || place.file.startsWith(`${at}/`));
  if (inside.length === 0) return null;
  return inside.some(({ value }) =>
    (value.signature?.codeDirectories ?? []).some(({ blob, hashType }) =>
      sameBytes(
        crypto
          .digest(hashType === "sha1" ? "sha1" : hashType === "sha384" ? "sha384" : "sha256", blob)
          .subarray(0, 20),
        cdHash,
      ),
    ),
  );
}

const isThere = (evidence: Evidence, at: string): boolean =>
  evidence.files.some(({ name }) => name === at || name.startsWith(`${at}/`));

/** Never sealed, whatever the rules say; AppleDouble files are attributes that an archive wrote out. */
const neverSealed = /^(?:_CodeSignature\/|CodeResources$|_MASReceipt\/)|(?:^|\/)\._[^/]*$/;

/** Files of the bundle that a rule wants sealed and the list does not have. */
function unsealed(
  evidence: Evidence,
  root: string,
  list: Properties,
  sealed: Properties,
  mainExecutables: ReadonlySet<string>,
): string[] {
  const rules = rulesOf(list.rules2);
  if (rules === null) return [];
  const nested = Object.keys(sealed).filter((name) => isDictionary(sealed[name]) && "cdhash" in sealed[name]);
  return evidence.files.flatMap(({ name: file }) => {
    if (!file.startsWith(`${root}/`) || mainExecutables.has(file)) return [];
    const name = file.slice(root.length + 1);
    if (name in sealed || neverSealed.test(name) || nested.some((at) => name.startsWith(`${at}/`))) return [];
    const rule = rules
      .filter(({ pattern }) => pattern.test(name))
      .reduce<SealRule | null>(
        (best, one) =>
          best === null || one.weight > best.weight || (one.weight === best.weight && one.isOmitted)
            ? one
            : best,
        null,
      );
    return rule === null || rule.isOmitted ? [] : [name];
  });
}

interface SealRule {
  readonly pattern: RegExp;
  readonly weight: number;
  readonly isOmitted: boolean;
}

/** Null when a pattern is none that can be tried without fear: it comes out of the file. */
function rulesOf(value: PropertyValue | undefined): SealRule[] | null {
  if (!isDictionary(value)) return null;
  const found: SealRule[] = [];
  for (const [pattern, rule] of Object.entries(value)) {
    const compiled = harmless(pattern);
    if (compiled === null) return null;
    found.push({
      pattern: compiled,
      weight: isDictionary(rule) && typeof rule.weight === "number" ? rule.weight : 1,
      isOmitted: isDictionary(rule) && rule.omit === true,
    });
  }
  return found;
}

/** Patterns with at most two unbounded repetitions, and none of a group: their time is bounded by the name's length. */
function harmless(pattern: string): RegExp | null {
  const repeated = pattern.match(/[*+{]/g) ?? [];
  if (pattern.length > 300 || repeated.length > 2 || /\)[*+{]/.test(pattern)) return null;
  try {
    return new RegExp(pattern, "u");
  } catch {
    return null;
  }
}
