// Titles, texts, tags: what comes in, what is refused and why.

import assert from "node:assert/strict";
import { test } from "node:test";
import { detailOf, markdownOf, plainOf, slugOf, tagsOf, titleOf, utf8Length } from "./field-rules.ts";
import { BoardRefusal } from "./refusal.ts";

const refused = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof BoardRefusal);
    return error.code;
  }
  return "taken";
};

test("a title is one line that shows what it says: no controls, no turned direction, no half characters", () => {
  assert.equal(titleOf("  a\n b\tc  "), "a b c");
  assert.equal(titleOf("safe\u202egpj.exe"), "safegpj.exe");
  assert.equal(titleOf("a\u0000b\u001b[31mc"), "ab[31mc");
  assert.equal(titleOf("a\ud800b"), "a\ufffdb");
  assert.equal(titleOf("<script>"), "<script>", "escaping is the page's work");
  assert.equal(
    refused(() => titleOf(" \u200b ")),
    "title-empty",
  );
  assert.equal(
    refused(() => titleOf("x".repeat(151))),
    "title-long",
  );
});

test("a text keeps its lines and tabs, and is at most 64 KiB of UTF-8", () => {
  assert.equal(markdownOf("\r\n\n\tcode\r\nb\rc  \n\n", "post"), "\tcode\nb\nc");
  assert.equal(
    refused(() => markdownOf(" \n ", "reply")),
    "text-empty",
  );
  assert.equal(
    refused(() => markdownOf("ä".repeat(32_769), "post")),
    "text-long",
  );
  assert.equal(
    refused(() => markdownOf("ä".repeat(32_768), "post")),
    "taken",
  );
  for (const text of ["aé漢😀", "", "x\ud83d"]) assert.equal(utf8Length(text), Buffer.byteLength(text), text);
});

test("tags: by commas or spaces, in small letters, five at most, and nothing that is no tag", () => {
  assert.deepEqual(tagsOf("USB, #pci  macos26,usb"), ["usb", "pci", "macos26"]);
  assert.equal(
    refused(() => tagsOf("a b c d e f")),
    "tags-many",
  );
  for (const tag of ["<b>", "a/b", "..", "-x", "ü", "x".repeat(31), 'a"b'])
    assert.equal(
      refused(() => tagsOf([tag])),
      "tag-form",
      tag,
    );
  assert.equal(
    refused(() => detailOf("x".repeat(61), "os")),
    "detail-long",
  );
});

test("a slug holds letters, digits and hyphens only, whatever the title is", () => {
  assert.equal(slugOf("[DEXT] fails: `diskutil` – Ünïcode!"), "dext-fails-diskutil-u-ni-code");
  assert.equal(slugOf("漢字"), "");
  assert.match(slugOf(`${"word ".repeat(40)}`), /^[a-z-]{1,60}$/);
});

test("the plain words of a text: marks go, words stay, and hostile text is linear", () => {
  assert.equal(plainOf("# A *b* [c](http://d) `e`\n\n- f\n```cpp\ng();\n```"), "A b c e f g();");
  for (const text of ["[".repeat(60_000), "![](".repeat(15_000), "> ".repeat(30_000), "*".repeat(60_000)])
    assert.ok(plainOf(text).length <= text.length);
});
