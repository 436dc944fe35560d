// Routes of the site itself: documentation, style and scripts, the API page, health.

import { notFound } from "@drydock/board/refusal";
import { assetNames, assetOf } from "./assets.ts";
import { docPage, docsIndex } from "./doc-pages.ts";
import { evidencePolicies } from "./guard.ts";
import { type BoardRoute, sendPage, wantsJson } from "./route.ts";

export const siteRoutes = (all: () => readonly BoardRoute[]): readonly BoardRoute[] => [
  {
    method: "GET",
    path: "/docs",
    summary: "The documentation of the version that runs here",
    handle: (c, site) => {
      if (wantsJson(c))
        return c.json({
          pages: site.docs.pages.map(({ name, title, section }) => ({ name, title, section })),
        });
      return sendPage(c, site, { title: "Documentation · Drydock", main: docsIndex(site.docs) });
    },
  },
  {
    method: "GET",
    path: "/docs/:name{.+}",
    summary: "A page of the documentation; .md is its source",
    handle: (c, site) => {
      const asked = c.req.param("name") ?? "";
      const source = asked.endsWith(".md");
      const found = site.docs.page(source ? asked.slice(0, -3) : asked);
      if (found === null) throw notFound("page of the documentation");
      if (source) return c.body(found.page.markdown, 200, { "Content-Type": "text/markdown; charset=utf-8" });
      return sendPage(c, site, { title: `${found.page.title} · Drydock`, main: docPage(found) });
    },
  },
  {
    method: "GET",
    path: "/api.json",
    summary: null,
    handle: async (c, site) => c.json((await import("./open-api.ts")).openApi(all(), site.version)),
  },
  {
    method: "GET",
    path: "/health",
    summary: "Whether the store answers",
    handle: async (c, site) => {
      await site.board.store.topics();
      return c.json({ ok: true, version: site.version });
    },
  },
  {
    method: "GET",
    path: "/robots.txt",
    summary: null,
    handle: (c) => c.text("User-agent: *\nDisallow: /search\nDisallow: /t/*?sort=\n"),
  },
  ...assetNames.map(
    (name): BoardRoute => ({
      method: "GET",
      path: `/${name}`,
      summary: null,
      handle: async (c) => {
        const asset = await assetOf(name);
        if (asset === null) throw notFound("file");
        // Browsers ask for the icon again at each change of an address, with the network or without.
        const isIcon = asset.type.startsWith("image/");
        const policy = evidencePolicies[name];
        const headers = {
          ...(policy === undefined ? {} : { "Content-Security-Policy": policy }),
          ETag: asset.etag,
          "Cache-Control": isIcon ? "max-age=3600" : "no-cache",
          "Content-Type": asset.type,
        };
        if (c.req.header("if-none-match") === asset.etag) return c.body(null, 304, headers);
        return c.body(asset.body, 200, headers);
      },
    }),
  ),
];
