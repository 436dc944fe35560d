// Routes of watching and notices: in the page, as JSON, and as Atom at an address that only its owner knows.

import { BoardRefusal, notFound } from "@drydock/board/refusal";
import { mustBeActive, type Visitor } from "@drydock/board/visitor";
import type { Notice } from "@drydock/board/watch-store";
import type { Context } from "hono";
import { postPath } from "./board-links.ts";
import { readFields } from "./doors.ts";
import { originOf, sendFeed } from "./list-routes.ts";
import { numberIn } from "./moderation-routes.ts";
import { noticePage, noticePath, noticeText } from "./pages/notice-pages.ts";
import { type BoardRoute, type BoardSite, sendPage, wantsJson } from "./route.ts";
import { hostSecrets } from "./secrets.ts";

const rowsOfPage = 50;

/** The banned too: they read what concerns them. */
function readerOf(site: BoardSite): Visitor {
  const { actor } = site.board;
  if (actor === null) throw new BoardRefusal("signed_out", "sign-in", "Sign in first.");
  return actor;
}

async function sendNotices(c: Context, site: BoardSite, feed: string | null = null): Promise<Response> {
  const reader = readerOf(site);
  const { watching } = site.board.store;
  const before = /^\d{1,15}$/.test(c.req.query("before") ?? "") ? Number(c.req.query("before")) : null;
  const rows = await watching.notices(reader.id, before, rowsOfPage + 1);
  const notices = rows.slice(0, rowsOfPage);
  const next = rows.length > rowsOfPage ? (notices.at(-1)?.id ?? null) : null;
  if (wantsJson(c))
    return c.json({
      unread: await watching.unread(reader.id),
      notices: notices.map((notice) => ({ ...notice, actor: notice.actor.handle, path: noticePath(notice) })),
      next,
      ...(feed === null ? {} : { feed }),
    });
  const watched = await watching.watched(reader.id, 100);
  const main = noticePage({ notices, next, watched, feed, now: site.board.now() });
  return sendPage(c, site, { title: "Notices · Drydock", path: "/notices", main, isPrivate: true });
}

const entryOf = (notice: Notice) => ({
  id: `/notices/${notice.id}`,
  path: noticePath(notice),
  title: `${noticeText(notice)}${notice.title === "" ? "" : `: ${notice.title}`}`,
  author: notice.actor.shownName,
  publishedAt: notice.at,
  updatedAt: notice.at,
  content: "",
});

async function watch(c: Context, site: BoardSite, of: "post" | "topic"): Promise<Response> {
  const fields = await readFields(c, "watch");
  const who = mustBeActive(site.board.actor);
  const { watching } = site.board.store;
  const isEnd = c.req.method === "DELETE" || fields._method?.toUpperCase() === "DELETE";
  // A form of the subtopic's page names it by its word, the list of what is watched by its number.
  const word = c.req.param(of === "post" ? "id" : "topic") ?? "";
  const topic = of === "post" || /^\d+$/.test(word) ? null : await site.board.topic(word);
  const id = topic?.id ?? numberIn(c, of === "post" ? "id" : "topic");
  if (isEnd) await watching.unwatch(who.id, of, id);
  else if (!(await watching.watch(who.id, of, id, site.board.now()))) throw notFound(of);
  if (wantsJson(c)) return c.json({ isWatching: !isEnd });
  if (of === "topic") return c.redirect(topic === null ? "/notices" : `/t/${topic.slug}`, 303);
  const post = await site.board.store.post(id);
  return c.redirect(post === null || post.state === "hidden" ? "/notices" : postPath(post), 303);
}

export const noticeRoutes: readonly BoardRoute[] = [
  ...(["POST", "PUT", "DELETE"] as const).flatMap((method): BoardRoute[] =>
    (["post", "topic"] as const).map((of) => ({
      method,
      path: of === "post" ? "/p/:id/watch" : "/t/:topic/watch",
      summary: method === "DELETE" ? `Stops watching a ${of}` : `Watches a ${of}: what happens is told`,
      door: "watch",
      handle: (c, site) => watch(c, site, of),
    })),
  ),
  {
    method: "GET",
    path: "/notices",
    summary: "What happened to what one watches, newest first",
    query: ["before"],
    handle: (c, site) => sendNotices(c, site),
  },
  {
    method: "POST",
    path: "/notices/read",
    summary: "Notices up to this one are read",
    door: "readNotices",
    handle: async (c, site) => {
      const { upTo } = await readFields(c, "readNotices");
      await site.board.store.watching.read(readerOf(site).id, Number(upTo));
      return wantsJson(c) ? c.json({ done: true }) : c.redirect("/notices", 303);
    },
  },
  {
    method: "POST",
    path: "/notices/feed",
    summary: "A new secret address of one's notices as Atom; the one before is over",
    door: "nothing",
    handle: async (c, site) => {
      await readFields(c, "nothing");
      const secret = hostSecrets.token(24);
      await site.board.store.watching.setFeed(readerOf(site).id, hostSecrets.hash(secret));
      return await sendNotices(c, site, `${originOf(site)}/notices/${secret}.atom`);
    },
  },
  {
    method: "GET",
    path: "/notices/:secret",
    summary: null,
    handle: async (c, site) => {
      const [, secret] = /^([\w-]{32})\.atom$/.exec(c.req.param("secret") ?? "") ?? [];
      const { watching, accounts } = site.board.store;
      const personId = secret === undefined ? null : await watching.feedOf(hostSecrets.hash(secret));
      const person = personId === null ? null : await accounts.byId(personId);
      if (person === null || person.state === "deleted") throw notFound("page");
      const notices = await watching.notices(person.id, null, rowsOfPage);
      return sendFeed(
        c,
        site,
        { path: `/notices/${person.id}`, page: "/notices", title: "Drydock: notices" },
        notices.map(entryOf),
      );
    },
  },
];
