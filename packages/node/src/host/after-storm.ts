// Memory in a storm of connections and after it: not taken without need, and given back when it is over.

import type { Server } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";

/** Fewer connections than this at once are no storm. */
const stormConnections = 100;
/** How long it has to be quiet before. */
const quietMs = 1500;

export interface StormMemory {
  /** A storm has begun. */
  hold(): void;
  /** Most of it has gone. */
  giveBack(): void;
}

/** Told how many connections there are; `memory` hears once of each storm's beginning and end. */
export class StormWatch {
  readonly #memory: StormMemory;
  #most = 0;
  #count = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(memory: StormMemory = memoryOfV8) {
    this.#memory = memory;
  }

  changed(count: number): void {
    this.#count = count;
    if (count >= stormConnections && this.#most < stormConnections) this.#memory.hold();
    this.#most = Math.max(this.#most, count);
    if (this.#timer !== null) {
      // It is still blowing: quiet is counted from the last change.
      if (this.#isOver()) this.#timer.refresh();
      return;
    }
    if (this.#isOver()) this.#timer = setTimeout(this.#calm, quietMs).unref();
  }

  #isOver(): boolean {
    return this.#most >= stormConnections && this.#count <= this.#most / 4;
  }

  readonly #calm = (): void => {
    this.#timer = null;
    if (!this.#isOver()) return;
    this.#most = this.#count;
    this.#memory.giveBack();
  };
}

/** V8's own, as its extension gc takes it. */
type Collect = (how: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;
let collect: Collect | null = null;

/** For servers that are not ours: Node's HTTP server. */
export function watchStorms(server: Server): void {
  const watch = new StormWatch();
  let count = 0;
  server.on("connection", (socket) => {
    watch.changed(++count);
    socket.once("close", () => watch.changed(--count));
  });
}

const memoryOfV8: StormMemory = {
  /** The room for young objects grows no more: many short connections would make it 64 MiB. */
  hold: () => setFlagsFromString("--semi-space-growth-factor=1"),
  /**
   * A collection as where memory has run out, which alone makes that room small again, and on Linux malloc_trim(3): some
   * tens of milliseconds.
   */
  giveBack: () => {
    setFlagsFromString("--semi-space-growth-factor=2");
    setFlagsFromString("--expose-gc");
    collect ??= runInNewContext("gc") as Collect;
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
    trimMemory();
  },
};

/** Gives free memory back to the host. By another thread: it takes long enough for clients to notice. */
export function trimMemory(): void {
  if (process.platform !== "linux") return;
  const worker = new Worker(new URL("./malloc-trim.ts", import.meta.url));
  // Where there is no koffi, or musl has no malloc_trim, memory stays as it is.
  worker.on("error", () => {});
  worker.unref();
}
