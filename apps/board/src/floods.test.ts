// Board.md 8, what strangers try at scale: floods, oracles, names of accounts, views, many accounts, secrets in errors.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Moderation } from "@drydock/board/moderation";
import { hostSecrets } from "./secrets.ts";
import { newcomer, origin, ownerOf, password, type TestSite, testSite } from "./test/site.ts";

const noon = Date.UTC(2026, 11, 1, 12);
let site: TestSite;
before(async () => {
  site = await testSite(undefined, new URL("http://localhost"));
});
after(async () => await site.open.close());

/** As if from this address. */
const from = async (address: string, path: string, init: RequestInit = {}) =>
  await site.open.app.request(
    origin + path,
    {
      ...init,
      headers: {
        host: "localhost",
        origin,
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ...(init.headers as object),
      },
    },
    { incoming: { socket: { remoteAddress: address } } },
  );

/** Statements that an act takes, in order. */
async function statements(act: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  site.store.connection.onQuery = (sql) => seen.push(sql);
  await act();
  site.store.connection.onQuery = null;
  return seen;
}

function mustWait(response: Response, most: number): void {
  assert.equal(response.status, 429);
  const seconds = Number(response.headers.get("retry-after"));
  assert.ok(seconds >= 1 && seconds <= most, `${seconds} s`);
}

test("sixty searches a minute, and one: 429 with Retry-After; the next minute is another", async () => {
  site.at(noon);
  for (let count = 0; count < 60; count++)
    assert.equal((await from("198.51.100.9", "/search?q=usb")).status, 200, `${count}`);
  mustWait(await from("198.51.100.77", "/search?q=usb"), 60);
  assert.equal((await from("198.51.101.9", "/search?q=usb")).status, 200, "another network");
  site.at(noon + 60_000);
  assert.equal((await from("198.51.100.9", "/search?q=usb")).status, 200);
});

test("a flood from one network is refused before the database is asked; others read on", async () => {
  site.at(noon + 120_000);
  let refused = 0;
  for (let count = 0; count < 1_300; count++) {
    const response = await from(`203.0.113.${count % 250}`, "/robots.txt");
    if (response.status === 429) refused++;
    else assert.equal(response.status, 200);
  }
  assert.equal(refused, 100);
  const asked = await statements(async () => mustWait(await from("203.0.113.5", "/t/drivers"), 60));
  assert.deepEqual(asked, [], "nothing was looked up");
  assert.equal((await from("203.0.114.5", "/t/drivers")).status, 200);
});

test("what is hidden and what never was: one answer, the same statements", async () => {
  const made = await site.store.addPost(
    {
      topicId: 1,
      authorId: site.open.site.board.people.owner.id,
      kind: "question",
      title: "Hidden",
      markdown: "m",
      plain: "m",
      tags: [],
      symptoms: [],
      at: noon,
      source: "own",
    },
    { key: null, at: noon },
  );
  await new Moderation(site.open.site.board).hide("post", made.id, "a reason");
  for (const form of ["", ".json", ".md", ".atom"]) {
    const answers: unknown[] = [];
    for (const id of [made.id, 999_999]) {
      let body = "";
      const asked = await statements(async () => {
        const response = await from("192.0.2.1", `/p/${id}${form}`);
        body = `${response.status} ${await response.text()}`;
      });
      answers.push([body, asked]);
    }
    assert.deepEqual(answers[0], answers[1], form);
  }
});

test("a wrong password and nobody of that name: the same words, the same statements, the same work of the hash", async () => {
  await newcomer(site, "uma");
  const answers: unknown[] = [];
  for (const handle of ["uma", "zed"]) {
    let body = "";
    const asked = await statements(async () => {
      const response = await from("192.0.2.9", "/login", {
        method: "POST",
        body: JSON.stringify({ handle, password: "not the right words" }),
        headers: { "content-type": "application/json" },
      });
      body = `${response.status} ${await response.text()}`;
    });
    answers.push([body, asked]);
  }
  assert.deepEqual(answers[0], answers[1]);
  assert.equal(await hostSecrets.isPassword("x", null), false, "nobody's hash is made, too");
});

test("twenty wrong passwords from a network, whatever names: then each try waits, and a right one is taken after", async () => {
  site.at(noon + 3_600_000);
  const login = (address: string, handle: string, word: string) =>
    from(address, "/login", {
      method: "POST",
      body: JSON.stringify({ handle, password: word }),
      headers: { "content-type": "application/json" },
    });
  for (let count = 0; count < 20; count++)
    assert.equal((await login(`192.0.2.${count}`, `nobody-${count}`, "wrong words here")).status, 403);
  mustWait(await login("192.0.2.200", "uma", password), 60);
  assert.equal((await login("192.0.3.1", "uma", password)).status, 200, "another network");
});

test("thousands of accounts from one network: twenty a day, and no hash is made for the rest", async () => {
  site.at(noon + 86_400_000);
  const signUp = (count: number) =>
    from("198.18.0.7", "/signup", {
      method: "POST",
      body: JSON.stringify({ handle: `crowd-${count}`, password }),
      headers: { "content-type": "application/json" },
    });
  for (let count = 0; count < 20; count++) assert.equal((await signUp(count)).status, 200, `${count}`);
  for (let count = 20; count < 120; count++) mustWait(await signUp(count), 86_400);
  assert.equal(
    site.store.connection.get("SELECT count(*) AS n FROM person WHERE handle LIKE 'crowd-%'")?.n,
    20,
  );
});

test("views: a thousand beacons of one address are one, five hundred networks are sixty a minute, and never without one", async () => {
  let now = noon + 2 * 86_400_000;
  site.at(now);
  const views = async () => (await site.json("/p/3.json")).views;
  const before = await views();
  const beacon = (address: string) =>
    from(address, "/v", {
      method: "POST",
      body: JSON.stringify({ post: "3" }),
      headers: { "content-type": "application/json" },
    });
  for (let count = 0; count < 1_000; count++) assert.equal((await beacon("192.0.2.55")).status, 204);
  assert.equal((await views()) - before, 1);
  let counted = 1;
  for (let count = 0; count < 500; count++) {
    if (count % 100 === 0) {
      now += 60_000;
      site.at(now);
      const sofar = (await views()) - before;
      assert.ok(sofar - counted <= 60, `${sofar - counted} in a minute`);
      counted = sofar;
    }
    await beacon(`10.${count >> 8}.${count & 255}.1`);
  }
  assert.equal((await views()) - before, 1 + 5 * 60, "sixty of each minute's hundred");
});

test("an error that nobody expected tells its log neither cookies nor passwords nor bodies", async () => {
  const own = await testSite(undefined, new URL("http://localhost"));
  try {
    const owner = await ownerOf(own);
    own.store.connection.exec("ALTER TABLE tag RENAME TO tag_away");
    const secret = "a secret of four words";
    await own.get("/t/drivers", owner);
    await own.form("/t/drivers/posts", { title: secret, markdown: secret, tags: "usb" }, owner);
    await own.form("/me/password", { password: secret }, owner);
    const told = own.troubles.map((error) =>
      error instanceof Error ? `${error.message} ${error.stack}` : String(error),
    );
    assert.ok(told.length >= 2);
    for (const line of told) {
      assert.ok(!line.includes(owner.cookie.split("=")[1]), "no session");
      assert.ok(!line.includes(secret), "no text, no password");
    }
  } finally {
    await own.open.close();
  }
});
