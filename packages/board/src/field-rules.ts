// What a title, a text, a tag and a system's name may be. Each rule says what to do about it.

import { BoardRefusal } from "./refusal.ts";

export const longestTitle = 150;
/** Bytes of UTF-8. */
export const longestMarkdown = 64 * 1024;
export const mostTags = 5;
const longestTag = 30;
const longestDetail = 60;

/** Controls but tab and line end, and the characters that turn the direction of a line round or cannot be seen. */
const unseen = /(?![\t\n])[\p{Cc}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const whole = (text: string): string => text.replace(loneSurrogate, "\ufffd");

/** One line without controls, spaces collapsed. Throws BoardRefusal. */
export function titleOf(text: string): string {
  const title = whole(text).replace(unseen, "").replace(/\s+/g, " ").trim();
  if (title === "") throw new BoardRefusal("invalid", "title-empty", "A post needs a title.", "title");
  if (title.length > longestTitle)
    throw new BoardRefusal(
      "invalid",
      "title-long",
      `A title has at most ${longestTitle} characters; this one has ${title.length}.`,
      "title",
    );
  return title;
}

/** Line ends become \n, controls go, the end is trimmed. Throws BoardRefusal. */
export function markdownOf(text: string, what: "post" | "reply"): string {
  const markdown = whole(text)
    .replace(/\r\n?/g, "\n")
    .replace(unseen, "")
    .replace(/\s+$/, "")
    .replace(/^\n+/, "");
  if (markdown.trim() === "")
    throw new BoardRefusal("invalid", "text-empty", `A ${what} needs a text.`, "markdown");
  const bytes = utf8Length(markdown);
  if (bytes > longestMarkdown)
    throw new BoardRefusal(
      "too_large",
      "text-long",
      `A text has at most ${longestMarkdown / 1024} KiB; this one has ${Math.ceil(bytes / 1024)} KiB. Cut long logs to the part that matters.`,
      "markdown",
    );
  return markdown;
}

/** Bytes that the text takes in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes++;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) {
      bytes += 4;
      index++;
    } else bytes += 3;
  }
  return bytes;
}

/** Tags as typed, by commas or spaces: lower case, letters, digits, dots and hyphens. Throws BoardRefusal. */
export function tagsOf(input: string | readonly string[]): string[] {
  const parts = typeof input === "string" ? input.split(/[\s,]+/) : input;
  const tags: string[] = [];
  for (const part of parts) {
    const tag = part.trim().replace(/^#/, "").toLowerCase();
    if (tag === "") continue;
    if (!isTag(tag))
      throw new BoardRefusal(
        "invalid",
        "tag-form",
        `A tag has 1 to ${longestTag} letters, digits, dots or hyphens and begins with a letter or a digit: "${tag.slice(0, 40)}" is none.`,
        "tags",
      );
    if (!tags.includes(tag)) tags.push(tag);
  }
  if (tags.length > mostTags)
    throw new BoardRefusal("invalid", "tags-many", `A post has at most ${mostTags} tags.`, "tags");
  return tags;
}

export function isTag(text: string): boolean {
  return text.length <= longestTag && /^[a-z0-9][a-z0-9.-]*$/.test(text);
}

/** A system or a machine, as a boost may name it: one short line. */
export function detailOf(text: string, field: "os" | "hardware"): string {
  const detail = whole(text).replace(unseen, "").replace(/\s+/g, " ").trim();
  if (detail.length > longestDetail)
    throw new BoardRefusal(
      "invalid",
      "detail-long",
      `At most ${longestDetail} characters here; a post or a reply has room for more.`,
      field,
    );
  return detail;
}

/** A title as part of an address: for people only, the number finds the post. */
export function slugOf(title: string): string {
  const slug = title
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 61);
  // Cut where a word ends.
  return slug.length <= 60 ? slug : slug.slice(0, 60).replace(slug[60] === "-" ? /-+$/ : /-[^-]*$/, "");
}

/** The words of a Markdown text without its marks, for lists and the index: linear, judges nothing. */
export function plainOf(markdown: string): string {
  return markdown
    .replace(/^ {0,3}(?:```|~~~).*$/gm, " ")
    .replace(/^ {0,3}(?:#{1,6}|>+|[-*+]|\d{1,9}[.)])[ \t]+/gm, "")
    .replace(/!?\[([^\]\n]{0,500})\]\([^)\n]{0,2000}\)/g, "$1")
    .replace(/[*`~]+/g, "")
    .replace(/\|/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}
