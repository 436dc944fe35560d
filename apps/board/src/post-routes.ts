// Routes of posts and replies: reading, writing, editing, boosting, accepting, views.

import { createHmac, randomBytes } from "node:crypto";
import { EvidenceDesk, type SeenEvidence } from "@drydock/board/evidence";
import type { LogRow } from "@drydock/board/moderation-store";
import type { Post, Reply } from "@drydock/board/records";
import { BoardRefusal, notFound, StoreTrouble } from "@drydock/board/refusal";
import { countVisit } from "@drydock/board/views";
import type { Context } from "hono";
import { isbot } from "isbot";
import { postPath } from "./board-links.ts";
import { type DoorFields, placeOf, readFields } from "./doors.ts";
import type { EvidenceCard } from "./evidence-reading.ts";
import { handIn, idsOf, readingsOf, shownDrafts } from "./evidence-routes.ts";
import { rowJson, sendFeed } from "./list-routes.ts";
import { renderMarkdown } from "./markdown.ts";
import { postForm, previewPage, replyEditForm } from "./pages/form-pages.ts";
import { type EvidenceByPlace, historyPage, postPage, replyFields } from "./pages/post-page.ts";
import { remoteOf } from "./people-desk.ts";
import { type BoardRoute, type BoardSite, sendPage, sendTrouble, statusOf, wantsJson } from "./route.ts";
import { isUpload, readUpload } from "./upload.ts";

function idOf(c: Context): number {
  const text = c.req.param("id") ?? "";
  if (!/^\d{1,15}$/.test(text)) throw notFound("post");
  return Number(text);
}

const replyJson = ({ author, ...rest }: Reply) => ({
  ...rest,
  author: { handle: author.handle, shownName: author.shownName, role: author.role },
});

function postJson(post: Post, replies: readonly Reply[]) {
  const { markdown, symptoms, ...row } = post;
  return { ...rowJson(row), markdown, symptoms, answers: replies.map(replyJson) };
}

/** A post and its answers as one Markdown text: for those who read elsewhere. */
function postMarkdown(post: Post, replies: readonly Reply[]): string {
  const parts = [`# ${post.title}\n\n${post.author.shownName}\n\n${post.markdown}\n`];
  for (const reply of replies)
    if (reply.state === "shown")
      parts.push(
        `## ${reply.kind === "answer" ? "Answer" : "Comment"} by ${reply.author.shownName}\n\n${reply.markdown}\n`,
      );
  return parts.join("\n");
}

async function sendPost(
  c: Context,
  site: BoardSite,
  post: Post,
  draft?: { readonly markdown: string; readonly parentId: number | null; readonly reason: string },
  status = 200,
): Promise<Response> {
  const { board } = site;
  const [topics, replies, boosts] = [
    await board.store.topics(),
    await board.replies(post.id),
    await board.store.boosts(post.id, 500),
  ];
  const topic = topics.find(({ id }) => id === post.topicId);
  if (topic === undefined) throw notFound("post");
  const answer = Number(c.req.query("answer"));
  const main = postPage({
    post,
    topic,
    replies,
    original: await originalOf(site, post),
    boosts,
    hasBoosted: boosts.some(({ person }) => person.id === board.actor?.id),
    bodies: site.bodies,
    now: board.now(),
    key: site.newKey(),
    stillTrue: post.caseId === null ? null : ((await site.stillTrue.states()).get(post.caseId) ?? null),
    isStatic: site.isStatic,
    actor: board.actor,
    topics,
    hasPeople: site.people !== null && !site.isStatic,
    isWatching:
      board.actor !== null && (await board.store.watching.isWatching(board.actor.id, "post", post.id)),
    acts: await actsOn(site, post),
    evidence: await evidenceOf(site, post.id),
    answer: Number.isSafeInteger(answer) ? answer : undefined,
    ...(draft === undefined ? {} : { draft }),
  });
  return sendPage(
    c,
    site,
    {
      title: `${post.title} · Drydock`,
      path: postPath(post),
      main,
      feed: `${postPath(post)}.atom`,
      ...(post.state === "hidden" ? { isPrivate: true } : { viewOf: post.id }),
    },
    status,
  );
}

