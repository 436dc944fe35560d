// Routes of people: in, up, out, one's own account. On a board for one they answer that there is no such page.

import { titleOf } from "@drydock/board/field-rules";
import type { KnownVisitor } from "@drydock/board/people";
import { BoardRefusal, notFound } from "@drydock/board/refusal";
import type { Context } from "hono";
import { type DoorFields, type DoorName, readFields } from "./doors.ts";
import { accountPage, ownerLinkPage, signInPage, signUpPage } from "./pages/people-pages.ts";
import type { PeopleDesk } from "./people-desk.ts";
import { type BoardRoute, type BoardSite, sendPage, wantsJson } from "./route.ts";

function deskOf(site: BoardSite): PeopleDesk {
  if (site.people === null) throw notFound("page");
  return site.people;
}

async function mustBeIn(c: Context, desk: PeopleDesk): Promise<KnownVisitor> {
  const known = await desk.whoAsks(c);
  if (known === null) throw new BoardRefusal("signed_out", "sign-in", "Sign in first: nothing was changed.");
  return known;
}

const isOurs = (error: unknown): error is BoardRefusal =>
  error instanceof BoardRefusal && error.kind !== "missing" && error.kind !== "signed_out";
const statusOf = (error: BoardRefusal): number =>
  error.kind === "too_many" ? 429 : error.kind === "forbidden" ? 403 : 422;

const people = { title: "People · Drydock", isPrivate: true, script: "people" } as const;

function sendRefused(
  c: Context,
  site: BoardSite,
  error: BoardRefusal,
  main: ReturnType<typeof signInPage>,
): Response {
  if (error.retryAfter !== null) c.header("Retry-After", String(error.retryAfter));
  return sendPage(c, site, { ...people, main }, statusOf(error));
}

async function sendAccount(
  c: Context,
  site: BoardSite,
  problem: BoardRefusal | null = null,
): Promise<Response> {
  const desk = deskOf(site);
  const { account, session } = await mustBeIn(c, desk);
  const { store } = desk.people;
  const now = site.board.now();
  const passkeys = await store.passkeys(account.id);
  const sessions = await store.sessions(account.id, now);
  if (wantsJson(c) && problem === null)
    return c.json({
      handle: account.handle,
      shownName: account.shownName,
      role: account.role,
      passkeys: passkeys.map(({ id, createdAt, lastUsedAt }) => ({ id, createdAt, lastUsedAt })),
      sessions: sessions.map(({ id, ...rest }) => ({ ...rest, isThis: id === session.id })),
    });
  const main = accountPage({
    account,
    passkeys,
    hasPassword: (await store.passwordHash(account.id)) !== null,
    sessions,
    own: session.id,
    now,
    reason: problem?.message ?? null,
    banned:
      account.state === "banned"
        ? await site.board.store.moderation.latest("person", account.id, "ban")
        : null,
  });
  if (problem !== null) return sendRefused(c, site, problem, main);
  return sendPage(c, site, { ...people, main });
}

/** A form or a program: one lands on a page, the other gets the outcome. */
const done = (c: Context, path: string): Response =>
  wantsJson(c) ? c.json({ done: true }) : c.redirect(path, 303);

/** A writing route: its fields are read and judged before anything else. */
function act<Name extends DoorName>(
  path: string,
  door: Name,
  summary: string,
  handle: (c: Context, site: BoardSite, desk: PeopleDesk, fields: DoorFields<Name>) => Promise<Response>,
): BoardRoute {
  return {
    method: "POST",
    path,
    summary,
    door,
    handle: async (c, site) => {
      const fields = await readFields(c, door);
      return await handle(c, site, deskOf(site), fields);
    },
  };
}

