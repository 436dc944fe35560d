// What a route is and what it may use; how pages, refusals and troubles are sent.

import type { Board } from "@drydock/board/board";
import { BoardRefusal, StoreTrouble } from "@drydock/board/refusal";
import { mayModerate } from "@drydock/board/visitor";
import type { Context } from "hono";
import type { CampaignDesk } from "./campaign-desk.ts";
import type { CaseRunner } from "./case-runner.ts";
import type { DocPages } from "./doc-pages.ts";
import type { DoorName } from "./doors.ts";
import type { ReadEvidence } from "./evidence-reading.ts";
import type { EvidenceAsk } from "./evidence-thread.ts";
import type { LabDesk } from "./lab-desk.ts";
import { type PageReader, page } from "./layout.ts";
import type { RenderedBodies } from "./markdown.ts";
import { messagePage } from "./pages/form-pages.ts";
import type { PeopleDesk } from "./people-desk.ts";
import type { StillTrueRuns } from "./still-true-runs.ts";
import type { ThreadTurns } from "./thread-turns.ts";

/** What every route may use. */
export interface BoardSite {
  readonly board: Board;
  readonly docs: DocPages;
  readonly bodies: RenderedBodies;
  readonly runner: CaseRunner;
  readonly stillTrue: StillTrueRuns;
  /** Campaigns of a queue; null: the board was given none. */
  readonly campaigns: CampaignDesk | null;
  /** Reads what people hand in, away from the server. */
  readonly evidence: ThreadTurns<EvidenceAsk, ReadEvidence>;
  /** The rig of this server, for those who watch. */
  readonly desk: LabDesk;
  /** Where people sign in; null: a board for one. */
  readonly people: PeopleDesk | null;
  /** Notices that the asker has not read, and flags that wait for them as a moderator. */
  readonly unread?: number;
  readonly waiting?: number;
  readonly version: string;
  /** What browsers write before those names. */
  readonly scheme: "http" | "https";
  /** The names this server has, the first one to tell people. */
  readonly hosts: () => ReadonlySet<string>;
  /** A random word of 22 letters. */
  readonly newKey: () => string;
  /** Renders pages of a published copy: without forms. */
  readonly isStatic: boolean;
  /** Told of errors that are nobody's input. */
  readonly onTrouble: (error: unknown) => void;
}

export interface BoardRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  /** For the API page; null for what is no part of it. */
  readonly summary: string | null;
  readonly query?: readonly string[];
  readonly door?: DoorName;
  handle(c: Context, site: BoardSite): Promise<Response> | Response;
}

export const statusOf = {
  signed_out: 401,
  forbidden: 403,
  invalid: 422,
  missing: 404,
  conflict: 409,
  too_large: 413,
  too_many: 429,
} as const;
const troubleStatus = {
  full: 507,
  locked: 503,
  damaged: 503,
  read_only: 503,
  newer_schema: 503,
  away: 503,
  unknown: 503,
} as const;
const titles: Readonly<Record<number, string>> = {
  401: "Sign in first",
  403: "Not yours to do",
  404: "Not found",
  409: "Changed meanwhile",
  413: "Too large",
  422: "That cannot be taken",
  429: "Too many at once",
  500: "Something went wrong here",
  503: "The board cannot do this now",
  507: "The disk is full",
};

/** Programs say so by the address or by what they accept. */
export function wantsJson(c: Context): boolean {
  if (c.req.path.endsWith(".json")) return true;
  const accept = c.req.header("accept") ?? "";
  return (
    (accept.includes("json") && !accept.includes("text/html")) ||
    (c.req.header("content-type") ?? "").startsWith("application/json")
  );
}

/** A page, with the shell of the site round it. */
export function sendPage(
  c: Context,
  site: BoardSite,
  options: Omit<Parameters<typeof page>[0], "path"> & { path?: string },
  status = 200,
): Response {
  return c.html(
    page({ path: c.req.path, isStatic: site.isStatic, who: whoOf(site), ...options }),
    status as 200,
  );
}

/** What the bar says of the reader; undefined on a board for one, which has nobody else. */
function whoOf(site: BoardSite): PageReader | null | undefined {
  if (site.people === null) return undefined;
  const { actor } = site.board;
  if (actor === null) return null;
  const { unread = 0, waiting = 0 } = site;
  return { shownName: actor.shownName, unread, waiting: mayModerate(actor) ? waiting : null };
}

/** `text` was typed by the person: an error page gives it back. */
export function sendTrouble(
  c: Context,
  site: BoardSite,
  error: unknown,
  text: string | null = null,
): Response {
  const status =
    error instanceof BoardRefusal
      ? statusOf[error.kind]
      : error instanceof StoreTrouble
        ? troubleStatus[error.kind]
        : 500;
  const isOurs = error instanceof BoardRefusal || error instanceof StoreTrouble;
  if (!(error instanceof BoardRefusal)) site.onTrouble(error);
  const detail = isOurs
    ? error.message
    : "This is a fault of the board, not of what you did. What was acknowledged before is kept.";
  const code =
    error instanceof BoardRefusal
      ? error.code
      : error instanceof StoreTrouble
        ? `store-${error.kind}`
        : "internal";
  if (error instanceof BoardRefusal && error.retryAfter !== null)
    c.header("Retry-After", String(error.retryAfter));
  const title = titles[status] ?? "Trouble";
  if (wantsJson(c)) {
    // RFC 9457.
    const problem = {
      type: "about:blank",
      title,
      status,
      detail,
      code,
      ...(error instanceof BoardRefusal && error.field !== null ? { field: error.field } : {}),
    };
    return c.body(`${JSON.stringify(problem)}\n`, status, { "Content-Type": "application/problem+json" });
  }
  return sendPage(
    c,
    site,
    { title: `${title} · Drydock`, isPrivate: true, main: messagePage(title, detail, text) },
    status,
  );
}
