// A registry dump of somebody's as the tree that it shows, for those who draw it or compare it with another.

import type { RegistrySnapshot } from "@drydock/core/platform/evidence/registry-dump";
import type { EvidenceSource } from "../facts/evidence-source.ts";
import type { RegistryEntry } from "../facts/registry-entry.ts";
import { collectEvidence } from "./collect.ts";
import type { Evidence } from "./evidence.ts";

export interface RegistryDump {
  readonly root: RegistrySnapshot;
  readonly entries: number;
  /** Sentences for a person: what could not be read. */
  readonly problems: readonly string[];
}

/** What there is of a registry: its entries, or the USB devices of a listing, which stand in one. */
export function entriesOf(evidence: Evidence): RegistryEntry[] {
  const entries = evidence.facts("registry-entry");
  return (entries.length > 0 ? entries : evidence.facts("usb-listing")).map(({ value }) => value);
}

/** `ioreg -l`, `ioreg -a`, `system_profiler SPUSBDataType`, a paste of one, or an archive that holds one. Throws RangeError for what is no registry. */
export async function readRegistryDump(source: EvidenceSource): Promise<RegistryDump> {
  const evidence = await collectEvidence([source], []);
  const entries = entriesOf(evidence);
  const problems = evidence.files.flatMap(({ name, problems: said }) =>
    said.map((text) => `${name} ${text}`),
  );
  if (entries.length === 0)
    throw new RangeError(
      `${source.name} holds no registry: make one with "ioreg -l -w0 > ioreg.txt" or "ioreg -a > ioreg.plist"${problems.length === 0 ? "" : ` (${problems[0]})`}`,
    );
  return { root: snapshotOf(entries, source.name), entries: entries.length, problems };
}

/** Entries as a tree. A dump of several trees, or a fragment, gets a root that says so. */
export function snapshotOf(entries: readonly RegistryEntry[], title: string): RegistrySnapshot {
  const made = new Map<RegistryEntry, RegistrySnapshot & { readonly children: RegistrySnapshot[] }>();
  const roots: RegistrySnapshot[] = [];
  for (const entry of entries) {
    const snapshot = { ...plain(entry), children: [] };
    made.set(entry, snapshot);
    const above = entry.parents.at(-1);
    const parent = above === undefined ? undefined : made.get(above);
    (parent?.children ?? roots).push(snapshot);
  }
  if (roots.length === 1) return roots[0];
  return { ...plain(noEntry), name: title, children: roots };
}

const noEntry: Omit<RegistryEntry, "parents" | "placeOf"> = {
  name: "",
  location: "",
  className: "",
  id: 0,
  state: "",
  properties: {},
};

/** What a fragment does not say of an entry's states is taken for what is usual. */
function plain({
  name,
  location,
  className,
  id,
  state,
  properties,
}: Omit<RegistryEntry, "parents" | "placeOf">): Omit<RegistrySnapshot, "children"> {
  const number = (pattern: RegExp): number => Number(pattern.exec(state)?.[1] ?? 0);
  const has = (word: string): boolean => state.split(/, ?/).includes(word);
  return {
    name,
    location,
    className,
    id,
    registered: !has("!registered"),
    matched: !has("!matched"),
    active: !has("inactive"),
    busy: number(/\bbusy (\d{1,9})/),
    busyMs: number(/\((\d{1,12}) ms\)/),
    retain: number(/\bretain (\d{1,9})/),
    properties,
  };
}
