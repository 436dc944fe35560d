// Registries as lines of a tree: a rig's as it lives, dumps that were dropped, and two of them beside each other.

import { classChainOf } from "@drydock/core/platform/class-chains";
import { formatTreeValue, type RegistrySnapshot } from "@drydock/core/platform/evidence/registry-dump";
import { matchPersonality } from "@drydock/core/platform/matching";
import type { Properties, PropertyValue } from "@drydock/core/platform/properties";
import { compareRegistries } from "@drydock/core/platform/registry-comparison";
import { comparisonText } from "./session-views.ts";
import type { MatchLine, RegistryView } from "./views.ts";

/** What is said of an entry in its line; "" where nothing is. */
export type TreeMark = "" | "new" | "gone" | "changed";

export interface TreeLine {
  readonly depth: number;
  readonly name: string;
  readonly className: string;
  readonly hasChildren: boolean;
  readonly mark: TreeMark;
  /** Behind the name: when it went, states that are unusual. */
  readonly note: string;
}

export interface TreeView {
  readonly title: string;
  readonly lines: readonly TreeLine[];
  /** Of two that are compared. */
  readonly counts: {
    readonly appeared: number;
    readonly left: number;
    readonly changed: number;
    readonly same: number;
  } | null;
}

export interface EntryView {
  readonly path: string;
  readonly states: string;
  /** Key, value, and the value before where it was another; null: it was not there. */
  readonly rows: readonly {
    readonly key: string;
    readonly value: string;
    readonly before?: string | null;
  }[];
  /** Personalities that were judged here, the best first, and those of the entry's own driver. */
  readonly judged: readonly MatchLine[];
}

interface Entry {
  readonly snapshot: RegistrySnapshot;
  readonly depth: number;
  readonly path: string;
  readonly parent: number;
  mark: TreeMark;
  note: string;
  changes: readonly {
    readonly what: string;
    readonly before: PropertyValue | null;
    readonly after: PropertyValue | null;
  }[];
}

/** What is not there any more, and the path of what it stood on. */
interface Gone {
  readonly snapshot: RegistrySnapshot;
  readonly path: string;
  readonly above: string;
  readonly note: string;
}

/** What left stays for so long, virtual nanoseconds; what came is told as new for so long. */
const keptNs = 5_000_000_000;
const mostFound = 100_000;

export const liveName = "live";

export class RegistryBook {
  readonly #dumps = new Map<string, RegistrySnapshot>();
  #live: RegistryView | null = null;
  /** Of the rig that lives: when ids were seen first, and what left when, with the id below which it stood. */
  readonly #since = new Map<number, number>();
  #left: (Omit<Gone, "note"> & { readonly atNs: number })[] = [];
  #entries: Entry[] = [];

  get names(): readonly string[] {
    return [...(this.#live === null ? [] : [liveName]), ...this.#dumps.keys()];
  }

  /** A dump with its name; another of that name is replaced. */
  add(name: string, root: RegistrySnapshot): void {
    this.#dumps.set(name, root);
  }

  /** The rig as it is now. A moment before the last one begins a run anew. */
  live(view: RegistryView): void {
    const before = this.#live;
    const isAnew = before === null || view.timeNs < before.timeNs;
    if (isAnew) {
      this.#since.clear();
      this.#left = [];
    }
    const now = placed(view.root);
    const ids = new Set(now.map(({ snapshot }) => snapshot.id));
    for (const { snapshot } of now)
      if (!this.#since.has(snapshot.id))
        this.#since.set(snapshot.id, isAnew ? Number.NEGATIVE_INFINITY : view.timeNs);
    if (!isAnew && before !== null) {
      const old = placed(before.root);
      for (const { parent, path, snapshot } of old)
        if (!ids.has(snapshot.id))
          this.#left.push({ snapshot, path, above: old[parent]?.path ?? "", atNs: view.timeNs });
    }
    this.#left = this.#left.filter(({ atNs }) => view.timeNs - atNs < keptNs);
    this.#live = view;
  }

  /** One of them, or `after` beside `before`. Throws RangeError for a name that there is none of. */
  show(name: string, before: string | null): TreeView {
    const root = this.#rootOf(name);
    const old = before === null ? null : this.#rootOf(before);
    this.#entries = placed(root);
    let counts: TreeView["counts"] = null;
    if (old !== null) counts = this.#compare(old, root);
    else if (name === liveName) this.#age();
    return {
      title: old === null ? name : `${name} against ${before}`,
      lines: this.#entries.map(({ depth, mark, note, snapshot }, index) => ({
        depth,
        name: nameOf(snapshot),
        className: snapshot.className,
        hasChildren: (this.#entries[index + 1]?.depth ?? 0) > depth,
        mark,
        note,
      })),
      counts,
    };
  }

  #rootOf(name: string): RegistrySnapshot {
    const root = name === liveName ? this.#live?.root : this.#dumps.get(name);
    if (root === undefined) throw new RangeError(`there is no registry "${name.slice(0, 80)}" here`);
    return root;
  }

