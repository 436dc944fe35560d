// Pages of people: signing in and up, one's own account with its keys and sessions, the owner's link.

import type { LogRow } from "@drydock/board/moderation-store";
import type { Account, Passkey, Session } from "@drydock/board/people-store";
import { type Html, html } from "../html.ts";
import { timeTag } from "./post-list.ts";

const trouble = (text: string | null): Html | string =>
  text === null ? "" : html`<p class="error" role="alert" id="trouble">${text}</p>`;

export function signInPage(reason: string | null, handle: string): Html {
  return html`<h1>Sign in</h1>
${trouble(reason)}
<section class="write" data-passkey="in"><h2>With a passkey</h2>
<p><button class="button" data-passkey-go hidden>Sign in with a passkey</button> <span data-passkey-text aria-live="polite">A passkey needs script; a password below does not.</span></p></section>
<form method="post" action="/login" class="write"><h2>With a password</h2>
<label for="handle">Handle</label><input id="handle" name="handle" maxlength="40" required autocomplete="username" value="${handle}">
<label for="password">Password</label><input id="password" name="password" type="password" maxlength="512" required autocomplete="current-password">
<p><button class="button">Sign in</button> <a href="/signup">New here?</a></p></form>`;
}

export function signUpPage(reason: string | null, handle: string, shownName: string): Html {
  return html`<h1>A new account</h1>
${trouble(reason)}
<form method="post" action="/signup" class="write">
<label for="handle">Handle: 3 to 30 lower-case letters, digits or hyphens</label><input id="handle" name="handle" maxlength="40" required autocomplete="username" value="${handle}">
<label for="name">Name, as others see it</label><input id="name" name="name" maxlength="60" autocomplete="nickname" value="${shownName}">
<label for="password">Password: 12 characters or more. A passkey can be added next, and the password taken away.</label><input id="password" name="password" type="password" maxlength="512" required autocomplete="new-password">
<p><button class="button">Make the account</button> <a href="/login">Sign in instead</a></p></form>
<p>There is no mail: a lost password without a passkey is a lost account. Add two keys.</p>`;
}

export interface AccountPageOptions {
  readonly account: Account;
  readonly passkeys: readonly Passkey[];
  readonly hasPassword: boolean;
  readonly sessions: readonly Session[];
  /** Id of the session that asks. */
  readonly own: string;
  readonly now: number;
  readonly reason: string | null;
  /** Why this account may not write; null while it may. */
  readonly banned: LogRow | null;
}

export function accountPage(options: AccountPageOptions): Html {
  const { account, passkeys, sessions, now } = options;
  return html`<h1>${account.shownName}</h1>
<p class="meta">${account.handle} · ${account.role}${account.isKnown ? "" : ", new here"} · since ${timeTag(account.createdAt, now)} · <a href="/people/${account.handle}">as others see you</a> · <a href="/me/log">what moderators did that concerns you</a></p>
${options.banned === null ? "" : html`<p class="error">${options.banned.actor.shownName} has banned this account from writing, ${timeTag(options.banned.at, now)}: ${options.banned.reason}</p>`}
${account.isKnown ? "" : html`<p>New accounts write 3 posts and 20 replies a day, and their links are shown as text, until they are a day old and somebody known has answered, boosted or accepted two of their texts.</p>`}
${trouble(options.reason)}
<section data-passkey="add"><h2>Passkeys</h2>
${passkeys.length === 0 ? html`<p>None yet.</p>` : html`<ul>${passkeys.map((key) => html`<li>Added ${timeTag(key.createdAt, now)}, last used ${timeTag(key.lastUsedAt, now)} <form method="post" action="/me/passkeys/${key.id}/remove"><button>Remove this key of ${timeTag(key.createdAt, now)}</button></form></li>`)}</ul>`}
<p><button class="button" data-passkey-go hidden>Add a passkey</button> <span data-passkey-text aria-live="polite">Adding one needs script.</span></p></section>
<form method="post" action="/me/password" class="write"><h2>Password</h2>
<p>${options.hasPassword ? "There is one." : "There is none."}</p>
<label for="password">New password, 12 characters or more${passkeys.length > 0 ? "; empty takes it away" : ""}</label><input id="password" name="password" type="password" maxlength="512" autocomplete="new-password">
<p><button class="button">Save</button></p></form>
<section><h2>Sessions</h2><ul>${sessions.map(
    (session) =>
      html`<li>${session.agent === "" ? "A program without a name" : session.agent}: since ${timeTag(session.createdAt, now)}, seen ${timeTag(session.seenAt, now)}${session.id === options.own ? html` <b>this one</b>` : html` <form method="post" action="/me/sessions/${session.id}/end"><button>End this session</button></form>`}</li>`,
  )}</ul>
<form method="post" action="/me/sessions/end"><button>End all others</button></form>
<form method="post" action="/logout"><button class="button">Sign out</button></form></section>
<section><h2>Leave</h2><details class="more"><summary>Delete this account</summary><form method="post" action="/me/delete"><p>Keys, password and sessions go at once. Evidence that you handed in is deleted for good. What you wrote stays, as a deleted person's; delete it first where it should not.</p><label for="sure">Your handle, to be sure</label> <input id="sure" name="handle" maxlength="40" autocomplete="off"> <button class="danger">Delete my account</button></form></details></section>`;
}

export function ownerLinkPage(token: string): Html {
  return html`<h1>Become this board's owner</h1>
<p>This link is good once. Whoever uses it is the owner: may change and remove everything, and say who moderates.</p>
<form method="post" action="/owner/${token}" class="write"><label for="name">Name, as others see it</label><input id="name" name="name" maxlength="60" required autocomplete="nickname"><p><button class="button">I am the owner</button></p></form>`;
}
