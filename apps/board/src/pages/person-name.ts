// How a person is named on pages: the name, what they are here, and whether they are new.

import type { Person } from "@drydock/board/records";
import { type Html, html } from "../html.ts";

/** Empty for whoever only writes. */
export function badgeOf({ role, isKnown }: Person): string {
  switch (role) {
    case "project":
      return "the project";
    case "engineer":
    case "moderator":
    case "owner":
      return role;
    default:
      return isKnown ? "" : "new here";
  }
}

const isSomebody = (person: Person): boolean =>
  person.role !== "project" && !person.handle.startsWith("deleted-");

/** `isLinked`: to the person's page, where there is a server with people. */
export function author(person: Person, isLinked = false): Html {
  const badge = isSomebody(person) || person.role === "project" ? badgeOf(person) : "";
  const name =
    isLinked && isSomebody(person)
      ? html`<a class="who" href="/people/${person.handle}">${person.shownName}</a>`
      : html`<b class="who">${person.shownName}</b>`;
  return html`${name}${badge === "" ? "" : html` <span class="role">${badge}</span>`}`;
}
