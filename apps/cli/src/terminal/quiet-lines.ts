// At most one line a second about connections, however many come: none is lost unsaid, a flood is a number.

import type { Clock } from "@drydock/core/base/clock";
import { second } from "@drydock/core/base/units";

export interface QuietLines {
  /** At once where a second has passed since the last line; else when it has, with how many came meanwhile. */
  say(text: string): void;
  /** What still waits is said now. */
  end(): void;
}

export function quietLines(say: (text: string) => void, clock: Clock): QuietLines {
  let freeAtNs = Number.NEGATIVE_INFINITY;
  let waiting: string | null = null;
  let untold = 0;
  const show = (): void => {
    if (waiting === null) return;
    const text = untold === 0 ? waiting : `${waiting}  (and ${untold} more like it in between)`;
    waiting = null;
    untold = 0;
    freeAtNs = clock.nowNs() + second;
    say(text);
  };
  return {
    say: (text) => {
      if (waiting !== null) untold++;
      const isFirst = waiting === null;
      waiting = text;
      const nowNs = clock.nowNs();
      if (nowNs >= freeAtNs) show();
      else if (isFirst) clock.after(freeAtNs - nowNs, show, undefined);
    },
    end: show,
  };
}
