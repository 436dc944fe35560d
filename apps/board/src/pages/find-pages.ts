// Pages that find: search, one symptom, one tag.

import type { SearchResult } from "@drydock/board/board";
import { formatCursor } from "@drydock/board/listing";
import type { PostRow, Symptom } from "@drydock/board/records";
import { returnCodeForms, symptomText } from "@drydock/board/symptoms";
import { symptomPath } from "../board-links.ts";
import type { DocHit } from "../doc-pages.ts";
import { type Html, html, type Piece } from "../html.ts";
import { type CaseStates, plural, postTable } from "./post-list.ts";

export interface SearchAsked {
  readonly q: string;
  readonly topic: string;
  readonly tag: string;
  readonly state: string;
  readonly has: string;
  readonly os: string;
}

export function searchUrl(asked: Partial<SearchAsked>, after: string | null = null): string {
  const query = Object.entries({ ...asked, ...(after === null ? {} : { after }) })
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return `/search?${query.join("&")}`;
}

function choice(
  name: string,
  label: string,
  current: string,
  options: readonly (readonly [string, string])[],
): Html {
  return html`<label>${label} <select name="${name}">${options.map(([value, text]) => html`<option value="${value}"${value === current ? html` selected` : ""}>${text}</option>`)}</select></label>`;
}

export function searchPage(options: {
  readonly asked: SearchAsked;
  readonly result: SearchResult;
  readonly docs: readonly DocHit[];
  readonly states: CaseStates;
  readonly now: number;
}): Html {
  const { asked, result, docs, states, now } = options;
  return html`<h1>Search</h1>
<form class="search" role="search" action="/search" aria-label="Search with filters">
<label class="wide">Words, an error code in any form, a rule, a panic's file:line, a device's vid:pid <input type="search" name="q" maxlength="400" value="${asked.q}"></label>
<p>${choice("state", "State", asked.state, [
    ["", "any"],
    ["open", "open"],
    ["solved", "answered"],
  ])}
${choice("has", "With", asked.has, [
  ["", "anything"],
  ["answer", "an answer"],
  ["run", "a case that runs"],
])}
<label>Tag <input name="tag" maxlength="30" value="${asked.tag}"></label>
<label>System <input name="os" maxlength="60" value="${asked.os}"></label>
<button class="button">Search</button></p></form>
${asked.q.trim() === "" ? "" : found(result, asked)}
${result.symptoms.map((symptom) => html`<p class="snapshot">Read as <a class="chip code" href="${symptomPath(symptom)}">${symptomText(symptom)}</a></p>`)}
${result.hits.length === 0 ? "" : postTable(result.hits, states, now, "Best first")}
${result.next === null ? "" : html`<p class="pages"><a rel="next" href="${searchUrl(asked, formatCursor(result.next))}">Next page</a></p>`}
${docs.length === 0 ? "" : html`<section class="docs-found"><h2>In the documentation</h2><ul>${docs.map((hit) => html`<li><a href="${hit.path}">${hit.title}</a><p class="excerpt">${hit.excerpt}</p></li>`)}</ul></section>`}`;
}

function found(result: SearchResult, asked: SearchAsked): Html {
  if (result.hits.length > 0) return html``;
  const filters = [asked.state, asked.has, asked.tag, asked.os, asked.topic].some((value) => value !== "");
  return html`<p class="empty">No post has all of this. ${
    filters
      ? html`<a href="${searchUrl({ q: asked.q })}">Search without the filters</a>.`
      : result.words.length > 1
        ? "Fewer words find more."
        : result.words.length === 0 && result.symptoms.length === 0
          ? "Type a word of two letters or more, or a code."
          : html`You can <a href="/t/drivers/new">ask</a>.`
  }</p>`;
}

export function symptomPage(options: {
  readonly symptom: Symptom;
  readonly rows: readonly PostRow[];
  readonly states: CaseStates;
  readonly now: number;
  /** What the doctor's tables say of a return code. */
  readonly meaning: Piece;
}): Html {
  const { symptom, rows, states, now } = options;
  const kinds = {
    io_return: "Return code",
    error_number: "Error number",
    panic_site: "Place of a panic",
    usb_id: "USB device",
    rule: "Rule of the doctor",
    fingerprint: "Finding at a place",
  } as const;
  return html`<h1><span class="kind">${kinds[symptom.kind]}</span> <code>${symptomText(symptom)}</code></h1>
${symptom.kind === "io_return" ? codeForms(symptom) : ""}${options.meaning}
${rows.length === 0 ? html`<p class="empty">No post has this symptom yet.</p>` : postTable(rows, states, now, `${plural(rows.length, "post")} with this symptom`)}`;
}

function codeForms({ value }: Symptom): Html {
  const { hex, decimal, names } = returnCodeForms(value);
  return html`<dl class="forms"><dt>Hexadecimal</dt><dd><code>${hex}</code></dd><dt>Decimal, as logs print it</dt><dd><code>${decimal}</code></dd><dt>Name</dt><dd>${names.length === 0 ? "none that Apple documents" : names.map((name) => html`<code>${name}</code> `)}</dd></dl>`;
}

export function tagPage(options: {
  readonly tag: string;
  readonly rows: readonly PostRow[];
  readonly next: string | null;
  readonly states: CaseStates;
  readonly now: number;
}): Html {
  const { tag, rows, next, states, now } = options;
  return html`<h1><span class="kind">Tag</span> ${tag}</h1>
${rows.length === 0 ? html`<p class="empty">No post has this tag.</p>` : postTable(rows, states, now, "Newest first")}
<p class="pages">${next === null ? "" : html`<a rel="next" href="${next}">Next page</a>`}<a href="/tags/${tag}.atom">Atom</a></p>`;
}
