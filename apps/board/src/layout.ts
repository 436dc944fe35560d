// The shell of every page: head, bar with the search box, main, foot.

import { type Html, html, type Piece, trusted } from "./html.ts";

/** Who reads a page, and what waits for them. */
export interface PageReader {
  readonly shownName: string;
  readonly unread: number;
  /** Flags; null for whoever does not moderate. */
  readonly waiting: number | null;
}

export interface PageOptions {
  readonly title: string;
  /** Path of this page, without query: for the bar and the canonical link. */
  readonly path: string;
  readonly main: Piece;
  /** Path of this page's Atom feed. */
  readonly feed?: string | undefined;
  /** What stands in the search box. */
  readonly query?: string | undefined;
  /** Post whose view the page reports, when it has been seen. */
  readonly viewOf?: number | undefined;
  /** Pages that search engines should not keep. */
  readonly isPrivate?: boolean;
  /** A list alone: the style of everything else is not sent. */
  readonly isList?: boolean;
  /** Who reads; null: nobody is signed in; left out: a board for one. */
  readonly who?: PageReader | null | undefined;
  /** A script of this page alone. */
  readonly script?: "people" | "evidence";
  /** A page of a published copy: nothing that needs a server. */
  readonly isStatic?: boolean;
}

/** A hull on keel blocks between two dock walls. */
const mark = trusted(
  '<svg class="mark" viewBox="0 0 32 32" width="26" height="26" aria-hidden="true"><path class="wall" d="M2 7h4v18h20V7h4v22H2z"/><path class="hull" d="M9 10h14l-2.2 9a2 2 0 0 1-2 1.5h-5.6a2 2 0 0 1-2-1.5z"/><path class="block" d="M12 22h2.4v3H12zm5.6 0H20v3h-2.4z"/></svg>',
);

const counted = (count: number): Html | string =>
  count === 0 ? "" : html` <span class="count">${count > 99 ? "99+" : count}</span>`;

const readerLinks = ({ shownName, unread, waiting }: PageReader, current: (prefix: string) => Html): Html =>
  html`${waiting === null ? "" : html`<a href="/moderation/queue"${current("/moderation")}>Flags${counted(waiting)}</a>`}<a href="/notices"${current("/notices")}>Notices${counted(unread)}</a><a href="/me"${current("/me")}>${shownName}</a>`;

const doctype = "<!doctype html>\n";

export function page(options: PageOptions): string {
  const { path } = options;
  const current = (prefix: string): Html =>
    trusted(path === prefix || path.startsWith(`${prefix}/`) ? ' aria-current="page"' : "");
  const board = path === "/" || /^\/(?:t|p|r|tags|search|symptoms|people)(?:\/|$)/.test(path);
  return (
    doctype +
    html`<html lang="en">
<head>
<meta charset="utf-8">
<title>${options.title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${options.isStatic === true ? staticPolicy : ""}
${options.isPrivate === true ? html`<meta name="robots" content="noindex">` : ""}
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">${options.isList === true ? "" : html`<link rel="stylesheet" href="/more.css">`}
${options.feed === undefined ? "" : html`<link rel="alternate" type="application/atom+xml" title="New here" href="${options.feed}">`}
${options.isList === true ? "" : html`<script src="/page.js" defer></script>`}${options.script === undefined ? "" : html`<script src="/${options.script}.js" defer></script>`}
</head>
<body${options.viewOf === undefined || options.isStatic === true ? "" : html` data-view-of="${options.viewOf}"`}>
<a class="skip" href="#main">To the content</a>
<header class="bar"><div class="inner">
<a class="home" href="/">${mark}<span>Drydock</span></a>
<nav aria-label="Main"><a href="/t/drivers"${board ? trusted(' aria-current="page"') : ""}>Board</a><a href="/cases"${current("/cases")}>Cases</a><a href="/lab">Lab</a><a href="/docs"${current("/docs")}>Docs</a>${options.who === undefined ? "" : options.who === null ? html`<a href="/login"${current("/login")}>Sign in</a>` : readerLinks(options.who, current)}</nav>
${
  options.isStatic === true
    ? html`<p class="note">A published copy: for reading and running.</p>`
    : html`<form class="find" role="search" action="/search"><input type="search" name="q" aria-label="Search" placeholder="Words, 0xe00002e2, DR02-1, file.c:12" maxlength="400" value="${options.query ?? ""}"><button>Search</button></form>`
}
</div></header>
<main id="main"><div class="inner">
${options.main}
</div></main>
<footer class="foot"><div class="inner">
<p><b>Drydock</b> · a dry dock for device drivers. ${
      options.isStatic === true
        ? "This copy was published from a board; it answers nothing and counts nothing."
        : html`Views are counted once a day for each reader, when a page was open for two seconds; readers without script are not counted. <a href="/api.json">API</a>`
    }</p>
</div></footer>
</body>
</html>
`.text
  );
}

/** What the server says by header, a file must say itself. */
const staticPolicy = trusted(
  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'\">",
);
