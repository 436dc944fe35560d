// The lab's page: a shell for its script, behind a server or as a file of a copy.

import { rigCatalogue } from "@drydock/core/rigs/catalogue";
import { html, trusted } from "./html.ts";

/** What the server says by header, a file must say itself. Workers are made of texts, and have this policy too: nothing is sent. */
const filePolicy = trusted(
  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'self'; worker-src blob:; frame-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types drydock drydock-kept\">",
);

/**
 * `root`: null behind a server; else the way from the page to the root of the copy, empty where the lab is all of it.
 * Without script the lab is nothing; the same runs are pages of the board and lines of a terminal.
 */
export function labPage(root: string | null): string {
  const up = root ?? "/";
  const board =
    root === ""
      ? html`<code>npx drydock case P02</code> plays a case in a terminal`
      : html`<a href="${root === null ? "/cases" : `${root}cases/index.html`}">every case</a> is a page of the board`;
  return `<!doctype html>\n${
    html`<html lang="en"${root === null ? "" : html` data-root="${root}"`}>
<head>
<meta charset="utf-8">
<title>Lab · Drydock</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${root === null ? "" : filePolicy}
<link rel="icon" href="${up}favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${up}style.css"><link rel="stylesheet" href="${up}lab.css">
${root === null ? "" : html`<script src="${up}lab-static.js" defer></script>`}<script src="${up}lab.js" defer></script>
</head>
<body class="in-lab">
<div id="lab"><noscript><main><div class="inner"><h1>The lab</h1><p>A rig that lives in the page needs script. Without it: ${board}, and <code>npx drydock start</code> brings up the same rig with a real terminal.</p></div></main></noscript>${root === null ? "" : html`<p class="empty">If nothing comes here, this browser runs no scripts of files: type <code>npx drydock start</code>, or give the folder to any web server.</p>`}</div>
</body>
</html>
`.text
  }`;
}

/** The rigs that the lab can open, as its list has them; `server`: those that run beside the page. */
export const listedRigs = (server: readonly { readonly name: string; readonly summary: string }[]) => ({
  catalogue: rigCatalogue.map(({ name, summary }) => ({ name, summary })),
  server,
});
