// posts.md T7 and F17: attribution, cuts, drops, predicates, and the ring that loses nothing unseen.

import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../base/virtual-clock.ts";
import { PredicateError } from "../platform/log-predicate.ts";
import { calendar, formatLog } from "../platform/log-text.ts";
import { EventRing } from "./event-ring.ts";
import { UnifiedLog } from "./unified-log.ts";

const identifier = "org.drydock.driver";

function bench(options = {}) {
  const clock = new VirtualClock();
  const log = new UnifiedLog(clock, options);
  log.registerLoadTag(1, identifier, false);
  return { clock, log };
}

test("a dext's line is the kernel's: process kernel, pid 0, no subsystem; only the sender names it", () => {
  const { log } = bench();
  log.logData(1, "default", "hello");
  const [row] = log.show();
  assert.deepEqual(
    [row.process, row.pid, row.subsystem, row.category, row.sender],
    ["kernel", 0, "", "", `${identifier}.dext`],
  );
});

test("before the match, and after an upgrade until logd learns, there is no sender", () => {
  const { log } = bench();
  log.logData(null, "default", "early");
  log.registerLoadTag(2, identifier, true);
  log.logData(2, "default", "upgraded");
  log.refreshResolver();
  log.logData(2, "default", "learnt");
  assert.deepEqual(
    log.show().map((row) => row.sender),
    ["", "", `${identifier}.dext`],
  );
  assert.equal(log.show({ predicate: `sender CONTAINS "${identifier}"` }).length, 1);
  assert.equal(log.show({ predicate: 'eventMessage == "upgraded"' }).length, 1);
});

test("a message is cut to 239 bytes, never inside a character, and counted", () => {
  const { log } = bench();
  for (const text of ["x".repeat(239), "x".repeat(240), "\u{1F511}".repeat(60)])
    log.logData(1, "default", text);
  const rows = log.show().map((row) => row.message);
  assert.deepEqual([rows[0].length, rows[1].length], [239, 239]);
  assert.equal(rows[2], "\u{1F511}".repeat(59));
  assert.equal(log.cutMessageCount, 2);
});

test("info and debug are shown when asked for", () => {
  const { log } = bench();
  for (const level of ["default", "info", "debug", "error", "fault"] as const) log.logData(1, level, level);
  const shown = (options: object) => log.show(options).map((row) => row.message);
  assert.deepEqual(shown({}), ["default", "error", "fault"]);
  assert.deepEqual(shown({ info: true }), ["default", "info", "error", "fault"]);
  assert.equal(shown({ info: true, debug: true }).length, 5);
});

test("a full queue drops and counts; dmesg is an independent witness", () => {
  const { clock, log } = bench({ queueCapacity: 10 });
  for (let index = 0; index < 15; index++) log.logData(1, "default", `line ${index}`);
  assert.equal(log.droppedMessageCount, 5);
  assert.equal(log.dmesg().length, 15);
  clock.runUntil();
  log.logData(1, "default", "after the drain");
  assert.equal(log.show().length, 11);
  assert.equal(log.show({ lastNs: 10 }).length, 1);
});

test("predicates: comparisons, AND, OR, NOT, parentheses, [c], LIKE", () => {
  const { log } = bench();
  log.logData(1, "error", "Pipe 0x81 stalled");
  log.kernel("DK: matched");
  log.other({ process: "amfid", pid: 77, text: "rejected", subsystem: "com.apple.amfi", category: "policy" });
  const rows: [string, number][] = [
    ['process == "kernel"', 2],
    ['process != "kernel"', 1],
    ['eventMessage CONTAINS[c] "pipe"', 1],
    ['eventMessage CONTAINS "pipe"', 0],
    ['eventMessage BEGINSWITH "DK:" OR processID == 77', 2],
    ['NOT process == "kernel"', 1],
    ['!(process == "kernel") && subsystem ENDSWITH "amfi"', 1],
    ['process == "kernel" AND (messageType == "error" OR eventMessage LIKE "DK*")', 2],
    ['eventMessage LIKE "P?pe*st*lled"', 1],
    ["category == 'policy'", 1],
  ];
  for (const [predicate, count] of rows) assert.equal(log.show({ predicate }).length, count, predicate);
});

test("a predicate outside the subset is refused with what there is", () => {
  const { log } = bench();
  const rows: [string, RegExp][] = [
    ["bundle == 'x'", /unknown field "bundle"; there are: eventMessage/],
    ["process = 'x'", /unknown operator "=".*CONTAINS/],
    ["process ==", /a value is missing/],
    ["(process == 'x'", /expected "\)" but found "the end"/],
    ["process == 'x' 'y'", /unexpected "'y'"/],
    ["", /unknown field "\(nothing\)"/],
    ["constructor == 'x'", /unknown field "constructor"/],
  ];
  for (const [predicate, message] of rows) {
    assert.throws(
      () => log.show({ predicate }),
      (error) => error instanceof PredicateError && message.test(error.message),
      predicate,
    );
  }
});

test("the styles of `log show`", () => {
  const { clock, log } = bench();
  clock.advanceTo(1_250_000);
  log.logData(1, "error", 'said "no"');
  const rows = log.show();
  const stamp = "2025-10-01 12:00:00.001250+0000";
  assert.match(formatLog(rows), /^Timestamp {23}Thread {5}Type {8}Activity {13}PID {4}TTL {2}\n/);
  assert.ok(
    formatLog(rows).includes(
      `${stamp} 0x3e8      Error       0x0                  0      0    kernel: (${identifier}.dext) said "no"`,
    ),
  );
  assert.ok(formatLog(rows, "compact").startsWith("2025-10-01 12:00:00.001 E  kernel[0:3e8] ("));
  assert.ok(formatLog(rows, "syslog").includes(`${stamp}  localhost kernel[0]: (`));
  assert.equal(JSON.parse(formatLog(rows, "ndjson")).eventMessage, 'said "no"');
  assert.equal(JSON.parse(formatLog(rows, "json"))[0].timestamp, stamp);
});

test("the calendar agrees with the host's over four hundred years", () => {
  const epoch = Date.UTC(2025, 9, 1, 12);
  for (let day = 0; day < 146_097 / 8; day += 13) {
    const expected = new Date(epoch + day * 86_400_000).toISOString().slice(0, 19).replace("T", " ");
    assert.equal(calendar(day * 86_400e9).slice(0, 19), expected);
  }
});

test("the ring numbers what it loses (F17)", () => {
  const ring = new EventRing(new VirtualClock(), 8);
  for (let index = 0; index < 20; index++) ring.record("step", index, -index, `text ${index}`);
  assert.deepEqual([ring.total, ring.overwritten], [20, 12]);
  const events = [...ring.events()];
  assert.deepEqual(
    events.map((event) => event.sequence),
    [12, 13, 14, 15, 16, 17, 18, 19],
  );
  assert.deepEqual([events[0].a, events[0].b, events[0].text], [12, -12, "text 12"]);
  assert.deepEqual(
    [...ring.events(18)].map((event) => event.sequence),
    [18, 19],
  );
});
