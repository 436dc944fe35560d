// Quotations are cut at a word, and say so.

import assert from "node:assert/strict";
import { test } from "node:test";
import { cutText } from "./cut-text.ts";

test("what fits stays; half a number never stands there", () => {
  assert.equal(cutText("  linksts=0x99000001 ", 40), "linksts=0x99000001");
  assert.equal(cutText("greater than 32 bits linksts=0x99000001", 30), "greater than 32 bits ...");
  assert.equal(cutText("0123456789", 10), "0123456789");
  assert.equal(cutText(`a ${"x".repeat(50)}`, 10), `a ${"x".repeat(8)} ...`);
});