async function originalOf(site: BoardSite, post: Post): Promise<Post | null> {
  const original = post.duplicateOf === null ? null : await site.board.store.post(post.duplicateOf);
  return original === null || original.state === "hidden" || original.state === "deleted" ? null : original;
}

async function evidenceOf(site: BoardSite, postId: number): Promise<EvidenceByPlace> {
  const places = new Map<number | null, SeenEvidence & { readonly cards: readonly EvidenceCard[] }>();
  for (const [replyId, { files, waiting }] of await new EvidenceDesk(site.board).ofPost(postId))
    places.set(replyId, { files, waiting, cards: (await readingsOf(site, files)).cards });
  return places;
}

/** Why it is hidden or locked, for those who see it. */
async function actsOn(site: BoardSite, post: Post): Promise<LogRow[]> {
  const { moderation } = site.board.store;
  const hidden = post.state === "hidden" ? await moderation.latest("post", post.id, "hide") : null;
  const locked = post.isLocked ? await moderation.latest("post", post.id, "lock") : null;
  return [hidden, locked].filter((row) => row !== null);
}

async function readPost(c: Context, site: BoardSite): Promise<Response> {
  const { board } = site;
  const place = placeOf(c.req.param("file") ?? "");
  if (place === null) throw notFound("post");
  const post = await board.post(place.id);
  if (post.state === "deleted")
    return sendTrouble(
      c,
      site,
      new BoardRefusal("missing", "deleted", "This post was deleted by its author."),
    );
  const isJson = place.form === "json" || (place.form === "html" && wantsJson(c));
  if (place.form === "html" && !isJson) {
    // The words of an address are for people: old ones lead to the newest.
    if (c.req.path !== postPath(post)) {
      const { search } = new URL(c.req.url);
      return c.redirect(postPath(post) + search, 301);
    }
    return await sendPost(c, site, post);
  }
  const replies = await board.replies(post.id);
  if (isJson) {
    const etag = `"${post.id}.${post.version}.${post.activityAt}.${post.replies}.${post.boosts}.${post.views}"`;
    if (c.req.header("if-none-match") === etag) return c.body(null, 304, { ETag: etag });
    return c.json(postJson(post, replies), 200, { ETag: etag });
  }
  if (place.form === "md")
    return c.body(postMarkdown(post, replies), 200, { "Content-Type": "text/markdown; charset=utf-8" });
  const path = postPath(post);
  return sendFeed(
    c,
    site,
    { path: `${path}.atom`, page: path, title: post.title },
    replies
      .filter(({ state }) => state === "shown")
      .reverse()
      .slice(0, 50)
      .map((reply) => ({
        id: `/r/${reply.id}`,
        path: `${path}?answer=${reply.id}#r${reply.id}`,
        title: `${reply.kind === "answer" ? "Answer" : "Comment"} by ${reply.author.shownName}`,
        author: reply.author.shownName,
        publishedAt: reply.createdAt,
        updatedAt: reply.createdAt,
        content: site.bodies.of(reply.bodyId, reply.markdown, reply.author.isKnown).text,
      })),
  );
}