export const peopleRoutes: readonly BoardRoute[] = [
  {
    method: "GET",
    path: "/login",
    summary: null,
    handle: async (c, site) => {
      deskOf(site);
      return sendPage(c, site, { ...people, main: signInPage(null, "") });
    },
  },
  act("/login", "login", "Signs in with a password", async (c, site, desk, fields) => {
    try {
      await desk.letIn(c, await desk.people.signIn(fields.handle, fields.password, desk.network(c)));
      return done(c, "/");
    } catch (error) {
      if (wantsJson(c) || !isOurs(error)) throw error;
      return sendRefused(c, site, error, signInPage(error.message, fields.handle));
    }
  }),
  act("/login/passkey/options", "nothing", "Begins a sign-in with a passkey", async (c, _site, desk) =>
    c.json((await desk.signInOptions()) as object),
  ),
  act("/login/passkey", "passkey", "Signs in with a passkey", async (c, _site, desk, fields) => {
    await desk.letIn(c, await desk.signIn(fields.response));
    return c.json({ done: true });
  }),
  act("/logout", "nothing", "Ends this session", async (c, _site, desk) => {
    await desk.letOut(c);
    return done(c, "/");
  }),
  {
    method: "GET",
    path: "/signup",
    summary: null,
    handle: async (c, site) => {
      deskOf(site);
      return sendPage(c, site, { ...people, main: signUpPage(null, "", "") });
    },
  },
  act("/signup", "signUp", "A new account", async (c, site, desk, fields) => {
    try {
      desk.people.mustBePassword(fields.password);
      const account = await desk.people.signUp(fields.handle, fields.name ?? "", desk.network(c));
      await desk.people.setPassword(account, fields.password);
      await desk.letIn(c, account);
      return done(c, "/me");
    } catch (error) {
      if (wantsJson(c) || !isOurs(error)) throw error;
      return sendRefused(c, site, error, signUpPage(error.message, fields.handle, fields.name ?? ""));
    }
  }),
  {
    method: "GET",
    path: "/me",
    summary: "One's own account: passkeys and sessions",
    handle: (c, site) => sendAccount(c, site),
  },
  act("/me/passkeys/options", "nothing", "Begins a new passkey", async (c, _site, desk) =>
    c.json((await desk.addOptions((await mustBeIn(c, desk)).account)) as object),
  ),
  act("/me/passkeys", "passkey", "Adds a passkey", async (c, _site, desk, fields) => {
    await desk.add((await mustBeIn(c, desk)).account, fields.response);
    return c.json({ done: true });
  }),
  act("/me/passkeys/:id/remove", "nothing", "Removes a passkey", async (c, site, desk) => {
    const { account } = await mustBeIn(c, desk);
    const { store } = desk.people;
    const keys = await store.passkeys(account.id);
    if (keys.length === 1 && (await store.passwordHash(account.id)) === null)
      return await sendAccount(
        c,
        site,
        new BoardRefusal(
          "invalid",
          "last-way-in",
          "This is the last way into this account: add another one first.",
        ),
      );
    if (!(await store.removePasskey(account.id, Number(c.req.param("id") ?? "0") || 0)))
      throw notFound("passkey");
    return done(c, "/me");
  }),
  act("/me/password", "password", "Sets the password; empty takes it away", async (c, site, desk, fields) => {
    const { account, session } = await mustBeIn(c, desk);
    const { store } = desk.people;
    try {
      if (fields.password === "") {
        if ((await store.passkeys(account.id)).length === 0)
          throw new BoardRefusal(
            "invalid",
            "last-way-in",
            "Without a passkey the password is the only way in.",
          );
        await store.setPassword(account.id, null, site.board.now());
      } else await desk.people.setPassword(account, fields.password);
      // Whoever had come in by the old one is out.
      await store.endSessions(account.id, session.id);
      return done(c, "/me");
    } catch (error) {
      if (wantsJson(c) || !isOurs(error)) throw error;
      return await sendAccount(c, site, error);
    }
  }),
  act("/me/sessions/end", "nothing", "Ends all other sessions", async (c, _site, desk) => {
    const { account, session } = await mustBeIn(c, desk);
    await desk.people.store.endSessions(account.id, session.id);
    return done(c, "/me");
  }),
  act("/me/sessions/:id/end", "nothing", "Ends one session", async (c, _site, desk) => {
    const { account } = await mustBeIn(c, desk);
    if (!(await desk.people.store.endSession(account.id, (c.req.param("id") ?? "").slice(0, 60))))
      throw notFound("session");
    return done(c, "/me");
  }),
  act("/me/delete", "leave", "Deletes the account; what it wrote stays", async (c, site, desk, fields) => {
    const { account } = await mustBeIn(c, desk);
    try {
      if (fields.handle.trim().toLowerCase() !== account.handle)
        throw new BoardRefusal(
          "invalid",
          "not-sure",
          "That is not your handle: nothing was deleted.",
          "handle",
        );
      await desk.people.leave(account);
      await site.board.store.evidence.removeOf(account.id);
      await desk.letOut(c);
      return done(c, "/");
    } catch (error) {
      if (wantsJson(c) || !isOurs(error)) throw error;
      return await sendAccount(c, site, error);
    }
  }),
  {
    method: "GET",
    path: "/owner/:token",
    summary: null,
    handle: async (c, site) => {
      deskOf(site);
      return sendPage(c, site, {
        ...people,
        main: ownerLinkPage((c.req.param("token") ?? "").slice(0, 100)),
      });
    },
  },
  act("/owner/:token", "ownerLink", "Makes its bearer the owner, once", async (c, site, desk, fields) => {
    const name = titleOf(fields.name).slice(0, 60);
    await desk.people.useOwnerLink(c.req.param("token") ?? "");
    const account = await desk.people.store.byId(site.board.people.owner.id);
    if (account === null) throw notFound("owner");
    await desk.people.store.setName(account.id, name);
    await desk.letIn(c, account);
    return done(c, "/me");
  }),
];