  #compare(before: RegistrySnapshot, after: RegistrySnapshot): TreeView["counts"] {
    const { appeared, changed, left, same } = compareRegistries(before, after);
    const keyOf = (path: string, className: string, id: number): string => `${path} ${className} ${id}`;
    const found = new Map<string, { mark: TreeMark; changes: Entry["changes"] }>();
    for (const { className, id, path } of appeared)
      found.set(keyOf(path, className, id), { mark: "new", changes: [] });
    for (const { changes, entry } of changed)
      found.set(keyOf(entry.path, entry.className, entry.id), { mark: "changed", changes });
    for (const entry of this.#entries) {
      const said = found.get(keyOf(`/${entry.path}`, entry.snapshot.className, entry.snapshot.id));
      if (said === undefined) continue;
      entry.mark = said.mark;
      entry.changes = said.changes;
      if (said.mark === "changed") entry.note = said.changes.map(({ what }) => what).join(", ");
    }
    const gone = new Set(left.map(({ className, id, path }) => keyOf(path, className, id)));
    const old = placed(before);
    this.#insert(
      old
        .filter(({ path, snapshot }) => gone.has(keyOf(`/${path}`, snapshot.className, snapshot.id)))
        .map(({ parent, path, snapshot }) => ({
          snapshot,
          path,
          above: old[parent]?.path ?? "",
          note: "not there any more",
        })),
    );
    return { appeared: appeared.length, left: left.length, changed: changed.length, same };
  }

  /** New ones flash, gone ones stay for a while. */
  #age(): void {
    const now = this.#live?.timeNs ?? 0;
    for (const entry of this.#entries)
      if (now - (this.#since.get(entry.snapshot.id) ?? Number.NEGATIVE_INFINITY) < keptNs) entry.mark = "new";
    this.#insert(
      this.#left.map(({ above, atNs, path, snapshot }) => ({
        snapshot,
        path,
        above,
        note: `terminated at ${(atNs / 1e9).toFixed(6)} s`,
      })),
    );
  }

  /** Each behind everything that stands on its parent; without a parent that is still there it stands on the root. */
  #insert(gone: readonly Gone[]): void {
    const entries = this.#entries;
    const paths = new Set([...entries.map(({ path }) => path), ...gone.map(({ path }) => path)]);
    const byParent = new Map<string, Gone[]>();
    for (const one of gone) {
      const above = paths.has(one.above) && one.above !== one.path ? one.above : entries[0].path;
      const list = byParent.get(above) ?? [];
      byParent.set(above, list);
      list.push(one);
    }
    const all: Entry[] = [];
    const open: { readonly path: string; readonly depth: number; readonly index: number }[] = [];
    const close = (): void => {
      const top = open.pop();
      if (top === undefined) return;
      const mine = byParent.get(top.path) ?? [];
      byParent.delete(top.path);
      const waiting = mine.map((one) => ({ one, depth: top.depth + 1, parent: top.index })).reverse();
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { depth, one, parent } = next;
        const { note, path, snapshot } = one;
        const index = all.length;
        all.push({ snapshot, depth, path, parent, mark: "gone", note, changes: [] });
        const more = byParent.get(path) ?? [];
        byParent.delete(path);
        for (const child of [...more].reverse())
          waiting.push({ one: child, depth: depth + 1, parent: index });
      }
    };
    /** Places move when something comes between. */
    const movedTo: number[] = [];
    entries.forEach((entry, at) => {
      while (open.length > 0 && open[open.length - 1].depth >= entry.depth) close();
      movedTo[at] = all.length;
      open.push({ path: entry.path, depth: entry.depth, index: all.length });
      all.push(entry.parent < 0 ? entry : { ...entry, parent: movedTo[entry.parent] });
    });
    while (open.length > 0) close();
    this.#entries = all;
  }

  /** Of a line of what was shown last; null: there is none. */
  entry(index: number): EntryView | null {
    const entry = this.#entries[index];
    if (entry === undefined) return null;
    const { active, busy, busyMs, id, matched, properties, registered, retain } = entry.snapshot;
    const changed = new Map(entry.changes.map((change) => [change.what, change]));
    const rows: { key: string; value: string; before?: string | null }[] = [];
    const textOf = (value: PropertyValue | null): string | null =>
      value === null ? null : formatTreeValue(value);
    for (const [what, { after, before }] of changed)
      if (!what.startsWith('"') || after === null)
        rows.push({ key: what, value: textOf(after) ?? "", before: textOf(before) });
    for (const [key, value] of Object.entries(properties)) {
      const change = changed.get(`"${key}"`);
      rows.push({
        key,
        value: formatTreeValue(value),
        ...(change === undefined ? {} : { before: textOf(change.before) }),
      });
    }
    return {
      path: entry.path,
      states: [
        `id 0x${id.toString(16)}`,
        registered ? "registered" : "not registered",
        matched ? "matched" : "not matched",
        active ? "active" : "inactive",
        `busy ${busy} (${busyMs} ms)`,
        `retained ${retain} times`,
      ].join(", "),
      rows,
      judged: this.#judged(entry),
    };
  }

  /** What matching said here while the rig lived; of a dump, an entry's own personality against what it stands on. */
  #judged({ parent, path, snapshot }: Entry): MatchLine[] {
    const said = (this.#live?.matching ?? []).filter(
      ({ bundle, nub }) =>
        nub === path ||
        (path.startsWith(`${nub}/`) &&
          snapshot.properties.CFBundleIdentifier === bundle &&
          !path.slice(nub.length + 1).includes("/")),
    );
    if (said.length > 0 && this.#entries[0]?.snapshot === this.#live?.root)
      return said.sort(
        (left, right) => Number(right.matches) - Number(left.matches) || right.score - left.score,
      );
    const provider = this.#entries[parent]?.snapshot;
    const own = ownPersonality(snapshot.properties);
    if (own === null || provider === undefined) return [];
    const judged = matchPersonality(own, {
      classChain: classChainOf(provider.className),
      name: provider.name,
      properties: provider.properties,
    });
    return [
      {
        timeNs: 0,
        nub: this.#entries[parent].path,
        bundle: String(snapshot.properties.CFBundleIdentifier ?? ""),
        personality: String(own.IOUserClass ?? own.IOClass ?? ""),
        matches: judged.matches,
        score: judged.score,
        reason: judged.reason,
        decidedBy: judged.decidedBy === null ? "" : comparisonText(judged.decidedBy),
        outcome: "it stands here in the dump",
      },
    ];
  }

  /** Lines in which every word stands: in a name, class, key or value; "0403:6001" is a vendor and a product. */
  find(words: string): number[] {
    const wanted = words
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "");
    if (wanted.length === 0) return [];
    const found: number[] = [];
    this.#entries.forEach((entry, index) => {
      if (found.length < mostFound && wanted.every((word) => holds(entry, word))) found.push(index);
    });
    return found;
  }
}