async function sendForm(
  c: Context,
  site: BoardSite,
  topicSlug: string,
  fields: {
    readonly title: string;
    readonly markdown: string;
    readonly tags?: string;
    readonly key?: string;
    readonly evidence?: string;
  },
  editing: Post | null,
  problem: unknown = null,
  refused: readonly string[] = [],
): Promise<Response> {
  const { board } = site;
  const topic = await board.topic(topicSlug);
  const trouble =
    problem instanceof BoardRefusal
      ? { text: problem.message, field: problem.field }
      : problem instanceof StoreTrouble
        ? { text: problem.message, field: null }
        : null;
  const isFilled = fields.markdown.trim() !== "";
  const main = postForm({
    topic,
    draft: { title: fields.title, markdown: fields.markdown, tags: fields.tags ?? "" },
    key: fields.key ?? site.newKey(),
    trouble,
    preview: isFilled && trouble === null ? renderMarkdown(fields.markdown) : null,
    similar: isFilled && editing === null ? await board.similar(`${fields.title}\n${fields.markdown}`) : [],
    evidence: editing === null ? await shownDrafts(site, fields.evidence ?? "", refused) : null,
    editing,
  });
  const status =
    problem instanceof BoardRefusal
      ? statusOf[problem.kind]
      : problem instanceof StoreTrouble
        ? problem.kind === "full"
          ? 507
          : 503
        : 200;
  if (problem instanceof BoardRefusal && problem.retryAfter !== null)
    c.header("Retry-After", String(problem.retryAfter));
  return sendPage(
    c,
    site,
    {
      title: `${editing === null ? "New post" : "Edit"} · Drydock`,
      main,
      isPrivate: true,
      ...(editing === null ? { script: "evidence" as const } : {}),
    },
    status,
  );
}

/** What the person typed comes back in the form, whatever went wrong. */
function isExpected(error: unknown): boolean {
  return error instanceof BoardRefusal || error instanceof StoreTrouble;
}

async function addPost(c: Context, site: BoardSite): Promise<Response> {
  const { board } = site;
  const slug = c.req.param("topic") ?? "";
  const desk = new EvidenceDesk(board);
  const upload = isUpload(c)
    ? await readUpload(c, "post", desk)
    : { fields: await readFields(c, "post"), files: [] };
  let { fields } = upload;
  try {
    // Files are looked at before they are posted, always: what comes back is the form with each mark.
    const { ids, refused } = await handIn(site, upload.files);
    fields = { ...fields, evidence: idsOf(fields.evidence, fields.drop, ids) };
    const isLooked = upload.files.length > 0 || fields.drop !== undefined || fields.preview !== undefined;
    if (isLooked && !wantsJson(c)) return await sendForm(c, site, slug, fields, null, null, refused);
    const done = await board.addPost(
      slug,
      { title: fields.title, markdown: fields.markdown, tags: fields.tags ?? "" },
      c.req.header("idempotency-key") ?? fields.key ?? null,
    );
    await desk.attach(done.id, fields.evidence ?? "");
    const post = await board.post(done.id);
    if (wantsJson(c))
      return c.json({ id: post.id, path: postPath(post) }, done.isNew ? 201 : 200, {
        Location: postPath(post),
      });
    return c.redirect(postPath(post), 303);
  } catch (error) {
    if (wantsJson(c) || !isExpected(error) || (error instanceof BoardRefusal && error.kind === "missing"))
      throw error;
    return await sendForm(c, site, slug, fields, null, error);
  }
}

async function editPost(c: Context, site: BoardSite): Promise<Response> {
  const { board } = site;
  const post = await board.post(idOf(c));
  const slug = await topicSlugOf(site, post);
  const fields = await readFields(c, "postEdit");
  // Somebody's newer text: what was sent is shown beside its version, to be sent again on purpose.
  const again = { ...post, version: Number(fields.version) };
  if (fields.preview !== undefined && !wantsJson(c)) return await sendForm(c, site, slug, fields, again);
  try {
    const version = await board.editPost(
      post.id,
      { title: fields.title, markdown: fields.markdown, tags: fields.tags ?? "" },
      versionOf(c, fields.version),
    );
    const now = await board.post(post.id);
    if (wantsJson(c)) return c.json({ id: now.id, path: postPath(now), version });
    return c.redirect(postPath(now), 303);
  } catch (error) {
    if (wantsJson(c) || !isExpected(error)) throw error;
    return await sendForm(c, site, slug, fields, post, error);
  }
}

