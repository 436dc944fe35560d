// A post with its answers: the question, the answer a run has shown, and where to run it.

import type { Evidence } from "@drydock/board/evidence-store";
import type { LogRow } from "@drydock/board/moderation-store";
import type { Boost, Post, Reply, Revision, Topic } from "@drydock/board/records";
import type { StillTrue } from "@drydock/board/still-true";
import { symptomText } from "@drydock/board/symptoms";
import { mayEdit, mayModerate, type Visitor } from "@drydock/board/visitor";
import { casePath, postPath, symptomPath, tagPath, topicPath } from "../board-links.ts";
import type { EvidenceCard } from "../evidence-reading.ts";
import { type Html, html } from "../html.ts";
import type { RenderedBodies } from "../markdown.ts";
import { evidenceSection } from "./evidence-pages.ts";
import { postModeration, replyModeration } from "./moderation-forms.ts";
import { author } from "./person-name.ts";
import { caseBadge, plural, timeTag } from "./post-list.ts";

/** By the reply that files belong to; null: the post itself. */
export type EvidenceByPlace = ReadonlyMap<
  number | null,
  {
    readonly files: readonly Evidence[];
    readonly waiting: number;
    readonly cards: readonly EvidenceCard[];
  }
>;

export interface PostPageOptions {
  readonly post: Post;
  readonly topic: Topic;
  readonly replies: readonly Reply[];
  readonly original: Post | null;
  readonly boosts: readonly Boost[];
  readonly hasBoosted: boolean;
  readonly bodies: RenderedBodies;
  readonly now: number;
  /** Drawn for this page: a form sent twice is one act. */
  readonly key: string;
  /** State of the post's case; null without one. */
  readonly stillTrue: StillTrue | null;
  readonly isStatic: boolean;
  /** Who reads; null: nobody is signed in. */
  readonly actor: Visitor | null;
  readonly topics: readonly Topic[];
  /** A board for many: names lead to people. */
  readonly hasPeople: boolean;
  readonly isWatching: boolean;
  readonly evidence: EvidenceByPlace;
  /** Why it is hidden or locked, the newest acts. */
  readonly acts: readonly LogRow[];
  /** A reply's text that was refused, with the reason. */
  readonly draft?: { readonly markdown: string; readonly parentId: number | null; readonly reason: string };
  /** The reply that the address asks for. */
  readonly answer?: number | undefined;
}

export function postPage(options: PostPageOptions): Html {
  const { post, topic, replies, now } = options;
  const answers = replies.filter((reply) => reply.parentId === null);
  const accepted = answers.find((reply) => reply.id === post.acceptedReplyId);
  const ordered =
    accepted === undefined ? answers : [accepted, ...answers.filter((reply) => reply !== accepted)];
  return html`<nav class="crumbs" aria-label="Place"><a href="${topicPath(topic.slug)}">${topic.name}</a></nav>
<article class="post">
<header>
<h1>${post.title}</h1>
<p class="meta">${author(post.author, options.hasPeople)} · ${timeTag(post.createdAt, now)}${post.version > 1 ? html` · <a href="/p/${post.id}/history">edited</a>` : ""} · ${plural(post.replies, "reply", "replies")} · ${plural(post.boosts, "boost")} · ${plural(post.views, "view")}</p>
${post.origin === null ? "" : html`<p class="origin">On the page of origin: ${plural(post.origin.replies, "reply", "replies")} · ${plural(post.origin.boosts, "boost")} · ${plural(post.origin.views, "view")} · ${post.origin.activity}. Those replies are not here; the question is told in our words.</p>`}
${options.acts.map((row) => html`<p class="snapshot">${row.act === "hide" ? "Hidden" : "Locked"} by ${row.actor.shownName}: ${row.reason}</p>`)}
${options.original === null ? "" : html`<p class="snapshot">The same case as <a href="${postPath(options.original)}">${options.original.title}</a>.</p>`}
</header>
<div class="text">${options.bodies.of(post.bodyId, post.markdown, post.author.isKnown)}</div>
<footer>
<p class="chips">${post.symptoms.map((symptom) => html`<a class="chip code" href="${symptomPath(symptom)}">${symptomText(symptom)}</a>`)}${post.tags.map((tag) => html`<a class="tag" href="${tagPath(tag)}">${tag}</a>`)}</p>
${options.isStatic ? "" : postActs(options)}
</footer>
</article>
${evidenceOn(null, options)}
${post.caseId === null ? noCase(post) : caseTeaser(post.caseId, options.stillTrue)}
<section class="answers" aria-label="Answers">
<h2>${answers.length === 0 ? "No answers yet" : plural(answers.length, "answer")}</h2>
${ordered.map((reply) => answerBlock(reply, options))}
</section>
${options.isStatic ? "" : replyForm(options)}`;
}

