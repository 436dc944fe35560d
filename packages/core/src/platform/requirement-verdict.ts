// Whether signed code satisfies a code requirement: true, false, or unknown where only a Mac can tell.

import { sameBytes } from "../base/bytes.ts";
import type { Requirement, RequirementMatch } from "../codec/code-signature/requirement.ts";
import type { Certificate } from "../codec/der/certificate.ts";
import type { Properties, PropertyValue } from "./properties.ts";

/** What a requirement is asked of. */
export interface SignedCode {
  readonly identifier: string;
  readonly platform: number;
  /** First 20 bytes of the hash of each CodeDirectory. */
  readonly cdHashes: readonly Uint8Array[];
  readonly info: Properties | null;
  readonly entitlements: Properties;
  /** Leaf first, root last; empty for ad hoc. */
  readonly chain: readonly Certificate[];
  /** SHA-1 of each, in the same order: what `certificate ... = H"..."` compares. */
  readonly certificateHashes: readonly Uint8Array[];
  /** The chain ends at a root of Apple's; null: where it ends is not known. */
  readonly isAppleRooted: boolean | null;
}

export interface RequirementVerdict {
  /** Null: off the Mac nobody can say. */
  readonly holds: boolean | null;
  /** The parts that decide it: those that fail, or those that are unknown. */
  readonly because: readonly Requirement[];
}

const attributes: Readonly<Record<string, string>> = {
  "subject.CN": "2.5.4.3",
  "subject.C": "2.5.4.6",
  "subject.L": "2.5.4.7",
  "subject.ST": "2.5.4.8",
  "subject.STREET": "2.5.4.9",
  "subject.O": "2.5.4.10",
  "subject.OU": "2.5.4.11",
  "subject.D": "2.5.4.13",
};

/** Three-valued: `and` with a false part is false, `or` with a true one is true, whatever the other is. */
export function judgeRequirement(one: Requirement, code: SignedCode): RequirementVerdict {
  switch (one.kind) {
    case "and":
    case "or": {
      const both = [judgeRequirement(one.left, code), judgeRequirement(one.right, code)];
      const deciding = one.kind === "or";
      const decided = both.find(({ holds }) => holds === deciding);
      if (decided !== undefined) return decided;
      const open = both.filter(({ holds }) => holds === null);
      return open.length > 0
        ? { holds: null, because: open.flatMap(({ because }) => because) }
        : { holds: !deciding, because: both.flatMap(({ because }) => because) };
    }
    case "not": {
      const { holds } = judgeRequirement(one.inner, code);
      return { holds: holds === null ? null : !holds, because: [one] };
    }
    default:
      return { holds: holdsPart(one, code), because: [one] };
  }
}

function holdsPart(one: Requirement, code: SignedCode): boolean | null {
  switch (one.kind) {
    case "always":
      return true;
    case "never":
      return false;
    case "identifier":
      return one.value === code.identifier;
    case "platform":
      return one.value === code.platform;
    case "cdhash":
      return code.cdHashes.some((hash) => sameBytes(hash, one.hash));
    case "anchor apple generic":
      return code.isAppleRooted;
    case "anchor apple":
      // Apple's own code, of which the root is not all: a developer's chain has the same.
      return code.isAppleRooted === false ? false : code.chain.length === 0 ? false : null;
    case "info":
      return code.info === null ? null : holdsMatch(one.match, code.info[one.key]);
    case "entitlement":
      return holdsMatch(one.match, code.entitlements[one.key]);
    case "certificate hash": {
      const hash = code.certificateHashes.at(one.certificate);
      return hash === undefined ? false : sameBytes(hash, one.hash);
    }
    case "certificate subject": {
      const field = attributes[one.key];
      const certificate = code.chain.at(one.certificate);
      if (certificate === undefined) return one.match.how === "absent";
      if (field === undefined) return null;
      const values = certificate.subjectFields.get(field) ?? [];
      return values.length === 0
        ? holdsMatch(one.match, undefined)
        : values.some((value) => holdsMatch(one.match, value) === true);
    }
    case "certificate field": {
      const value = code.chain.at(one.certificate)?.extensions.get(one.key);
      if (one.match.how === "exists") return value !== undefined;
      if (one.match.how === "absent") return value === undefined;
      return value === undefined ? false : null;
    }
    default:
      return null;
  }
}

function holdsMatch({ how, value }: RequirementMatch, given: PropertyValue | undefined): boolean | null {
  if (how === "absent") return given === undefined;
  if (given === undefined || given === false) return false;
  if (how === "exists") return true;
  if (Array.isArray(given)) return given.some((entry) => holdsMatch({ how, value }, entry) === true);
  if (typeof given !== "string" && typeof given !== "number") return null;
  const text = String(given);
  switch (how) {
    case "equal":
      return text === value;
    case "contains":
      return text.includes(value);
    case "begins":
      return text.startsWith(value);
    case "ends":
      return text.endsWith(value);
    default:
      // Versions are compared part by part on a Mac; the exact order of odd ones is not published.
      return how !== "date" && /^\d+$/.test(text) && /^\d+$/.test(value)
        ? compare(how, Number(text), Number(value))
        : null;
  }
}

function compare(how: "<" | ">" | "<=" | ">=", left: number, right: number): boolean {
  return how === "<"
    ? left < right
    : how === ">"
      ? left > right
      : how === "<="
        ? left <= right
        : left >= right;
}