/** If-Match of a program goes before the field of a form. */
function versionOf(c: Context, field: string): number {
  const match = /^"?(\d{1,15})"?$/.exec(c.req.header("if-match") ?? "");
  return Number(match?.[1] ?? field);
}

async function topicSlugOf(site: BoardSite, post: Post): Promise<string> {
  return (await site.board.store.topics()).find(({ id }) => id === post.topicId)?.slug ?? "";
}

async function addReply(c: Context, site: BoardSite): Promise<Response> {
  const { board } = site;
  const post = await board.post(idOf(c));
  if (post.state === "deleted") throw notFound("post");
  const fields = await readFields(c, "reply");
  const parentId = fields.parent === undefined || fields.parent === "" ? null : Number(fields.parent);
  if (fields.preview !== undefined && !wantsJson(c)) return previewReply(c, site, post, fields);
  try {
    const done = await board.addReply(
      post.id,
      { markdown: fields.markdown, parentId },
      c.req.header("idempotency-key") ?? fields.key ?? null,
    );
    const path = `${postPath(post)}?answer=${done.id}`;
    // Files are looked at before they are shown: they come on a page of their own.
    if (fields.files !== undefined && !wantsJson(c))
      return c.redirect(`/p/${post.id}/evidence?answer=${done.id}`, 303);
    if (wantsJson(c)) return c.json({ id: done.id, path }, done.isNew ? 201 : 200, { Location: path });
    return c.redirect(`${path}#r${done.id}`, 303);
  } catch (error) {
    if (wantsJson(c) || !isExpected(error) || (error instanceof BoardRefusal && error.kind === "missing"))
      throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const status =
      error instanceof BoardRefusal ? statusOf[error.kind] : error instanceof StoreTrouble ? 503 : 422;
    if (error instanceof BoardRefusal && error.retryAfter !== null)
      c.header("Retry-After", String(error.retryAfter));
    return await sendPost(c, site, post, { markdown: fields.markdown, parentId, reason }, status);
  }
}

function previewReply(c: Context, site: BoardSite, post: Post, fields: DoorFields<"reply">): Response {
  const main = previewPage(postPath(post), renderMarkdown(fields.markdown), replyFields(post, fields));
  return sendPage(c, site, { title: "Preview · Drydock", main, isPrivate: true });
}

async function editReply(c: Context, site: BoardSite): Promise<Response> {
  const { board } = site;
  const reply = await board.reply(idOf(c));
  const post = await board.post(reply.postId);
  const fields = await readFields(c, "replyEdit");
  const form = (trouble: BoardRefusal | StoreTrouble | null, isPreview: boolean) =>
    replyEditForm({
      replyId: reply.id,
      version:
        trouble instanceof BoardRefusal && trouble.kind === "conflict"
          ? reply.version
          : Number(fields.version),
      markdown: fields.markdown,
      back: postPath(post),
      trouble: trouble === null ? null : { text: trouble.message, field: null },
      preview: isPreview ? renderMarkdown(fields.markdown) : null,
    });
  if (fields.preview !== undefined && !wantsJson(c))
    return sendPage(c, site, { title: "Edit · Drydock", main: form(null, true), isPrivate: true });
  try {
    const version = await board.editReply(reply.id, fields.markdown, versionOf(c, fields.version));
    if (wantsJson(c)) return c.json({ id: reply.id, version });
    return c.redirect(`${postPath(post)}?answer=${reply.id}#r${reply.id}`, 303);
  } catch (error) {
    if (wantsJson(c) || !(error instanceof BoardRefusal || error instanceof StoreTrouble)) throw error;
    const status = error instanceof BoardRefusal ? (error.kind === "conflict" ? 409 : 422) : 503;
    return sendPage(c, site, { title: "Edit · Drydock", main: form(error, false), isPrivate: true }, status);
  }
}

