// What screens ask of a session besides rows, and what they get: plain objects, as every message is.

import type { RegistrySnapshot } from "@drydock/core/platform/evidence/registry-dump";

export type ViewAsk = { readonly name: "registry" };

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
  | RegistryView
  /** Why there is nothing, for people. */
  | { readonly name: "none"; readonly why: string };
