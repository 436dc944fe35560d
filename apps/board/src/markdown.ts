// Markdown as people write it, to HTML that holds nothing but text and its marks: two walls, then the page's CSP.

import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import diff from "highlight.js/lib/languages/diff";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import MarkdownIt from "markdown-it";
import sanitizeHtml from "sanitize-html";
import { escapeHtml, type Html, trusted } from "./html.ts";

for (const [name, language] of Object.entries({ bash, c, cpp, diff, typescript, xml }))
  hljs.registerLanguage(name, language);
const names: Readonly<Record<string, string>> = {
  "c++": "cpp",
  iig: "cpp",
  objc: "cpp",
  js: "typescript",
  javascript: "typescript",
  ts: "typescript",
  plist: "xml",
  html: "xml",
  sh: "bash",
  console: "bash",
  shell: "bash",
};
/** Longer code is shown as it is: a highlighter must not be what a long log waits for. */
const highlightedCharacters = 20_000;
/** Nesting beyond this costs more than it says. */
const deepest = 24;

function highlighted(code: string, info: string): string {
  const wanted = info.trim().split(/\s+/)[0].toLowerCase();
  const language = names[wanted] ?? wanted;
  if (code.length > highlightedCharacters || hljs.getLanguage(language) === undefined)
    return escapeHtml(code);
  return hljs.highlight(code, { language, ignoreIllegals: true }).value;
}

const renderer = new MarkdownIt({ html: false, linkify: false, typographer: false, maxNesting: deepest });
// A language's name comes from the writer: it becomes no class, and long code folds by the page's style.
renderer.renderer.rules.fence = (tokens, index) => {
  const { content, info } = tokens[index];
  return `<pre tabindex="0"><code>${highlighted(content, info)}</code></pre>\n`;
};
renderer.renderer.rules.code_block = (tokens, index) =>
  `<pre tabindex="0"><code>${highlighted(tokens[index].content, looksLikeCode(tokens[index].content) ? "cpp" : "")}</code></pre>\n`;
// No picture is fetched from anywhere: its text and its address are shown.
renderer.renderer.rules.image = (tokens, index) => {
  const token = tokens[index];
  const address = String(token.attrGet("src") ?? "");
  return `<a href="${escapeHtml(address)}">${escapeHtml(token.content === "" ? address : token.content)}</a>`;
};
renderer.renderer.rules.table_open = () => '<div class="wide" tabindex="0"><table>\n';
renderer.renderer.rules.table_close = () => "</table></div>\n";

function looksLikeCode(text: string): boolean {
  return /[;{}]\s*$/m.test(text) || /::|->/.test(text);
}

const allowed: sanitizeHtml.IOptions = {
  allowedTags: [
    ...[
      "p",
      "br",
      "hr",
      "strong",
      "em",
      "s",
      "code",
      "pre",
      "blockquote",
      "ul",
      "ol",
      "li",
      "a",
      "span",
      "div",
    ],
    ...["h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"],
  ],
  allowedAttributes: { a: ["href", "rel"], ol: ["start"], pre: ["tabindex"], div: ["tabindex"] },
  allowedClasses: { span: [/^hljs-[a-z_]+$/, "class_", "function_", "inherited__"], div: ["wide"] },
  allowedSchemes: ["http", "https", "mailto"],
  allowProtocolRelative: false,
  nestingLimit: 100,
  transformTags: {
    // Headings of a text stand below the page's own.
    h1: "h3",
    h2: "h3",
    h3: "h4",
    h4: "h5",
    h5: "h6",
    a: (_tag, attributes) => ({
      tagName: "a",
      attribs: { href: attributes.href ?? "", rel: "nofollow ugc noopener" },
    }),
  },
};

/** Links of people who are new here: their words, and the address as text. */
function unlinked(tokens: ReturnType<typeof renderer.parse>): void {
  for (const token of tokens) {
    const open: string[] = [];
    for (const child of token.children ?? []) {
      if (child.type === "link_open") open.push(String(child.attrGet("href") ?? ""));
      else if (child.type !== "link_close") continue;
      const address = child.type === "link_close" ? ` (${open.pop() ?? ""})` : "";
      child.type = "text";
      child.tag = "";
      child.nesting = 0;
      child.content = address;
    }
  }
}

/** Nothing is a link, whatever the renderer made of the text. */
const linkless: sanitizeHtml.IOptions = {
  ...allowed,
  allowedTags: (allowed.allowedTags as string[]).filter((tag) => tag !== "a"),
};

/** Never throws for any text; nothing of it is active. `hasLinks`: false shows their addresses as text. */
export function renderMarkdown(markdown: string, hasLinks = true): Html {
  let text: string;
  try {
    const tokens = renderer.parse(markdown, {});
    if (!hasLinks) unlinked(tokens);
    text = renderer.renderer.render(tokens, renderer.options, {});
  } catch {
    // A text that the renderer cannot take is still readable.
    text = `<pre>${escapeHtml(markdown)}</pre>`;
  }
  return trusted(sanitizeHtml(text, hasLinks ? allowed : linkless));
}

/** Our own pages: the same, with headings that can be linked to and links that stay on the board. */
export function renderDocumentation(markdown: string, linkOf: (href: string) => string): Html {
  const tokens = renderer.parse(markdown, {});
  const seen = new Map<string, number>();
  for (const [index, token] of tokens.entries()) {
    if (token.type === "heading_open") {
      const words = tokens[index + 1].content
        .toLowerCase()
        .replace(/[^\p{L}\p{N}]+/gu, "-")
        .replace(/^-|-$/g, "");
      const times = seen.get(words) ?? 0;
      seen.set(words, times + 1);
      token.attrSet("id", times === 0 ? words : `${words}-${times}`);
    }
    for (const child of token.children ?? [])
      if (child.type === "link_open") child.attrSet("href", linkOf(String(child.attrGet("href") ?? "")));
  }
  const text = renderer.renderer.render(tokens, renderer.options, {});
  return trusted(
    sanitizeHtml(text, {
      ...allowed,
      allowedAttributes: { ...allowed.allowedAttributes, "*": ["id"] },
      transformTags: {},
    }),
  );
}

/** Rendered texts by body: a body never changes, an edit makes a new one. */
export class RenderedBodies {
  readonly #kept = new Map<string, Html>();
  readonly #most: number;

  constructor(most = 500) {
    this.#most = most;
  }

  /** `hasLinks`: the author is known. */
  of(bodyId: number, markdown: string, hasLinks = true): Html {
    // A deleted body keeps its number and loses its text.
    if (markdown === "") return trusted("");
    const key = `${bodyId} ${hasLinks}`;
    const known = this.#kept.get(key);
    if (known !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known;
    }
    const made = renderMarkdown(markdown, hasLinks);
    this.#kept.set(key, made);
    if (this.#kept.size > this.#most) this.#kept.delete(this.#kept.keys().next().value as string);
    return made;
  }
}
