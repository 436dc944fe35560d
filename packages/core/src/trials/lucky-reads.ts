// The race report: register reads round a link's death that did not panic, and how near they were.

import { hex } from "../base/text.ts";
import { formatNs } from "../base/units.ts";
import type { IOPCIDevice } from "../families/pci/io-pci-device.ts";
import { describeRead } from "../families/pci/pci-reads.ts";
import type { PciRigParts } from "../rigs/pci-rig.ts";

export interface LuckyRead {
  /** "BAR0+0x8 by P14Driver::TimerOccurred_Impl". */
  readonly what: string;
  /** Nanoseconds by which it missed the dead link; negative: it was made while the link was down. */
  readonly missedByNs: number;
  /** True for a load that found the link dead, on a platform where that is no panic. */
  readonly isInDeadLink: boolean;
}

/** A read this near before the death of the link would have hit it with other luck. */
const nearNs = 2_000_000;

/**
 * `devices`: every nub that was there, gone ones too. Loads on a dead link come first; then, by call site, the read that
 * came nearest before a death.
 */
export function luckyReads(rig: PciRigParts, devices: readonly IOPCIDevice[]): LuckyRead[] {
  const found: LuckyRead[] = rig.family.deadLinkLoads
    .filter(({ isPanic }) => !isPanic)
    .map((load) => {
      const death = rig.pci.bus.deaths.findLast(({ diedNs }) => diedNs <= load.timeNs);
      const caller = load.stack.findLast((entry) => !entry.includes(" ")) ?? load.thread;
      return {
        what: `BAR${load.barIndex}+0x${hex(load.offset)} by ${caller}`,
        missedByNs: (death?.diedNs ?? load.timeNs) - load.timeNs,
        isInDeadLink: true,
      };
    });
  const nearest = new Map<string, number>();
  for (const { diedNs } of rig.pci.bus.deaths) {
    for (const device of devices) {
      for (const read of device.reads.recent()) {
        const missed = diedNs - read.timeNs;
        if (missed < 0 || missed > nearNs) continue;
        const what = describeRead(read);
        nearest.set(what, Math.min(missed, nearest.get(what) ?? Number.POSITIVE_INFINITY));
      }
    }
  }
  for (const [what, missedByNs] of nearest) found.push({ what, missedByNs, isInDeadLink: false });
  return found;
}

export function describeLuckyRead(read: LuckyRead): string {
  return read.isInDeadLink
    ? `${read.what}: read ${formatNs(-read.missedByNs)} after the link had died; Apple silicon panics there`
    : `${read.what}: missed the dead link, and the panic, by ${formatNs(read.missedByNs)}`;
}
