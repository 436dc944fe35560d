// Answers for screens: the registry of a rig with the verdicts of matching, lanes of a timeline.

import { type Comparison, showProperty } from "@drydock/core/platform/match-verdict";
import type { Timeline } from "@drydock/core/trace/timeline";
import { describeRefusal } from "@drydock/core/transports/sim/iommu";
import { inputsOf, networkOf, powerOf } from "./console-views.ts";
import { DiskBook } from "./disk-book.ts";
import type { LabRun, RigRun } from "./lab-run.ts";
import { LaneColumns } from "./lane-columns.ts";
import type { IommuView, RegistryView, ViewAnswer, ViewAsk } from "./views.ts";

// Not by its class: in a page this is a script of its own, with another copy of that.
const isRig = (run: LabRun): run is RigRun => "rig" in run;

/** Never throws: what there is not is said. */
export function viewOf(run: LabRun | null, ask: ViewAsk): ViewAnswer {
  if (run === null) return { name: "none", why: "Nothing is open yet." };
  switch (ask.name) {
    case "lanes":
      return columnsOf(run).view(run, ask);
    case "iommu":
      return iommuOf(run) ?? { name: "none", why: "Nothing here is behind an IOMMU." };
    case "disk":
      return bookOf(run).view();
    case "power":
      return powerOf(run.timeline);
    case "network":
      return networkOf(run.timeline, isRig(run) ? run.rig : null);
    case "inputs":
      return isRig(run)
        ? inputsOf(run)
        : { name: "none", why: "Only a rig of the page has inputs that can be pressed." };
    case "registry":
      return isRig(run)
        ? registryOf(run)
        : {
            name: "none",
            why: "The registry of a case, or of a rig of the server, is not in this page. Open a rig of the page, or drop a dump.",
          };
  }
}

const ways = ["none", "device writes", "device reads", "both ways"];
const mostMappings = 100;

function iommuOf(run: LabRun): IommuView | null {
  const iommu = isRig(run) ? run.rig.pci?.iommu : run.dma?.iommu;
  if (iommu === undefined) return null;
  const { mappings, refusals } = iommu;
  const told = [...mappings].sort((left, right) => left.base - right.base).slice(0, mostMappings);
  return {
    name: "iommu",
    mappings: told.map(({ base, direction, lengthBytes, owner, requester }) => ({
      owner,
      requester,
      direction: ways[direction] ?? "",
      base,
      lengthBytes,
    })),
    more: mappings.size - told.length,
    refusals: refusals.map((refusal) => describeRefusal(refusal)),
    ledger: (run.dma?.text ?? "").split("\n").filter((line) => line !== ""),
  };
}

/** Of each timeline what was looked at already. */
const books = new WeakMap<Timeline, DiskBook>();

function bookOf({ timeline }: LabRun): DiskBook {
  const known = books.get(timeline) ?? new DiskBook(timeline);
  books.set(timeline, known);
  return known;
}

const columns = new WeakMap<Timeline, LaneColumns>();

function columnsOf({ timeline }: LabRun): LaneColumns {
  const known = columns.get(timeline) ?? new LaneColumns(timeline);
  columns.set(timeline, known);
  return known;
}

function registryOf({ rig: { machine } }: RigRun): RegistryView {
  return {
    name: "registry",
    timeNs: machine.scheduler.nowNs(),
    root: machine.registry.snapshot(),
    matching: machine.matchReports.map(({ candidate, nub, outcome, timeNs }) => {
      const { decidedBy, matches, reason, score } = candidate.verdict;
      return {
        timeNs,
        nub,
        bundle: candidate.installed.bundle.identifier,
        personality: candidate.personalityName,
        matches,
        score,
        reason,
        decidedBy: decidedBy === null ? "" : comparisonText(decidedBy),
        outcome,
      };
    }),
  };
}

export const comparisonText = ({ found, key, wanted }: Comparison): string =>
  `${key}: wanted ${showProperty(wanted)}, found ${showProperty(found)}`;
