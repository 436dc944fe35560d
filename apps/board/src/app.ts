// The board's routes, as one table: what the server serves, what the API page says, and what tests enumerate.

import { BoardRefusal } from "@drydock/board/refusal";
import { mayModerate } from "@drydock/board/visitor";
import { type Context, Hono } from "hono";
import { caseRoutes } from "./case-routes.ts";
import { evidenceRoutes } from "./evidence-routes.ts";
import { onlyOurHosts, onlyOurPages, securityHeaders } from "./guard.ts";
import { html } from "./html.ts";
import { labRoutes } from "./lab-routes.ts";
import { listRoutes } from "./list-routes.ts";
import { moderationRoutes } from "./moderation-routes.ts";
import { noticeRoutes } from "./notice-routes.ts";
import { messagePage } from "./pages/form-pages.ts";
import { peopleRoutes } from "./people-routes.ts";
import { postRoutes } from "./post-routes.ts";
import { type BoardRoute, type BoardSite, sendPage, sendTrouble, wantsJson } from "./route.ts";
import { siteRoutes } from "./site-routes.ts";

export const boardRoutes: readonly BoardRoute[] = [
  ...listRoutes,
  ...postRoutes,
  ...caseRoutes,
  ...labRoutes,
  ...peopleRoutes,
  ...moderationRoutes,
  ...noticeRoutes,
  ...evidenceRoutes,
  ...siteRoutes(() => boardRoutes),
];

/** The site as the asker may use it: what they write is theirs. */
async function siteFor(c: Context, site: BoardSite): Promise<BoardSite> {
  if (site.people === null) return site;
  site.people.mayAsk(c);
  const known = await site.people.whoAsks(c);
  const actor = known === null ? null : site.people.people.visitor(known);
  const board = site.board.as(actor);
  if (actor === null || c.req.method !== "GET") return { ...site, board };
  const { moderation, watching } = board.store;
  const unread = await watching.unread(actor.id);
  return { ...site, board, unread, waiting: mayModerate(actor) ? await moderation.waiting() : 0 };
}

export function buildApp(site: BoardSite): Hono {
  const app = new Hono({ strict: false });
  app.use(securityHeaders());
  app.use(onlyOurHosts(site.hosts));
  app.use(onlyOurPages(site.hosts, site.scheme));
  for (const route of boardRoutes) {
    const answer = async (c: Context): Promise<Response> => {
      let own = site;
      try {
        own = await siteFor(c, site);
        return await route.handle(c, own);
      } catch (error) {
        return sendTrouble(c, own, error);
      }
    };
    // A flood of readers does not keep writers waiting.
    const isWriting = route.method !== "GET";
    app.on(route.method, route.path, isWriting ? (c) => site.board.store.urgently(() => answer(c)) : answer);
  }
  app.notFound((c) => {
    if (wantsJson(c))
      return sendTrouble(c, site, new BoardRefusal("missing", "not-found", "There is no such page."));
    const main = messagePage(
      "Not found",
      "There is no page at this address.",
      null,
      html`<p>The box above finds posts, codes and documentation.</p>`,
    );
    return sendPage(c, site, { title: "Not found · Drydock", isPrivate: true, main }, 404);
  });
  app.onError((error, c) => sendTrouble(c, site, error));
  return app;
}
