// The rows of board.md 8 that concern reading, posting, search, ids, Markdown, Host and Origin: each by enumeration.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { boardRoutes } from "./app.ts";
import { doors } from "./door-schemas.ts";
import { evidencePolicies } from "./guard.ts";
import { origin, type TestSite, testSite } from "./test/site.ts";

let site: TestSite;
before(async () => {
  site = await testSite();
});
after(async () => await site.open.close());

/** Each route with something in its place holders. */
const filled = boardRoutes.map(({ method, path, door }) => ({
  method,
  door,
  path: path
    .replace(":topic", "drivers")
    .replace(":file", path.startsWith("/badge") ? "P02.svg" : "2")
    .replace(":handle", "owner")
    .replace(":secret", "none.atom")
    .replace(":id", path.startsWith("/cases") ? "P02" : "2")
    .replace(":kind/:value", "io_return/e00002e2")
    .replace(":tag", "usb")
    .replace(":name{.+}", "floors"),
}));
const ask = (method: string, path: string, headers: Readonly<Record<string, string>>, body?: string) =>
  site.open.app.request(origin + path, { method, headers, ...(body === undefined ? {} : { body }) });

test("a name that is not ours is answered 421 on every route, before anything else", async () => {
  assert.ok(filled.length > 40);
  for (const { method, path } of [...filled, { method: "GET", path: "/nope" }])
    for (const host of ["evil.example", "localhost.evil.example", "localhost:1", "127.0.0.2", "[::2]"])
      assert.equal((await ask(method, path, { host })).status, 421, `${method} ${path} as ${host}`);
  for (const host of ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
    assert.equal((await ask("GET", "/health", { host })).status, 200, host);
});

test("a foreign page changes nothing: 403 on every writing route, by Origin and by Sec-Fetch-Site", async () => {
  const before = JSON.stringify(await site.json("/p/2.json"));
  const unsafe = filled.filter(({ method }) => method !== "GET");
  assert.ok(unsafe.length > 15);
  for (const { method, path } of unsafe)
    for (const headers of [
      { origin: "http://evil.example" },
      { origin: "null" },
      { origin: "https://localhost" },
      { origin: "http://localhost:81" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site", origin },
    ])
      assert.equal(
        (
          await ask(
            method,
            path,
            { host: "localhost", "content-type": "application/x-www-form-urlencoded", ...headers },
            "markdown=x",
          )
        ).status,
        403,
        `${method} ${path} ${JSON.stringify(headers)}`,
      );
  assert.equal(JSON.stringify(await site.json("/p/2.json")), before);
});

test("every answer carries the policy, and no page has inline script, style or handlers", async () => {
  for (const { method, path } of filled) {
    if (method !== "GET") continue;
    const response = await site.get(path);
    const policy = response.headers.get("content-security-policy") ?? "";
    // Workers that read evidence have a policy of their own, which has no place to send anything to.
    const own = evidencePolicies[path.slice(1)];
    if (own !== undefined) {
      assert.equal(policy, own, path);
      assert.match(policy, /^default-src 'none';/);
      assert.doesNotMatch(policy, /connect-src|img-src|form-action|\*|'unsafe-/, path);
      continue;
    }
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
    ])
      assert.ok(policy.includes(part), `${path}: ${part}`);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff", path);
    if (!(response.headers.get("content-type") ?? "").startsWith("text/html")) continue;
    const page = await response.text();
    assert.doesNotMatch(
      page,
      /<style|<script(?! src="\/(?:page|lab|people|evidence)\.js" defer>)|\son[a-z]+=|\sstyle=|javascript:/i,
      path,
    );
    assert.doesNotMatch(page, /<(?:img|iframe|object|embed|base)\b/i, path);
    assert.equal(response.headers.get("set-cookie"), null, "no cookies: there is nothing to steal");
  }
});

test("fields of every door: unknown ones, wrong kinds, other shapes and types are refused, and nothing breaks", async () => {
  const random = new Random(3);
  const values: readonly unknown[] = [
    null,
    true,
    1.5,
    -1,
    {},
    [],
    ["a"],
    { a: 1 },
    "x".repeat(500_000),
    "\u0000",
    "__proto__",
    1e308,
  ];
  for (const { method, path: given, door } of filled) {
    if (door === undefined || given === "/cases/runs") continue;
    // Each on a post of its own: some of the drawn bodies are right, and what they ask for is done.
    const post = await (await site.send("POST", "/t/drivers/posts", { title: "A", markdown: "b" })).json();
    const reply = await (await site.send("POST", `/p/${post.id}/replies`, { markdown: "c" })).json();
    const path = given.replace(/^\/p\/2/, `/p/${post.id}`).replace(/^\/r\/2/, `/r/${reply.id}`);
    const send = async (body: string, type = "application/json") =>
      (await ask(method, path, { host: "localhost", origin, "content-type": type }, body)).status;
    assert.equal(await send("{"), 422, `${method} ${path} broken JSON`);
    assert.equal(await send("[]"), 422, `${method} ${path} a list`);
    assert.equal(await send('"x"'), 422);
    assert.equal(await send("null"), 422);
    assert.equal(await send('{"no-such-field":1}'), 422, `${method} ${path} unknown field`);
    assert.equal(await send("x", "text/plain"), 422);
    assert.equal(await send("a=1&a=2", "application/x-www-form-urlencoded"), 422);
    assert.equal(await send(`{"x":"${"y".repeat(600_000)}"}`), 413, `${method} ${path} too large`);
    const names = Object.keys(doors[door].properties);
    for (let times = 0; times < 30 && names.length > 0; times++) {
      const body: Record<string, unknown> = {};
      for (const name of names)
        if (random.next32() % 2 === 0) body[name] = values[random.next32() % values.length];
      const status = await send(JSON.stringify(body));
      assert.ok(status < 500, `${method} ${path} ${status} ${JSON.stringify(body).slice(0, 200)}`);
    }
  }
  assert.deepEqual(site.troubles, []);
});

test("the server fetches nothing from addresses that people give: no client of any kind in its sources", () => {
  const folder = import.meta.dirname;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name.includes("test") || name.startsWith("page-scripts")) continue;
    // Types of Node's server are no client.
    const code = readFileSync(join(folder, name), "utf8").replace(/^import type .*$/gm, "");
    assert.doesNotMatch(code, /\bfetch\(|node:https?"|node:net"|undici|axios/, name);
  }
});

