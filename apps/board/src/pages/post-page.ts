// A post with its answers: the question, the answer a run has shown, and where to run it.

import type { Boost, Post, Reply, Revision, Topic } from "@drydock/board/records";
import type { StillTrue } from "@drydock/board/still-true";
import { symptomText } from "@drydock/board/symptoms";
import { casePath, postPath, symptomPath, tagPath, topicPath } from "../board-links.ts";
import { type Html, html } from "../html.ts";
import type { RenderedBodies } from "../markdown.ts";
import { caseBadge, plural, timeTag } from "./post-list.ts";

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
<p class="meta">${author(post.author)} · ${timeTag(post.createdAt, now)}${post.version > 1 ? html` · <a href="/p/${post.id}/history">edited</a>` : ""} · ${plural(post.replies, "reply", "replies")} · ${plural(post.boosts, "boost")} · ${plural(post.views, "view")}</p>
${post.origin === null ? "" : html`<p class="origin">On the page of origin: ${plural(post.origin.replies, "reply", "replies")} · ${plural(post.origin.boosts, "boost")} · ${plural(post.origin.views, "view")} · ${post.origin.activity}. Those replies are not here; the question is told in our words.</p>`}
${options.original === null ? "" : html`<p class="snapshot">The same case as <a href="${postPath(options.original)}">${options.original.title}</a>.</p>`}
</header>
<div class="text">${options.bodies.of(post.bodyId, post.markdown)}</div>
<footer>
<p class="chips">${post.symptoms.map((symptom) => html`<a class="chip code" href="${symptomPath(symptom)}">${symptomText(symptom)}</a>`)}${post.tags.map((tag) => html`<a class="tag" href="${tagPath(tag)}">${tag}</a>`)}</p>
${options.isStatic ? "" : postActs(options)}
</footer>
</article>
${post.caseId === null ? noCase(post) : caseTeaser(post.caseId, options.stillTrue, options.isStatic)}
<section class="answers" aria-label="Answers">
<h2>${answers.length === 0 ? "No answers yet" : plural(answers.length, "answer")}</h2>
${ordered.map((reply) => answerBlock(reply, options))}
</section>
${options.isStatic ? "" : replyForm(options)}`;
}

function author(person: { readonly shownName: string; readonly role: string }): Html {
  const badge =
    person.role === "project"
      ? "the project"
      : person.role === "engineer"
        ? "engineer"
        : person.role === "owner"
          ? "owner"
          : "";
  return html`<b class="who">${person.shownName}</b>${badge === "" ? "" : html` <span class="role">${badge}</span>`}`;
}

function noCase(post: Post): Html | string {
  if (post.source !== "seed") return "";
  return html`<aside class="run none"><h2>No case yet</h2><p>Nothing here can be run for this post so far. Its answer says what is established, what is likely and what is unknown.</p></aside>`;
}

function caseTeaser(caseId: string, known: StillTrue | null, isStatic: boolean): Html {
  const state = known?.state ?? "never run";
  return html`<aside class="run" data-case="${caseId}"><h2>Run it ${caseBadge(caseId, state)}</h2>
<p>${known?.text ?? ""} ${known?.at == null ? "" : html`<span class="age">On Drydock ${known.version ?? ""}.</span>`}</p>
<p class="go"><a class="button" href="${casePath(caseId)}" data-run>Run both drivers</a><label class="seed">Seed <input name="seed" value="1" inputmode="numeric" maxlength="9"></label><a href="${casePath(caseId)}">The case's page</a>${isStatic ? "" : html`<a href="/lab#/trace/${caseId}?seed=1&side=bad">Open it in the lab</a>`}</p>
<div class="result" aria-live="polite"></div></aside>`;
}

function postActs({ post, hasBoosted, boosts, key }: PostPageOptions): Html {
  const systems = new Map<string, number>();
  for (const { os } of boosts) if (os !== "") systems.set(os, (systems.get(os) ?? 0) + 1);
  const counts = [...systems].sort((left, right) => right[1] - left[1]).slice(0, 6);
  return html`<div class="acts">
<form method="post" action="/p/${post.id}/boost" class="boost">${
    hasBoosted
      ? html`<input type="hidden" name="_method" value="DELETE"><button class="on" aria-pressed="true">▲ You have this too</button>`
      : html`<button aria-pressed="false">▲ I have this too</button><details><summary>on …</summary><label>System <input name="os" maxlength="60" placeholder="macOS 26.1"></label><label>Hardware <input name="hardware" maxlength="60" placeholder="M3, Thunderbolt dock"></label></details>`
  }</form>
