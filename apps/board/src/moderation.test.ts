// Moderation over its routes: flags to the queue, acts with reasons, a log that its subject reads, bans, roles, trust.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newcomer, ownerOf, type TestSite, testSite } from "./test/site.ts";

type Who = { readonly cookie: string };
const json = { accept: "application/json" };
const noon = Date.UTC(2026, 11, 1, 12);
let site: TestSite;
let owner: Who;
let ann: Who;
let bob: Who;
let now = noon;
before(async () => {
  site = await testSite(undefined, new URL("http://localhost"));
  owner = await ownerOf(site);
  ann = await newcomer(site, "ann");
  bob = await newcomer(site, "bob");
});
after(async () => await site.open.close());

/** Each write of a person keeps its distance to the one before. */
const later = () => {
  now += 6_000;
  site.at(now);
};
const read = async (path: string, who: Who) => {
  const response = await site.get(path, { ...who, ...json });
  // biome-ignore lint/suspicious/noExplicitAny: documents of every shape
  return { status: response.status, body: (await response.json()) as any };
};
const act = async (path: string, fields: Readonly<Record<string, string>>, who: Who) =>
  (await site.send("POST", path, fields, who)).status;
async function post(title: string, who: Who, markdown = "text"): Promise<number> {
  later();
  const response = await site.send("POST", "/t/drivers/posts", { title, markdown }, who);
  assert.equal(response.status, 201, await response.clone().text());
  return (await response.json()).id;
}
async function answer(id: number, who: Who, markdown = "an answer"): Promise<number> {
  later();
  const response = await site.send("POST", `/p/${id}/replies`, { markdown }, who);
  assert.equal(response.status, 201, await response.clone().text());
  return (await response.json()).id;
}

test("spam: flagged, in the queue, hidden, gone for readers; its author reads why; nobody else reads the log", async () => {
  const id = await post("Cheap watches", ann);
  assert.equal(await act(`/p/${id}/flag`, { reason: "spam" }, bob), 200);
  assert.equal(await act(`/p/${id}/flag`, { reason: "spam" }, bob), 409, "once a person");
  assert.equal(await act(`/p/${id}/flag`, { reason: "" }, owner), 422, "why");
  for (const who of [ann, bob]) {
    assert.equal((await read("/moderation/queue", who)).status, 403);
    assert.equal((await read("/moderation/log", who)).status, 403);
    assert.equal(await act(`/p/${id}/moderate`, { act: "hide", reason: "r" }, who), 403);
  }
  const queue = await read("/moderation/queue", owner);
  assert.deepEqual(
    queue.body.rows.map((row: { ofId: number; reason: string }) => [row.ofId, row.reason]),
    [[id, "spam"]],
  );
  assert.match(await (await site.get("/moderation/queue", owner)).text(), /Cheap watches/);
  assert.match(await (await site.get("/", owner)).text(), /Flags <span class="count">1</);
  assert.equal(await act(`/p/${id}/moderate`, { act: "hide", reason: "advertising" }, owner), 200);
  // One "not found" for what is hidden and what never was.
  const hidden = await site.get(`/p/${id}`, bob);
  const never = await site.get("/p/99999", bob);
  assert.deepEqual(
    [hidden.status, await hidden.text()],
    [never.status, await never.text()],
    "one answer for both",
  );
  for (const path of [`/p/${id}.json`, `/p/${id}.md`, `/p/${id}.atom`, `/p/${id}/history`])
    assert.equal((await site.get(path, bob)).status, 404, path);
  assert.doesNotMatch(await site.text("/t/drivers?sort=created"), /Cheap watches/);
  assert.match(await (await site.get(`/p/${id}-cheap-watches`, ann)).text(), /Hidden by Olga: advertising/);
  const own = await read("/me/log", ann);
  assert.deepEqual([own.body.rows[0].act, own.body.rows[0].reason], ["hide", "advertising"]);
  assert.equal((await read("/me/log", bob)).body.rows.length, 0, "only what concerns oneself");
  assert.match(await (await site.get("/notices", ann)).text(), /Olga hid what you wrote/);
  assert.equal(await act(`/p/${id}/moderate`, { act: "show", reason: "a mistake" }, owner), 200);
  assert.equal((await site.get(`/p/${id}.json`, bob)).status, 200);
});

