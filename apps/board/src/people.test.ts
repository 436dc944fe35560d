// People of a board for many: in, up, out; what they may do; what their cookies, words and mistakes give away.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { People } from "@drydock/board/people";
import { boardRoutes } from "./app.ts";
import { originFault } from "./origin.ts";
import { hostSecrets } from "./secrets.ts";
import { cookieOf, newcomer as newcomerOf, password, type TestSite, testSite } from "./test/site.ts";

const noon = Date.UTC(2026, 11, 1, 12);
let site: TestSite;
before(async () => {
  site = await testSite(undefined, new URL("http://localhost"));
});
after(async () => await site.open.close());

const newcomer = (handle: string) => newcomerOf(site, handle);

const post = (title: string, headers: Readonly<Record<string, string>>) =>
  site.send("POST", "/t/drivers/posts", { title, markdown: "m" }, headers);

test("the way in: an owner's link is good once; a newer link ends it", async () => {
  const people = new People(site.store.accounts, hostSecrets, () => noon);
  const [old, link] = [await people.ownerLink(), await people.ownerLink()];
  const name = { name: "Olga" };
  assert.equal((await site.form(`/owner/${old}`, name)).status, 404, "replaced");
  const first = await site.form(`/owner/${link}`, name);
  assert.equal(first.status, 303);
  assert.equal((await site.form(`/owner/${link}`, name)).status, 404, "used");
  const cookie = cookieOf(first);
  const me = await (await site.get("/me", { cookie, accept: "application/json" })).json();
  assert.deepEqual([me.handle, me.shownName, me.role], ["owner", "Olga", "owner"]);
  // The last owner stays.
  await site.form("/me/password", { password }, { cookie });
  assert.equal((await site.form("/me/delete", { handle: "owner" }, { cookie })).status, 422);
});

test("readers read; whoever is not signed in writes nothing, on every writing route", async () => {
  for (const path of ["/", "/t/drivers", "/p/2", "/search?q=usb"]) {
    const page = await site.get(path);
    assert.ok(page.status < 400, path);
    assert.equal(page.headers.get("set-cookie"), null, "readers get no cookie");
  }
  assert.match(await site.text("/t/drivers"), /href="\/login"/);
  const before = JSON.stringify(await site.json("/p/2.json"));
  const texts: Readonly<Record<string, unknown>> = {
    post: { title: "t", markdown: "m" },
    postEdit: { title: "t", markdown: "m", version: "1" },
    reply: { markdown: "m" },
    replyEdit: { markdown: "m", version: "1" },
    accepted: { reply: "" },
    duplicate: { of: "3" },
    boost: {},
    nothing: {},
    password: { password },
    leave: { handle: "x" },
    passkey: { response: "{}" },
    flag: { reason: "r" },
    moderate: { act: "hide", reason: "r" },
    personAct: { act: "ban", reason: "r" },
    watch: {},
    readNotices: { upTo: "1" },
  };
  let count = 0;
  for (const { method, path, door } of boardRoutes) {
    if (method === "GET" || door === undefined || !Object.hasOwn(texts, door)) continue;
    if (/^\/(?:login|logout|cases|lab)/.test(path)) continue;
    const filled = path.replace(":topic", "drivers").replace(":id", "2").replace(":handle", "owner");
    const response = await site.send(method, filled, texts[door]);
    assert.equal(response.status, 401, `${method} ${filled}`);
    count++;
  }
  assert.ok(count > 20, `${count} routes`);
  assert.equal(JSON.stringify(await site.json("/p/2.json")), before);
});

test("an account writes as itself, changes what is its own, and nothing else", async () => {
  const [ann, bob] = [await newcomer("ann"), await newcomer("bob")];
  const made = await (await post("Of Ann", ann)).json();
  assert.equal((await site.json(`/p/${made.id}.json`)).author.handle, "ann");
  const edit = { title: "Of Bob", markdown: "b", version: "1" };
  assert.equal((await site.send("PUT", `/p/${made.id}`, edit, bob)).status, 403);
  assert.equal((await site.send("DELETE", `/p/${made.id}`, {}, bob)).status, 403);
  assert.equal((await site.send("PUT", `/p/${made.id}/accepted`, { reply: "" }, bob)).status, 403);
  assert.equal((await site.send("POST", `/p/${made.id}/duplicate`, { of: "2" }, bob)).status, 403);
  assert.equal((await site.send("PUT", `/p/${made.id}/boost`, {}, bob)).status, 200);
  assert.equal((await site.send("PUT", `/p/${made.id}/boost`, {}, bob)).status, 200);
  assert.equal((await site.json(`/p/${made.id}.json`)).boosts, 1, "once a person");
  assert.equal(
    (await site.send("PUT", `/p/${made.id}`, { ...edit, title: "Again of Ann" }, ann)).status,
    200,
  );
});

