// Routes of cases: the list, one case on one seed as page, text and JSON, runs on demand, badges.

import { isoTime } from "@drydock/board/activity-text";
import { notFound } from "@drydock/board/refusal";
import { type StillTrue, stillTrue } from "@drydock/board/still-true";
import type { DriverCase } from "@drydock/cases/driver-case";
import type { Context } from "hono";
import { casePath } from "./board-links.ts";
import { countOf, readFields } from "./doors.ts";
import { badge, casePage, casesPage, reportText } from "./pages/case-pages.ts";
import { type BoardRoute, type BoardSite, sendPage, wantsJson } from "./route.ts";

const highestSeed = 999_999_999;
const runsShown = 20;
const unknown: StillTrue = stillTrue([]);

/** Core and all cases: read when somebody looks at one. */
const cases = async (): Promise<readonly DriverCase[]> => (await import("@drydock/cases/casebook")).casebook;

async function entryOf(text: string): Promise<DriverCase> {
  const casebook = await cases();
  const entry = casebook.find(({ id }) => id.toLowerCase() === text.toLowerCase());
  if (entry === undefined) throw notFound("case");
  return entry;
}

const about = ({ id, title, symptom, cause }: DriverCase) => ({ id, title, symptom, cause });

/** Recorded runs of a case that are counted; a list of more says nothing more. */
const mostRuns = 200;

async function sendCases(c: Context, site: BoardSite): Promise<Response> {
  const states = await site.stillTrue.states();
  const rows = [];
  for (const entry of await cases()) {
    const [post] = await site.board.store.byCase(entry.id);
    rows.push({ ...about(entry), known: states.get(entry.id) ?? unknown, post: post ?? null });
  }
  if (wantsJson(c)) {
    const told = rows.map(async ({ post, known, ...entry }) => ({
      ...entry,
      stillTrue: known,
      post: post?.id ?? null,
      replies: post?.replies ?? 0,
      boosts: post?.boosts ?? 0,
      views: post?.views ?? 0,
      activity: post === null ? null : isoTime(post.activityAt),
      runs: (await site.board.store.caseRuns(entry.id, mostRuns)).length,
    }));
    return c.json({ cases: await Promise.all(told) });
  }
  return sendPage(c, site, {
    title: "Cases · Drydock",
    main: casesPage(rows, site.board.now(), site.isStatic),
  });
}

async function sendCase(c: Context, site: BoardSite): Promise<Response> {
  const [, id, form] = /^(P\d{2,3})(\.json|\.txt)?$/i.exec(c.req.param("id") ?? "") ?? [];
  const entry = await entryOf(id ?? "");
  const query = c.req.query();
  const seed = countOf(query.seed, "seed", 1, highestSeed);
  const side = query.side === "bad" || query.side === "good" ? query.side : null;
  const step =
    query.step === undefined || query.step === "" ? null : countOf(query.step, "step", 0, 1_000_000);
  const report = await site.runner.report(entry.id, seed);
  if (form === ".txt") return c.text(reportText(report));
  if (wantsJson(c)) return c.json(report);
  const main = casePage({
    entry: about(entry),
    report,
    side,
    step,
    known: (await site.stillTrue.states()).get(entry.id) ?? unknown,
    runs: await site.board.store.caseRuns(entry.id, runsShown),
    campaigns: (await site.campaigns?.of(entry.id)) ?? [],
    posts: await site.board.store.byCase(entry.id),
    now: site.board.now(),
    isStatic: site.isStatic,
  });
  return sendPage(c, site, { title: `${entry.id} ${entry.title} · Drydock`, main });
}

export const caseRoutes: readonly BoardRoute[] = [
  { method: "GET", path: "/cases", summary: "All cases, each with its state", handle: sendCases },
  { method: "GET", path: "/cases.json", summary: null, handle: sendCases },
  {
    method: "GET",
    path: "/cases/:id",
    summary: "A case on a seed, both sides; .json and .txt",
    query: ["seed", "side", "step"],
    handle: sendCase,
  },
  {
    method: "GET",
    path: "/cases/:id/runs.json",
    summary: "Recorded runs of a case, newest first",
    handle: async (c, site) => {
      const { id } = await entryOf(c.req.param("id") ?? "");
      return c.json({
        id,
        stillTrue: (await site.stillTrue.states()).get(id) ?? unknown,
        runs: await site.board.store.caseRuns(id, 200),
      });
    },
  },
  {
    method: "POST",
    path: "/cases/runs",
    summary: "Runs all cases again, in the background",
    door: "nothing",
    handle: async (c, site) => {
      await readFields(c, "nothing");
      site.stillTrue.runAll(true).catch(site.onTrouble);
      if (wantsJson(c)) return c.json({ started: true }, 202);
      return c.redirect("/cases", 303);
    },
  },
  {
    method: "POST",
    path: "/cases/:id/runs",
    summary: "Runs both sides of a case and records it",
    door: "nothing",
    handle: async (c, site) => {
      const { id } = await entryOf(c.req.param("id") ?? "");
      await readFields(c, "nothing");
      await site.stillTrue.run(id);
      if (wantsJson(c))
        return c.json({ id, stillTrue: (await site.stillTrue.states()).get(id) ?? unknown }, 201);
      return c.redirect(casePath(id), 303);
    },
  },
  {
    method: "GET",
    path: "/badge/:file",
    summary: "A case's state as a small picture",
    handle: async (c, site) => {
      const { id } = await entryOf((c.req.param("file") ?? "").replace(/\.svg$/, ""));
      const known = (await site.stillTrue.states()).get(id) ?? unknown;
      return c.body(badge(id, known), 200, {
        "Content-Type": "image/svg+xml",
        "Cache-Control": "max-age=60",
      });
    },
  },
];
