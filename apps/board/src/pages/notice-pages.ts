// Notices: what happened to what one watches, and to what is one's own. There is no mail; a feed reader may fetch them.

import type { Notice, NoticeKind, WatchRow } from "@drydock/board/watch-store";
import { postPath } from "../board-links.ts";
import { type Html, html } from "../html.ts";
import { timeTag } from "./post-list.ts";

const words: Readonly<Record<NoticeKind, string>> = {
  post: "posted in a subtopic that you watch",
  answer: "answered",
  comment: "commented",
  accepted: "accepted your answer",
  merged: "merged into another post",
  hidden: "hid what you wrote",
  shown: "showed again what you wrote",
  locked: "locked your post",
  moved: "moved your post",
  evidence: "showed evidence that had waited",
  person: "changed your account",
};

/** One line, for pages and feeds. */
export const noticeText = ({ actor, kind }: Notice): string => `${actor.shownName} ${words[kind]}`;

export function noticePath({ kind, postId, replyId, title }: Notice): string {
  if (postId === null) return "/me/log";
  if (kind === "hidden") return "/me/log";
  const path = postPath({ id: postId, title });
  return replyId === null ? path : `${path}?answer=${replyId}#r${replyId}`;
}

export function noticePage(options: {
  readonly notices: readonly Notice[];
  readonly next: number | null;
  readonly watched: readonly WatchRow[];
  /** The secret address of a feed, just made: it is told this once. */
  readonly feed: string | null;
  readonly now: number;
}): Html {
  const { notices, now } = options;
  const [newest] = notices;
  return html`<h1>Notices</h1>
${options.feed === null ? "" : html`<p class="snapshot">For your feed reader, told this once: <code>${options.feed}</code> Whoever has it reads your notices. A new one ends it.</p>`}
${
  notices.length === 0
    ? html`<p class="empty">Nothing yet. Whoever posts, answers or boosts watches that post from then on.</p>`
    : html`<ul class="notices">${notices.map(
        (notice) =>
          html`<li${notice.isRead ? "" : html` class="unread"`}><a href="${noticePath(notice)}">${notice.title === "" ? "Your account" : notice.title}</a> <span class="meta">${noticeText(notice)} · ${timeTag(notice.at, now)}${notice.isRead ? "" : " · new"}</span></li>`,
      )}</ul>`
}
${newest === undefined || notices.every(({ isRead }) => isRead) ? "" : html`<form method="post" action="/notices/read"><input type="hidden" name="upTo" value="${newest.id}"><button class="button">I have read these</button></form>`}
${options.next === null ? "" : html`<p class="pages"><a rel="next" href="/notices?before=${options.next}">Earlier</a></p>`}
<section><h2>Watched</h2>${
    options.watched.length === 0
      ? html`<p>Nothing.</p>`
      : html`<ul class="notices">${options.watched.map((row) => html`<li><a href="${row.of === "post" ? postPath({ id: row.id, title: row.title }) : "/"}">${row.title}</a> <form method="post" action="/${row.of === "post" ? "p" : "t"}/${row.id}/watch"><input type="hidden" name="_method" value="DELETE"><button>Stop watching ${row.title}</button></form></li>`)}</ul>`
  }</section>
<section><h2>Elsewhere</h2><p>There is no mail. A feed reader can fetch your notices from an address that only you know.</p><form method="post" action="/notices/feed"><button>Make a new address</button></form></section>`;
}
