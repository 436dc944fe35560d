// A post as a folder of text files: `post.md`, `replies/000001.md`, `boosts.txt`. Diffable, and the same bytes back.

import { isoTime, timeOfIso } from "./activity-text.ts";
import { isTag } from "./field-rules.ts";
import type { OriginRow, PostKind, PostState, ReplyKind } from "./records.ts";

/** Something in a folder is not as an export writes it. `line` counts from 1. */
export class PostFileError extends Error {
  readonly line: number;

  constructor(line: number, text: string) {
    super(`line ${line}: ${text}`);
    this.name = "PostFileError";
    this.line = line;
  }
}

/** Folder and file names below one root, read and listed by the host. */
export interface FolderReader {
  /** Names in a folder, sorted; empty when it is not there. */
  list(path: readonly string[]): Promise<readonly string[]>;
  /** Null when it is not there. */
  read(path: readonly string[]): Promise<string | null>;
}

export interface ExportedFile {
  /** Names of folders and the file, each safe on every system. */
  readonly path: readonly string[];
  readonly text: string;
}

export interface PersonName {
  readonly handle: string;
  readonly shownName: string;
}

export interface PostFile {
  readonly title: string;
  readonly author: PersonName;
  readonly kind: PostKind;
  readonly state: PostState;
  readonly isPinned: boolean;
  readonly isLocked: boolean;
  readonly tags: readonly string[];
  readonly caseId: string | null;
  /** Folder of the post that this one repeats. */
  readonly duplicateOf: string | null;
  /** File of the accepted answer. */
  readonly accepted: string | null;
  readonly createdAt: number;
  readonly activityAt: number;
  readonly views: number;
  readonly origin: OriginRow | null;
  readonly markdown: string;
}

export interface ReplyFile {
  readonly author: PersonName;
  readonly kind: ReplyKind;
  readonly state: "shown" | "hidden" | "deleted";
  /** File of the answer that a comment is below. */
  readonly parent: string | null;
  readonly createdAt: number;
  readonly markdown: string;
}

export interface BoostLine {
  readonly at: number;
  readonly author: PersonName;
  readonly os: string;
  readonly hardware: string;
}

export const replyFileForm = /^\d{6}\.md$/;
export const postFolderForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const handleForm = /^[a-z0-9][a-z0-9-]{0,38}$/;
/** Names that some system keeps for its devices, with any ending. */
const deviceName = /^(?:con|prn|aux|nul|com\d|lpt\d|clock\$)(?:\.|$)/i;

/** True for a name that an export may write and an import may read, on every system. */
export function isSafeName(name: string): boolean {
  return postFolderForm.test(name) && !deviceName.test(name) && !name.endsWith(".");
}

type Fields = ReadonlyMap<string, { readonly value: string; readonly line: number }>;

