// The recorder of a machine: its rows go to the timeline, dated by its clock, caused by what the clock carries.

import type { Clock } from "../base/clock.ts";
import type { Recorder, TimelineKind } from "../ports/recorder.ts";
import type { Timeline } from "./timeline.ts";

export class TimelineRecorder implements Recorder {
  readonly timeline: Timeline;
  readonly #clock: Clock;

  constructor(timeline: Timeline, clock: Clock) {
    this.timeline = timeline;
    this.#clock = clock;
  }

  record(kind: TimelineKind, text: string, a = 0, b = 0, c = 0): number {
    const clock = this.#clock;
    return this.timeline.add(kind, clock.nowNs(), clock.cause, text, a, b, c);
  }
}
