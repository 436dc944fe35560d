// Markdown: what comes through, what does not, and what hostile text costs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { renderDocumentation, renderMarkdown } from "./markdown.ts";

const rendered = (text: string): string => renderMarkdown(text).text;

test("code in C++, lists, tables, links that carry nothing", () => {
  const text = rendered(
    "# Head\n\n```cpp\nint a = 1; // b\n```\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n[x](https://example.org)",
  );
  assert.match(text, /<h3>Head<\/h3>/);
  assert.match(text, /<span class="hljs-type">int<\/span>/);
  assert.match(text, /<div class="wide" tabindex="0"><table>/);
  assert.match(text, /<a href="https:\/\/example.org" rel="nofollow ugc noopener">x<\/a>/);
});

test("nothing active comes through: markup is text, bad schemes and pictures are not fetched", () => {
  const hostile = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&#58;alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](//evil.example)",
    "![x](https://evil.example/p.png)",
    '[x](https://a" onclick="alert(1))',
    '```"><script>\nx\n```',
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>*{display:none}</style>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<math><mtext></p><img src onerror=alert(1)>",
  ];
  for (const text of hostile) {
    const html = rendered(text);
    assert.doesNotMatch(html, /<(?:script|img|svg|iframe|style|math|object|embed|form|input)\b/i, text);
    assert.doesNotMatch(html, /<[^>]*\s(?:on\w+|style|src|srcdoc)\s*=/i, text);
    for (const [, href] of html.matchAll(/href="([^"]*)"/g))
      assert.match(href, /^(?:https?:\/\/|mailto:|\/(?!\/)|#|$)/, text);
  }
});

test("hostile sizes: 20,000 quotes, 50,000 brackets, 140 kB of asterisks are rendered, bounded and closed", () => {
  for (const text of [
    "> ".repeat(20_000),
    "[".repeat(50_000),
    "[a]".repeat(20_000),
    "*".repeat(140_000),
    "`".repeat(60_000),
    "- ".repeat(20_000),
    "<".repeat(60_000),
    "a_".repeat(30_000),
  ]) {
    const html = rendered(text);
    assert.ok(html.length < 2_000_000);
    for (const tag of ["p", "ul", "blockquote", "pre"])
      assert.equal(
        html.split(new RegExp(`<${tag}[ >]`)).length,
        html.split(`</${tag}>`).length,
        `${tag} is closed`,
      );
  }
});

test("documentation: headings can be linked to, links stay on the board", () => {
  const text = renderDocumentation(
    "# A b\n\n## A b\n\n[floors](floors.md#x)",
    (href) => `/docs/${href}`,
  ).text;
  assert.match(text, /<h1 id="a-b">/);
  assert.match(text, /<h2 id="a-b-1">/);
  assert.match(text, /href="\/docs\/floors.md#x"/);
});
