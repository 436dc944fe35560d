// What a case is: a problem from the forum as a pair of drivers, one wrong, one right, and what a run of each leaves.

import type { DescribeRequest } from "@drydock/core/codec/usb/setup";
import type { EvidenceFile } from "@drydock/core/platform/evidence/evidence-file";
import type { BundleFile } from "@drydock/core/platform/evidence/signed-bundle";
import type { LogRow } from "@drydock/core/platform/log-row";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import type { Timeline } from "@drydock/core/trace/timeline";
import type { UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import type { SimIommu } from "@drydock/core/transports/sim/iommu";
import type { FlushStory } from "@drydock/core/trials/durability-prover";

export type Side = "bad" | "good";

export interface CaseOptions {
  readonly seed: number;
  readonly turn: HostTurn;
}

/** What a case's bench knows of memory that its device reached, or did not. */
export interface DmaStory {
  /** Ranges and refused accesses, as they stand at the end. */
  readonly iommu: Pick<SimIommu, "mappings" | "refusals">;
  /** What became of the bytes, a line each. */
  readonly text: string;
}

/** What one driver of a case did. */
export interface CaseRun {
  /** True when the driver did what its user wanted. A case is sound when bad is false and good is true. */
  readonly succeeded: boolean;
  /** One sentence: the result, and the true reason for a failure. */
  readonly result: string;
  /** The wire, where the case has one. */
  readonly trace: UsbTraceLog | null;
  /** Everything that was recorded, where the case keeps it: what tells runs apart whose wires are equal. */
  readonly timeline?: Timeline;
  readonly log: readonly LogRow[];
  /** What became of flushes, layer by layer, and the layer that swallowed one. Default: the case has no disk. */
  readonly ledger?: FlushStory;
  /** What became of DMA, where the case's bench wrote it down. Default: nothing did. */
  readonly dma?: DmaStory;
  /** Further files that a person would have at hand: a panic report, a registry, an opcode log, a signed bundle. Default: none. */
  readonly evidence?: readonly (EvidenceFile | BundleFile)[];
}

/** Several causes of the same symptom, each of them a wrong driver of its own. */
export interface CauseBench {
  readonly names: readonly string[];
  /** `name` is one of them. */
  run(name: string, options: CaseOptions): Promise<CaseRun>;
}

/** One bring-up whose cable is pulled before a step of the scheduler. */
export interface UnplugBench {
  /** Steps that there are, when nobody pulls it. */
  steps(side: Side, options: CaseOptions): Promise<number>;
  /** `step`: from 1. */
  run(side: Side, options: CaseOptions, step: number): Promise<CaseRun>;
}

export interface DriverCase {
  /** As in the forum list: "P02". */
  readonly id: string;
  readonly title: string;
  /** One sentence: what went wrong for the person who asked. */
  readonly symptom: string;
  /** One sentence: why. */
  readonly cause: string;
  readonly describeRequests: readonly DescribeRequest[];
  run(side: Side, options: CaseOptions): Promise<CaseRun>;
  /** The case with its cable pulled before any one step, for those in which the moment decides. */
  readonly unplug?: UnplugBench;
  /** The wrong driver with each of its possible causes, where one symptom has several. */
  readonly causes?: CauseBench;
  /** All the ways that the case's device can behave, and where each ends: lines for people, as they come. */
  explore?(options: CaseOptions): AsyncGenerator<string>;
}
