// Post folders: the same bytes back, damaged files told by their line, and no name that leads elsewhere.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import {
  formatBoosts,
  formatPostFile,
  formatReplyFile,
  isSafeName,
  type PostFile,
  PostFileError,
  parseBoosts,
  parsePostFile,
  parseReplyFile,
  parseTopicFile,
} from "./post-folder.ts";

const post: PostFile = {
  title: "A title: with a colon",
  author: { handle: "drydock", shownName: "Drydock" },
  kind: "question",
  state: "open",
  isPinned: false,
  isLocked: false,
  tags: ["cdc", "usb"],
  caseId: "P02",
  duplicateOf: null,
  accepted: "000001.md",
  createdAt: 1_764_460_800_000,
  activityAt: 1_764_460_800_123,
  views: 7,
  origin: { position: 2, title: "As given", replies: 3, boosts: 0, views: 109, activity: "Aug ’25" },
  markdown: "Text.\n\n---\n\ntitle: not a head\n",
};

test("a post's file says what it was given, and is written the same again", () => {
  const text = formatPostFile({ ...post, markdown: post.markdown.trimEnd() });
  const read = parsePostFile(text);
  assert.deepEqual(read, { ...post, markdown: post.markdown.trimEnd() });
  assert.equal(formatPostFile(read), text);
});

test("replies and boosts come back the same", () => {
  const reply = {
    author: post.author,
    kind: "comment",
    state: "shown",
    parent: "000001.md",
    createdAt: 5,
    markdown: "a\n\n    code",
  } as const;
  assert.deepEqual(parseReplyFile(formatReplyFile(reply)), reply);
  const boosts = [{ at: 5, author: post.author, os: "macOS 26.1", hardware: "" }];
  assert.deepEqual(parseBoosts(formatBoosts(boosts)), boosts);
});

test("a damaged file names its line", () => {
  const text = formatPostFile(post);
  const fails = (changed: string, words: RegExp) =>
    assert.throws(
      () => parsePostFile(changed),
      (error) => error instanceof PostFileError && words.test(error.message),
    );
  fails("title: x\n", /line 1: it begins/);
  fails(text.replace("state: open", "state: maybe"), /line 6: "state" is one of/);
  fails(text.replace("state: open", "statte: open"), /line 6: "statte" is none of/);
  fails(text.replace("state: open", "kind: case"), /"kind" is given twice/);
  fails(text.replace("created: 2025", "created: 2025x"), /"created" is a time/);
  fails(text.replace("accepted: 000001.md", "accepted: ../x"), /"accepted" is the name of a file/);
  fails(text.replace("title: A title: with a colon\n", ""), /"title" is missing/);
  fails("---\ntitle: x\n", /the head ends/);
  assert.throws(
    () =>
      parseTopicFile("---\nname: x\ndocumentation-url: javascript:alert(1)\ndocumentation-name: y\n---\n"),
    /http address/,
  );
});

test("of 100,000 drawn names, none that leads elsewhere or names a device is safe (board.md 8, paths)", () => {
  const random = new Random(11);
  const parts = [
    "..",
    ".",
    "/",
    "\\",
    "a",
    "C:",
    "con",
    "NUL",
    "com1",
    "aux.md",
    "\u0000",
    "~",
    " ",
    "é",
    "x",
    "-",
    "_",
    ":",
  ];
  let safe = 0;
  for (let index = 0; index < 100_000; index++) {
    let name = "";
    for (let more = 1 + (random.next32() % 4); more > 0; more--)
      name += parts[random.next32() % parts.length];
    if (!isSafeName(name)) continue;
    safe++;
    assert.doesNotMatch(name, /[/\\:~ ]|^\.|\.$|\p{Cc}/u, name);
    assert.doesNotMatch(name, /^(?:con|nul|com1|aux)(?:\.|$)/i, name);
  }
  assert.ok(safe > 100, "some names are safe");
  for (const name of ["P02-set-line-coding", "00021-a-title", "000001.md", "post.md"])
    assert.ok(isSafeName(name), name);
});
