// Requirements judged: three-valued, each kind of part, and the text that stays what tools print.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequirement, type Requirement, requirementText } from "../codec/code-signature/requirement.ts";
import type { Certificate } from "../codec/der/certificate.ts";
import { judgeRequirement, type SignedCode } from "./requirement-verdict.ts";

const nothing = new Uint8Array(0);
const certificate = (fields: Record<string, string[]>, extensions: string[] = []): Certificate => ({
  signed: nothing,
  algorithm: "",
  signature: nothing,
  publicKey: nothing,
  issuer: nothing,
  subject: nothing,
  serial: nothing,
  subjectFields: new Map(Object.entries(fields)),
  notBefore: "",
  notAfter: "",
  extensions: new Map(extensions.map((name) => [name, nothing])),
  isAuthority: false,
});
const code: SignedCode = {
  identifier: "org.example.reel",
  platform: 0,
  cdHashes: [Uint8Array.of(1, 2, 3)],
  info: { CFBundleShortVersionString: "12", Names: ["a", "b"] },
  entitlements: { "org.example.right": true, "org.example.off": false },
  chain: [certificate({ "2.5.4.11": ["TEAM123456"] }, ["1.2.840.113635.100.6.1.13"]), certificate({})],
  certificateHashes: [Uint8Array.of(9), Uint8Array.of(8)],
  isAppleRooted: true,
};
const holds = (one: Requirement, more: Partial<SignedCode> = {}): boolean | null =>
  judgeRequirement(one, { ...code, ...more }).holds;
const exists = { how: "exists", value: "" } as const;
const equal = (value: string) => ({ how: "equal", value }) as const;

test("each part: true, false, and unknown only where a Mac is needed", () => {
  const table: [Requirement, boolean | null][] = [
    [{ kind: "identifier", value: "org.example.reel" }, true],
    [{ kind: "identifier", value: "org.example.Reel" }, false],
    [{ kind: "cdhash", hash: Uint8Array.of(1, 2, 3) }, true],
    [{ kind: "anchor apple generic" }, true],
    [{ kind: "anchor apple" }, null],
    [{ kind: "notarized" }, null],
    [{ kind: "platform", value: 1 }, false],
    [{ kind: "certificate subject", certificate: 0, key: "subject.OU", match: equal("TEAM123456") }, true],
    [{ kind: "certificate subject", certificate: 0, key: "subject.OU", match: equal("TEAM999999") }, false],
    [{ kind: "certificate subject", certificate: 5, key: "subject.OU", match: exists }, false],
    [{ kind: "certificate field", certificate: 0, key: "1.2.840.113635.100.6.1.13", match: exists }, true],
    [{ kind: "certificate field", certificate: 1, key: "1.2.840.113635.100.6.2.6", match: exists }, false],
    [{ kind: "certificate hash", certificate: -1, hash: Uint8Array.of(8) }, true],
    [{ kind: "entitlement", key: "org.example.right", match: exists }, true],
    [{ kind: "entitlement", key: "org.example.off", match: exists }, false],
    [{ kind: "entitlement", key: "org.example.none", match: { how: "absent", value: "" } }, true],
    [{ kind: "info", key: "Names", match: equal("b") }, true],
    [{ kind: "info", key: "CFBundleShortVersionString", match: { how: ">=", value: "9" } }, true],
    [{ kind: "info", key: "CFBundleShortVersionString", match: { how: ">=", value: "9.1" } }, null],
  ];
  for (const [one, wanted] of table) assert.equal(holds(one), wanted, requirementText(one));
});

test("and, or, not: a decided side decides, an unknown one stays unknown", () => {
  const yes: Requirement = { kind: "always" };
  const no: Requirement = { kind: "never" };
  const unknown: Requirement = { kind: "notarized" };
  assert.equal(holds({ kind: "and", left: unknown, right: no }), false);
  assert.equal(holds({ kind: "and", left: unknown, right: yes }), null);
  assert.equal(holds({ kind: "or", left: unknown, right: yes }), true);
  assert.equal(holds({ kind: "or", left: unknown, right: no }), null);
  assert.equal(holds({ kind: "not", inner: unknown }), null);
  assert.equal(holds({ kind: "not", inner: no }), true);
  assert.deepEqual(judgeRequirement({ kind: "and", left: yes, right: no }, code).because, [no]);
});

test("ad hoc: no root, so no anchor; where the chain ends is not known: nobody can say", () => {
  assert.equal(holds({ kind: "anchor apple generic" }, { chain: [], isAppleRooted: false }), false);
  assert.equal(holds({ kind: "anchor apple generic" }, { isAppleRooted: null }), null);
});

test("a flood of operators, and one that nests without end, are refused with a place", () => {
  const words = (...values: number[]): Uint8Array =>
    Uint8Array.from(
      values.flatMap((value) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]),
    );
  assert.throws(
    () => parseRequirement(words(0xfade0c00, 0, 1, ...new Array(200).fill(9), 1)),
    /nested deeper/,
  );
  assert.throws(() => parseRequirement(words(0xfade0c00, 0, 1, 6, 1)), /cut off/);
  assert.throws(() => parseRequirement(words(0xfade0c00, 0, 2, 1)), /kind 2/);
});
