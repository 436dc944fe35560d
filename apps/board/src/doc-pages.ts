// The documentation of this repository as pages: docs/, decisions, device and driver pages, found from the same box.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { type Html, html } from "./html.ts";
import { renderDocumentation } from "./markdown.ts";

export interface DocPage {
  /** Below /docs, as "floors" or "decisions/0001-node-26-through-npm". */
  readonly name: string;
  readonly title: string;
  readonly section: string;
  readonly markdown: string;
}

export interface DocHit {
  readonly path: string;
  readonly title: string;
  readonly excerpt: string;
}

const sections: readonly { readonly name: string; readonly folder: string; readonly prefix: string }[] = [
  { name: "Drydock", folder: "docs", prefix: "" },
  { name: "Decisions", folder: "docs/decisions", prefix: "decisions/" },
  { name: "Devices", folder: "packages/core/src/devices", prefix: "devices/" },
  { name: "Drivers", folder: "packages/core/src/drivers", prefix: "drivers/" },
  { name: "Cases", folder: "cases", prefix: "cases/" },
];

/** Of a page's text: what stands beside a hit. */
const excerptCharacters = 160;

export class DocPages {
  readonly pages: readonly DocPage[];
  readonly #byName: ReadonlyMap<string, DocPage>;
  readonly #html = new Map<string, Html>();
  readonly #lower: ReadonlyMap<string, string>;
  /** Repository path of a file to the page it became: for links between them. */
  readonly #byFile: ReadonlyMap<string, string>;

  /** `root`: the repository, or what stands for it in an installed package. */
  constructor(root: string) {
    const pages: DocPage[] = [];
    const byFile = new Map<string, string>();
    const add = (file: string, name: string, section: string) => {
      const markdown = readFileSync(join(root, file), "utf8");
      const title = /^#\s+(.+)$/m.exec(markdown)?.[1].replaceAll("`", "") ?? name;
      pages.push({ name, title, section, markdown });
      byFile.set(file, name);
    };
    for (const { name: section, folder, prefix } of sections) {
      for (const entry of listed(join(root, folder))) {
        const path = `${folder}/${entry}`;
        const page = `${path}/README.md`;
        if (entry.endsWith(".md") && entry !== "README.md") add(path, prefix + entry.slice(0, -3), section);
        else if (prefix !== "" && isFile(join(root, page))) add(page, prefix + entry, section);
      }
    }
    this.pages = pages;
    this.#byName = new Map(pages.map((page) => [page.name, page]));
    this.#lower = new Map(pages.map((page) => [page.name, `${page.title}\n${page.markdown}`.toLowerCase()]));
    this.#byFile = byFile;
  }

  page(name: string): { readonly page: DocPage; readonly html: Html } | null {
    const page = this.#byName.get(name);
    if (page === undefined) return null;
    let made = this.#html.get(name);
    if (made === undefined) {
      const file = [...this.#byFile].find(([, pageName]) => pageName === name)?.[0] ?? "";
      made = renderDocumentation(page.markdown, (href) => this.#link(file, href));
      this.#html.set(name, made);
    }
    return { page, html: made };
  }

  /** Links between pages stay on the board; a link to a source file becomes its name's text. */
  #link(from: string, href: string): string {
    if (/^(?:[a-z]+:|#|\/)/i.test(href)) return href;
    const [path, anchor] = href.split("#");
    const target = posix.normalize(posix.join(dirname(from), path));
    const page = this.#byFile.get(target) ?? this.#byFile.get(posix.join(target, "README.md"));
    if (page === undefined) return "/docs";
    return `/docs/${page}${anchor === undefined ? "" : `#${anchor}`}`;
  }

  /** Pages that have all words, those that name them first. */
  find(words: readonly string[], limit = 5): DocHit[] {
    if (words.length === 0) return [];
    const found: { page: DocPage; score: number; at: number }[] = [];
    for (const page of this.pages) {
      const text = this.#lower.get(page.name) ?? "";
      if (!words.every((word) => text.includes(word))) continue;
      const inTitle = words.filter((word) => page.title.toLowerCase().includes(word)).length;
      const times = words.reduce((sum, word) => sum + Math.min(20, text.split(word).length - 1), 0);
      found.push({ page, score: inTitle * 100 + times, at: text.indexOf(words[0]) - page.title.length - 1 });
    }
    return found
      .sort((left, right) => right.score - left.score || (left.page.name < right.page.name ? -1 : 1))
      .slice(0, limit)
      .map(({ page, at }) => ({
        path: `/docs/${page.name}`,
        title: page.title,
        excerpt: page.markdown
          .slice(Math.max(0, at - 60), Math.max(0, at - 60) + excerptCharacters)
          .replace(/\s+/g, " ")
          .trim(),
      }));
  }
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

export function docsIndex(docs: DocPages): Html {
  const names = [...new Set(docs.pages.map((page) => page.section))];
  return html`<h1>Documentation</h1><p class="lead">What Drydock is made of, what was decided and why, and what each device and driver models. It is the documentation of the version that runs here.</p>
<div class="shelves">${names.map((name) => html`<section><h2>${name}</h2><ul>${docs.pages.filter((page) => page.section === name).map((page) => html`<li><a href="/docs/${page.name}">${page.title}</a></li>`)}</ul></section>`)}</div>`;
}

export function docPage(found: { readonly page: DocPage; readonly html: Html }): Html {
  return html`<nav class="crumbs" aria-label="Place"><a href="/docs">Documentation</a><span>${found.page.section}</span></nav><article class="text doc-page">${found.html}</article>`;
}
