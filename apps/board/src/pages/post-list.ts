// A list of posts: the page that everything began with, and every other list of posts after it.

import { activityText, isoTime } from "@drydock/board/activity-text";
import type { PostRow } from "@drydock/board/records";
import type { CaseState } from "@drydock/board/still-true";
import { isAlarm } from "@drydock/board/still-true";
import { casePath, postPath, tagPath } from "../board-links.ts";
import { type Html, html, type Piece } from "../html.ts";

/** Two lines of a list hold about this much. */
const listedExcerpt = 156;

/** Cut where a word ends. */
function listExcerpt(text: string): string {
  return text.length <= listedExcerpt ? text : `${text.slice(0, listedExcerpt).replace(/\s+\S*$/, "")} …`;
}

/** What lists say of a case: its state, by id. */
export type CaseStates = ReadonlyMap<string, CaseState>;

export function timeTag(at: number, now: number): Html {
  const iso = isoTime(at);
  return html`<time datetime="${iso.slice(0, 16)}Z">${activityText(at, now)}</time>`;
}

/** "3,357". Written here: the system's way takes 50 microseconds a number, and a list has a hundred. */
export function number(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

export function caseBadge(caseId: string, state: CaseState | undefined): Html {
  const known = state ?? "never run";
  const kind = known === "holds" ? "good" : isAlarm(known) ? "bad" : "plain";
  return html`<a class="chip case ${kind}" href="${casePath(caseId)}"><span class="dot"></span>Run ${caseId}<span class="state"> · ${known}</span></a>`;
}

function chips(row: PostRow, states: CaseStates): Html {
  return html`<p class="chips">${row.state === "solved" ? html`<span class="chip good">answered</span>` : ""}${
    row.state === "duplicate" ? html`<span class="chip plain">same case as another post</span>` : ""
  }${row.caseId === null ? "" : caseBadge(row.caseId, states.get(row.caseId))}${
    row.caseId === null && row.source === "seed" ? html`<span class="chip plain">no case yet</span>` : ""
  }${row.tags.map((tag) => html`<a class="tag" href="${tagPath(tag)}">${tag}</a>`)}</p>`;
}

function listRow(row: PostRow, states: CaseStates, now: number): Html {
  const { origin } = row;
  return html`<tr>
<th scope="row"><a class="title" href="${postPath(row)}">${row.title}</a>
<p class="excerpt">${listExcerpt(row.excerpt)}</p>
${chips(row, states)}${
  origin === null
    ? ""
    : html`<p class="origin">Origin: ${plural(origin.replies, "reply", "replies")} · ${plural(origin.boosts, "boost")} · ${plural(origin.views, "view")} · ${origin.activity}</p>`
}</th>
<td>${number(row.replies)}</td>
<td>${number(row.boosts)}</td>
<td>${number(row.views)}</td>
<td>${timeTag(row.activityAt, now)}</td>
</tr>`;
}

export interface ColumnLinks {
  readonly replies: Piece;
  readonly boosts: Piece;
  readonly views: Piece;
  readonly activity: Piece;
}

const plainColumns: ColumnLinks = {
  replies: "Replies",
  boosts: "Boosts",
  views: "Views",
  activity: "Activity",
};

export function postTable(
  rows: readonly PostRow[],
  states: CaseStates,
  now: number,
  caption: string,
  columns: ColumnLinks = plainColumns,
): Html {
  return html`<table class="posts">
<caption>${caption}</caption>
<thead><tr><th scope="col">Post</th><th scope="col">${columns.replies}</th><th scope="col">${columns.boosts}</th><th scope="col">${columns.views}</th><th scope="col">${columns.activity}</th></tr></thead>
<tbody>
${rows.map((row) => listRow(row, states, now))}
</tbody>
</table>`;
}