function evidenceOn(replyId: number | null, options: PostPageOptions): Html | string {
  const { post, actor, isStatic, now } = options;
  const there = options.evidence.get(replyId) ?? { files: [], waiting: 0, cards: [] };
  return evidenceSection({ postId: post.id, replyId, ...there, actor, isStatic, now });
}

function noCase(post: Post): Html | string {
  if (post.source !== "seed") return "";
  return html`<aside class="run none"><h2>No case yet</h2><p>Nothing here can be run for this post so far. Its answer says what is established, what is likely and what is unknown.</p></aside>`;
}

function caseTeaser(caseId: string, known: StillTrue | null): Html {
  const state = known?.state ?? "never run";
  return html`<aside class="run" data-case="${caseId}"><h2>Run it ${caseBadge(caseId, state)}</h2>
<p>${known?.text ?? ""} ${known?.at == null ? "" : html`<span class="age">On Drydock ${known.version ?? ""}.</span>`}</p>
<p class="go"><a class="button" href="${casePath(caseId)}" data-run>Run both drivers</a><label class="seed">Seed <input name="seed" value="1" inputmode="numeric" maxlength="9"></label><a href="${casePath(caseId)}">The case's page</a><a href="/lab#/trace/${caseId}?seed=1&side=bad">Open it in the lab</a></p>
<div class="result" aria-live="polite"></div></aside>`;
}

function boostForm({ post, hasBoosted, actor }: PostPageOptions): Html {
  if (actor === null) return html`<p><a href="/login">Sign in</a> to say that you have this too.</p>`;
  return html`<form method="post" action="/p/${post.id}/boost" class="boost">${
    hasBoosted
      ? html`<input type="hidden" name="_method" value="DELETE"><button class="on" aria-pressed="true">▲ You have this too</button>`
      : html`<button aria-pressed="false">▲ I have this too</button><details><summary>on …</summary><label>System <input name="os" maxlength="60" placeholder="macOS 26.1"></label><label>Hardware <input name="hardware" maxlength="60" placeholder="M3, Thunderbolt dock"></label></details>`
  }</form>`;
}

function postActs(options: PostPageOptions): Html {
  const { post, boosts, key, actor } = options;
  const systems = new Map<string, number>();
  for (const { os } of boosts) if (os !== "") systems.set(os, (systems.get(os) ?? 0) + 1);
  const counts = [...systems].sort((left, right) => right[1] - left[1]).slice(0, 6);
  const isOwn = mayEdit(actor, post.author);
  return html`<div class="acts">
${boostForm(options)}
${counts.length === 0 ? "" : html`<p class="systems">${counts.map(([os, count]) => `${os}: ${count}`).join(", ")}</p>`}
${isOwn ? html`<a href="/p/${post.id}/edit">Edit</a>` : ""}
${actor === null ? "" : html`<form method="post" action="/p/${post.id}/watch">${options.isWatching ? html`<input type="hidden" name="_method" value="DELETE"><button>Stop watching</button>` : html`<button>Watch</button>`}</form>`}
<details class="more"><summary>More</summary>
${
  isOwn
    ? html`<form method="post" action="/p/${post.id}/duplicate"><label>The same case as post number <input name="of" inputmode="numeric" size="6" value="${post.duplicateOf ?? ""}"></label><button>Mark</button></form>
<form method="post" action="/p/${post.id}/delete"><input type="hidden" name="key" value="${key}"><button class="danger">Delete this post</button></form>`
    : ""
}
${flagForm(actor, post.author.id, `/p/${post.id}/flag`, "this post")}
<p><a href="${postPath(post)}.md">Markdown</a> <a href="${postPath(post)}.json">JSON</a> <a href="${postPath(post)}.atom">Atom</a></p>
</details>${mayModerate(actor) ? postModeration(post, options.topics) : ""}</div>`;
}

