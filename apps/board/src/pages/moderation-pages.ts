// Pages of moderation: the queue of flags, the log that only grows, people with what they are and may do.

import type { FlagRow, LogRow, ModerationAct } from "@drydock/board/moderation-store";
import type { Account } from "@drydock/board/people-store";
import type { PostRow, Role } from "@drydock/board/records";
import { postPath } from "../board-links.ts";
import { type Html, html } from "../html.ts";
import { personModeration } from "./moderation-forms.ts";
import { author, badgeOf } from "./person-name.ts";
import { type CaseStates, plural, postTable, timeTag } from "./post-list.ts";

const tabs = (current: string): Html =>
  html`<div class="tabs" role="navigation" aria-label="Moderation">${[
    ["/moderation/queue", "Flags"],
    ["/moderation/log", "Log"],
    ["/people", "People"],
  ].map(
    ([href, text]) =>
      html`<a href="${href}"${href === current ? html` aria-current="page"` : ""}>${text}</a>`,
  )}</div>`;

/** Flags of one thing stand together, the longest waiting first. */
export function queuePage(rows: readonly FlagRow[], next: number | null, now: number): Html {
  const things = new Map<string, FlagRow[]>();
  for (const row of rows) {
    const key = `${row.of} ${row.ofId}`;
    things.set(key, [...(things.get(key) ?? []), row]);
  }
  return html`<h1>Flags</h1>
${tabs("/moderation/queue")}
${things.size === 0 ? html`<p class="empty">Nothing waits for a moderator.</p>` : ""}
${[...things.values()].map((flags) => {
  const [first] = flags;
  const place = first.of === "post" ? "" : `?answer=${first.ofId}#r${first.ofId}`;
  return html`<article class="answer flagged"><p class="meta">${first.of === "post" ? "Post" : "Answer"} by ${author(first.author, true)} · ${plural(flags.length, "flag")}</p>
<h2><a href="${postPath({ id: first.postId, title: first.title })}${place}">${first.title}</a></h2>
<p class="excerpt">${first.excerpt}</p>
<ul>${flags.map((flag) => html`<li>${flag.reason} <span class="meta">${author(flag.by, true)}, ${timeTag(flag.at, now)}</span></li>`)}</ul>
<form method="post" action="/${first.of === "post" ? "p" : "r"}/${first.ofId}/moderate" class="moderate"><label>Reason, which the author can read <input name="reason" maxlength="150" required></label><span class="buttons"><button name="act" value="hide" class="danger">Hide it</button><button name="act" value="dismiss">Nothing is wrong</button></span></form></article>`;
})}
${next === null ? "" : html`<p class="pages"><a rel="next" href="/moderation/queue?after=${next}">More flags</a></p>`}`;
}

const actWords: Readonly<Record<ModerationAct, string>> = {
  hide: "hidden",
  show: "shown again",
  dismiss: "flags dismissed",
  lock: "locked",
  unlock: "unlocked",
  move: "moved",
  merge: "merged",
  ban: "banned",
  unban: "let write again",
  role: "role given",
  know: "known",
  unknow: "new again",
};

export function logTable(rows: readonly LogRow[], now: number): Html {
  return html`<div class="wide" tabindex="0"><table class="log"><caption class="hush">Acts of moderators, newest first</caption><thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">Of whom</th><th scope="col">Why</th><th scope="col">By</th></tr></thead><tbody>${rows.map(
    (row) =>
      html`<tr><td>${timeTag(row.at, now)}</td><td>${
        row.postId === null
          ? "Account"
          : html`<a href="/p/${row.postId}${row.of === "reply" ? `?answer=${row.ofId}` : ""}">${row.of === "post" ? "Post" : "Answer"} ${row.ofId}</a>`
      } ${actWords[row.act]}${row.detail === "" ? "" : `: ${row.detail}`}</td><td>${row.subject.shownName}</td><td>${row.reason}</td><td>${row.actor.shownName}</td></tr>`,
  )}</tbody></table></div>`;
}

export function logPage(
  rows: readonly LogRow[],
  next: number | null,
  now: number,
  whose: "all" | "own",
): Html {
  const path = whose === "all" ? "/moderation/log" : "/me/log";
  return html`<h1>${whose === "all" ? "The log" : "What moderators did that concerns you"}</h1>
${whose === "all" ? tabs("/moderation/log") : ""}
<p>Every act of a moderator, with its reason. Nothing here is ever changed or removed.</p>
${rows.length === 0 ? html`<p class="empty">Nothing so far.</p>` : logTable(rows, now)}
${next === null ? "" : html`<p class="pages"><a rel="next" href="${path}?before=${next}">Earlier</a></p>`}`;
}

export function peoplePage(rows: readonly Account[], words: string, next: number | null, now: number): Html {
  return html`<h1>People</h1>
${tabs("/people")}
<form action="/people" class="find people"><label for="words">Handle or name</label> <input id="words" name="q" maxlength="60" value="${words}"> <button>Find</button></form>
${
  rows.length === 0
    ? html`<p class="empty">Nobody of that name.</p>`
    : html`<div class="wide" tabindex="0"><table class="log"><caption class="hush">Accounts, newest first</caption><thead><tr><th scope="col">Person</th><th scope="col">Handle</th><th scope="col">Role</th><th scope="col">Since</th></tr></thead><tbody>${rows.map(
        (row) =>
          html`<tr><td><a href="/people/${row.handle}">${row.shownName}</a></td><td>${row.handle}</td><td>${row.role}${row.isKnown ? "" : ", new here"}${row.state === "banned" ? ", banned" : ""}</td><td>${timeTag(row.createdAt, now)}</td></tr>`,
      )}</tbody></table></div>`
}
${next === null ? "" : html`<p class="pages"><a rel="next" href="/people?q=${encodeURIComponent(words)}&before=${next}">More people</a></p>`}`;
}

export function personPage(options: {
  readonly person: Account;
  readonly posts: readonly PostRow[];
  readonly states: CaseStates;
  readonly now: number;
  /** For moderators: what they may do here; null for everybody else. */
  readonly moderation: { readonly roles: readonly Role[]; readonly log: readonly LogRow[] } | null;
}): Html {
  const { person, posts, now, moderation } = options;
  const badge = badgeOf(person);
  return html`<h1>${person.shownName}${badge === "" ? "" : html` <span class="role">${badge}</span>`}</h1>
<p class="meta">${person.handle} · since ${timeTag(person.createdAt, now)}${person.state === "banned" ? " · may read, not write" : ""}</p>
${posts.length === 0 ? html`<p class="empty">No posts yet.</p>` : postTable(posts, options.states, now, `Posts by ${person.shownName}, newest first`)}
${
  moderation === null
    ? ""
    : html`${personModeration(person, moderation.roles)}${moderation.log.length === 0 ? "" : html`<section><h2>Their log</h2>${logTable(moderation.log, now)}</section>`}`
}`;
}
