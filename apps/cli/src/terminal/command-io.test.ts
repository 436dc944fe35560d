// The gate of the command line: talk, data and documents, whatever is in them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventText, jsonText, shownColoured, talkText } from "./command-io.ts";
import { hostPort, shellWord } from "./shell-word.ts";

test("an event stays one line, keeps its indent, and is not endless", () => {
  const text = eventText(`  10.0.0.1:5 opened "a\nb::error::c\x1b[2J"${"x".repeat(100_000)}`);
  assert.match(
    text,
    /^ {2}10\.0\.0\.1:5 opened "a\\nb::error::c\\x1b\[2J"x+\[\.\.\. \d+ characters \.\.\.\]x+$/,
  );
  assert.ok(text.length < 1100);
  assert.equal(eventText("::error::x"), "\\x3a:error::x");
  assert.equal(eventText("  ::error::x"), "  \\x3a:error::x");
});

test("talk of several lines keeps them, and no line of it commands a runner", () => {
  assert.equal(
    talkText("drydock: a\n  ::add-mask::b\n##[group]c"),
    "drydock: a\n  \\x3a:add-mask::b\n\\x23#[group]c",
  );
});

// ECMA-48 §8.3.117: SGR sets colour and weight; everything else that begins with CSI or OSC does more.
test("of all escape sequences only colours pass, and only where colours are wanted", () => {
  assert.equal(
    shownColoured("\x1b[1mA\x1b[22m\x1b[2J\x1b]0;t\x07"),
    "\x1b[1mA\x1b[22m\\x1b[2J\\x1b]0;t\\x07",
  );
});

test("a document is lawful JSON on any terminal, with bytes as hexadecimal digits", () => {
  const text = jsonText({ name: "\u009b31m\x7f\u202e", bytes: Uint8Array.of(0, 255) }, "line");
  assert.equal(text, '{"name":"\\u009b31m\\u007f\\u202e","bytes":"00ff"}');
});

test("what is printed to be typed can be typed", () => {
  assert.equal(shellWord("/tmp/drydock-tty0"), "/tmp/drydock-tty0");
  assert.equal(shellWord("/tmp/it's a tty"), "'/tmp/it'\\''s a tty'");
  assert.equal(shellWord("nbd://[::1]:10809/disk"), "'nbd://[::1]:10809/disk'");
  // RFC 3986 §3.2.2 and RFC 6874 §2.
  assert.equal(hostPort("::1", 80), "[::1]:80");
  assert.equal(hostPort("fe80::1%eth0", 80), "[fe80::1%25eth0]:80");
  assert.equal(hostPort("example.org", 80), "example.org:80");
});