test("a store that is full or held: 507 or 503, the text given back, nothing half done", async () => {
  const own = await testSite();
  try {
    const pages = Number(own.store.connection.pragma("page_count"));
    own.store.connection.exec(`PRAGMA max_page_count = ${pages}`);
    const markdown = `precious ${"x".repeat(60_000)}`;
    const full = await own.form("/t/drivers/posts", { title: "t", markdown, tags: "" });
    assert.equal(full.status, 507);
    const page = await full.text();
    assert.match(page, /The disk is full: nothing of this act was kept/);
    assert.match(page, /precious/);
    const asJson = await own.send("POST", "/t/drivers/posts", { title: "t", markdown });
    assert.deepEqual([asJson.status, (await asJson.json()).code], [507, "store-full"]);
    assert.equal((await own.get("/")).status, 200, "reading goes on");
    own.store.connection.exec("PRAGMA max_page_count = 1000000");
    assert.deepEqual((await own.store.check()).faults, []);
    assert.equal((await own.json("/t/drivers")).posts, 20);
  } finally {
    await own.open.close();
  }
});

test("an error that nobody expected says so, without its insides", async () => {
  const own = await testSite();
  try {
    own.store.connection.exec("DROP TABLE tag");
    const response = await own.get("/t/drivers");
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /no such table|SQLITE|at file/);
    assert.equal(own.troubles.length, 1);
  } finally {
    await own.open.close();
  }
});
