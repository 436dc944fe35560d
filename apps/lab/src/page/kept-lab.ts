// Whether the page has a server behind it: a copy of the lab has its workers, lists and links beside it instead.

/** What a copy's own script leaves for the others, before the first of them runs. */
export interface KeptLab {
  /** By file name. What it cannot start is its `error`. */
  startWorker(name: string): PageWorker;
  /** Rejects with words for people. */
  json(name: string): Promise<unknown>;
  bytes(name: string): Promise<Uint8Array>;
}

/** The part of a worker that the page uses. */
export type PageWorker = Pick<Worker, "postMessage" | "terminate" | "addEventListener">;

/** Null: a server gave this page. */
export const keptLab: KeptLab | null =
  (globalThis as unknown as { readonly drydockKept?: KeptLab }).drydockKept ?? null;

/** The way to the board: undefined behind a server, empty where there is none. */
const root = document.documentElement.dataset.root;

/** A path of the board as a link from here; null: this copy has no board. */
export function boardLink(path: string): string | null {
  if (root === undefined) return path;
  return root === "" ? null : staticLink(root, path);
}

/** A path of the board as a file of a published copy. */
export function staticLink(to: string, path: string): string {
  const [, name, rest] = /^\/([^?#]*)(.*)$/.exec(path) ?? ["", "", ""];
  return `${to}${name === "" ? "" : `${name}/`}index.html${rest}`;
}

/** What the server answers at `path`, or what a copy keeps under `name`. Rejects where there is neither. */
export async function listOf(path: string, name: string): Promise<unknown> {
  return await (keptLab?.json(name) ??
    fetch(path, { headers: { accept: "application/json" } }).then((answer) => answer.json()));
}
