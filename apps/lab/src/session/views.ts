// What screens ask of a session besides rows, and what they get: plain objects, as every message is.

import type { RegistrySnapshot } from "@drydock/core/platform/evidence/registry-dump";
import type { RowCells } from "./shown-row.ts";

export type ViewAsk = { readonly name: "registry" } | { readonly name: "iommu" } | LanesAsk;

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
  | LanesView
  | IommuView
  | RegistryView
  /** Why there is nothing, for people. */
  | { readonly name: "none"; readonly why: string };
