// DR15-1: the panic "setPowerState(...) timed out after N ms": who ran out of which budget, in which transition.

import { watch } from "../../evidence/watch.ts";
import type { Place } from "../../facts/evidence-source.ts";
import type { Finding, Rule } from "../rule.ts";

const late = watch(
  ["setPowerState("],
  /(\w{1,200})::setPowerState\((0x[0-9a-fA-F]{1,16})(?: : (0x[0-9a-fA-F]{1,16}))?, (\d{1,3}) -> (\d{1,3})\) timed out after (\d{1,9}) ms/,
);

export const powerNotAcknowledged: Rule = {
  id: "DR15-1",
  title: "A power transition was not acknowledged within the kernel's time",
  severity: "error",
  certainty: "established",
  source: "xnu-11417 IOServicePM (20 000 000 us for a dext since 10.15, 10 s floor otherwise)",
  needs: ["panic report", "log"],
  why: "When a dext answers SetPowerState with success, the kernel waits exactly 20 s for the acknowledgement, which is the call to super's SetPowerState. On expiry it panics, because the code that controls a dext is always Apple's. No setting changes that; longer times that a class driver asks for are discarded.",
  fix: [
    "Call super's SetPowerState (SUPERDISPATCH) on every path, exactly once.",
    "Do not wait inside SetPowerState: acknowledge, continue the device's work afterwards, and hold I/O with BUSY or NOT READY 2/04/01 until it is done.",
    "Make the slow command fast: START STOP UNIT with IMMED before the transition, and a regular SYNCHRONIZE CACHE so that the flush is short.",
  ],
  who: "you",
  watches: [late],
  judge(evidence) {
    const findings: Finding[] = [];
    for (const { place, match } of evidence.hits(late)) findings.push(judgeLine(place, match));
    return findings;
  },
};

function judgeLine(place: Place, match: RegExpExecArray): Finding {
  const [, className, , , from, to] = match;
  const milliseconds = Number(match[6]);
  const [budget, score, isDext] = budgetOf(milliseconds);
  const reason = isDext
    ? transitionOf(Number(from), Number(to))
    : "the kernel driver behind this class did not finish";
  return {
    score,
    claim: `${className} went from power state ${from} to ${to} and did not acknowledge within ${budget} (${milliseconds} ms): ${reason}.`,
    because: [place],
    ...(isDext ? {} : kernelDriver),
    missing: ["the driver's SetPowerState, and whether it happens soon after load or only at sleep and wake"],
    about: [className],
  };
}

/** The kernel counts in ticks of 100 ms, so the figure is above the budget by up to two seconds. */
function budgetOf(milliseconds: number): [budget: string, score: number, isDext: boolean] {
  if (milliseconds >= 20_000 && milliseconds < 22_500) return ["a dext's 20 s", 95, true];
  if (milliseconds >= 10_000 && milliseconds < 11_500)
    return ["the 10 s that a kernel driver gets at least", 80, false];
  if (milliseconds >= 30_000 && milliseconds < 32_500) return ["30 s of a class driver", 75, false];
  if (milliseconds >= 100_000 && milliseconds < 102_500) return ["100 s of the SCSI class driver", 75, false];
  return ["its time", 60, false];
}

/** No dext is late here, so the rule's own words do not fit. */
const kernelDriver = {
  why: "A driver in the kernel answers a power change with the time that it needs, at least 10 s, and was still not done when that was over. The class and the two states say which device; a kernel extension that is not Apple's is the first suspect.",
  fix: [
    "Look for the class in ioreg -l -w0: its device, and the kernel extension that brings it.",
    "Update or remove that extension, or leave the device unplugged, and try the same transition again.",
  ],
} as const;

function transitionOf(from: number, to: number): string {
  if (from === 0 && to > 0) return "coming up from off, super's SetPowerState was probably never called";
  if (from > to) return "going down, the flush or the spin-down took too long";
  return "waking up, the spin-up took too long";
}
