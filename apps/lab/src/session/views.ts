// What screens ask of a session besides rows, and what they get: plain objects, as every message is.

import type { RegistrySnapshot } from "@drydock/core/platform/evidence/registry-dump";
import type { RowCells } from "./shown-row.ts";

export type ViewAsk =
  | { readonly name: "registry" | "iommu" | "disk" | "power" | "network" | "inputs" }
  | LanesAsk;

/** Of a block, as far as the wire shows it; a higher number is graver. */
export const BlockState = {
  flushed: 1,
  /** Written, and no flush has ended since. */
  dirty: 2,
  /** It was dirty when the disk lost its power, and nobody has read it since. */
  cut: 3,
  /** Read, and it did not hold what was written. */
  lost: 4,
} as const;

export interface DiskMap {
  readonly title: string;
  readonly isThere: boolean;
  /** Null: nobody asked it. */
  readonly blockBytes: number | null;
  readonly blockCount: number | null;
  /** First block of the first cell, blocks of one cell, and the gravest state in each; 0: never written. */
  readonly from: number;
  readonly perCell: number;
  readonly cells: Uint8Array;
  /** In blocks. */
  readonly counts: Readonly<Record<keyof typeof BlockState, number>>;
  /** Runs that are not on the medium for certain, in order. */
  readonly runs: readonly { readonly from: number; readonly blocks: number; readonly state: number }[];
  readonly flushCount: number;
  /** The newest flushes that reached it. */
  readonly flushes: readonly { readonly sequence: number; readonly timeNs: number; readonly text: string }[];
  readonly cuts: number;
  /** More was written than contents are kept of: a lost block may not be seen. */
  readonly isForgetful: boolean;
}

/** Disks as their wire shows them: SCSI over USB. */
export interface DiskView {
  readonly name: "disk";
  /** Rows that were not looked at yet: ask again. */
  readonly left: number;
  /** False: the timeline gave up rows, and what was written before them is not in the map. */
  readonly isWhole: boolean;
  readonly disks: readonly DiskMap[];
}

/** A change of power, as the kernel's clock saw it. */
export interface PowerChange {
  readonly sequence: number;
  readonly timeNs: number;
  readonly service: string;
  readonly from: number;
  readonly to: number;
  /** Null: never acknowledged. */
  readonly tookNs: number | null;
  readonly budgetNs: number;
  readonly by: string;
}

export interface PowerView {
  readonly name: "power";
  /** The newest ones, in order. */
  readonly changes: readonly PowerChange[];
  /** Older ones that are not told. */
  readonly more: number;
}

/** One cable or interface, and what passed. */
export interface NetworkLine {
  readonly title: string;
  readonly state: string;
  readonly sentFrames: number;
  readonly sentBytes: number;
  readonly receivedFrames: number;
  readonly receivedBytes: number;
  /** Null where nobody counts: on a cable. */
  readonly lostFrames: number | null;
  readonly droppedFrames: number | null;
}

export interface NetworkView {
  readonly name: "network";
  readonly interfaces: readonly NetworkLine[];
  readonly cables: readonly NetworkLine[];
  /** Frames on all cables in each of the last parts of a second of the rig's time, the newest last. */
  readonly rates: readonly number[];
  readonly partNs: number;
}

export interface InputsView {
  readonly name: "inputs";
  readonly inputs: readonly {
    readonly title: string;
    readonly isGone: boolean;
    readonly events: number;
    /** The newest ones, as sentences. */
    readonly told: readonly string[];
    /** What is down now. */
    readonly down: readonly string[];
  }[];
}

/** What functions may reach of memory, and what they were refused. */
export interface IommuView {
  readonly name: "iommu";
  readonly mappings: readonly {
    readonly owner: string;
    readonly requester: string;
    /** "device reads", "device writes", "both ways". */
    readonly direction: string;
    /** First bus address. */
    readonly base: number;
    readonly lengthBytes: number;
  }[];
  /** Mappings beyond those that are told. */
  readonly more: number;
  /** Sentences, the newest last. */
  readonly refusals: readonly string[];
  /** What became of the bytes, where a case's bench wrote it down. */
  readonly ledger: readonly string[];
}

/** A span of virtual nanoseconds, in so many parts; `toNs` no later than `fromNs`: all that there is. */
export interface LanesAsk {
  readonly name: "lanes";
  readonly fromNs: number;
  readonly toNs: number;
  readonly pixels: number;
}

/** One lane over the span; each column has a number for each pixel. */
export interface LaneView {
  readonly group: string;
  readonly name: string;
  /** In the span. */
  readonly rows: number;
  /** The text of its first row there. */
  readonly text: string;
  readonly counts: Uint32Array;
  readonly bad: Uint32Array;
  /** The part of the pixel's time that transfers took, up to 1. */
  readonly busy: Float32Array;
  /** Sequence of the first row; 0 where there is none. */
  readonly first: Float64Array;
}

export interface LanesView {
  readonly name: "lanes";
  /** All that there is. */
  readonly firstNs: number;
  readonly lastNs: number;
  /** The span that is told. */
  readonly fromNs: number;
  readonly toNs: number;
  /** Rows that were not looked at yet: ask again. */
  readonly left: number;
  readonly lanes: readonly LaneView[];
  /** The first rows of the span. */
  readonly rows: readonly { readonly lane: string; readonly cells: RowCells }[];
  readonly rowsInSpan: number;
}

/** One personality that was judged against an entry. */
export interface MatchLine {
  readonly timeNs: number;
  /** The entry's path. */
  readonly nub: string;
  readonly bundle: string;
  readonly personality: string;
  readonly matches: boolean;
  readonly score: number;
  readonly reason: string;
  /** The comparison that decided, where one did: "idVendor: wanted 1027 (0x0403), found 1659 (0x067b)". */
  readonly decidedBy: string;
  /** `started`, or what stood in the way. */
  readonly outcome: string;
}

export interface RegistryView {
  readonly name: "registry";
  readonly timeNs: number;
  readonly root: RegistrySnapshot;
  readonly matching: readonly MatchLine[];
}

export type ViewAnswer =
  | DiskView
  | PowerView
  | NetworkView
  | InputsView
  | LanesView
  | IommuView
  | RegistryView
  /** Why there is nothing, for people. */
  | { readonly name: "none"; readonly why: string };
