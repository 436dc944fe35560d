// One run of a campaign as the lab shows it: it has run, with its faults, and its rows are read.

import type { DescribeRequest } from "@drydock/core/codec/usb/setup";
import { describeFault } from "@drydock/core/faults/access-faults";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import { Timeline } from "@drydock/core/trace/timeline";
import type { FirstFound } from "@drydock/core/trials/campaign-book";
import { explorables } from "@drydock/core/trials/explorables";
import { parseAccessFault } from "@drydock/core/trials/fault-plan";
import { showRun } from "@drydock/core/trials/shown-run";
import type { EndedRun } from "./lab-run.ts";
import type { Opening } from "./messages.ts";
import { campaignPrefix } from "./opened-names.ts";

/** Behind the lab's page; null for a rig that no campaign of the lab has, a file of somebody's. */
export function campaignAddress(
  rig: string,
  { faults, seed }: Pick<FirstFound, "faults" | "seed">,
): string | null {
  if (!explorables.some(({ name }) => name === rig)) return null;
  const fields = new URLSearchParams({ seed: String(seed) });
  for (const fault of faults) fields.append("fault", describeFault(fault));
  return `#/trace/${campaignPrefix}${rig}?${fields}`;
}

/** Throws RangeError for a rig or a fault that there is none of. */
export async function playCampaignRun(opening: Opening, turn: HostTurn): Promise<EndedRun> {
  const name = opening.what.slice(campaignPrefix.length);
  const entry = explorables.find((known) => known.name === name);
  if (entry === undefined) throw new RangeError(`there is no rig "${name.slice(0, 40)}" for campaigns`);
  const faults = opening.faults.map(parseAccessFault);
  const { result, timeline } = await showRun(entry, opening.seed, turn, faults);
  const { isFired, outcome, problems } = result;
  const said = problems.length === 0 ? `${outcome}; every contract was kept` : problems.join("; ");
  return {
    opening,
    title: `${name}: ${entry.summary}; ${opening.faults.join(", ") || "no fault"}, seed ${opening.seed}`,
    timeline: timeline ?? new Timeline(),
    describeRequests: [] satisfies DescribeRequest[],
    result: {
      succeeded: problems.length === 0 && isFired,
      text: isFired ? said : `${said}; a fault did not strike, which proves nothing`,
    },
    digest: "",
    ledger: null,
    unplugSteps: 0,
    causes: [],
    evidence: [],
  };
}
