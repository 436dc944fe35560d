// The gate: nothing that a terminal or a CI runner obeys passes, and the value can still be told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { folded, shown, shownJson, shownText } from "./shown-text.ts";

// ECMA-48 §5.3: C1 controls are single characters from 80h to 9Fh, too; CSI is 9Bh.
test("C0, DEL and C1 controls are shown with their number", () => {
  for (const code of [...Array(32).keys(), ...Array.from({ length: 33 }, (_, index) => 0x7f + index)]) {
    const text = shown(`a${String.fromCharCode(code)}b`);
    assert.match(text, /^a\\(x[0-9a-f]{2}|n|r|t)b$/, `code ${code}`);
  }
  assert.equal(shown("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
});

// Unicode TR36 §2.1.2 and "Trojan Source" (CVE-2021-42574): what reorders or hides is named.
test("bidirectional, zero-width and invisible characters are shown with their number", () => {
  const hidden =
    "\u202a\u202e\u2066\u2069\u200b\u200d\u2060\ufeff\u00ad\u061c\u3164\u{e0041}\u2028\u2029\ufe0f";
  assert.equal(
    shown(hidden),
    [..."\u202a"].map(() => "\\u{202a}").join("") +
      "\\u{202e}\\u{2066}\\u{2069}\\u{200b}\\u{200d}\\u{2060}\\u{feff}\\xad\\u{61c}\\u{3164}\\u{e0041}\\u{2028}\\u{2029}\\u{fe0f}",
  );
  assert.equal(shown("\ud800x"), "\\u{d800}x");
  assert.equal(shown("Gerät 漢字 🙂"), "Gerät 漢字 🙂");
});

test("commands of CI runners lose their first character, at a line's start and wherever they are obeyed", () => {
  assert.equal(shownText("a\n::error::b\n  ::add-mask::c"), "a\n\\x3a:error::b\n  \\x3a:add-mask::c");
  assert.equal(shownText("std::vector::x"), "std::vector::x");
  assert.equal(shown("x ##vso[task.setvariable]y"), "x \\x23#vso[task.setvariable]y");
  assert.equal(shown("x ##[group]y"), "x \\x23#[group]y");
  assert.equal(shown("##teamcity[buildStop]"), "\\x23#teamcity[buildStop]");
  assert.equal(shown("section_start:17:name\r\x1b[0K"), "section\\x5fstart:17:name\\r\\x1b[0K");
  assert.equal(shown("a\n::error::b"), "a\\n::error::b");
});

test("JSON keeps its value", () => {
  const value = {
    "a\u009b": "\x1b\x7f\u202e##vso[x]\n::error::",
    section: "section_end:1:x",
    smile: "🙂\u{e0041}",
  };
  const json = shownJson(JSON.stringify(value, null, 2));
  assert.deepEqual(JSON.parse(json), value);
  assert.doesNotMatch(json.replaceAll("\n", ""), /\p{Cc}|\p{Cf}|##vso|section_end:/u);
});

test("the middle of a long value gives way to its length", () => {
  const text = folded("a".repeat(1_000_000), 100);
  assert.ok(text.length < 140);
  assert.match(text, /^a{75}\[\.\.\. 999900 characters \.\.\.\]a{25}$/);
});
