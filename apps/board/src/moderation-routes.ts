// Routes of moderation: flags, the queue, acts on posts, answers and people, the log; and people's own pages.

import { givenRoles, Moderation, rowsOfQueue } from "@drydock/board/moderation";
import type { Flagged } from "@drydock/board/moderation-store";
import { BoardRefusal, notFound } from "@drydock/board/refusal";
import { mayModerate } from "@drydock/board/visitor";
import type { Context } from "hono";
import { postPath } from "./board-links.ts";
import { readFields } from "./doors.ts";
import { caseStates, rowJson } from "./list-routes.ts";
import { messagePage } from "./pages/form-pages.ts";
import { logPage, peoplePage, personPage, queuePage } from "./pages/moderation-pages.ts";
import { type BoardRoute, type BoardSite, sendPage, wantsJson } from "./route.ts";

export function numberIn(c: Context, name = "id"): number {
  const text = c.req.param(name) ?? "";
  if (!/^\d{1,15}$/.test(text)) throw notFound("page");
  return Number(text);
}

/** Of a list's rows the page, and the id where the next begins. */
function paged<Row extends { readonly id: number }>(rows: readonly Row[]): [readonly Row[], number | null] {
  const shown = rows.slice(0, rowsOfQueue);
  return [shown, rows.length > rowsOfQueue ? (shown.at(-1)?.id ?? null) : null];
}

