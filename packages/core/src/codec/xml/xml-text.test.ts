// Text in XML 1.0: what is markup, what would command a terminal, what no document may hold.

import assert from "node:assert/strict";
import { test } from "node:test";
import { xmlAttribute, xmlText } from "./xml-text.ts";

test("markup is written by its names; the ampersand first, so that none is written twice", () => {
  assert.equal(xmlText(`a<b>&"c"`), `a&lt;b&gt;&amp;"c"`);
  assert.equal(xmlText("&lt;"), "&amp;lt;");
  assert.equal(xmlText("]]>"), "]]&gt;");
  assert.equal(xmlAttribute(`a<b>&"c"`), `a&lt;b&gt;&amp;&quot;c&quot;`);
});

// XML 1.0 §2.2: #x9, #xA, #xD and from #x20 on, without surrogates; nothing else, not even as a reference.
test("controls that XML has are references, those it has not become U+FFFD", () => {
  assert.equal(xmlText("a\tb"), "a\tb");
  assert.equal(xmlText("a\nb\rc"), "a&#xa;b&#xd;c");
  assert.equal(xmlText("\0\x01\x08\x0b\x0c\x1b[2J\x1f"), "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd[2J\ufffd");
  assert.equal(xmlText("\x7f\x85\x9b"), "&#x7f;&#x85;&#x9b;");
  assert.equal(xmlText("\ud800x\udfff"), "\ufffdx\ufffd");
});

test("what turns, hides or breaks text is a reference; letters of every alphabet stay", () => {
  assert.equal(
    xmlText("\u202egpj.exe\u2066\u200b\u00ad\u2028\u2029"),
    "&#x202e;gpj.exe&#x2066;&#x200b;&#xad;&#x2028;&#x2029;",
  );
  assert.equal(xmlText("\u{e0041}"), "&#xe0041;", "one reference for one character of two units");
  assert.equal(xmlText("Zürich 東京 😀"), "Zürich 東京 😀");
});

test("in an attribute tabs and line ends are references too, or a reader makes spaces of them", () => {
  assert.equal(xmlAttribute("a\tb\nc"), "a&#x9;b&#xa;c");
});
