// The subtopic: description, documentation link, and its posts in any order; and the same page as it was given.

import type { ListOrder, SortKey } from "@drydock/board/listing";
import { formatCursor, sortKeys } from "@drydock/board/listing";
import type { PostRow, Tag, Topic } from "@drydock/board/records";
import { postPath, tagPath, topicPath } from "../board-links.ts";
import { type Html, html } from "../html.ts";
import { type CaseStates, type ColumnLinks, number, postTable } from "./post-list.ts";

const orderWords: Readonly<Record<SortKey, readonly [string, string]>> = {
  activity: ["latest activity first", "longest quiet first"],
  created: ["newest first", "oldest first"],
  replies: ["most replies first", "fewest replies first"],
  boosts: ["most boosts first", "fewest boosts first"],
  views: ["most views first", "fewest views first"],
};

export function orderUrl(path: string, order: Partial<ListOrder>): string {
  const query: string[] = [];
  if (order.unanswered === true) query.push("sort=unanswered");
  else if (order.sort !== undefined && order.sort !== "activity") query.push(`sort=${order.sort}`);
  if (order.direction === "asc") query.push("order=asc");
  if (order.after != null) query.push(`after=${formatCursor(order.after)}`);
  return query.length === 0 ? path : `${path}?${query.join("&")}`;
}

/** The key of a row in an order: where the next page begins. */
export function keyOf(row: PostRow, sort: SortKey): number {
  return {
    activity: row.activityAt,
    created: row.createdAt,
    replies: row.replies,
    boosts: row.boosts,
    views: row.views,
  }[sort];
}

/** Null: nobody who could watch. */
export type IsWatching = boolean | null;

function watchForm(path: string, isWatching: IsWatching): Html | string {
  if (isWatching === null) return "";
  return html`<form method="post" action="${path}/watch" class="watch">${isWatching ? html`<input type="hidden" name="_method" value="DELETE"><button>Stop watching</button>` : html`<button>Watch</button>`}</form>`;
}

function head(
  topic: Topic,
  posts: number,
  current: "live" | "origin",
  isStatic: boolean,
  isWatching: IsWatching = null,
): Html {
  const path = topicPath(topic.slug);
  const tab = (name: string, href: string, text: string) =>
    html`<a href="${href}"${current === name ? html` aria-current="page"` : ""}>${text}</a>`;
  return html`<div class="topic">
<div>
<h1>${topic.name}</h1>
<p class="lead">${topic.description}</p>
<p class="actions"><a class="doc" href="${topic.documentationUrl}">${topic.documentationName}</a>${isStatic ? "" : html`<a class="button" href="${path}/new">New post</a>`}</p>${watchForm(path, isWatching)}
</div>
</div>
<div class="tabs" role="navigation" aria-label="Views of this subtopic">${tab("live", path, `Live (${number(posts)})`)}${tab("origin", `${path}?view=origin`, "As it was given")}</div>`;
}

export function topicPage(options: {
  readonly topic: Topic;
  readonly order: ListOrder;
  readonly pinned: readonly PostRow[];
  /** One more than a page when there is a next one. */
  readonly rows: readonly PostRow[];
  readonly states: CaseStates;
  readonly tags: readonly Tag[];
  readonly posts: number;
  readonly now: number;
  readonly isStatic: boolean;
  readonly isWatching: IsWatching;
}): Html {
  const { topic, order, states, now } = options;
  const path = topicPath(topic.slug);
  const rows = options.rows.slice(0, order.limit);
  const last = rows.at(-1);
  const hasMore = options.rows.length > order.limit && last !== undefined;
  const column = (sort: SortKey, text: string): Html => {
    const isCurrent = order.sort === sort && !order.unanswered;
    const direction = isCurrent && order.direction === "desc" ? "asc" : "desc";
    const arrow = isCurrent ? (order.direction === "desc" ? "↓" : "↑") : "";
    return html`<a href="${orderUrl(path, { sort, direction })}" rel="nofollow"${isCurrent ? html` class="current"` : ""}>${text}<span class="arrow" aria-hidden="true">${arrow}</span></a>`;
  };
  const columns: ColumnLinks = {
    replies: column("replies", "Replies"),
    boosts: column("boosts", "Boosts"),
    views: column("views", "Views"),
    activity: column("activity", "Activity"),
  };
  const words = order.unanswered
    ? "without an answer"
    : orderWords[order.sort][order.direction === "desc" ? 0 : 1];
  const sorts = [
    ...sortKeys.map((sort) => ({ sort, unanswered: false, text: sort })),
    { sort: "activity" as const, unanswered: true, text: "unanswered" },
  ];
  return html`${head(topic, options.posts, "live", options.isStatic, options.isWatching)}
<p class="orders"><span>Sort:</span>${sorts.map(({ sort, unanswered, text }) => {
    const isCurrent = order.unanswered === unanswered && (unanswered || order.sort === sort);
    return html`<a href="${orderUrl(path, { sort, unanswered })}" rel="nofollow"${isCurrent ? html` aria-current="true"` : ""}>${text}</a>`;
  })}<a class="feed" href="${path}.atom">Atom</a></p>
${options.pinned.length === 0 || order.after !== null ? "" : postTable(options.pinned, states, now, "Pinned")}
${
  rows.length === 0
    ? html`<p class="empty">${order.after === null ? (order.unanswered ? "Every post has an answer." : "No posts yet.") : "Nothing more in this order."}</p>`
    : postTable(rows, states, now, `Posts under ${topic.name} subtopic, ${words}`, columns)
}
<p class="pages">${order.after === null ? "" : html`<a href="${orderUrl(path, { ...order, after: null })}">First page</a>`}${
    hasMore
      ? html`<a rel="next" href="${orderUrl(path, { ...order, after: { key: keyOf(last, order.sort), id: last.id } })}">Next page</a>`
      : ""
  }</p>
${
  options.tags.length === 0
    ? ""
    : html`<section class="cloud"><h2>Tags</h2><p class="chips">${options.tags.map((tag) => html`<a class="tag" href="${tagPath(tag.slug)}">${tag.slug} <span class="n">${tag.posts}</span></a>`)}</p></section>`
}`;
}

/** Letter for letter what the page of origin said: its order, its numbers, its dates. */
export function originPage(topic: Topic, posts: number, rows: readonly PostRow[], isStatic: boolean): Html {
  return html`${head(topic, posts, "origin", isStatic)}
<p class="snapshot"><b>A snapshot.</b> Order, numbers and dates are those of the page that this board began with. They are not counted here; each title leads to the question in our words, and its answer.</p>
<table class="posts asgiven">
<caption>Posts under ${topic.name} subtopic</caption>
<thead><tr><th scope="col">Post</th><th scope="col">Replies</th><th scope="col">Boosts</th><th scope="col">Views</th><th scope="col">Activity</th></tr></thead>
<tbody>
${rows.map(({ origin, ...row }) =>
  origin === null
    ? ""
    : html`<tr><th scope="row"><a class="title" href="${postPath(row)}">${origin.title}</a></th><td>${origin.replies}</td><td>${origin.boosts}</td><td>${origin.views}</td><td>${origin.activity}</td></tr>`,
)}
</tbody>
</table>`;
}