/** After an act: back to the post, or the post's new numbers. */
async function sendBack(c: Context, site: BoardSite, postId: number): Promise<Response> {
  const post = await site.board.store.post(postId);
  if (wantsJson(c))
    return c.json(
      post === null
        ? {}
        : {
            id: post.id,
            state: post.state,
            boosts: post.boosts,
            accepted: post.acceptedReplyId,
            duplicateOf: post.duplicateOf,
          },
    );
  return c.redirect(post === null || post.state === "deleted" ? "/" : postPath(post), 303);
}

const newDayKey = () => new Uint8Array(randomBytes(32));
const hmac = (key: Uint8Array, text: string) =>
  new Uint8Array(createHmac("sha256", key).update(text).digest());

async function tellView(c: Context, site: BoardSite): Promise<Response> {
  const fields = await readFields(c, "view");
  const agent = c.req.header("user-agent") ?? "";
  await countVisit(
    site.board.store,
    {
      postId: Number(fields.post),
      visitor: { address: site.people?.address(c) ?? remoteOf(c), agent },
      isRobot: agent === "" || isbot(agent),
      now: site.board.now(),
    },
    hmac,
    newDayKey,
  );
  // One answer for every outcome: nobody learns what was counted.
  return c.body(null, 204);
}

async function boost(c: Context, site: BoardSite): Promise<Response> {
  const id = idOf(c);
  const fields = await readFields(c, "boost");
  if (c.req.method === "DELETE" || fields._method?.toUpperCase() === "DELETE") await site.board.unboost(id);
  else await site.board.boost(id, { os: fields.os ?? "", hardware: fields.hardware ?? "" });
  return await sendBack(c, site, id);
}

const numberOrNull = (text: string): number | null => (text === "" ? null : Number(text));