function frontMatter(fields: readonly (readonly [string, string | null])[], markdown: string): string {
  const lines = fields
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value}`.trimEnd());
  return `---\n${lines.join("\n")}\n---\n\n${markdown}\n`;
}

function readFields(text: string, known: readonly string[]): { fields: Fields; markdown: string } {
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  if (lines[0] !== "---") throw new PostFileError(1, "it begins with a line ---");
  const end = lines.indexOf("---", 1);
  if (end === -1) throw new PostFileError(lines.length, "the head ends with a line ---");
  const fields = new Map<string, { value: string; line: number }>();
  for (let index = 1; index < end; index++) {
    const found = /^([a-z][a-z-]*):(?: (.*))?$/.exec(lines[index]);
    if (found === null) throw new PostFileError(index + 1, "a line of the head is name: value");
    if (!known.includes(found[1]))
      throw new PostFileError(index + 1, `"${found[1]}" is none of ${known.join(", ")}`);
    if (fields.has(found[1])) throw new PostFileError(index + 1, `"${found[1]}" is given twice`);
    fields.set(found[1], { value: found[2] ?? "", line: index + 1 });
  }
  const markdown = lines
    .slice(end + 1)
    .join("\n")
    .replace(/^\n+/, "")
    .replace(/\s+$/, "");
  return { fields, markdown };
}

class Head {
  readonly #fields: Fields;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  text(name: string): string | null {
    return this.#fields.get(name)?.value ?? null;
  }

  must(name: string): string {
    const value = this.text(name);
    if (value === null || value === "") throw new PostFileError(1, `"${name}" is missing`);
    return value;
  }

  one<T extends string>(name: string, of: readonly T[], otherwise: T): T {
    const value = this.text(name);
    if (value === null) return otherwise;
    if (!(of as readonly string[]).includes(value)) this.wrong(name, `is one of ${of.join(", ")}`);
    return value as T;
  }

  time(name: string): number {
    const at = timeOfIso(this.must(name));
    if (at === null) this.wrong(name, "is a time as 2026-11-30T12:00:00.000Z");
    return at as number;
  }

  count(name: string): number {
    const value = this.text(name);
    if (value === null) return 0;
    if (!/^\d{1,12}$/.test(value)) this.wrong(name, "is a number");
    return Number(value);
  }

  safe(name: string): string | null {
    const value = this.text(name);
    if (value !== null && !isSafeName(value)) this.wrong(name, "is the name of a file or folder beside it");
    return value;
  }

  person(): PersonName {
    const handle = this.must("author");
    if (!handleForm.test(handle)) this.wrong("author", "is a name of small letters, digits and hyphens");
    return { handle, shownName: (this.text("author-name") ?? handle).slice(0, 80) };
  }

  wrong(name: string, what: string): never {
    throw new PostFileError(this.#fields.get(name)?.line ?? 1, `"${name}" ${what}`);
  }
}

const postFields = [
  "title",
  "author",
  "author-name",
  "kind",
  "state",
  "pinned",
  "locked",
  "tags",
  "case",
  "duplicate-of",
  "accepted",
  "created",
  "activity",
  "views",
  "origin-position",
  "origin-title",
  "origin-replies",
  "origin-boosts",
  "origin-views",
  "origin-activity",
] as const;

export function formatPostFile(post: PostFile): string {
  const { origin } = post;
  return frontMatter(
    [
      ["title", post.title],
      ["author", post.author.handle],
      ["author-name", post.author.shownName],
      ["kind", post.kind],
      ["state", post.state],
      ["pinned", post.isPinned ? "yes" : null],
      ["locked", post.isLocked ? "yes" : null],
      ["tags", post.tags.length === 0 ? null : [...post.tags].sort().join(", ")],
      ["case", post.caseId],
      ["duplicate-of", post.duplicateOf],
      ["accepted", post.accepted],
      ["created", isoTime(post.createdAt)],
      ["activity", isoTime(post.activityAt)],
      ["views", String(post.views)],
      ["origin-position", origin === null ? null : String(origin.position)],
      ["origin-title", origin?.title ?? null],
      ["origin-replies", origin === null ? null : String(origin.replies)],
      ["origin-boosts", origin === null ? null : String(origin.boosts)],
      ["origin-views", origin === null ? null : String(origin.views)],
      ["origin-activity", origin?.activity ?? null],
    ],
    post.markdown,
  );
}

/** Throws PostFileError with the line. */
export function parsePostFile(text: string): PostFile {
  const { fields, markdown } = readFields(text, postFields);
  const head = new Head(fields);
  const tags = (head.text("tags") ?? "").split(/,\s*/).filter((tag) => tag !== "");
  for (const tag of tags) if (!isTag(tag)) head.wrong("tags", `has "${tag}", which is no tag`);
  const caseId = head.text("case");
  if (caseId !== null && !/^P\d{2,3}$/.test(caseId)) head.wrong("case", "is as P02");
  return {
    title: head.must("title"),
    author: head.person(),
    kind: head.one("kind", ["question", "case", "guide"], "question"),
    state: head.one("state", ["open", "solved", "duplicate", "hidden"], "open"),
    isPinned: head.one("pinned", ["yes", "no"], "no") === "yes",
    isLocked: head.one("locked", ["yes", "no"], "no") === "yes",
    tags,
    caseId,
    duplicateOf: head.safe("duplicate-of"),
    accepted: head.safe("accepted"),
    createdAt: head.time("created"),
    activityAt: head.time("activity"),
    views: head.count("views"),
    origin:
      head.text("origin-position") === null
        ? null
        : {
            position: head.count("origin-position"),
            title: head.must("origin-title"),
            replies: head.count("origin-replies"),
            boosts: head.count("origin-boosts"),
            views: head.count("origin-views"),
            activity: head.must("origin-activity"),
          },
    markdown,
  };
}

const replyFields = ["author", "author-name", "kind", "state", "parent", "created"] as const;

export function formatReplyFile(reply: ReplyFile): string {
  return frontMatter(
    [
      ["author", reply.author.handle],
      ["author-name", reply.author.shownName],
      ["kind", reply.kind],
      ["state", reply.state === "shown" ? null : reply.state],
      ["parent", reply.parent],
      ["created", isoTime(reply.createdAt)],
    ],
    reply.markdown,
  );
}

/** Throws PostFileError with the line. */
export function parseReplyFile(text: string): ReplyFile {
  const { fields, markdown } = readFields(text, replyFields);
  const head = new Head(fields);
  return {
    author: head.person(),
    kind: head.one("kind", ["answer", "comment"], "answer"),
    state: head.one("state", ["shown", "hidden", "deleted"], "shown"),
    parent: head.safe("parent"),
    createdAt: head.time("created"),
    markdown,
  };
}

/** One line a boost, by tabs: when, who, their name, system, hardware. */
export function formatBoosts(boosts: readonly BoostLine[]): string {
  return boosts
    .map(
      ({ at, author, os, hardware }) =>
        `${[isoTime(at), author.handle, author.shownName, os, hardware].join("\t")}\n`,
    )
    .join("");
}

export function parseBoosts(text: string): BoostLine[] {
  const found: BoostLine[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === "") continue;
    const parts = line.split("\t");
    const at = timeOfIso(parts[0]);
    if (parts.length !== 5 || at === null || !handleForm.test(parts[1]))
      throw new PostFileError(
        index + 1,
        "a boost is time, handle, name, system and hardware, parted by tabs",
      );
    found.push({ at, author: { handle: parts[1], shownName: parts[2] }, os: parts[3], hardware: parts[4] });
  }
  return found;
}

export interface TopicFile {
  readonly name: string;
  readonly documentationUrl: string;
  readonly documentationName: string;
  readonly description: string;
}

const topicFields = ["name", "documentation-url", "documentation-name"] as const;

export function formatTopicFile(topic: TopicFile): string {
  return frontMatter(
    [
      ["name", topic.name],
      ["documentation-url", topic.documentationUrl],
      ["documentation-name", topic.documentationName],
    ],
    topic.description,
  );
}

export function parseTopicFile(text: string): TopicFile {
  const { fields, markdown } = readFields(text, topicFields);
  const head = new Head(fields);
  const documentationUrl = head.must("documentation-url");
  if (!/^(?:https?:\/\/|\/)[^\s]*$/.test(documentationUrl))
    head.wrong("documentation-url", "is an http address or a path of this board");
  return {
    name: head.must("name"),
    documentationUrl,
    documentationName: head.must("documentation-name"),
    description: markdown,
  };
}
