// Memory after a storm of connections: given back to the host, which V8 and malloc do not do by themselves for long.

import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Fewer connections than this at once are no storm. */
const stormConnections = 100;
/** How long it has to be quiet before. */
const quietMs = 1500;

/** Told how many connections there are; when most of a storm has gone, `giveBack` is called once. */
export class StormWatch {
  readonly #giveBack: () => void;
  #most = 0;
  #count = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(giveBack: () => void = giveMemoryBack) {
    this.#giveBack = giveBack;
  }

  changed(count: number): void {
    this.#count = count;
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
    this.#giveBack();
  };
}

let collect: (() => void) | null = null;

/** One full collection, and on Linux malloc_trim(3): some tens of milliseconds. */
function giveMemoryBack(): void {
  setFlagsFromString("--expose-gc");
  collect ??= runInNewContext("gc") as () => void;
  collect();
  if (process.platform !== "linux") return;
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    koffi.load(null).func("int malloc_trim(size_t pad)")(0);
  } catch {
    // musl has no malloc_trim, and gives memory back by itself.
  }
}
