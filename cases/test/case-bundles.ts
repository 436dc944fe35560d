// What a person has at hand after each case's run, as files whose names say nothing, and the rule that names the case.

import { Random } from "@drydock/core/base/random";
import { type EvidenceSource, sourceOfText } from "@drydock/doctor/facts/evidence-source";
import { hostTurn } from "@drydock/node/host-turn";
import { evidenceOfRun } from "../case-report.ts";
import { findCase } from "../casebook.ts";
import type { CaseRun } from "../driver-case.ts";

export const bundleOptions = { seed: 1, turn: hostTurn };

/** How the person collected the log: P17's fault lies there. */
const words: Readonly<Record<string, string>> = {
  P07: "How can we block all USB storage and headsets on our Macs with DriverKit?",
  P17: 'log show --last 5m | grep "org.drydock.ping"',
};

/** The surest answer's rule for the bad side of each. */
export const rulesOfCases: Readonly<Record<string, string>> = {
  P01: "DR01-1",
  P02: "DR02-1",
  P03: "DR03-1",
  P04: "DR04-1",
  P05: "DR04-5",
  P06: "DR06-1",
  P07: "DR07-1",
  P08: "DR08-2",
  P09: "DR09-2",
  P10: "DR10-2",
  P11: "DR11-1",
  P12: "DR12-1",
  P13: "DR13-4",
  P14: "DR14-1",
  P15: "DR15-1",
  P16: "DR16-6",
  P17: "DR17-2",
  P18: "DR18-7",
  P19: "DR19-1",
  P20: "DR20-1",
};

export async function bundleOf(id: string, side: "bad" | "good"): Promise<EvidenceSource[]> {
  return bundleOfRun(id, await findCase(id).run(side, bundleOptions));
}

export function bundleOfRun(id: string, run: CaseRun): EvidenceSource[] {
  const random = new Random(Number(id.slice(1)));
  const name = () => random.next32().toString(16);
  return [
    ...evidenceOfRun(run, name),
    // What the person saw, in the rig's words.
    ...(id === "P13" || id === "P19" ? [sourceOfText(name(), run.result)] : []),
    ...(words[id] === undefined ? [] : [sourceOfText(name(), words[id])]),
  ];
}
