// The system's error codes in words: each says what it is about, none shows the code; unknown ones say so.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { systemCode, systemSentence, systemWords } from "./system-words.ts";

const errorOf = (code: string): Error => Object.assign(new Error(`${code}: raw words, open '/x'`), { code });

test("errors of the running system become sentences about what was named", () => {
  for (const [path, words] of [
    ["/no/such/file", /^there is no \/no\/such\/file$/],
    ["/", /^\/ is a folder; name a file$/],
    ["/etc/hostname/x", /^\/etc\/hostname\/x: a part of this path is no folder$/],
  ] as const)
    assert.throws(
      () => readFileSync(path),
      (error) => words.test(systemSentence(error, path)),
      path,
    );
});

test("the second half of a sentence stands without the name", () => {
  assert.equal(systemWords(errorOf("ENOENT")), "it is not there any more");
  assert.equal(systemWords(errorOf("EACCES")), "permission is denied to this user");
  assert.equal(systemWords(errorOf("ECONNREFUSED")), "nobody listens there");
});

test("a code that nobody wrote a sentence for is said as the system's; Node's own codes are no system's", () => {
  assert.equal(systemSentence(errorOf("EXDEV"), "/x"), "/x: the system says EXDEV");
  assert.equal(systemCode(errorOf("ERR_INVALID_ARG_TYPE")), null);
  assert.equal(systemSentence(new Error("ours"), "/x"), "/x: ours");
});

test("a name that commands a terminal is shown", () => {
  assert.equal(systemSentence(errorOf("ENOENT"), "a\x1b[2J\nb"), "there is no a\\x1b[2J\\nb");
});
