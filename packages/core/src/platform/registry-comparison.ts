// Two registries beside each other: what appeared, what left, what changed.

import type { RegistrySnapshot } from "./evidence/registry-dump.ts";
import { differingKeys, type PropertyValue } from "./properties.ts";

/** An entry where it stands, without what stands on it. */
export interface PlacedEntry {
  readonly path: string;
  readonly name: string;
  readonly className: string;
  readonly id: number;
}

export interface ChangedEntry {
  readonly entry: PlacedEntry;
  /** Where and what it was, when that is not what it is. */
  readonly was: PlacedEntry;
  /** Path, name, class, states, properties: `before` or `after` is null where there is none. */
  readonly changes: readonly {
    readonly what: string;
    readonly before: PropertyValue | null;
    readonly after: PropertyValue | null;
  }[];
}

export interface RegistryComparison {
  readonly appeared: readonly PlacedEntry[];
  readonly left: readonly PlacedEntry[];
  readonly changed: readonly ChangedEntry[];
  /** Entries that are the same in both. */
  readonly same: number;
}

interface Placed extends PlacedEntry {
  readonly snapshot: RegistrySnapshot;
  readonly parent: Placed | null;
}

/** Entries in the order of the tree. A loop, as a dump may be deep. */
function placedEntries(root: RegistrySnapshot): Placed[] {
  const found: Placed[] = [];
  const waiting: { snapshot: RegistrySnapshot; parent: Placed | null }[] = [{ snapshot: root, parent: null }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { snapshot, parent } = next;
    const { className, id, location, name } = snapshot;
    const path = `${parent?.path ?? ""}/${name}${location === "" ? "" : `@${location}`}`;
    const placed: Placed = { path, name, className, id, snapshot, parent };
    found.push(placed);
    for (const child of [...snapshot.children].reverse()) waiting.push({ snapshot: child, parent: placed });
  }
  return found;
}

/**
 * Entries are the same by place and class; of the rest by registry id, class, and name or place (renamed, or moved); of the rest by place (its
 * class changed). Ids themselves are not compared: they are another boot's. Nor are counts of references and times of being busy.
 */
export function compareRegistries(before: RegistrySnapshot, after: RegistrySnapshot): RegistryComparison {
  let old = placedEntries(before);
  let now = placedEntries(after);
  const pairs: { was: Placed; is: Placed }[] = [];
  const pair = (
    keyOf: (entry: Placed) => string | null,
    isSame: (was: Placed, is: Placed) => boolean = () => true,
  ): void => {
    const waiting = new Map<string, Placed[]>();
    for (const entry of old) {
      const key = keyOf(entry);
      if (key === null) continue;
      const list = waiting.get(key) ?? [];
      waiting.set(key, list);
      list.push(entry);
    }
    const paired = new Set<Placed>();
    for (const list of waiting.values()) list.reverse();
    for (const is of now) {
      const key = keyOf(is);
      const list = key === null ? undefined : waiting.get(key);
      const was = list?.at(-1);
      if (was === undefined || !isSame(was, is)) continue;
      list?.pop();
      pairs.push({ was, is });
      paired.add(was).add(is);
    }
    old = old.filter((entry) => !paired.has(entry));
    now = now.filter((entry) => !paired.has(entry));
  };
  pair(({ path, className, id }) => `${path} ${className} ${id}`);
  pair(({ path, className }) => `${path} ${className}`);
  pair(
    ({ className, id }) => (id === 0 ? null : `${className} ${id}`),
    (was, is) =>
      was.name === is.name ||
      (was.snapshot.location === is.snapshot.location && was.parent?.path === is.parent?.path),
  );
  pair(({ path }) => path);
  const earlier = new Map(pairs.map(({ was, is }) => [is, was]));
  const changed = pairs.flatMap(({ was, is }) => {
    const isMoved = is.parent !== null && was.parent !== null && earlier.get(is.parent) !== was.parent;
    const changes = changesOf(was, is, isMoved);
    return changes.length === 0 ? [] : [{ entry: plain(is), was: plain(was), changes }];
  });
  return {
    appeared: now.map(plain),
    left: old.map(plain),
    changed,
    same: pairs.length - changed.length,
  };
}

function plain({ path, name, className, id }: Placed): PlacedEntry {
  return { path, name, className, id };
}

/** `isMoved`: it stands on another entry now; one that stands on an entry that moved or was renamed has not moved itself. */
function changesOf(was: Placed, is: Placed, isMoved: boolean): ChangedEntry["changes"] {
  const [left, right] = [was.snapshot, is.snapshot];
  const compared: readonly (readonly [string, PropertyValue, PropertyValue])[] = [
    ["name", left.name, right.name],
    ["location", left.location, right.location],
    ...(isMoved ? [["place", was.parent?.path ?? "", is.parent?.path ?? ""] as const] : []),
    ["class", left.className, right.className],
    ["registered", left.registered, right.registered],
    ["matched", left.matched, right.matched],
    ["active", left.active, right.active],
    ["busy", left.busy, right.busy],
  ];
  const states = compared
    .filter(([, before, after]) => before !== after)
    .map(([what, before, after]) => ({ what, before, after }));
  const properties = differingKeys(left.properties, right.properties).map((key) => ({
    what: `"${key}"`,
    before: left.properties[key] ?? null,
    after: right.properties[key] ?? null,
  }));
  return [...states, ...properties];
}