/** Whoever is signed in, for what is not their own. */
function flagForm(actor: Visitor | null, authorId: number, action: string, what: string): Html | string {
  if (actor === null || actor.id === authorId || actor.limits === null) return "";
  return html`<form method="post" action="${action}"><label>What is wrong with ${what} <input name="reason" maxlength="150" required></label><button>Flag it for a moderator</button></form>`;
}

function answerBlock(reply: Reply, options: PostPageOptions): Html {
  const { post, now, bodies, isStatic, actor } = options;
  const isAccepted = reply.id === post.acceptedReplyId;
  const isShown = reply.source === "seed" && post.caseId !== null && options.stillTrue !== null;
  const holds = options.stillTrue?.state === "holds" || options.stillTrue?.state === "changed";
  const comments = options.replies.filter((other) => other.parentId === reply.id);
  if (reply.state === "deleted")
    return comments.length === 0
      ? html``
      : html`<article class="answer gone" id="r${reply.id}"><p class="meta">This answer was deleted.</p>${comments.map((comment) => commentBlock(comment, options))}</article>`;
  return html`<article class="answer${reply.state === "hidden" ? " hidden" : ""}${isAccepted ? " accepted" : ""}${options.answer === reply.id ? " asked" : ""}" id="r${reply.id}">
<p class="meta">${author(reply.author, options.hasPeople)} · ${timeTag(reply.createdAt, now)}${reply.version > 1 ? html` · <a href="/r/${reply.id}/history">edited</a>` : ""}${reply.state === "hidden" ? html` <span class="chip bad">hidden</span>` : ""}${isAccepted ? html` <span class="chip good">accepted</span>` : ""}${
    isShown
      ? holds
        ? html` <a class="chip good" href="${casePath(post.caseId ?? "")}">shown by a run</a>`
        : html` <a class="chip plain" href="${casePath(post.caseId ?? "")}">its run: ${options.stillTrue?.state ?? "never run"}</a>`
      : ""
  } <a class="link" href="${postPath(post)}?answer=${reply.id}#r${reply.id}">Link</a></p>
<div class="text">${bodies.of(reply.bodyId, reply.markdown, reply.author.isKnown)}</div>
${evidenceOn(reply.id, options)}
${comments.length === 0 ? "" : html`<div class="comments">${comments.map((comment) => commentBlock(comment, options))}</div>`}
${isStatic ? "" : answerActs(reply, isAccepted, options, actor)}
</article>`;
}

function answerActs(
  reply: Reply,
  isAccepted: boolean,
  { post, key }: PostPageOptions,
  actor: Visitor | null,
): Html | string {
  if (actor === null) return "";
  const isOwn = mayEdit(actor, reply.author);
  return html`<div class="acts">${
    mayEdit(actor, post.author) && reply.state === "shown"
      ? html`<form method="post" action="/p/${post.id}/accepted"><input type="hidden" name="reply" value="${isAccepted ? "" : reply.id}"><button>${isAccepted ? "Take acceptance back" : "Accept"}</button></form>`
      : ""
  }${isOwn ? html`<a href="/r/${reply.id}/edit">Edit</a>` : ""}${
    post.isLocked && !mayModerate(actor)
      ? ""
      : html`<a href="/p/${post.id}/evidence?answer=${reply.id}">Add evidence to it</a><details class="more"><summary>Comment</summary><form method="post" action="/p/${post.id}/replies" class="write small"><input type="hidden" name="key" value="${key}-${reply.id}"><input type="hidden" name="parent" value="${reply.id}"><label>Comment <textarea name="markdown" rows="3" required></textarea></label><button>Comment</button></form></details>`
  }${
    isOwn || actor.limits !== null
      ? html`<details class="more"><summary>More</summary>${isOwn ? html`<form method="post" action="/r/${reply.id}/delete"><button class="danger">Delete this answer</button></form>` : ""}${flagForm(actor, reply.author.id, `/r/${reply.id}/flag`, "this answer")}</details>`
      : ""
  }${mayModerate(actor) ? replyModeration(reply) : ""}</div>`;
}

