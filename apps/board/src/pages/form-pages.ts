// Forms for a new post, for edits, and the pages that say what went wrong. Nothing that was typed is lost.

import type { Symptom, Topic } from "@drydock/board/records";
import { symptomText } from "@drydock/board/symptoms";
import { postPath, symptomPath, topicPath } from "../board-links.ts";
import { type Html, html, type Piece } from "../html.ts";

import { evidenceField, type ShownEvidence, type Twins, twinBox } from "./evidence-pages.ts";

export interface DraftFields {
  readonly title: string;
  readonly markdown: string;
  readonly tags: string;
}

export interface Trouble {
  readonly text: string;
  readonly field: string | null;
}

export type Similar = readonly {
  readonly symptom: Symptom;
  readonly posts: readonly { id: number; title: string }[];
}[];

function fields(draft: DraftFields, trouble: Trouble | null): Html {
  const wrong = (field: string) =>
    trouble?.field === field ? html` aria-invalid="true" aria-describedby="trouble"` : "";
  return html`<label for="title">Title</label><input id="title" name="title" maxlength="150" required value="${draft.title}"${wrong("title")}>
<label for="text">What happens, what you expected, what you tried. Put logs and code between lines of three backticks.</label>
<textarea id="text" name="markdown" rows="16" required${wrong("markdown")}>
${draft.markdown}</textarea>
<label for="tags">Tags, by commas: usb, pci, signing, macos26 …</label><input id="tags" name="tags" maxlength="200" value="${draft.tags}"${wrong("tags")}>`;
}

export function postForm(options: {
  readonly topic: Topic;
  readonly draft: DraftFields;
  readonly key: string;
  readonly trouble: Trouble | null;
  readonly preview: Html | null;
  readonly similar: Similar;
  /** Files that were handed in, and posts with the same finding; null where none are taken. */
  readonly evidence: { readonly shown: ShownEvidence; readonly twins: Twins } | null;
  /** The post that is edited; null for a new one. */
  readonly editing: { readonly id: number; readonly version: number; readonly title: string } | null;
}): Html {
  const { topic, draft, editing, trouble } = options;
  return html`<nav class="crumbs" aria-label="Place"><a href="${topicPath(topic.slug)}">${topic.name}</a>${editing === null ? "" : html`<a href="${postPath(editing)}">${editing.title}</a>`}</nav>
<h1>${editing === null ? `New post under ${topic.name}` : "Edit"}</h1>
${trouble === null ? "" : html`<p class="error" role="alert" id="trouble">${trouble.text}</p>`}
${options.similar.length === 0 ? "" : similarBox(options.similar)}
${options.preview === null ? "" : html`<section class="preview"><h2>Preview</h2><div class="text">${options.preview}</div></section>`}
${options.evidence === null ? "" : twinBox(options.evidence.twins)}
<form method="post" class="write" action="${editing === null ? `${topicPath(topic.slug)}/posts` : `/p/${editing.id}/edit`}"${options.evidence === null ? "" : html` enctype="multipart/form-data"`}>
<input type="hidden" name="key" value="${options.key}">${editing === null ? "" : html`<input type="hidden" name="version" value="${editing.version}">`}
${fields(draft, trouble)}
${options.evidence === null ? "" : evidenceField(options.evidence.shown)}
<p><button class="button">${editing === null ? "Post" : "Save"}</button> <button name="preview" value="1" class="second">Preview</button></p>
</form>`;
}

function similarBox(similar: Similar): Html {
  return html`<section class="snapshot"><h2>Already here</h2><ul>${similar.map(
    ({ symptom, posts }) =>
      html`<li><a class="chip code" href="${symptomPath(symptom)}">${symptomText(symptom)}</a> ${posts.map((post, index) => html`${index === 0 ? "" : ", "}<a href="${postPath(post)}">${post.title}</a>`)}</li>`,
  )}</ul></section>`;
}

export function replyEditForm(options: {
  readonly replyId: number;
  readonly version: number;
  readonly markdown: string;
  readonly back: string;
  readonly trouble: Trouble | null;
  readonly preview: Html | null;
}): Html {
  return html`<nav class="crumbs" aria-label="Place"><a href="${options.back}">The post</a></nav><h1>Edit</h1>
${options.trouble === null ? "" : html`<p class="error" role="alert" id="trouble">${options.trouble.text}</p>`}
${options.preview === null ? "" : html`<section class="preview"><h2>Preview</h2><div class="text">${options.preview}</div></section>`}
<form method="post" class="write" action="/r/${options.replyId}/edit"><input type="hidden" name="version" value="${options.version}">
<label for="text">Markdown</label><textarea id="text" name="markdown" rows="14" required>
${options.markdown}</textarea>
<p><button class="button">Save</button> <button name="preview" value="1" class="second">Preview</button></p></form>`;
}

export function previewPage(back: string, preview: Html, form: Html): Html {
  return html`<nav class="crumbs" aria-label="Place"><a href="${back}">The post</a></nav><section class="preview"><h2>Preview</h2><div class="text">${preview}</div></section>${form}`;
}

/** Says what is wrong and what to do; `lost` is what the person had typed, given back. */
export function messagePage(title: string, text: string, lost: string | null = null, more: Piece = ""): Html {
  return html`<h1>${title}</h1><p class="lead">${text}</p>${more}${
    lost === null || lost === ""
      ? ""
      : html`<section><h2>Your text</h2><pre tabindex="0">${lost}</pre></section>`
  }<p><a href="/">To the board</a></p>`;
}