function placeIn(c: Context, name: string): number | null {
  const text = c.req.query(name) ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Where an act leads: the post, or the queue when it is gone from there. */
async function sendDone(c: Context, site: BoardSite, postId: number): Promise<Response> {
  const post = await site.board.store.post(postId);
  if (wantsJson(c))
    return c.json({
      done: true,
      ...(post === null ? {} : { state: post.state, isLocked: post.isLocked, duplicateOf: post.duplicateOf }),
    });
  return c.redirect(post === null || post.state === "hidden" ? "/moderation/queue" : postPath(post), 303);
}

async function flag(c: Context, site: BoardSite, of: Flagged): Promise<Response> {
  const { reason } = await readFields(c, "flag");
  const id = numberIn(c);
  await new Moderation(site.board).flag(of, id, reason);
  if (wantsJson(c)) return c.json({ done: true });
  const main = messagePage("Flagged", "A moderator will look at it. Thank you.");
  return sendPage(c, site, { title: "Flagged · Drydock", main, isPrivate: true });
}

async function moderate(c: Context, site: BoardSite, of: Flagged): Promise<Response> {
  const { act, reason, topic, into } = await readFields(c, "moderate");
  const id = numberIn(c);
  const moderation = new Moderation(site.board);
  const postId = of === "post" ? id : ((await site.board.store.reply(id))?.postId ?? 0);
  if (act === "hide") await moderation.hide(of, id, reason);
  else if (act === "show") await moderation.show(of, id, reason);
  else if (act === "dismiss") await moderation.dismiss(of, id, reason);
  else if (of === "post" && (act === "lock" || act === "unlock"))
    await moderation.lock(id, act === "lock", reason);
  else if (of === "post" && act === "move") await moderation.move(id, topic ?? "", reason);
  else if (of === "post" && act === "merge") await moderation.merge(id, Number(into ?? "0"), reason);
  else throw new BoardRefusal("invalid", "bad-act", "There is no such act.", "act");
  return await sendDone(c, site, postId);
}

async function moderatePerson(c: Context, site: BoardSite): Promise<Response> {
  const { act, reason, role } = await readFields(c, "personAct");
  const handle = c.req.param("handle") ?? "";
  const moderation = new Moderation(site.board);
  if (act === "ban" || act === "unban") await moderation.ban(handle, act === "ban", reason);
  else if (act === "know" || act === "unknow") await moderation.setKnown(handle, act === "know", reason);
  else if (act === "role") await moderation.setRole(handle, role ?? "", reason);
  else throw new BoardRefusal("invalid", "bad-act", "There is no such act.", "act");
  if (wantsJson(c)) return c.json({ done: true });
  return c.redirect(`/people/${encodeURIComponent(handle)}`, 303);
}

async function sendPerson(c: Context, site: BoardSite): Promise<Response> {
  if (site.people === null) throw notFound("page");
  const { board } = site;
  const handle = (c.req.param("handle") ?? "").replace(/\.json$/, "").slice(0, 40);
  const person = await board.store.accounts.byHandle(handle);
  if (person === null || person.state === "deleted" || person.role === "project") throw notFound("person");
  const posts = await board.store.byAuthor(person.id, 50);
  if (wantsJson(c)) {
    const { handle: name, shownName, role, isKnown, createdAt } = person;
    return c.json({ handle: name, shownName, role, isKnown, createdAt, rows: posts.map(rowJson) });
  }
  const isModerator = mayModerate(board.actor);
  const main = personPage({
    person,
    posts,
    states: await caseStates(site),
    now: board.now(),
    moderation: isModerator
      ? {
          roles: board.actor?.role === "owner" ? givenRoles : [],
          log: await board.store.moderation.log({ subject: person.id, before: null, limit: 20 }),
        }
      : null,
  });
  return sendPage(c, site, { title: `${person.shownName} · Drydock`, main, isPrivate: true });
}

export const moderationRoutes: readonly BoardRoute[] = [
  ...(["post", "reply"] as const).flatMap((of): BoardRoute[] => {
    const path = of === "post" ? "/p/:id" : "/r/:id";
    return [
      {
        method: "POST",
        path: `${path}/flag`,
        summary: `Flags ${of === "post" ? "a post" : "an answer"} for a moderator`,
        door: "flag",
        handle: (c, site) => flag(c, site, of),
      },
      {
        method: "POST",
        path: `${path}/moderate`,
        summary:
          of === "post"
            ? "hide, show, dismiss, lock, unlock, move to a topic, merge into a post: with a reason"
            : "hide, show, dismiss: with a reason",
        door: "moderate",
        handle: (c, site) => moderate(c, site, of),
      },
    ];
  }),
  {
    method: "GET",
    path: "/moderation/queue",
    summary: "Flags that wait, oldest first",
    query: ["after"],
    handle: async (c, site) => {
      const [rows, next] = paged(await new Moderation(site.board).queue(placeIn(c, "after") ?? 0));
      if (wantsJson(c)) return c.json({ rows, next });
      const main = queuePage(rows, next, site.board.now());
      return sendPage(c, site, { title: "Flags · Drydock", main, isPrivate: true });
    },
  },
  {
    method: "GET",
    path: "/moderation/log",
    summary: "Every act of a moderator, newest first",
    query: ["before"],
    handle: async (c, site) => {
      const [rows, next] = paged(await new Moderation(site.board).log(placeIn(c, "before")));
      if (wantsJson(c)) return c.json({ rows, next });
      const main = logPage(rows, next, site.board.now(), "all");
      return sendPage(c, site, { title: "Log · Drydock", main, isPrivate: true });
    },
  },
  {
    method: "GET",
    path: "/me/log",
    summary: "What moderators did that concerns oneself",
    query: ["before"],
    handle: async (c, site) => {
      const [rows, next] = paged(await new Moderation(site.board).ownLog(placeIn(c, "before")));
      if (wantsJson(c)) return c.json({ rows, next });
      const main = logPage(rows, next, site.board.now(), "own");
      return sendPage(c, site, { title: "Log · Drydock", main, isPrivate: true });
    },
  },
  {
    method: "GET",
    path: "/people",
    summary: null,
    query: ["q", "before"],
    handle: async (c, site) => {
      if (site.people === null || !mayModerate(site.board.actor)) throw notFound("page");
      const words = (c.req.query("q") ?? "").slice(0, 60);
      const { accounts } = site.board.store;
      const [rows, next] = paged(await accounts.list(words, placeIn(c, "before"), rowsOfQueue + 1));
      const main = peoplePage(rows, words, next, site.board.now());
      return sendPage(c, site, { title: "People · Drydock", main, isPrivate: true });
    },
  },
  {
    method: "GET",
    path: "/people/:handle",
    summary: "A person's posts, and what they are here",
    handle: sendPerson,
  },
  {
    method: "POST",
    path: "/people/:handle/moderate",
    summary: "ban, unban, know, unknow, role: with a reason",
    door: "personAct",
    handle: moderatePerson,
  },
];
