// Evidence on pages: the field that takes files, the preview with each mark, what the doctor says, one file whole.

import { mostFiles } from "@drydock/board/evidence";
import type { Evidence } from "@drydock/board/evidence-store";
import type { Symptom } from "@drydock/board/records";
import { symptomText } from "@drydock/board/symptoms";
import { mayModerate, type Visitor } from "@drydock/board/visitor";
import { postPath, symptomPath } from "../board-links.ts";
import type { EvidenceCard } from "../evidence-reading.ts";
import { type Html, html } from "../html.ts";
import { author } from "./person-name.ts";
import { plural, timeTag } from "./post-list.ts";

/** Files with what the doctor said of those that came together. */
export interface ShownEvidence {
  readonly files: readonly Evidence[];
  readonly cards: readonly EvidenceCard[];
  /** Names and reasons of files of which nothing is kept. */
  readonly refused: readonly string[];
}

export type Twins = readonly {
  readonly symptom: Symptom;
  readonly posts: readonly { readonly id: number; readonly title: string }[];
}[];

export const sizeText = (bytes: number): string =>
  bytes < 1024
    ? `${bytes} B`
    : bytes < 1024 * 1024
      ? `${(bytes / 1024).toFixed(1)} KiB`
      : `${(bytes / 1048576).toFixed(1)} MiB`;

function markedLines(marked: string): Html | string {
  const lines = JSON.parse(marked) as {
    line: number;
    parts: { text: string; isMark: boolean }[];
  }[];
  if (lines.length === 0) return "";
  return html`<pre class="marks" tabindex="0">${lines.map(
    ({ line, parts }) =>
      html`<span class="at">${line}</span> ${parts.map(({ text, isMark }) => (isMark ? html`<mark>${text}</mark>` : text))}\n`,
  )}</pre>`;
}

export function cardList(cards: readonly EvidenceCard[]): Html | string {
  if (cards.length === 0) return "";
  return html`<div class="cards">${cards.map(
    (card) =>
      html`<article class="card"><h3><a class="chip code" href="${symptomPath({ kind: "rule", value: card.rule })}">${card.rule}</a> ${card.title}</h3><p>${card.claim}</p>${card.because.length === 0 ? "" : html`<pre tabindex="0">${card.because.join("\n")}</pre>`}${card.fix.length === 0 ? "" : html`<p class="meta">What helps (${card.who}):</p><ul>${card.fix.map((line) => html`<li>${line}</li>`)}</ul>`}</article>`,
  )}</div>`;
}

export function twinBox(twins: Twins): Html | string {
  if (twins.length === 0) return "";
  return html`<section class="snapshot"><h2>Already here</h2><p>These posts have the same finding. If one is yours too, say so there: its answer finds you.</p><ul>${twins.map(
    ({ symptom, posts }) =>
      html`<li><a class="chip code" href="${symptomPath(symptom)}">${symptom.kind === "fingerprint" ? "the same finding at the same place" : symptomText(symptom)}</a> ${posts.map((post, index) => html`${index === 0 ? "" : ", "}<a href="${postPath(post)}">${post.title}</a>`)}</li>`,
  )}</ul></section>`;
}

/** Within a form: takes files, and shows what came of those that were given. */
export function evidenceField({ files, cards, refused }: ShownEvidence): Html {
  return html`<fieldset class="evidence" data-evidence><legend>Evidence</legend>
${refused.map((line) => html`<p class="error" role="alert">${line}</p>`)}
${
  files.length === 0
    ? ""
    : html`<p>This is what others will read. Names, numbers and addresses that were replaced are <mark>marked</mark>; look before you post.</p>
<ul class="files">${files.map(
        (file) =>
          html`<li><a href="/evidence/${file.id}">${file.name}</a> <span class="meta">${sizeText(file.sizeBytes)} · ${file.marks === 0 ? "nothing replaced" : plural(file.marks, "line with marks", "lines with marks")}</span> <button name="drop" value="${file.id}" class="second">Leave ${file.name} out</button>${file.notes.map((note) => html`<p class="meta">${note}</p>`)}${file.marks === 0 ? "" : html`<details open><summary>Marks</summary>${markedLines(file.marked)}</details>`}</li>`,
      )}</ul>
<input type="hidden" name="evidence" value="${files.map(({ id }) => id).join(",")}">
${cards.length === 0 ? html`<p class="snapshot">The doctor knows no cause of this yet.</p>` : html`<h3>What the doctor says</h3>${cardList(cards)}`}`
}
<label for="files">Crash reports, panics, logs, ioreg, profiles, captures: at most ${mostFiles} files, 8 MiB each. With script they are redacted in this page before anything is sent; without, the board does it and keeps only the redacted copy.</label>
<input id="files" type="file" name="file" multiple>
<p data-evidence-text aria-live="polite"></p><div data-evidence-marks></div></fieldset>`;
}

