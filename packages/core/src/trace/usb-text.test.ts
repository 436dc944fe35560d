// A capture's comments are anybody's words: each stays on its line of the trace.

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTrace, traceLines } from "./usb-text.ts";
import { UsbTraceLog } from "./usb-trace-log.ts";

const hostile = "fault\x1b[2J\n::error::x\r##[error]y\u202e";

// PCAP Next Generation §3.5: opt_comment is UTF-8 text of any kind.
test("packet comments of a foreign capture cannot command a terminal or a runner", () => {
  const log = new UsbTraceLog();
  log.mark(0, hostile);
  assert.ok(traceLines(log).length === 1);
  const text = formatTrace(log);
  assert.doesNotMatch(text.replaceAll("\n", ""), /\p{Cc}|\p{Cf}/u);
  assert.doesNotMatch(text, /^\s*::|##\[/m);
  assert.equal(text.split("\n").length, 2);
});
