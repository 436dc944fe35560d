// A board in memory for tests: asked like a server, without sockets.

import { SqliteBoardStore } from "@drydock/node/store/sqlite-board-store";
import { type OpenBoard, openBoard } from "../server.ts";

export interface TestSite {
  readonly open: OpenBoard;
  readonly store: SqliteBoardStore;
  /** Errors that were nobody's input. */
  readonly troubles: unknown[];
  /** Sets the clock, milliseconds UTC. */
  at(now: number): void;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  text(path: string): Promise<string>;
  // biome-ignore lint/suspicious/noExplicitAny: documents of every shape
  json(path: string): Promise<any>;
  /** As a browser sends a form from our own page. */
  form(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response>;
  send(
    method: string,
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response>;
}

export const origin = "http://localhost";
const begun = Date.UTC(2026, 11, 1, 12);

/** What the browser sends back of an answer's cookie. */
export const cookieOf = (response: Response): string =>
  (response.headers.get("set-cookie") ?? "").split(";")[0];

export const password = "four words of no kin";

/** A new account of this site, by the form; what its browser sends from then on. */
export async function newcomer(site: TestSite, handle: string): Promise<{ cookie: string }> {
  const response = await site.form("/signup", { handle, name: `The ${handle}`, password });
  if (response.status !== 303) throw new Error(`${response.status} ${await response.text()}`);
  return { cookie: cookieOf(response) };
}

/** The owner, by a link as the command prints it. */
export async function ownerOf(site: TestSite): Promise<{ cookie: string }> {
  const desk = site.open.site.people;
  if (desk === null) throw new Error("a board for one");
  const response = await site.form(`/owner/${await desk.people.ownerLink()}`, { name: "Olga" });
  return { cookie: cookieOf(response) };
}

/** `many`: a board for many at this address. */
export async function testSite(seed?: string, many?: URL): Promise<TestSite> {
  let now = begun;
  const troubles: unknown[] = [];
  const open = await openBoard({
    home: null,
    version: "0.1.0",
    now: () => now,
    onTrouble: (error) => troubles.push(error),
    ...(seed === undefined ? {} : { seed }),
    ...(many === undefined ? {} : { people: () => many }),
  });
  const request = (path: string, init: RequestInit) => open.app.request(origin + path, init);
  const get = async (path: string, headers = {}) =>
    await request(path, { headers: { host: "localhost", ...headers } });
  const ours = { host: "localhost", origin, "sec-fetch-site": "same-origin" };
  if (!(open.site.board.store instanceof SqliteBoardStore)) throw new Error("another store");
  return {
    open,
    store: open.site.board.store,
    troubles,
    at: (time) => {
      now = time;
    },
    get,
    text: async (path) => await (await get(path)).text(),
    json: async (path) => await (await get(path, { accept: "application/json" })).json(),
    form: async (path, fields, headers = {}) =>
      await request(path, {
        method: "POST",
        body: new URLSearchParams(fields).toString(),
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          accept: "text/html",
          ...ours,
          ...headers,
        },
      }),
    send: async (method, path, body, headers = {}) =>
      await request(path, {
        method,
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", ...ours, ...headers },
      }),
  };
}