${counts.length === 0 ? "" : html`<p class="systems">${counts.map(([os, count]) => `${os}: ${count}`).join(", ")}</p>`}
<a href="/p/${post.id}/edit">Edit</a>
<details class="more"><summary>More</summary>
<form method="post" action="/p/${post.id}/duplicate"><label>The same case as post number <input name="of" inputmode="numeric" size="6" value="${post.duplicateOf ?? ""}"></label><button>Mark</button></form>
<form method="post" action="/p/${post.id}/delete"><input type="hidden" name="key" value="${key}"><button class="danger">Delete this post</button></form>
<p><a href="${postPath(post)}.md">Markdown</a> <a href="${postPath(post)}.json">JSON</a> <a href="${postPath(post)}.atom">Atom</a></p>
</details></div>`;
}

function answerBlock(reply: Reply, options: PostPageOptions): Html {
  const { post, now, bodies, isStatic } = options;
  const isAccepted = reply.id === post.acceptedReplyId;
  const isShown = reply.source === "seed" && post.caseId !== null && options.stillTrue !== null;
  const holds = options.stillTrue?.state === "holds" || options.stillTrue?.state === "changed";
  const comments = options.replies.filter((other) => other.parentId === reply.id);
  if (reply.state === "deleted")
    return comments.length === 0
      ? html``
      : html`<article class="answer gone" id="r${reply.id}"><p class="meta">This answer was deleted.</p>${comments.map((comment) => commentBlock(comment, options))}</article>`;
  return html`<article class="answer${isAccepted ? " accepted" : ""}${options.answer === reply.id ? " asked" : ""}" id="r${reply.id}">
<p class="meta">${author(reply.author)} · ${timeTag(reply.createdAt, now)}${reply.version > 1 ? html` · <a href="/r/${reply.id}/history">edited</a>` : ""}${isAccepted ? html` <span class="chip good">accepted</span>` : ""}${
    isShown
      ? holds
        ? html` <a class="chip good" href="${casePath(post.caseId ?? "")}">shown by a run</a>`
        : html` <a class="chip plain" href="${casePath(post.caseId ?? "")}">its run: ${options.stillTrue?.state ?? "never run"}</a>`
      : ""
  } <a class="link" href="${postPath(post)}?answer=${reply.id}#r${reply.id}">Link</a></p>
<div class="text">${bodies.of(reply.bodyId, reply.markdown)}</div>
${comments.length === 0 ? "" : html`<div class="comments">${comments.map((comment) => commentBlock(comment, options))}</div>`}
${
  isStatic
    ? ""
    : html`<div class="acts"><form method="post" action="/p/${post.id}/accepted"><input type="hidden" name="reply" value="${isAccepted ? "" : reply.id}"><button>${isAccepted ? "Take acceptance back" : "Accept"}</button></form><a href="/r/${reply.id}/edit">Edit</a><details class="more"><summary>Comment</summary><form method="post" action="/p/${post.id}/replies" class="write small"><input type="hidden" name="key" value="${options.key}-${reply.id}"><input type="hidden" name="parent" value="${reply.id}"><label>Comment <textarea name="markdown" rows="3" required></textarea></label><button>Comment</button></form></details><details class="more"><summary>More</summary><form method="post" action="/r/${reply.id}/delete"><button class="danger">Delete this answer</button></form></details></div>`
}
</article>`;
}

function commentBlock(comment: Reply, { bodies, now, isStatic }: PostPageOptions): Html {
  if (comment.state === "deleted") return html``;
  return html`<div class="comment" id="r${comment.id}"><p class="meta">${author(comment.author)} · ${timeTag(comment.createdAt, now)}${isStatic ? "" : html` · <a href="/r/${comment.id}/edit">Edit</a>`}</p><div class="text">${bodies.of(comment.bodyId, comment.markdown)}</div></div>`;
}

function replyForm({ post, key, draft }: PostPageOptions): Html {
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
<p><button class="button">Answer</button> <button name="preview" value="1" class="second">Preview</button></p></form>`;
}

export function historyPage(title: string, back: string, revisions: readonly Revision[], now: number): Html {
  return html`<nav class="crumbs" aria-label="Place"><a href="${back}">${title}</a></nav><h1>History</h1>
${revisions.map(
  (revision) =>
    html`<section class="revision"><h2>Version ${revision.version}</h2><p class="meta">${revision.editor.shownName} · ${timeTag(revision.at, now)}</p>${revision.title === null ? "" : html`<p><b>${revision.title}</b></p>`}<pre tabindex="0">${revision.markdown}</pre></section>`,
)}`;
}