test("an answer is hidden and shown; a locked post takes no answers, edits or comments but a moderator's", async () => {
  const id = await post("A quarrel", ann);
  const reply = await answer(id, bob, "rude words");
  assert.equal(await act(`/r/${reply}/flag`, { reason: "rude" }, ann), 200);
  assert.equal(await act(`/r/${reply}/moderate`, { act: "hide", reason: "rude" }, owner), 200);
  assert.doesNotMatch(JSON.stringify((await read(`/p/${id}.json`, ann)).body), /rude words/);
  assert.doesNotMatch(await site.text(`/p/${id}-a-quarrel`), /rude words/);
  assert.equal((await site.get(`/r/${reply}/history`, ann)).status, 404);
  assert.match(await (await site.get(`/p/${id}-a-quarrel`, bob)).text(), /rude words/, "its author sees it");
  assert.equal(await act(`/p/${id}/moderate`, { act: "lock", reason: "cool down" }, owner), 200);
  later();
  const refused = await site.send("POST", `/p/${id}/replies`, { markdown: "more" }, ann);
  assert.deepEqual([refused.status, (await refused.json()).code], [409, "locked"]);
  const edit = { title: "t", markdown: "m", version: "1" };
  assert.equal((await site.send("PUT", `/p/${id}`, edit, ann)).status, 409);
  assert.equal((await site.send("POST", `/p/${id}/replies`, { markdown: "word" }, owner)).status, 201);
  assert.match(await site.text(`/p/${id}-a-quarrel`), /Locked by Olga: cool down/);
});

test("merged: three boosts and the watchers stand at the original, which the duplicate names", async () => {
  const [original, twin] = [await post("The original", owner), await post("The twin", ann)];
  for (const who of [ann, bob, owner])
    assert.equal((await site.send("PUT", `/p/${twin}/boost`, {}, who)).status, 200);
  const into = String(original);
  assert.equal(
    await act(`/p/${twin}/moderate`, { act: "merge", reason: "same", into: "999999" }, owner),
    404,
  );
  assert.equal(await act(`/p/${twin}/moderate`, { act: "merge", reason: "same", into }, owner), 200);
  const [first, second] = [
    (await read(`/p/${original}.json`, bob)).body,
    (await read(`/p/${twin}.json`, bob)).body,
  ];
  assert.deepEqual([first.boosts, second.boosts, second.duplicateOf], [3, 0, original]);
  await answer(original, owner);
  const told = (await read("/notices", bob)).body.notices;
  assert.ok(
    told.some(
      (notice: { kind: string; postId: number }) => notice.kind === "answer" && notice.postId === original,
    ),
    "who boosted the twin hears of the original",
  );
  assert.deepEqual((await site.store.check()).faults, []);
});

