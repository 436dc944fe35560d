// A timeline as a file for Perfetto's viewer: the JSON form of trace events, one lane for each kind and place.

import { hexBytes } from "../base/text.ts";
import { TimelineKind } from "../ports/recorder.ts";
import { ethernetRowText } from "./ethernet-trace.ts";
import { laneGroups, laneName } from "./lanes.ts";
import type { Timeline, TimelineRow } from "./timeline.ts";
import { TraceKind, traceRow } from "./usb-trace-log.ts";

/**
 * The "Trace Event Format" in JSON, which Perfetto's viewer and chrome://tracing open: metadata events name the lanes, a
 * transfer is a complete event from its submission to its completion, everything else an instant. Each row is there, in its
 * order, with its sequence and its cause as arguments; causes are flow arrows too. Times are microseconds.
 */
export function writePerfetto(timeline: Timeline): string {
  return [...perfettoParts(timeline)].join("");
}

/** The same in parts, for timelines whose text is longer than a string may be (half a gigabyte). */
export function* perfettoParts(timeline: Timeline): Generator<string> {
  const lanes = new Lanes();
  const completions = new Map<number, TimelineRow>();
  for (const row of timeline.rows(undefined, [TimelineKind.usb])) {
    const usb = traceRow(row, 0);
    if (usb.kind === TraceKind.complete) completions.set(usb.causeSequence, row);
  }
  const lost = timeline.lost() === 0 ? {} : { lostRows: timeline.lost() };
  const otherData = { writer: "drydock", form: "trace event JSON", ...lost };
  yield `{"displayTimeUnit":"ns","otherData":${JSON.stringify(otherData)},"traceEvents":[`;
  let part = "";
  for (const row of timeline.rows()) {
    for (const event of [eventOf(row, lanes, completions.get(row.sequence)), ...flowOf(row, lanes)])
      part += `${JSON.stringify(event)},\n`;
    if (part.length < partLength) continue;
    yield part;
    part = "";
  }
  const names = lanes.metadata().map((event) => JSON.stringify(event));
  yield `${part}${names.join(",\n")}]}\n`;
}

const partLength = 1 << 16;

/** One object of the format; see its public description for the letters. */
interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  readonly ph: "X" | "i" | "M" | "s" | "f";
  readonly ts: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
  readonly id?: number;
  readonly s?: "t";
  readonly bp?: "e";
  readonly args?: Readonly<Record<string, unknown>>;
}

const microseconds = (ns: number): number => ns / 1000;

/** Names of lanes, each with its number inside its group. */
class Lanes {
  readonly #numbers = new Map<string, readonly [number, number]>();

  of(row: TimelineRow): readonly [number, number] {
    const [group] = laneGroups[row.kind];
    const name = laneName(row);
    const key = `${group} ${name}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const made = [group, this.#numbers.size + 1] as const;
    this.#numbers.set(key, made);
    return made;
  }

  metadata(): TraceEvent[] {
    // As the viewer's processes.
    const names = new Map(Object.values(laneGroups));
    const common = { cat: "__metadata", ph: "M", ts: 0 } as const;
    return [
      ...[...names].map(([pid, name]) => ({ ...common, name: "process_name", pid, tid: 0, args: { name } })),
      ...[...this.#numbers].map(([key, [pid, tid]]) => ({
        ...common,
        name: "thread_name",
        pid,
        tid,
        args: { name: key.slice(key.indexOf(" ") + 1) },
      })),
    ];
  }
}

function eventOf(row: TimelineRow, lanes: Lanes, completion: TimelineRow | undefined): TraceEvent {
  const [pid, tid] = lanes.of(row);
  const args = { sequence: row.sequence, ...(row.cause === 0 ? {} : { cause: row.cause }) };
  const common = { cat: laneGroups[row.kind][1], ts: microseconds(row.timeNs), pid, tid } as const;
  if (row.kind === TimelineKind.ethernet) {
    const facts = { ...args, bytes: row.bytes.length };
    return { ...common, name: ethernetRowText(row), ph: "i", s: "t", args: facts };
  }
  if (row.kind !== TimelineKind.usb) return { ...common, name: row.text, ph: "i", s: "t", args };
  const usb = traceRow(row, 0);
  const data = usb.data.length === 0 ? {} : { data: hexBytes(usb.data, 64) };
  const setup = usb.setup === null ? {} : { setup: hexBytes(usb.setup) };
  const facts = { ...args, id: usb.id, bytes: usb.length, ...setup, ...data };
  if (usb.kind === TraceKind.complete)
    return {
      ...common,
      name: `completed, ${usb.length} bytes`,
      ph: "i",
      s: "t",
      args: { ...facts, status: usb.status },
    };
  const name = usb.text === "" ? `transfer ${usb.id}` : usb.text;
  if (completion === undefined) return { ...common, name, ph: "i", s: "t", args: facts };
  return { ...common, name, ph: "X", dur: microseconds(completion.timeNs - row.timeNs), args: facts };
}

/** An arrow from a cause to what it led to: it ends at this row, and begins here for the rows to come. */
function flowOf(row: TimelineRow, lanes: Lanes): TraceEvent[] {
  const [pid, tid] = lanes.of(row);
  const common = { cat: "cause", name: "cause", ts: microseconds(row.timeNs), pid, tid } as const;
  const begin: TraceEvent = { ...common, ph: "s", id: row.sequence };
  return row.cause === 0 ? [begin] : [{ ...common, ph: "f", bp: "e", id: row.cause }, begin];
}
