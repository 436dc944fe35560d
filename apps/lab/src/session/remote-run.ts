// A rig that runs on the server, as its watcher has it: the rows that came, the newest news, a way to act.

import { serialRequestNames } from "@drydock/core/rigs/serial-rig";
import { Timeline } from "@drydock/core/trace/timeline";
import type { LabRun } from "./lab-run.ts";
import type { Opening, SharedState } from "./messages.ts";
import { decodeRows } from "./row-frames.ts";
import type { RigNews } from "./watchers.ts";

const keptBytes = 128 << 20;

/** What carries a watcher's messages: a WebSocket that has been let in. */
export interface RemoteLink {
  send(text: string): void;
  /** Text or bytes as they come; null once, when the connection has ended. */
  onMessage(take: (message: string | Uint8Array | null) => void): void;
}

export class RemoteRun implements LabRun {
  readonly opening: Opening;
  readonly describeRequests = serialRequestNames;
  timeline = new Timeline({ maximumBytes: keptBytes });
  news: Extract<RigNews, { kind: "rig" }> | null = null;
  isConnected = true;
  /** Rows that were never sent, because this side or the rig's memory was too slow. */
  lost = 0;
  timeNs = 0;
  /** Something changed. */
  onChange: () => void = () => {};
  /** It runs anew, and what came before is gone. */
  onAnew: () => void = () => {};
  onSaid: (text: string, isRefusal: boolean) => void = () => {};
  /** Sequence there minus sequence here, for the rows that came last and for those before the last gap. */
  #offset = 0;
  #offsetBefore = 0;
  #gapAt = 0;
  #run = 0;
  #next = 1;
  #link: RemoteLink;

  constructor(opening: Opening, link: RemoteLink) {
    this.opening = opening;
    this.#link = link;
    this.resume(link);
  }

  get title(): string {
    return this.news?.state.title ?? "a rig of the server";
  }

  /** Goes on over another connection, from the row after the last that came. */
  resume(link: RemoteLink): void {
    this.#link = link;
    this.isConnected = true;
    link.onMessage((message) => {
      if (link !== this.#link) return;
      if (message === null) this.isConnected = false;
      else if (typeof message === "string") this.#takeNews(message);
      else this.#takeRows(message);
      this.onChange();
    });
    link.send(JSON.stringify({ kind: "watch", run: this.#run, row: this.#next }));
  }

  act(name: string, value: string): void {
    if (!this.isConnected)
      throw new RangeError("the server does not answer: is drydock start still running?");
    // Rows have their own numbers here, once some were never sent.
    const row = name === "unplug-here" && /^\d{1,15}$/.test(value) ? Number(value) + this.#offset : null;
    this.#link.send(JSON.stringify({ kind: "act", name, value: row === null ? value : String(row) }));
  }

  /** What the server says of it, in place of what a session knows of its own. */
  sharedState(): Partial<SharedState> {
    const { isConnected, news } = this;
    if (!isConnected) return { boxes: news?.state.boxes ?? [], acts: [] };
    if (news === null) return { acts: [] };
    const { difference, timeNs } = news.state;
    const sequence = difference?.sequence;
    return {
      ...news.state,
      timeNs: Math.max(timeNs, this.timeNs),
      difference:
        difference === null || sequence == null
          ? difference
          : { ...difference, sequence: sequence - this.#offset },
    };
  }

  #takeNews(text: string): void {
    const news = JSON.parse(text) as RigNews;
    if (news.kind === "said") this.onSaid(news.text, news.isRefusal);
    else {
      this.news = news;
      this.timeNs = news.state.timeNs;
    }
  }

  #takeRows(frame: Uint8Array): void {
    const { first, lost, rows, run } = decodeRows(frame);
    if (run !== this.#run) {
      this.#run = run;
      this.timeline = new Timeline({ maximumBytes: keptBytes });
      this.onAnew();
      this.#offset = first - this.timeline.next;
      this.#offsetBefore = this.#offset;
      this.#gapAt = first;
      this.lost = first - 1;
    } else if (lost > 0) {
      this.#offsetBefore = this.#offset;
      this.#offset += lost;
      this.#gapAt = first;
      this.lost += lost;
    }
    for (const row of rows) {
      const offset = row.cause >= this.#gapAt ? this.#offset : this.#offsetBefore;
      const cause = row.cause === 0 ? 0 : Math.max(0, row.cause - offset);
      const [a, b, c, d, e] = row.fields;
      this.timeline.add(
        row.kind,
        row.timeNs,
        cause,
        row.text,
        a,
        b,
        c,
        d,
        e,
        null,
        0,
        row.bytes,
        0,
        row.bytes.length,
      );
      this.timeNs = row.timeNs;
    }
    this.#next = first + rows.length;
    this.#link.send('{"kind":"got"}');
  }
}
