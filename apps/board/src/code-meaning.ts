// What the doctor's tables say of a return code, as a page's part.

import { returnName } from "@drydock/core/base/io-return";
import { returnContexts } from "@drydock/doctor/rules/return-contexts";
import { meaningOf } from "@drydock/doctor/rules/return-meanings";
import { type Html, html } from "./html.ts";

export function explainCode(code: number): Html {
  const name = returnName(code);
  const meaning = meaningOf(name);
  const contexts = returnContexts.filter((entry) => entry.name === name);
  return html`${meaning === null ? "" : html`<p class="lead">${meaning}.</p>`}${
    contexts.length === 0
      ? ""
      : html`<ul>${contexts.map(({ calls, means, fix }) => html`<li>From ${calls.map((call, index) => html`${index === 0 ? "" : ", "}<code>${call}</code>`)}: ${means}. ${fix}</li>`)}</ul>`
  }`;
}