export const postRoutes: readonly BoardRoute[] = [
  {
    method: "GET",
    path: "/t/:topic/new",
    summary: null,
    query: ["title", "tags"],
    handle: async (c, site) => {
      const { title, tags } = c.req.query();
      return await sendForm(
        c,
        site,
        c.req.param("topic") ?? "",
        { title: title ?? "", markdown: "", tags: tags ?? "" },
        null,
      );
    },
  },
  { method: "POST", path: "/t/:topic/posts", summary: "A new post", door: "post", handle: addPost },
  {
    method: "GET",
    path: "/p/:file",
    summary: "A post with its answers, as ID-slug; .json, .md and .atom",
    query: ["answer"],
    handle: readPost,
  },
  {
    method: "GET",
    path: "/p/:id/edit",
    summary: null,
    handle: async (c, site) => {
      const post = await site.board.post(idOf(c));
      if (post.state === "deleted") throw notFound("post");
      const { title, markdown, tags } = post;
      const main = postForm({
        topic: await site.board.topic(await topicSlugOf(site, post)),
        draft: { title, markdown, tags: tags.join(", ") },
        key: site.newKey(),
        trouble: null,
        preview: null,
        similar: [],
        evidence: null,
        editing: post,
      });
      return sendPage(c, site, { title: "Edit · Drydock", main, isPrivate: true });
    },
  },
  { method: "POST", path: "/p/:id/edit", summary: "An edit by form", door: "postEdit", handle: editPost },
  {
    method: "PUT",
    path: "/p/:id",
    summary: "An edit; If-Match or version says what was seen",
    door: "postEdit",
    handle: editPost,
  },
  {
    method: "GET",
    path: "/p/:id/history",
    summary: "Every version of a post",
    handle: async (c, site) => {
      const post = await site.board.post(idOf(c));
      const revisions = await site.board.store.revisions("post", post.id);
      if (wantsJson(c)) return c.json({ revisions });
      const main = historyPage(post.title, postPath(post), revisions, site.board.now());
      return sendPage(c, site, { title: "History · Drydock", main, isPrivate: true });
    },
  },
  ...(["POST", "DELETE"] as const).map(
    (method): BoardRoute => ({
      method,
      path: method === "POST" ? "/p/:id/delete" : "/p/:id",
      summary: method === "POST" ? null : "Deletes a post: its place stays, its texts go",
      door: "nothing",
      handle: async (c, site) => {
        await readFields(c, "nothing");
        await site.board.deletePost(idOf(c));
        return await sendBack(c, site, idOf(c));
      },
    }),
  ),
  {
    method: "POST",
    path: "/p/:id/replies",
    summary: "An answer, or a comment with parent",
    door: "reply",
    handle: addReply,
  },
  ...(["POST", "PUT", "DELETE"] as const).map(
    (method): BoardRoute => ({
      method,
      path: "/p/:id/boost",
      summary: method === "DELETE" ? "Takes that back" : "I have this too, on os and hardware",
      door: "boost",
      handle: boost,
    }),
  ),
  ...(["POST", "PUT"] as const).map(
    (method): BoardRoute => ({
      method,
      path: "/p/:id/accepted",
      summary: "Accepts an answer; an empty reply takes it back",
      door: "accepted",
      handle: async (c, site) => {
        const fields = await readFields(c, "accepted");
        await site.board.accept(idOf(c), numberOrNull(fields.reply));
        return await sendBack(c, site, idOf(c));
      },
    }),
  ),
  {
    method: "POST",
    path: "/p/:id/duplicate",
    summary: "Marks a post as the same case as another; an empty of takes it back",
    door: "duplicate",
    handle: async (c, site) => {
      const fields = await readFields(c, "duplicate");
      await site.board.markDuplicate(idOf(c), numberOrNull(fields.of));
      return await sendBack(c, site, idOf(c));
    },
  },
  {
    method: "GET",
    path: "/r/:id/edit",
    summary: null,
    handle: async (c, site) => {
      const reply = await site.board.reply(idOf(c));
      if (reply.state === "deleted") throw notFound("reply");
      const post = await site.board.post(reply.postId);
      const main = replyEditForm({
        replyId: reply.id,
        version: reply.version,
        markdown: reply.markdown,
        back: postPath(post),
        trouble: null,
        preview: null,
      });
      return sendPage(c, site, { title: "Edit · Drydock", main, isPrivate: true });
    },
  },
  {
    method: "POST",
    path: "/r/:id/edit",
    summary: "An edit of a reply by form",
    door: "replyEdit",
    handle: editReply,
  },
  { method: "PUT", path: "/r/:id", summary: "An edit of a reply", door: "replyEdit", handle: editReply },
  {
    method: "GET",
    path: "/r/:id/history",
    summary: "Every version of a reply",
    handle: async (c, site) => {
      const reply = await site.board.reply(idOf(c));
      const post = await site.board.post(reply.postId);
      const revisions = await site.board.store.revisions("reply", reply.id);
      if (wantsJson(c)) return c.json({ revisions });
      const main = historyPage(post.title, postPath(post), revisions, site.board.now());
      return sendPage(c, site, { title: "History · Drydock", main, isPrivate: true });
    },
  },
  ...(["POST", "DELETE"] as const).map(
    (method): BoardRoute => ({
      method,
      path: method === "POST" ? "/r/:id/delete" : "/r/:id",
      summary: method === "POST" ? null : "Deletes a reply",
      door: "nothing",
      handle: async (c, site) => {
        await readFields(c, "nothing");
        const reply = await site.board.reply(idOf(c));
        await site.board.deleteReply(reply.id);
        return await sendBack(c, site, reply.postId);
      },
    }),
  ),
  {
    method: "POST",
    path: "/v",
    summary: "Tells that a post was seen; always 204",
    door: "view",
    handle: tellView,
  },
  {
    method: "POST",
    path: "/similar",
    summary: "Posts that share a symptom with a text",
    door: "similar",
    handle: async (c, site) => {
      const fields = await readFields(c, "similar");
      const found = await site.board.similar(fields.text);
      return c.json({
        similar: found.map(({ symptom, posts }) => ({
          symptom,
          posts: posts.map((post) => ({ id: post.id, title: post.title, path: postPath(post) })),
        })),
      });
    },
  },
];
