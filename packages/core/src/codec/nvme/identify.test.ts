// The list of active namespaces (NVMe 1.4 §5.15.2.3): identifiers until the first zero, or as many as a page holds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { putU32le } from "../../base/bytes.ts";
import { decodeActiveNamespaces, identifyBytes } from "./identify.ts";

const listOf = (...ids: number[]): Uint8Array => {
  const bytes = new Uint8Array(identifyBytes);
  for (const [index, id] of ids.entries()) putU32le(bytes, 4 * index, id);
  return bytes;
};

test("a list ends at its first zero, whatever stands behind", () => {
  assert.deepEqual(decodeActiveNamespaces(listOf(1, 7, 0, 9)), [1, 7]);
  assert.deepEqual(decodeActiveNamespaces(listOf(0, 9)), []);
  assert.deepEqual(decodeActiveNamespaces(listOf(0xfffffffe)), [0xfffffffe]);
});

test("a full page has 1,024 of them and no zero; half an identifier at its end is none", () => {
  const all = Array.from({ length: 1024 }, (_, index) => index + 1);
  assert.deepEqual(decodeActiveNamespaces(listOf(...all)), all);
  assert.deepEqual(decodeActiveNamespaces(listOf(1, 2).subarray(0, 7)), [1]);
});
