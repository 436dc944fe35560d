// What a moderator may do with a post, an answer or a person, as forms: each asks for the reason.

import type { Reply, Role, Topic } from "@drydock/board/records";
import { type Html, html } from "../html.ts";

const reason = (label = "Reason, which the author can read"): Html =>
  html`<label>${label} <input name="reason" maxlength="150" required></label>`;
const act = (name: string, text: string, isDanger = false): Html =>
  html`<button name="act" value="${name}"${isDanger ? html` class="danger"` : ""}>${text}</button>`;

export function postModeration(
  post: {
    readonly id: number;
    readonly topicId: number;
    readonly state: string;
    readonly isLocked: boolean;
  },
  topics: readonly Topic[],
): Html {
  const others = topics.filter(({ id }) => id !== post.topicId);
  const action = `/p/${post.id}/moderate`;
  return html`<details class="more moderate"><summary>Moderate</summary>
<form method="post" action="${action}">${reason()}<span class="buttons">${post.state === "hidden" ? act("show", "Show it again") : act("hide", "Hide", true)}${post.isLocked ? act("unlock", "Unlock") : act("lock", "Lock")}</span></form>
<form method="post" action="${action}">${reason()}<label>The same case as post number <input name="into" inputmode="numeric" size="6" required></label><span class="buttons">${act("merge", "Merge: boosts and watchers move there")}</span></form>
${others.length === 0 ? "" : html`<form method="post" action="${action}">${reason()}<label>Subtopic <select name="topic">${others.map((topic) => html`<option value="${topic.slug}">${topic.name}</option>`)}</select></label><span class="buttons">${act("move", "Move")}</span></form>`}
</details>`;
}

export function replyModeration(reply: Reply): Html {
  return html`<details class="more moderate"><summary>Moderate</summary><form method="post" action="/r/${reply.id}/moderate">${reason()}<span class="buttons">${reply.state === "hidden" ? act("show", "Show it again") : act("hide", "Hide", true)}</span></form></details>`;
}

export function personModeration(
  person: { readonly handle: string; readonly role: Role; readonly isKnown: boolean; readonly state: string },
  roles: readonly Role[],
): Html {
  const action = `/people/${person.handle}/moderate`;
  return html`<section class="moderate"><h2>Moderate</h2>
<form method="post" action="${action}">${reason("Reason, which this person can read")}<span class="buttons">${person.state === "banned" ? act("unban", "Let write again") : act("ban", "Ban from writing", true)}${person.isKnown ? act("unknow", "Treat as new again") : act("know", "Known from now on")}</span></form>
${roles.length === 0 ? "" : html`<form method="post" action="${action}">${reason("Reason, which this person can read")}<label>Role <select name="role">${roles.map((role) => html`<option${role === person.role ? html` selected` : ""}>${role}</option>`)}</select></label><span class="buttons">${act("role", "Give this role")}</span></form>`}
</section>`;
}
