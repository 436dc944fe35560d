// A run of a campaign that is looked at: the same run, and the timeline that its rig kept.

import type { Clock } from "../base/clock.ts";
import type { AccessFault } from "../faults/access-faults.ts";
import { CountedRun } from "../faults/counted-run.ts";
import type { PciHostPort } from "../ports/pci-host.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import { type HostTurn, Scheduler } from "../runtime/scheduler.ts";
import type { Timeline } from "../trace/timeline.ts";
import { TimelineRecorder } from "../trace/timeline-recorder.ts";
import { runWithFaults } from "./access-campaign.ts";
import type { CampaignResult } from "./campaign-book.ts";
import type { Explorable } from "./explorables.ts";

class WatchedRun extends CountedRun {
  override readonly isShown = true;
  timeline: Timeline | null = null;

  override usb(port: UsbHostPort, clock: Clock): UsbHostPort {
    this.#see(clock);
    return super.usb(port, clock);
  }

  override pci(port: PciHostPort, clock: Clock): PciHostPort {
    this.#see(clock);
    return super.pci(port, clock);
  }

  #see(clock: Clock): void {
    if (clock instanceof Scheduler && clock.recorder instanceof TimelineRecorder)
      this.timeline = clock.recorder.timeline;
  }
}

export interface ShownRun {
  readonly result: CampaignResult;
  /** Null: its rig has none. */
  readonly timeline: Timeline | null;
}

export async function showRun(
  entry: Explorable,
  seed: number,
  turn: HostTurn,
  faults: readonly AccessFault[],
): Promise<ShownRun> {
  const access = new WatchedRun(faults);
  const result = await runWithFaults(entry, seed, turn, faults, access);
  return { result, timeline: access.timeline };
}
