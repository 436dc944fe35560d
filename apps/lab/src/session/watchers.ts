// Those who watch a rig of the server: batches by credit; who does not read is counted for, never waited for.

import type { Timeline } from "@drydock/core/trace/timeline";
import type { SharedState } from "./messages.ts";
import { encodeRows, mostRows } from "./row-frames.ts";

/** A rig that runs here, as watchers see it. */
export interface WatchedRig {
  /** Another number for each run. */
  readonly run: number;
  readonly timeline: Timeline;
  state(): SharedState;
  /** Answers why not; empty when done; null when what becomes of it is told to all. */
  act(name: string, value: string): string | null;
}

/** What a watcher is told beside its rows. */
export type RigNews =
  | { readonly kind: "rig"; readonly run: number; readonly state: SharedState }
  | { readonly kind: "said"; readonly text: string; readonly isRefusal: boolean };

/** Where a watcher's frames go: a socket. */
export interface WatcherPort {
  sendBytes(frame: Uint8Array): void;
  sendText(text: string): void;
  close(code: number, reason: string): void;
}

/** Batches that may be under way to one watcher. */
const credits = 8;
const mostMessageCharacters = 4096;
/** WebSocket: "policy violation" (RFC 6455 §7.4.1). */
const violation = 1008;
/** A watcher that is this far behind begins near the end, and is told how many rows it will not see. */
const farBehind = 50_000;

export class Watcher {
  readonly #port: WatcherPort;
  readonly #rig: WatchedRig;
  #credit = credits;
  #next: number | null = null;
  #run = 0;
  #news = "";

  constructor(rig: WatchedRig, port: WatcherPort) {
    this.#rig = rig;
    this.#port = port;
  }

  /** A message came from it. Nothing in it is believed before it was looked at. */
  take(text: string): void {
    const message = readMessage(text);
    if (message === null) {
      this.#port.close(violation, "no message of the lab");
      return;
    }
    switch (message.kind) {
      case "watch":
        // Resumed where it was, if it is the same run; otherwise from what is still here.
        this.#run = this.#rig.run;
        this.#next =
          message.run === this.#rig.run
            ? Math.max(1, Math.min(message.row, this.#rig.timeline.next))
            : this.#rig.timeline.oldest;
        this.#credit = credits;
        this.#news = "";
        return;
      case "got":
        this.#credit = Math.min(credits, this.#credit + 1);
        return;
      case "act": {
        const acts: readonly string[] = this.#rig.state().acts;
        const refusal = acts.includes(message.name)
          ? this.#rig.act(message.name, message.value)
          : `"${message.name.slice(0, 40)}" cannot be done here`;
        if (refusal === null) return;
        const news: RigNews = {
          kind: "said",
          text: refusal === "" ? `Done: ${message.name}` : refusal,
          isRefusal: refusal !== "",
        };
        this.#port.sendText(JSON.stringify(news));
      }
    }
  }

  /** At most once every 16 ms: sends what there is and credit allows. */
  serve(): void {
    if (this.#next === null) return;
    const { run, timeline } = this.#rig;
    this.#tell();
    if (run !== this.#run) {
      // It runs anew: other rows, from the first that is there.
      this.#run = run;
      this.#next = timeline.oldest;
    }
    if (this.#credit === 0) return;
    if (timeline.next - this.#next > farBehind) {
      const from = this.#next;
      const near = timeline.next - mostRows;
      this.#send(encodeRowsFrom(timeline, this.#rig.run, from, near), timeline.next);
      return;
    }
    while (this.#credit > 0 && this.#next < timeline.next) {
      const next = Math.min(timeline.next, Math.max(this.#next, timeline.oldest) + mostRows);
      this.#send(encodeRows(timeline, this.#rig.run, this.#next), next);
    }
  }

  #send(frame: Uint8Array, next: number): void {
    this.#credit--;
    this.#next = next;
    this.#port.sendBytes(frame);
  }

  /** Something that all who watch are told. */
  say(text: string, isRefusal: boolean): void {
    if (this.#next !== null) this.#port.sendText(JSON.stringify({ kind: "said", text, isRefusal }));
  }

  #tell(): void {
    const { run } = this.#rig;
    const state = this.#rig.state();
    // While time goes on it alone is no news: the rows bring it.
    const key = JSON.stringify({ run, ...state, timeNs: state.mode === "running" ? 0 : state.timeNs });
    if (key === this.#news) return;
    this.#news = key;
    const news: RigNews = { kind: "rig", run, state };
    this.#port.sendText(JSON.stringify(news));
  }
}

/** Rows from `near` on for somebody who waited for `from`: what lies between is in the frame's count. */
function encodeRowsFrom(timeline: Timeline, run: number, from: number, near: number): Uint8Array {
  const frame = encodeRows(timeline, run, near);
  const view = new DataView(frame.buffer);
  view.setFloat64(24, view.getFloat64(16, true) - from, true);
  return frame;
}

type WatcherMessage =
  | { readonly kind: "watch"; readonly run: number; readonly row: number }
  | { readonly kind: "got" }
  | { readonly kind: "act"; readonly name: string; readonly value: string };

function readMessage(text: string): WatcherMessage | null {
  if (text.length > mostMessageCharacters) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const fields = value as Readonly<Record<string, unknown>>;
  switch (fields.kind) {
    case "watch":
      return Number.isSafeInteger(fields.run) && Number.isSafeInteger(fields.row)
        ? { kind: "watch", run: Number(fields.run), row: Number(fields.row) }
        : null;
    case "got":
      return { kind: "got" };
    case "act":
      return typeof fields.name === "string" && typeof fields.value === "string"
        ? { kind: "act", name: fields.name, value: fields.value }
        : null;
    default:
      return null;
  }
}

/** All who watch one rig. */
export class Watchers {
  readonly rig: WatchedRig;
  readonly #all = new Set<Watcher>();

  constructor(rig: WatchedRig) {
    this.rig = rig;
  }

  get count(): number {
    return this.#all.size;
  }

  add(port: WatcherPort): Watcher {
    const watcher = new Watcher(this.rig, port);
    this.#all.add(watcher);
    return watcher;
  }

  remove(watcher: Watcher): void {
    this.#all.delete(watcher);
  }

  serve(): void {
    for (const watcher of this.#all) watcher.serve();
  }

  say(text: string, isRefusal: boolean): void {
    for (const watcher of this.#all) watcher.say(text, isRefusal);
  }
}