/** Below a post, or below one of its replies. */
export function evidenceSection(options: {
  readonly postId: number;
  readonly replyId: number | null;
  readonly files: readonly Evidence[];
  readonly waiting: number;
  readonly cards: readonly EvidenceCard[];
  readonly actor: Visitor | null;
  readonly isStatic: boolean;
  readonly now: number;
}): Html | string {
  const { files, waiting, actor, isStatic, now, replyId } = options;
  // An answer has its link among its other acts.
  const add =
    actor === null || isStatic || replyId !== null
      ? ""
      : html`<p><a href="/p/${options.postId}/evidence">Add evidence</a></p>`;
  if (files.length === 0 && waiting === 0) return add;
  return html`<section class="evidence" aria-label="${replyId === null ? "Evidence" : `Evidence of answer ${replyId}`}">${replyId === null ? html`<h2>Evidence</h2>` : html`<h3>Evidence</h3>`}
${files.length === 0 ? "" : html`<ul class="files">${files.map((file) => fileRow(file, actor, isStatic, now))}</ul>`}
${waiting === 0 ? "" : html`<p class="snapshot">${plural(waiting, "file")} of somebody new ${waiting === 1 ? "waits" : "wait"} until the doctor or somebody known here has recognised ${waiting === 1 ? "it" : "them"}.</p>`}
${options.cards.length === 0 ? "" : html`<details class="more"><summary>What the doctor says: ${options.cards.map(({ rule }) => rule).join(", ")}</summary>${cardList(options.cards)}</details>`}
${add}</section>`;
}

function fileRow(file: Evidence, actor: Visitor | null, isStatic: boolean, now: number): Html {
  if (file.state === "deleted") return html`<li class="meta">A file was here; its owner deleted it.</li>`;
  const isOwn = actor !== null && (actor.id === file.owner.id || mayModerate(actor));
  const name = isStatic ? file.name : html`<a href="/evidence/${file.id}">${file.name}</a>`;
  return html`<li>${name} <span class="meta">${sizeText(file.sizeBytes)} · ${author(file.owner)} · ${timeTag(file.createdAt, now)}${file.state === "waiting" ? " · waits" : ""}</span>${
    isStatic
      ? ""
      : html` <a href="/evidence/${file.id}/raw" download>Download</a>${
          file.state === "waiting" &&
          actor !== null &&
          (actor.limits === null || (actor.limits === "known" && actor.id !== file.owner.id))
            ? html` <form method="post" action="/evidence/${file.id}/release"><button>I looked: show ${file.name} to everybody</button></form>`
            : ""
        }${isOwn ? html` <form method="post" action="/evidence/${file.id}/delete"><button class="danger">Delete ${file.name} for good</button></form>` : ""}`
  }</li>`;
}

const shownLines = 2000;

/** One file as text. Its bytes were redacted before they were kept. */
export function evidencePage(
  file: Evidence,
  text: string,
  cards: readonly EvidenceCard[],
  back: string | null,
): Html {
  const lines = text.split("\n");
  return html`${back === null ? "" : html`<nav class="crumbs" aria-label="Place"><a href="${back}">The post</a></nav>`}<h1>${file.name}</h1>
<p class="meta">${sizeText(file.sizeBytes)} · SHA-256 ${file.sha256.slice(0, 16)}… · ${file.state === "draft" ? "a draft, which only you see; it is gone after a day" : file.state === "waiting" ? "waits for somebody known here" : "shown"} · <a href="/evidence/${file.id}/raw" download>Download</a></p>
${file.notes.map((note) => html`<p class="snapshot">${note}</p>`)}
${file.marks === 0 ? "" : html`<details class="more"><summary>${plural(file.marks, "line")} in which something was replaced</summary>${markedLines(file.marked)}</details>`}
${cardList(cards)}
<pre class="file" tabindex="0">${lines.slice(0, shownLines).join("\n")}</pre>${lines.length > shownLines ? html`<p class="meta">The first ${shownLines} of ${lines.length} lines; the rest is in the download.</p>` : ""}`;
}

export function addEvidencePage(
  post: { readonly id: number; readonly title: string },
  replyId: number | null,
  shown: ShownEvidence,
  twins: Twins,
  reason: string | null,
): Html {
  return html`<nav class="crumbs" aria-label="Place"><a href="${postPath(post)}${replyId === null ? "" : `?answer=${replyId}#r${replyId}`}">${post.title}</a></nav><h1>${replyId === null ? "Add evidence" : "Add evidence to an answer"}</h1>
${reason === null ? "" : html`<p class="error" role="alert">${reason}</p>`}
${twinBox(twins.map(({ symptom, posts }) => ({ symptom, posts: posts.filter(({ id }) => id !== post.id) })).filter(({ posts }) => posts.length > 0))}
<form method="post" action="/p/${post.id}/evidence" enctype="multipart/form-data" class="write">${replyId === null ? "" : html`<input type="hidden" name="reply" value="${replyId}">`}${evidenceField(shown)}
<p><button class="button">${shown.files.length === 0 ? "Read the files" : replyId === null ? "Put it on the post" : "Put it on the answer"}</button></p></form>`;
}