test("limits, passed by one, answer 429 with Retry-After", async () => {
  const late = await newcomer("late");
  const wait = async (response: Response, most: number) => {
    assert.equal(response.status, 429, await response.text());
    const seconds = Number(response.headers.get("retry-after"));
    assert.ok(seconds >= 1 && seconds <= most, `${seconds} s`);
  };
  let now = noon + 60_000;
  site.at(now);
  assert.equal((await post("one", late)).status, 201);
  await wait(await post("too fast", late), 5);
  for (const title of ["two", "three"]) {
    now += 5_000;
    site.at(now);
    assert.equal((await post(title, late)).status, 201, title);
  }
  now += 5_000;
  site.at(now);
  await wait(await post("the fourth of a day", late), 86_400);
  const id = (await site.json("/t/drivers")).rows[0].id;
  for (let count = 0; count < 20; count++) {
    now += 5_000;
    site.at(now);
    assert.equal(
      (await site.send("POST", `/p/${id}/replies`, { markdown: "r" }, late)).status,
      201,
      `${count}`,
    );
  }
  now += 5_000;
  site.at(now);
  await wait(await site.send("POST", `/p/${id}/replies`, { markdown: "r" }, late), 86_400);
  // Wrong passwords: five an hour, then each try waits; the right one is taken after the wait.
  for (let count = 0; count < 5; count++)
    assert.equal((await site.form("/login", { handle: "late", password: "wrong" })).status, 403);
  assert.equal((await site.form("/login", { handle: "late", password })).status, 429, "at once");
  now += 16_000;
  site.at(now);
  assert.equal((await site.form("/login", { handle: "late", password })).status, 303, "after the wait");
});

test("a session: its cookie, its hash at rest, another token at each sign-in, ended by hand and by a new password", async () => {
  const { cookie } = await newcomer("sue");
  const [, token] = cookie.split("=");
  const rows = site.store.connection.all("SELECT * FROM session");
  assert.ok(rows.length > 0 && !JSON.stringify(rows).includes(token), "only a hash is kept");
  assert.ok(!JSON.stringify(site.store.connection.all("SELECT * FROM password")).includes(password));
  const again = await site.form("/login", { handle: "sue", password }, { cookie });
  const flags = again.headers.get("set-cookie") ?? "";
  for (const flag of [/^drydock=[\w-]{43};/, /HttpOnly/, /SameSite=Lax/, /Path=\//, /Max-Age=2592000/])
    assert.match(flags, flag);
  const newer = cookieOf(again);
  assert.notEqual(newer, cookie);
  assert.equal((await site.get("/me", { cookie })).status, 401, "the one before is over");
  const other = cookieOf(await site.form("/login", { handle: "sue", password }));
  assert.equal((await site.get("/me", { cookie: other })).status, 200);
  assert.equal(
    (await site.form("/me/password", { password: "other words of no kin" }, { cookie: newer })).status,
    303,
  );
  assert.equal((await site.get("/me", { cookie: other })).status, 401, "a new password ends the others");
  assert.equal((await site.form("/logout", {}, { cookie: newer })).status, 303);
  assert.equal((await site.get("/me", { cookie: newer })).status, 401);
});

test("over TLS the cookie is of this host alone; an Origin without it is foreign", async () => {
  const tls = await testSite(undefined, new URL("https://localhost"));
  try {
    const response = await tls.form("/signup", { handle: "tess", password });
    assert.match(response.headers.get("set-cookie") ?? "", /^__Host-drydock=[\w-]{43};.*Secure/);
  } finally {
    await tls.open.close();
  }
});

test("nobody learns whether a handle has an account from a wrong password, and bad passkeys are one answer", async () => {
  const answers = [];
  for (const handle of ["ann", "no-such-person"]) {
    const response = await site.form("/login", { handle, password: "wrong" });
    answers.push([response.status, (await response.text()).replaceAll(handle, "")]);
  }
  assert.deepEqual(answers[0], answers[1]);
  const seen = new Set<string>();
  for (const response of ["", "[]", "{}", '{"id":"x"}', '{"id":{"a":1},"response":{}}', "\u0000"]) {
    const answer = await site.send("POST", "/login/passkey", { response });
    seen.add(`${answer.status} ${await answer.text()}`);
  }
  assert.equal(seen.size, 1);
  assert.deepEqual(site.troubles, []);
});

test("an account leaves: keys and sessions go, its texts stay under no name", async () => {
  const { cookie } = await newcomer("leo");
  const made = await (await post("Of Leo", { cookie })).json();
  assert.equal((await site.form("/me/delete", { handle: "not-leo" }, { cookie })).status, 422);
  assert.equal((await site.form("/me/delete", { handle: "leo" }, { cookie })).status, 303);
  assert.equal((await site.get("/me", { cookie })).status, 401);
  const found = await site.json(`/p/${made.id}.json`);
  assert.deepEqual([found.title, found.author.shownName], ["Of Leo", "deleted person"]);
  assert.equal((await site.form("/login", { handle: "leo", password })).status, 403);
});

test("names that a board for many may have", () => {
  assert.equal(originFault("https://board.example"), null);
  for (const wrong of [
    "",
    "board.example",
    "http://board.example",
    "https://192.0.2.7",
    "https://[2001:db8::7]",
    "https://u@board.example",
    "https://board.example/x",
  ])
    assert.notEqual(originFault(wrong), null, wrong);
});

test("argon2id at the cost that OWASP gives, four at once, the rest in a queue with an end", async () => {
  const hash = await hostSecrets.hashPassword(password);
  assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.deepEqual(
    [
      await hostSecrets.isPassword(password, hash),
      await hostSecrets.isPassword("other", hash),
      await hostSecrets.isPassword(password, null),
    ],
    [true, false, false],
  );
  const many = await Promise.allSettled(
    Array.from({ length: 70 }, () => hostSecrets.isPassword(password, hash)),
  );
  const refused = many.filter(({ status }) => status === "rejected");
  assert.equal(refused.length, 2, "4 run, 64 wait, 2 are sent away");
});
