// Routes of lists: the subtopic in every order, as it was given, tags, symptoms, search, and their feeds.

import { formatCursor, parseCursor, parseOrder, rowsOfPage } from "@drydock/board/listing";
import type { PostRow, Symptom, Topic } from "@drydock/board/records";
import { symptomKinds } from "@drydock/board/records";
import { notFound } from "@drydock/board/refusal";
import { symptomText } from "@drydock/board/symptoms";
import type { Context } from "hono";
import { postPath, topicPath } from "./board-links.ts";
import { atomFeed, type FeedEntry } from "./feeds.ts";
import { escapeHtml } from "./html.ts";
import { type SearchAsked, searchPage, symptomPage, tagPage } from "./pages/find-pages.ts";
import type { CaseStates } from "./pages/post-list.ts";
import { keyOf, originPage, topicPage } from "./pages/topic-page.ts";
import { type BoardRoute, type BoardSite, sendPage, wantsJson } from "./route.ts";

const tagsOfCloud = 30;

export async function caseStates(site: BoardSite): Promise<CaseStates> {
  const known = await site.stillTrue.states();
  return new Map([...known].map(([id, { state }]) => [id, state]));
}

/** What a program sees of a row: ids, counts and addresses, nothing that only pages need. */
export function rowJson(row: PostRow) {
  const { author, origin, ...rest } = row;
  return {
    ...rest,
    author: { handle: author.handle, shownName: author.shownName, role: author.role },
    origin,
    path: postPath(row),
  };
}

export function originOf(site: BoardSite): string {
  return `${site.scheme}://${[...site.hosts()][0]}`;
}

export function sendFeed(
  c: Context,
  site: BoardSite,
  feed: { readonly path: string; readonly page: string; readonly title: string },
  entries: readonly FeedEntry[],
): Response {
  return c.body(atomFeed(originOf(site), feed, entries), 200, {
    "Content-Type": "application/atom+xml; charset=utf-8",
  });
}

const entryOf = (row: PostRow): FeedEntry => ({
  id: `/p/${row.id}`,
  path: postPath(row),
  title: row.title,
  author: row.author.shownName,
  publishedAt: row.createdAt,
  updatedAt: row.activityAt,
  content: `<p>${escapeHtml(row.excerpt)}</p>`,
});

async function sendTopic(c: Context, site: BoardSite, topic: Topic): Promise<Response> {
  const { board } = site;
  const query = c.req.query();
  const { posts } = topic;
  if (query.view === "origin") {
    const rows = await board.store.originRows(topic.id);
    if (wantsJson(c))
      return c.json({ topic, view: "origin", rows: rows.map(({ id, origin }) => ({ id, ...origin })) });
    return sendPage(c, site, {
      title: `${topic.name}, as it was given · Drydock`,
      main: originPage(topic, posts, rows, site.isStatic),
      isList: true,
    });
  }
  const order = parseOrder(query);
  const rows = await board.store.list(topic.id, order);
  const pinned = order.after === null ? await board.store.pinned(topic.id) : [];
  if (wantsJson(c)) {
    const shown = rows.slice(0, rowsOfPage);
    const last = shown.at(-1);
    const next =
      rows.length > rowsOfPage && last !== undefined
        ? formatCursor({ key: keyOf(last, order.sort), id: last.id })
        : null;
    return c.json({ topic, posts, pinned: pinned.map(rowJson), rows: shown.map(rowJson), next });
  }
  const main = topicPage({
    topic,
    order,
    pinned,
    rows,
    states: await caseStates(site),
    tags: await board.store.tags(tagsOfCloud),
    posts,
    now: board.now(),
    isStatic: site.isStatic,
    isWatching:
      site.people === null || board.actor === null
        ? null
        : await board.store.watching.isWatching(board.actor.id, "topic", topic.id),
  });
  return sendPage(c, site, {
    title: `${topic.name} · Drydock`,
    main,
    isList: true,
    feed: `${topicPath(topic.slug)}.atom`,
  });
}

async function sendSearch(c: Context, site: BoardSite): Promise<Response> {
  const query = c.req.query();
  const asked: SearchAsked = {
    q: query.q ?? "",
    topic: query.topic ?? "",
    tag: query.tag ?? "",
    state: query.state ?? "",
    has: query.has ?? "",
    os: query.os ?? "",
  };
  const after = query.after === undefined || query.after === "" ? null : parseCursor(query.after);
  site.people?.maySearch(c, site.board.actor?.id ?? null);
  const result = await site.board.search(asked.q, asked, after);
  const docs = after === null ? site.docs.find(result.words) : [];
  if (wantsJson(c))
    return c.json({
      symptoms: result.symptoms,
      words: result.words,
      rows: result.hits.map(({ score: _score, ...row }) => rowJson(row)),
      docs,
      next: result.next === null ? null : formatCursor(result.next),
    });
  const main = searchPage({ asked, result, docs, states: await caseStates(site), now: site.board.now() });
  return sendPage(c, site, { title: "Search · Drydock", main, query: asked.q, isPrivate: true });
}

