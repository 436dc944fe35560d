// At most one line a second about connections, however many come: none is lost unsaid, a flood is a number.

import type { Clock } from "@drydock/core/base/clock";
import { second } from "@drydock/core/base/units";

export interface QuietLines {
  /** At once where a second has passed since the last line; else when it has, with what else came meanwhile, or how many. */
  say(text: string): void;
  /** What still waits is said now. */
  end(): void;
}

/** So many that came within a second stand in one line, word for word. */
const joinedMaximum = 6;

export function quietLines(say: (text: string) => void, clock: Clock): QuietLines {
  let freeAtNs = Number.NEGATIVE_INFINITY;
  let waiting: string[] = [];
  let untold = 0;
  const show = (): void => {
    const last = waiting.at(-1);
    if (last === undefined) return;
    const isFlood = waiting.length > joinedMaximum;
    const text = isFlood ? `${last}  (and ${untold} more like it in between)` : joined(waiting);
    waiting = [];
    untold = 0;
    freeAtNs = clock.nowNs() + second;
    say(text);
  };
  return {
    say: (text) => {
      const isFirst = waiting.length === 0;
      if (!isFirst) untold++;
      // Of a flood only the last is told: no more than one too many is kept.
      if (waiting.length <= joinedMaximum) waiting.push(text);
      else waiting[joinedMaximum] = text;
      // Who waits has its time: shown now, it would leave that to the next one, which then came too early.
      if (!isFirst) return;
      const nowNs = clock.nowNs();
      if (nowNs >= freeAtNs) show();
      else clock.after(freeAtNs - nowNs, show, undefined);
    },
    end: show,
  };
}

function joined([first, ...others]: readonly string[]): string {
  return [first, ...others.map((text) => text.trimStart())].join("; ");
}