const nameOf = ({ location, name }: RegistrySnapshot): string =>
  location === "" ? name : `${name}@${location}`;

/** Parents before children. A loop: a dump may be deep. */
function placed(root: RegistrySnapshot): Entry[] {
  const found: Entry[] = [];
  const waiting: { snapshot: RegistrySnapshot; parent: number }[] = [{ snapshot: root, parent: -1 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { parent, snapshot } = next;
    const above = found[parent];
    const index = found.length;
    found.push({
      snapshot,
      depth: above === undefined ? 0 : above.depth + 1,
      path: above === undefined ? nameOf(snapshot) : `${above.path}/${nameOf(snapshot)}`,
      parent,
      mark: "",
      note: snapshot.active ? "" : "inactive",
      changes: [],
    });
    for (let at = snapshot.children.length - 1; at >= 0; at--)
      waiting.push({ snapshot: snapshot.children[at], parent: index });
  }
  return found;
}

function ownPersonality(properties: Properties): Properties | null {
  const { IOMatchedPersonality: whole } = properties;
  if (typeof whole === "object" && !Array.isArray(whole) && !(whole instanceof Uint8Array))
    return whole as Properties;
  return typeof properties.IOProviderClass === "string" ? properties : null;
}

function holds({ snapshot }: Entry, word: string): boolean {
  const { className, location, name, properties } = snapshot;
  if (`${name}@${location} ${className}`.toLowerCase().includes(word)) return true;
  const pair = /^(?:0x)?([0-9a-f]{1,4}):(?:0x)?([0-9a-f]{1,4})$/.exec(word);
  if (pair !== null) {
    const [vendor, product] = [Number.parseInt(pair[1], 16), Number.parseInt(pair[2], 16)];
    if (properties.idVendor === vendor && properties.idProduct === product) return true;
    if (properties.VendorID === vendor && properties.ProductID === product) return true;
  }
  for (const [key, value] of Object.entries(properties))
    if (key.toLowerCase().includes(word) || formatTreeValue(value).toLowerCase().includes(word)) return true;
  return false;
}
