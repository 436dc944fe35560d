// The timeline: one sequence, causes, a limit whose losses are told, and nothing that grows.

import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../base/virtual-clock.ts";
import { TimelineKind } from "../ports/recorder.ts";
import { type CursorStep, Timeline } from "./timeline.ts";
import { TimelineRecorder } from "./timeline-recorder.ts";

/** A row of `bytes` bytes, each with the low byte of its number. */
function addRow(timeline: Timeline, number: number, bytes: number, cause = 0): number {
  const data = new Uint8Array(bytes + 3).fill(number & 255);
  return timeline.add(
    TimelineKind.usb,
    number,
    cause,
    `row ${number % 5}`,
    number,
    2 ** 40,
    0,
    0,
    -1,
    null,
    0,
    data,
    3,
    bytes,
  );
}

test("rows of every kind lie in one sequence, with their fields, bytes and texts", () => {
  const timeline = new Timeline();
  const head = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const first = timeline.add(
    TimelineKind.usb,
    10,
    0,
    "a call",
    1,
    2,
    3,
    4,
    5,
    head,
    8,
    Uint8Array.of(0, 9, 9),
    1,
    2,
  );
  const second = timeline.add(TimelineKind.log, 20, first, "a line");
  assert.deepEqual([first, second, timeline.next], [1, 2, 3]);
  const row = timeline.row(first);
  assert.deepEqual(row?.fields, [1, 2, 3, 4, 5]);
  assert.deepEqual([...(row?.bytes ?? [])], [1, 2, 3, 4, 5, 6, 7, 8, 9, 9]);
  assert.deepEqual(
    [...timeline.rows(undefined, [TimelineKind.log])].map(({ text, cause }) => [text, cause]),
    [["a line", 1]],
  );
  assert.equal(timeline.row(3), null);
  assert.equal(timeline.row(0), null);
});

test("from a row to its cause and to its effects", () => {
  const timeline = new Timeline();
  const plug = timeline.add(TimelineKind.mark, 1, 0, "plugged in");
  const hop = timeline.add(TimelineKind.hop, 2, plug, "queue");
  const line = timeline.add(TimelineKind.log, 3, hop, "hello");
  const row = timeline.row(line);
  assert.ok(row !== null);
  const cause = timeline.causeOf(row);
  assert.ok(cause !== null && cause !== "lost" && cause.sequence === hop);
  assert.deepEqual(
    [...timeline.effectsOf(cause)].map(({ sequence }) => sequence),
    [line],
  );
  assert.equal(timeline.causeOf(timeline.row(plug) ?? row), null);
});

test("what the limit took is counted by kind, a cause that it took is called lost", () => {
  const timeline = new Timeline({ maximumBytes: 256 * 1024 });
  const first = timeline.add(TimelineKind.mark, 0, 0, "the first");
  const rows = 20_000;
  for (let number = 1; number <= rows; number++) addRow(timeline, number, number % 90, first);
  assert.equal(timeline.kept() + timeline.lost(), rows + 1);
  assert.equal(timeline.kept(TimelineKind.usb) + timeline.lost(TimelineKind.usb), rows);
  assert.deepEqual([timeline.kept(TimelineKind.mark), timeline.lost(TimelineKind.mark)], [0, 1]);
  assert.equal(timeline.row(first), null);
  const last = timeline.row(timeline.next - 1);
  assert.ok(last !== null && timeline.causeOf(last) === "lost");
  // What is there is what was written, in order.
  let expected = timeline.oldest;
  for (const row of timeline.rows()) {
    assert.equal(row.sequence, expected++);
    assert.equal(row.fields[0], row.sequence - 1);
    assert.equal(row.text, `row ${(row.sequence - 1) % 5}`);
    assert.ok(
      row.bytes.every((byte) => byte === ((row.sequence - 1) & 255)) &&
        row.bytes.length === (row.sequence - 1) % 90,
    );
  }
  assert.equal(expected, timeline.next);
});

test("a row larger than a segment is kept whole, and does not stay when it is old", () => {
  const timeline = new Timeline({ maximumBytes: 64 * 1024 });
  const giant = addRow(timeline, 7, 1 << 20);
  assert.equal(timeline.row(giant)?.bytes.length, 1 << 20);
  for (let number = 0; number < 4000; number++) addRow(timeline, number, 8);
  assert.equal(timeline.row(giant), null);
  assert.equal(timeline.kept() + timeline.lost(), 4001);
});

test("a cursor reads on from where it was; rows it was too late for are a number, never other rows", () => {
  const timeline = new Timeline({ maximumBytes: 128 * 1024 });
  const cursor = timeline.cursor();
  assert.equal(cursor.next(), null);
  for (let number = 1; number <= 10; number++) addRow(timeline, number, 4);
  const drain = (): { seen: number[]; lost: number } => {
    const seen: number[] = [];
    let lost = 0;
    for (let step: CursorStep = cursor.next(); step !== null; step = cursor.next()) {
      if ("lost" in step) lost += step.lost;
      else seen.push(step.row.fields[0]);
    }
    return { seen, lost };
  };
  assert.deepEqual(drain(), { seen: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], lost: 0 });
  for (let number = 11; number <= 10_010; number++) addRow(timeline, number, 4);
  const late = drain();
  assert.equal(late.seen.length + late.lost, 10_000);
  assert.ok(late.lost > 1000);
  assert.deepEqual([late.seen[0], late.seen.at(-1)], [10 + late.lost + 1, 10_010]);
  assert.equal(cursor.next(), null);
});

test("a recorder dates and causes rows by its clock; work runs with the cause of the moment it was given", () => {
  const clock = new VirtualClock();
  const timeline = new Timeline();
  const recorder = new TimelineRecorder(timeline, clock);
  clock.after(
    5,
    () => {
      clock.cause = recorder.record(TimelineKind.event, "plugged in");
      clock.after(5, () => recorder.record(TimelineKind.log, "later"), undefined);
      clock.cause = 0;
      clock.after(6, () => recorder.record(TimelineKind.log, "of its own"), undefined);
    },
    undefined,
  );
  clock.runUntil();
  assert.deepEqual(
    [...timeline.rows()].map(({ cause, text, timeNs }) => [timeNs, text, cause]),
    [
      [5, "plugged in", 0],
      [10, "later", 1],
      [11, "of its own", 0],
    ],
  );
});