test("a ban: reads on, writes nothing, sees why; moderators ban nobody of their rank; roles are the owner's to give", async () => {
  assert.equal(await act("/people/bob/moderate", { act: "ban", reason: "advertising" }, ann), 403);
  assert.equal(await act("/people/owner/moderate", { act: "ban", reason: "x" }, owner), 403);
  assert.equal(await act("/people/bob/moderate", { act: "ban", reason: "advertising" }, owner), 200);
  later();
  const refused = await site.send("POST", "/t/drivers/posts", { title: "t", markdown: "m" }, bob);
  assert.deepEqual([refused.status, (await refused.json()).code], [403, "banned"]);
  assert.equal((await site.get("/t/drivers", bob)).status, 200);
  assert.match(
    await (await site.get("/me", bob)).text(),
    /Olga has banned this account from writing, .*: advertising/,
  );
  assert.equal((await read("/me/log", bob)).body.rows[0].act, "ban");
  assert.equal(await act("/people/bob/moderate", { act: "unban", reason: "sorry" }, owner), 200);
  assert.equal(await act("/people/bob/moderate", { act: "role", reason: "helps", role: "king" }, owner), 422);
  assert.equal(
    await act("/people/bob/moderate", { act: "role", reason: "helps", role: "moderator" }, owner),
    200,
  );
  assert.equal((await read("/moderation/queue", bob)).status, 200);
  assert.equal(await act("/people/ann/moderate", { act: "role", reason: "x", role: "owner" }, bob), 403);
  assert.equal(await act("/people/owner/moderate", { act: "ban", reason: "x" }, bob), 403);
  assert.equal(await act("/people/nobody/moderate", { act: "ban", reason: "x" }, bob), 404);
  assert.equal((await read("/people", ann)).status, 404);
  const people = await (await site.get("/people?q=ann", bob)).text();
  assert.match(people, /The ann/);
  assert.doesNotMatch(people, /people\/bob"/);
  assert.match(await (await site.get("/people/bob", ann)).text(), /<span class="role">moderator<\/span>/);
  assert.equal(await act("/people/owner/moderate", { act: "role", reason: "x", role: "reader" }, owner), 409);
});

test("new here: links are text until two texts were taken up by somebody known and a day has passed", async () => {
  const carl = await newcomer(site, "carl");
  const text = "See [the page](https://example.net/x) and ![a picture](https://example.net/y.png)";
  const id = await post("With a link", carl, text);
  const path = `/p/${id}-with-a-link`;
  const fresh = await site.text(path);
  assert.match(fresh, /the page \(https:\/\/example\.net\/x\)/);
  assert.doesNotMatch(fresh, /href="https:\/\/example\.net/);
  assert.doesNotMatch(await site.text(`${path}.atom`), /href=&quot;https:\/\/example\.net/);
  const reply = await answer(await post("Of the owner", owner), carl, text);
  await answer(id, owner);
  assert.equal(
    (await site.send("PUT", `/p/${(await read(`/p/${id}.json`, owner)).body.id}/boost`, {}, owner)).status,
    200,
  );
  now += 86_400_000;
  site.at(now);
  assert.equal((await read("/me", carl)).status, 200);
  assert.doesNotMatch(await site.text(path), /href="https:\/\/example\.net/, "one text is not two");
  const of = (await site.store.reply(reply))?.postId ?? 0;
  assert.equal((await site.send("PUT", `/p/${of}/accepted`, { reply: String(reply) }, owner)).status, 200);
  await read("/me", carl);
  assert.match(
    await site.text(path),
    /<a href="https:\/\/example\.net\/x" rel="nofollow ugc noopener">the page</,
  );
  assert.equal(await act("/people/carl/moderate", { act: "unknow", reason: "links for sale" }, owner), 200);
  assert.doesNotMatch(await site.text(path), /href="https:\/\/example\.net/);
});

test("watching: told in the page and at a secret address, which ends with the next one; read is read", async () => {
  const dora = await newcomer(site, "dora");
  assert.equal((await site.send("PUT", "/t/drivers/watch", {}, dora)).status, 200);
  await post("News for watchers", owner);
  const page = await (await site.get("/notices", dora)).text();
  assert.match(page, /News for watchers/);
  assert.match(page, /There is no mail/);
  const made = await site.send("POST", "/notices/feed", {}, { ...dora, ...json });
  const { feed } = await made.json();
  const path = new URL(feed).pathname;
  const atom = await site.get(path);
  assert.match(atom.headers.get("content-type") ?? "", /atom\+xml/);
  assert.match(await atom.text(), /Olga posted in a subtopic that you watch: News for watchers/);
  await site.send("POST", "/notices/feed", {}, dora);
  assert.equal((await site.get(path)).status, 404, "the one before is over");
  assert.ok(
    !JSON.stringify(site.store.connection.all("SELECT * FROM notice_feed")).includes(path.slice(9, 41)),
  );
  const { notices, unread } = (await read("/notices", dora)).body;
  assert.equal(unread, notices.length);
  await site.send("POST", "/notices/read", { upTo: String(notices[0].id) }, dora);
  assert.equal((await read("/notices", dora)).body.unread, 0);
  assert.equal((await site.send("DELETE", "/t/drivers/watch", {}, dora)).status, 200);
  await post("Not for watchers", owner);
  assert.equal((await read("/notices", dora)).body.unread, 0);
  assert.equal((await site.get("/notices")).status, 401);
  assert.deepEqual(site.troubles, []);
});

test("a form sent twice at once is one post, and both requests are led to it; the next one waits its five seconds", async () => {
  const eve = await newcomer(site, "eve");
  later();
  const fields = { title: "Double click", markdown: "m", tags: "", key: "double-click-0001" };
  const both = await Promise.all([
    site.form("/t/drivers/posts", fields, eve),
    site.form("/t/drivers/posts", fields, eve),
  ]);
  const [first, second] = both.map((response) => [response.status, response.headers.get("location")]);
  assert.deepEqual(first, second);
  assert.equal(first[0], 303);
  assert.equal((await site.form("/t/drivers/posts", fields, eve)).status, 303, "and once again");
  const other = await site.form("/t/drivers/posts", { ...fields, key: "another-key-0001" }, eve);
  assert.equal(other.status, 429);
  assert.ok(Number(other.headers.get("retry-after")) >= 1);
  assert.match(await other.text(), /Double click/, "what was typed is given back");
  // The same word of somebody else is another key.
  const ann2 = await site.form("/t/drivers/posts", fields, owner);
  assert.notEqual(ann2.headers.get("location"), first[1]);
});