function commentBlock(comment: Reply, options: PostPageOptions): Html {
  const { bodies, now, isStatic, actor, hasPeople } = options;
  if (comment.state === "deleted") return html``;
  const edit =
    isStatic || !mayEdit(actor, comment.author) ? "" : html` · <a href="/r/${comment.id}/edit">Edit</a>`;
  const acts =
    isStatic || actor === null || (actor.limits === null && !mayModerate(actor))
      ? ""
      : html`<div class="acts">${actor.id === comment.author.id || actor.limits === null ? "" : html`<details class="more"><summary>Flag</summary>${flagForm(actor, comment.author.id, `/r/${comment.id}/flag`, "this comment")}</details>`}${mayModerate(actor) ? replyModeration(comment) : ""}</div>`;
  return html`<div class="comment" id="r${comment.id}"><p class="meta">${author(comment.author, hasPeople)} · ${timeTag(comment.createdAt, now)}${comment.state === "hidden" ? html` <span class="chip bad">hidden</span>` : ""}${edit}</p><div class="text">${bodies.of(comment.bodyId, comment.markdown, comment.author.isKnown)}</div>${evidenceOn(comment.id, options)}${acts}</div>`;
}

function replyForm({ post, key, draft, actor }: PostPageOptions): Html {
  if (actor === null)
    return html`<p class="snapshot" id="answer"><a href="/login">Sign in</a> to answer. Reading needs no account.</p>`;
  if (post.isLocked && !mayModerate(actor)) return html``;
  return html`<section class="write" id="answer"><h2>Your answer</h2>
${draft === undefined ? "" : html`<p class="error" role="alert">${draft.reason}</p>`}
${replyFields(post, { key, markdown: draft?.markdown ?? "", parent: draft?.parentId == null ? "" : String(draft.parentId) })}</section>`;
}

/** The form alone, filled: also below a preview. */
export function replyFields(
  post: { readonly id: number },
  fields: { readonly key?: string; readonly markdown: string; readonly parent?: string },
): Html {
  return html`<form method="post" class="write" action="/p/${post.id}/replies"><input type="hidden" name="key" value="${fields.key ?? ""}">${fields.parent === undefined || fields.parent === "" ? "" : html`<input type="hidden" name="parent" value="${fields.parent}">`}
<label for="reply-text">Markdown; code between lines of three backticks</label>
<textarea id="reply-text" name="markdown" rows="8" required>
${fields.markdown}</textarea>
<p><button class="button">Answer</button> <button name="files" value="1" class="second">Answer and add evidence</button> <button name="preview" value="1" class="second">Preview</button></p></form>`;
}

export function historyPage(title: string, back: string, revisions: readonly Revision[], now: number): Html {
  return html`<nav class="crumbs" aria-label="Place"><a href="${back}">${title}</a></nav><h1>History</h1>
${revisions.map(
  (revision) =>
    html`<section class="revision"><h2>Version ${revision.version}</h2><p class="meta">${revision.editor.shownName} · ${timeTag(revision.at, now)}</p>${revision.title === null ? "" : html`<p><b>${revision.title}</b></p>`}<pre tabindex="0">${revision.markdown}</pre></section>`,
)}`;
}
