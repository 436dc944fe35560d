// The lab's page: a shell for its script. Its rigs run in the reader's own page; the one of this server can be watched.

import { notFound } from "@drydock/board/refusal";
import { rigCatalogue } from "@drydock/core/rigs/catalogue";
import { readFields } from "./doors.ts";
import { html } from "./html.ts";
import { labSocketPath } from "./lab-desk.ts";
import type { BoardRoute } from "./route.ts";

/** Without script the lab is nothing; the same runs are pages of the board and lines of a terminal. */
function labPage(): string {
  return `<!doctype html>\n${
    html`<html lang="en">
<head>
<meta charset="utf-8">
<title>Lab · Drydock</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css"><link rel="stylesheet" href="/lab.css">
<script src="/lab.js" defer></script>
</head>
<body class="in-lab">
<div id="lab"><noscript><main><div class="inner"><h1>The lab</h1><p>A rig that lives in the page needs script. Without it: <a href="/cases">every case</a> is a page that this board runs for you, and <code>npx drydock start</code> brings up the same rig with a real terminal.</p></div></main></noscript></div>
</body>
</html>
`.text
  }`;
}

export const labRoutes: readonly BoardRoute[] = [
  {
    method: "GET",
    path: "/lab/rigs",
    summary: "The rigs that the lab can open: those of the catalogue, and those that run on this server",
    handle: (c, site) =>
      c.json({
        catalogue: rigCatalogue.map(({ name, summary }) => ({ name, summary })),
        server: site.desk.rigs,
      }),
  },
  {
    method: "GET",
    path: "/lab",
    summary: null,
    handle: (c) => c.html(labPage()),
  },
  {
    method: "POST",
    path: "/lab/token",
    summary:
      "A token for one connection to a rig of this server, as the second protocol of a WebSocket at the path that comes with it and the rig's name",
    door: "nothing",
    handle: async (c, site) => {
      await readFields(c, "nothing");
      const token = site.desk.newToken();
      if (token === null) throw notFound("rig on this server");
      return c.json({ token, path: labSocketPath });
    },
  },
];
