// A device names itself: its strings stand in a registry dump without commanding who reads it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatRegistryPlist, formatRegistryTree, type RegistrySnapshot } from "./registry-dump.ts";

const hostile = 'A\x1b]0;t\x07\u009b31m\u202e\n::error::x\n+-o Forged  <class B>"';

const entry: RegistrySnapshot = {
  name: hostile,
  location: "",
  className: "IOUSBHostDevice",
  id: 1,
  registered: true,
  matched: true,
  active: true,
  busy: 0,
  busyMs: 0,
  retain: 1,
  properties: { "USB Product Name": hostile, [hostile]: [hostile, { [hostile]: hostile }] },
  children: [],
};

// USB 2.0 §9.6.7: string descriptors are UTF-16 of any kind.
test("the tree keeps each value on its line and shows what would command a terminal", () => {
  const text = formatRegistryTree(entry);
  assert.doesNotMatch(text.replaceAll("\n", ""), /\p{Cc}|\p{Cf}/u);
  assert.doesNotMatch(text, /^::error|^\+-o Forged/m);
  assert.match(text, /\\x1b\]0;t\\x07/);
});

// XML 1.0 §2.2 and §4.1: what is a character is written as a reference, what is none cannot be written at all.
test("the property list says the same value without a character that commands", () => {
  const text = formatRegistryPlist({ ...entry, name: "A\u009b31m\u202e\nB\x1b" });
  assert.doesNotMatch(text.replaceAll(/[\n\t]/g, ""), /\p{Cc}|\p{Cf}/u);
  assert.match(text, /<string>A&#x9b;31m&#x202e;&#xa;B\ufffd<\/string>/);
});
