// JUnit's XML: counts, and hostile text that stays text (XML 1.0 §2.2, §3.3.3).

import assert from "node:assert/strict";
import { test } from "node:test";
import { junitHead, writeJunit } from "./junit.ts";

test("cases that pass, fail, are skipped or say something, and how many of each", () => {
  const text = writeJunit([
    {
      name: "a",
      cases: [
        { className: "c", name: "passes" },
        { className: "c", name: "fails", failure: { message: "why", text: "why\nand how" } },
        { className: "c", name: "is skipped", skipped: "unknown" },
        { className: "c", name: "says", output: "a word" },
      ],
    },
    { name: "b", cases: [] },
  ]);
  assert.ok(text.startsWith(junitHead));
  assert.equal(
    text,
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="drydock" tests="4" failures="1" errors="0" skipped="1">
  <testsuite name="a" tests="4" failures="1" errors="0" skipped="1">
    <testcase classname="c" name="passes"/>
    <testcase classname="c" name="fails">
      <failure message="why">why
and how</failure>
    </testcase>
    <testcase classname="c" name="is skipped">
      <skipped message="unknown"/>
    </testcase>
    <testcase classname="c" name="says">
      <system-out>a word</system-out>
    </testcase>
  </testsuite>
  <testsuite name="b" tests="0" failures="0" errors="0" skipped="0">
  </testsuite>
</testsuites>
`,
  );
});

test("what would end an element, an attribute or a terminal's patience is written as text", () => {
  const hostile = `"><testcase/>&amp;]]>\u001b[2J\u0000\ud800\t\u202e`;
  const text = writeJunit([
    {
      name: hostile,
      cases: [{ className: hostile, name: hostile, failure: { message: hostile, text: hostile } }],
    },
  ]);
  assert.equal(text.match(/<testcase/g)?.length, 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\ud800\u202e]|\]\]>/);
  assert.match(
    text,
    /name="&quot;&gt;&lt;testcase\/&gt;&amp;amp;\]\]&gt;\ufffd\[2J\ufffd\ufffd&#x9;&#x202e;"/,
  );
});
