// Lanes: every row of a span is in one bucket of one lane; a trap stands out; the text is of the same span.

import assert from "node:assert/strict";
import { test } from "node:test";
import { findCase } from "@drydock/cases/casebook";
import { TimelineKind } from "@drydock/core/ports/recorder";
import { Timeline } from "@drydock/core/trace/timeline";
import { hostTurn } from "@drydock/node/host-turn";
import { LaneColumns } from "./lane-columns.ts";
import { viewOf } from "./session-views.ts";
import { ShownCase } from "./shown-case.ts";
import type { LanesView } from "./views.ts";

const run = {
  opening: { what: "x", side: "bad", seed: 1, faults: [], isRunning: false },
  title: "",
  describeRequests: [],
} as const;

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, each) => all + each, 0);

function whole(columns: LaneColumns, timeline: Timeline, fromNs = 0, toNs = 0): LanesView {
  for (;;) {
    const view = columns.view({ ...run, timeline }, { name: "lanes", fromNs, toNs, pixels: 1000 });
    if (view.left === 0) return view;
  }
}

test("rows in five lanes, more than one question takes: counted without loss, whole and in any span of them", () => {
  const timeline = new Timeline({ maximumBytes: 1 << 30 });
  const kinds = [
    TimelineKind.register,
    TimelineKind.interrupt,
    TimelineKind.log,
    TimelineKind.power,
    TimelineKind.hop,
  ] as const;
  for (let index = 0; index < 300_000; index++)
    timeline.add(kinds[index % 5], index * 1000, 0, index % 5 === 4 ? "queue A of b[1]: DispatchAsync" : "x");
  const columns = new LaneColumns(timeline);
  const all = whole(columns, timeline);
  assert.equal(sum(all.lanes.map(({ counts }) => sum(counts))), 300_000);
  assert.deepEqual(
    all.lanes.map(({ name, rows }) => `${name} ${rows}`),
    ["queue A of b[1] 60000", "log 60000", "Power 60000", "interrupts 60000", "registers 60000"],
  );
  const part = whole(columns, timeline, 150_000_000, 150_100_000);
  assert.equal(sum(part.lanes.map(({ counts }) => sum(counts))), 100);
  assert.equal(part.rowsInSpan, 100);
  assert.deepEqual([part.rows[0].cells.sequence, part.rows.at(-1)?.cells.sequence], [150_001, 150_100]);
  // The first row of a pixel is a row of that lane.
  const [lane] = part.lanes;
  const sequence = lane.first.find((each) => each > 0) ?? 0;
  assert.equal(timeline.row(sequence)?.kind, TimelineKind.hop);
});

test("rows that were given up are in no lane, and what came since is", () => {
  const timeline = new Timeline({ maximumBytes: 1 << 17 });
  const columns = new LaneColumns(timeline);
  for (let round = 0; round < 4; round++) {
    for (let index = 0; index < 1000; index++) timeline.add(TimelineKind.log, round * 1e6 + index, 0, "x");
    const view = whole(columns, timeline);
    assert.equal(sum(view.lanes[0].counts), timeline.next - timeline.oldest);
  }
  assert.ok(timeline.oldest > 1);
});

test("P11: the storm is one lane of interrupts, and the kill of the dext stands out behind it", async () => {
  const opening = { what: "P11", side: "bad", seed: 1, faults: [], isRunning: false } as const;
  const shown = await ShownCase.play(opening, hostTurn, findCase("P11"));
  const view = viewOf(shown, { name: "lanes", fromNs: 0, toNs: 0, pixels: 800 });
  assert.ok(view.name === "lanes");
  const interrupts = view.lanes.find(({ name }) => name === "interrupts");
  assert.ok((interrupts?.rows ?? 0) > 10_000);
  const killed = view.lanes.find(({ bad }) => sum(bad) > 0);
  assert.equal(killed?.name, "process-killed");
  assert.match(
    killed.text,
    /process-killed: .*dispatch_sync called on queue already owned by current thread/,
  );
  const lastInterrupt = interrupts?.counts.findLastIndex((count) => count > 0) ?? -1;
  assert.ok(killed.bad.findIndex((count) => count > 0) >= lastInterrupt);
});

test("two queues that wait for each other: each says which holds it, in the lane of its thread, and is busy until it goes on", () => {
  const timeline = new Timeline({ maximumBytes: 1 << 20 });
  timeline.add(TimelineKind.hop, 1000, 0, "queue io of b[1]: DispatchAsync");
  const words = "queue io of b[1]: waits for queue events of b, held by queue events of b[1]";
  const begun = timeline.add(TimelineKind.wait, 2000, 0, words);
  timeline.add(TimelineKind.wait, 2500, 0, "thread main of app[2]: waits for queue io of b, held by itself");
  timeline.add(TimelineKind.wait, 12_000, 0, "queue io of b[1]: goes on", begun);
  const { lanes } = whole(new LaneColumns(timeline), timeline);
  assert.deepEqual(
    lanes.map(({ group, name, rows }) => `${group}: ${name} ${rows}`),
    ["Queues: queue io of b[1] 3", "Queues: thread main of app[2] 1"],
  );
  assert.equal(Math.max(...lanes[0].busy), 1);
  assert.equal(Math.max(...lanes[1].busy), 0);
});