async function sendTag(c: Context, site: BoardSite): Promise<Response> {
  const [, tag, form] = /^(.*?)(\.atom|\.json)?$/.exec(c.req.param("tag") ?? "") ?? [];
  if (tag === undefined || !/^[a-z0-9][a-z0-9.-]{0,29}$/.test(tag)) throw notFound("tag");
  const { after } = c.req.query();
  const rows = await site.board.store.byTag(tag, after === undefined ? null : parseCursor(after), rowsOfPage);
  const shown = rows.slice(0, rowsOfPage);
  const last = shown.at(-1);
  const next = rows.length > rowsOfPage && last !== undefined ? formatCursor({ key: 0, id: last.id }) : null;
  if (form === ".atom")
    return sendFeed(
      c,
      site,
      { path: `/tags/${tag}.atom`, page: `/tags/${tag}`, title: `Drydock: ${tag}` },
      shown.map(entryOf),
    );
  if (wantsJson(c)) return c.json({ tag, rows: shown.map(rowJson), next });
  const main = tagPage({
    tag,
    rows: shown,
    next: next === null ? null : `/tags/${tag}?after=${next}`,
    states: await caseStates(site),
    now: site.board.now(),
  });
  return sendPage(c, site, { title: `${tag} · Drydock`, main, feed: `/tags/${tag}.atom` });
}

async function sendSymptom(c: Context, site: BoardSite): Promise<Response> {
  const kind = c.req.param("kind") ?? "";
  const value = (c.req.param("value") ?? "").replace(/\.json$/, "");
  if (!(symptomKinds as readonly string[]).includes(kind) || value === "" || value.length > 100)
    throw notFound("symptom");
  const symptom = {
    kind,
    value: kind === "io_return" ? value.toLowerCase().replace(/^0x/, "") : value,
  } as Symptom;
  if (kind === "io_return" && !/^[0-9a-f]{8}$/.test(symptom.value)) throw notFound("symptom");
  const rows = await site.board.store.bySymptom(symptom, 50);
  if (wantsJson(c)) return c.json({ symptom, rows: rows.map(rowJson) });
  const main = symptomPage({
    symptom,
    rows,
    states: await caseStates(site),
    now: site.board.now(),
    meaning:
      kind === "io_return"
        ? (await import("./code-meaning.ts")).explainCode(Number.parseInt(symptom.value, 16))
        : "",
  });
  return sendPage(c, site, { title: `${symptomText(symptom)} · Drydock`, main });
}

async function firstTopic(site: BoardSite): Promise<Topic> {
  const [topic] = await site.board.store.topics();
  if (topic === undefined) throw notFound("topic");
  return topic;
}

const orderQuery = ["sort", "order", "after", "view"];

export const listRoutes: readonly BoardRoute[] = [
  {
    method: "GET",
    path: "/",
    summary: null,
    query: orderQuery,
    handle: async (c, site) => await sendTopic(c, site, await firstTopic(site)),
  },
  {
    method: "GET",
    path: "/t/:topic",
    summary: "Posts of a subtopic, in any order; .json and .atom; view=origin is the page as it was given",
    query: orderQuery,
    handle: async (c, site) => {
      const [, slug, form] = /^([a-z0-9-]*)(\.json|\.atom)?$/.exec(c.req.param("topic") ?? "") ?? [];
      const topic = await site.board.topic(slug ?? "");
      if (form !== ".atom") return await sendTopic(c, site, topic);
      const rows = await site.board.store.list(topic.id, parseOrder({ sort: "created" }));
      const path = topicPath(topic.slug);
      return sendFeed(
        c,
        site,
        { path: `${path}.atom`, page: path, title: `Drydock: ${topic.name}` },
        rows.slice(0, rowsOfPage).map(entryOf),
      );
    },
  },
  {
    method: "GET",
    path: "/search",
    summary: "Search: words, error codes in any form, rules, panic places, device ids; with filters",
    query: ["q", "topic", "tag", "state", "has", "os", "after"],
    handle: sendSearch,
  },
  {
    method: "GET",
    path: "/tags/:tag",
    summary: "Posts with a tag; .json and .atom",
    query: ["after"],
    handle: sendTag,
  },
  {
    method: "GET",
    path: "/symptoms/:kind/:value",
    summary: "Posts with a symptom, and what is known of it",
    handle: sendSymptom,
  },
];
