// Lanes of a timeline as columns: what a span of any length holds is found by search, not by reading its rows.

import { TimelineKind } from "@drydock/core/ports/recorder";
import { laneGroups, laneName } from "@drydock/core/trace/lanes";
import type { Timeline, TimelineRow } from "@drydock/core/trace/timeline";
import { TraceKind } from "@drydock/core/trace/usb-trace-log";
import type { LabRun } from "./lab-run.ts";
import { cellsOf } from "./row-cells.ts";
import type { LanesAsk, LanesView, LaneView } from "./views.ts";

/** Rows that are looked at for one question; what is left is told, and the page asks again. */
const rowsEach = 250_000;
const mostLanes = 60;
const mostPixels = 4000;
/** Rows of the span that are told as text. */
const mostTold = 100;

/** A column that grows. */
class Numbers {
  length = 0;
  #values = new Float64Array(1024);

  add(value: number): void {
    if (this.length === this.#values.length) {
      const grown = new Float64Array(this.length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index];
  }

  /** The first index whose value is at least this. */
  from(value: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#values[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Times and sequences of a lane's rows, and sums up to each: how long transfers took, how many rows are bad. */
class Lane {
  readonly group: string;
  readonly order: number;
  readonly name: string;
  readonly times = new Numbers();
  readonly sequences = new Numbers();
  readonly busyNs = new Numbers();
  readonly bad = new Numbers();
  #busy = 0;
  #badRows = 0;

  constructor(group: string, order: number, name: string) {
    this.group = group;
    this.order = order;
    this.name = name;
  }

  add(row: TimelineRow, busyNs: number, isBad: boolean): void {
    this.times.add(row.timeNs);
    this.sequences.add(row.sequence);
    this.busyNs.add(this.#busy);
    this.bad.add(this.#badRows);
    this.#busy += busyNs;
    if (isBad) this.#badRows++;
  }

  upTo(column: Numbers, index: number): number {
    if (index < column.length) return column.at(index);
    return column === this.bad ? this.#badRows : this.#busy;
  }
}

const badWords = /\b(?:panic|crash|killed|trap|refused|deadlock|nothing moves|timed out|Fault)\b/i;

export class LaneColumns {
  readonly #timeline: Timeline;
  readonly #lanes = new Map<string, Lane>();
  #next: number;
  #first = Number.POSITIVE_INFINITY;
  #last = 0;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
    this.#next = timeline.oldest;
  }

  /** Looks at what came since, as far as one question goes. Answers how many rows are left. */
  #read(): number {
    const timeline = this.#timeline;
    let read = 0;
    for (const row of timeline.rows(this.#next)) {
      if (read++ >= rowsEach) break;
      this.#next = row.sequence + 1;
      this.#first = Math.min(this.#first, row.timeNs);
      this.#last = Math.max(this.#last, row.timeNs);
      const isUsb = row.kind === TimelineKind.usb;
      const isAnswer = isUsb && row.fields[0] % 16 === TraceKind.complete;
      // What a row ends: a transfer, or the wait of a thread.
      const begun = isAnswer ? row.cause : row.kind === TimelineKind.wait ? row.fields[0] : 0;
      const asked = begun > 0 ? (timeline.row(begun)?.timeNs ?? row.timeNs) : row.timeNs;
      const isBad =
        row.kind === TimelineKind.fault ||
        (isAnswer ? (row.fields[2] & 0xff) !== 0 : !isUsb && badWords.test(row.text));
      this.#laneOf(row).add(row, row.timeNs - asked, isBad);
    }
    return timeline.next - this.#next;
  }

  #laneOf(row: TimelineRow): Lane {
    const [order, group] = laneGroups[row.kind];
    const name = laneName(row);
    const key = `${order} ${name}`;
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    // A rig that makes names without end gets one lane for the rest of them.
    const lane =
      this.#lanes.size < mostLanes
        ? new Lane(group, order, name)
        : (this.#lanes.get("rest") ?? new Lane("Others", 99, "others"));
    this.#lanes.set(this.#lanes.size < mostLanes ? key : "rest", lane);
    return lane;
  }

  view(run: LabRun, ask: LanesAsk): LanesView {
    const left = this.#read();
    const pixels = Math.max(1, Math.min(mostPixels, Math.floor(ask.pixels)));
    const firstNs = Math.min(this.#first, this.#last);
    const lastNs = this.#last + 1;
    const isWhole = !(ask.toNs > ask.fromNs);
    const fromNs = isWhole ? firstNs : ask.fromNs;
    const toNs = isWhole ? lastNs : ask.toNs;
    const lanes = [...this.#lanes.values()].sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1));
    return {
      name: "lanes",
      firstNs,
      lastNs,
      fromNs,
      toNs,
      left,
      lanes: lanes.map((lane) => this.#bucketsOf(lane, fromNs, toNs, pixels)),
      ...this.#told(run, fromNs, toNs),
    };
  }

  #bucketsOf(lane: Lane, fromNs: number, toNs: number, pixels: number): LaneView {
    const counts = new Uint32Array(pixels);
    const bad = new Uint32Array(pixels);
    const busy = new Float32Array(pixels);
    const first = new Float64Array(pixels);
    const step = (toNs - fromNs) / pixels;
    // Rows that the timeline gave up are nowhere any more.
    const oldest = lane.sequences.from(this.#timeline.oldest);
    let at = Math.max(oldest, lane.times.from(fromNs));
    const begin = at;
    for (let pixel = 0; pixel < pixels; pixel++) {
      const end = Math.max(at, lane.times.from(fromNs + step * (pixel + 1)));
      counts[pixel] = end - at;
      if (end > at) {
        first[pixel] = lane.sequences.at(at);
        bad[pixel] = lane.upTo(lane.bad, end) - lane.upTo(lane.bad, at);
        busy[pixel] = Math.min(1, (lane.upTo(lane.busyNs, end) - lane.upTo(lane.busyNs, at)) / step);
      }
      at = end;
    }
    const text = at - begin === 0 ? "" : this.#timeline.textOf(lane.sequences.at(begin));
    return { group: lane.group, name: lane.name, rows: at - begin, text, counts, bad, busy, first };
  }

  /** The first rows of the span, in words, and how many there are. */
  #told(run: LabRun, fromNs: number, toNs: number): Pick<LanesView, "rows" | "rowsInSpan"> {
    const timeline = this.#timeline;
    let low = timeline.oldest;
    let high = this.#next;
    const reach = (timeNs: number, from: number): number => {
      let [left, right] = [from, high];
      while (left < right) {
        const middle = Math.floor((left + right) / 2);
        if ((timeline.row(middle)?.timeNs ?? Number.NEGATIVE_INFINITY) < timeNs) left = middle + 1;
        else right = middle;
      }
      return left;
    };
    low = reach(fromNs, low);
    high = reach(toNs, low);
    const rows: LanesView["rows"][number][] = [];
    let previousNs = low > timeline.oldest ? (timeline.row(low - 1)?.timeNs ?? 0) : 0;
    for (let sequence = low; sequence < Math.min(high, low + mostTold); sequence++) {
      const row = timeline.row(sequence);
      if (row === null) continue;
      const lane = laneName(row);
      rows.push({ lane, cells: cellsOf(timeline, row, previousNs, run) });
      previousNs = row.timeNs;
    }
    return { rows, rowsInSpan: high - low };
  }
}
