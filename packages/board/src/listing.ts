// Orders of a list and places in it: every order is a URL, and the next page is found by key, never by counting.

import { BoardRefusal } from "./refusal.ts";

export const sortKeys = ["activity", "created", "replies", "boosts", "views"] as const;
export type SortKey = (typeof sortKeys)[number];

/** Where a page begins: after the row with this key and id. */
export interface Cursor {
  readonly key: number;
  readonly id: number;
}

export interface ListOrder {
  readonly sort: SortKey;
  readonly direction: "desc" | "asc";
  /** Only posts that nobody has replied to. */
  readonly unanswered: boolean;
  /** Null: from the beginning. */
  readonly after: Cursor | null;
  /** Rows of a page, 1 to 100. */
  readonly limit: number;
}

export const rowsOfPage = 20;

/** The order of a list when nothing is asked for. */
export const defaultOrder: ListOrder = {
  sort: "activity",
  direction: "desc",
  unanswered: false,
  after: null,
  limit: rowsOfPage,
};

const cursorForm = /^(\d{1,16})\.(\d{1,15})$/;

export function formatCursor(cursor: Cursor): string {
  return `${cursor.key}.${cursor.id}`;
}

/** Throws BoardRefusal for anything that {@link formatCursor} does not write. */
export function parseCursor(text: string): Cursor {
  const found = cursorForm.exec(text);
  const [key, id] = [Number(found?.[1]), Number(found?.[2])];
  if (found === null || !Number.isSafeInteger(key) || !Number.isSafeInteger(id))
    throw new BoardRefusal(
      "invalid",
      "bad-cursor",
      "This page's address is damaged: begin at the list's first page.",
      "after",
    );
  return { key, id };
}

/** Reads `sort`, `order`, `after` and `unanswered` of a URL. Throws BoardRefusal that lists what there is. */
export function parseOrder(query: {
  readonly sort?: string | undefined;
  readonly order?: string | undefined;
  readonly after?: string | undefined;
}): ListOrder {
  const unanswered = query.sort === "unanswered";
  const sort = query.sort === undefined || query.sort === "" || unanswered ? "activity" : query.sort;
  if (!(sortKeys as readonly string[]).includes(sort))
    throw new BoardRefusal(
      "invalid",
      "bad-sort",
      `A list can be sorted by ${sortKeys.join(", ")} or unanswered.`,
      "sort",
    );
  const order = query.order === undefined || query.order === "" ? "desc" : query.order.toLowerCase();
  if (order !== "desc" && order !== "asc")
    throw new BoardRefusal("invalid", "bad-order", "An order is desc or asc.", "order");
  return {
    sort: sort as SortKey,
    direction: order,
    unanswered,
    after: query.after === undefined || query.after === "" ? null : parseCursor(query.after),
    limit: rowsOfPage,
  };
}
