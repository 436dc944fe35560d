// Writing without script (board.md 5.2, 5.4): posts, answers, edits, boosts, views; counters, keys, drafts.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { type TestSite, testSite } from "./test/site.ts";

let site: TestSite;
before(async () => {
  site = await testSite();
});
after(async () => await site.open.close());

const faults = async () => (await site.store.check()).faults;
let number = 0;
async function newPost(fields: Readonly<Record<string, string>> = {}): Promise<{ id: number; path: string }> {
  const response = await site.form("/t/drivers/posts", {
    title: `Post ${++number}`,
    markdown: "A text.",
    tags: "",
    ...fields,
  });
  assert.equal(response.status, 303);
  const path = response.headers.get("location") ?? "";
  return { id: Number(/^\/p\/(\d+)/.exec(path)?.[1]), path };
}

test("a form makes a post, and it stands first in the list, with tags and symptoms", async () => {
  const { path } = await newPost({
    title: "Stalls <b>always</b>",
    markdown: "It says 0xe00002c0.",
    tags: "usb, hid",
  });
  const page = await site.text(path);
  assert.match(page, /<h1>Stalls &lt;b&gt;always&lt;\/b&gt;<\/h1>/);
  assert.match(page, /href="\/symptoms\/io_return\/e00002c0"/);
  assert.match(page, /href="\/tags\/hid"/);
  const { rows } = await site.json("/t/drivers");
  assert.equal(rows[0].path, path);
  assert.equal(rows[0].author.role, "owner");
});

test("a form sent twice makes one post, one reply", async () => {
  const fields = { title: "Once", markdown: "x", tags: "", key: "a-key" };
  const first = await site.form("/t/drivers/posts", fields);
  const second = await site.form("/t/drivers/posts", fields);
  assert.equal(first.headers.get("location"), second.headers.get("location"));
  const id = /\d+/.exec(first.headers.get("location") ?? "")?.[0];
  for (let times = 0; times < 3; times++)
    await site.form(`/p/${id}/replies`, { markdown: "y", key: "another" });
  assert.equal((await site.json(`/p/${id}.json`)).replies, 1);
  assert.deepEqual(await faults(), []);
});

test("what cannot be taken is said, and comes back in the form: nothing that was typed is lost", async () => {
  const cases: readonly [Readonly<Record<string, string>>, RegExp, string][] = [
    [{ title: "", markdown: "precious text", tags: "" }, /A post needs a title/, "title"],
    [
      { title: "x".repeat(200), markdown: "precious text", tags: "" },
      /at most 150 characters; this one has 200/,
      "title",
    ],
    [{ title: "precious text", markdown: " ", tags: "" }, /A post needs a text/, "markdown"],
    [{ title: "t", markdown: `precious text ${"x".repeat(70_000)}`, tags: "" }, /at most 64 KiB/, "markdown"],
    [{ title: "t", markdown: "precious text", tags: "a/b" }, /&quot;a\/b&quot; is none/, "tags"],
  ];
  for (const [fields, words, field] of cases) {
    const response = await site.form("/t/drivers/posts", fields);
    assert.ok([413, 422].includes(response.status), String(response.status));
    const page = await response.text();
    assert.match(page, words);
    assert.match(page, /precious text/);
    assert.match(page, new RegExp(`name="${field}"[^>]*aria-invalid`));
  }
  const { id } = await newPost();
  const reply = await site.form(`/p/${id}/replies`, { markdown: `precious ${"x".repeat(70_000)}` });
  assert.equal(reply.status, 413);
  assert.match(await reply.text(), /precious/);
});

test("a preview shows the text and likely twins, and posts nothing", async () => {
  const before = (await site.json("/t/drivers")).posts;
  const page = await (
    await site.form("/t/drivers/posts", {
      title: "t",
      markdown: "**bold** 0xe00002e2",
      tags: "",
      preview: "1",
    })
  ).text();
  assert.match(page, /<strong>bold<\/strong>/);
  assert.match(
    page,
    /Already here[\s\S]*0xe00002e2 kIOReturnNotPermitted[\s\S]*Problem with DriverKitUserClientSample/,
  );
  assert.equal((await site.json("/t/drivers")).posts, before);
  const { similar } = await (await site.send("POST", "/similar", { text: "got -536870174" })).json();
  assert.equal(similar[0].posts[0].title, "Problem with DriverKitUserClientSample");
});

test("edits keep every version; a late one is told, with both texts at hand", async () => {
  const { id, path } = await newPost({ markdown: "first" });
  assert.equal(
    (await site.form(`/p/${id}/edit`, { title: "New words", markdown: "second", tags: "pci", version: "1" }))
      .status,
    303,
  );
  const late = await site.form(`/p/${id}/edit`, { title: "Late", markdown: "third", tags: "", version: "1" });
  assert.equal(late.status, 409);
  const page = await late.text();
  assert.match(page, /changed since you opened it/);
  assert.match(page, /third/);
  assert.match(page, /name="version" value="2"/, "sent again on purpose, it is taken");
  const history = await site.text(`/p/${id}/history`);
  assert.match(history, /Version 2[\s\S]*second[\s\S]*Version 1[\s\S]*first/);
  const entry = new RegExp(
    `<id>http://localhost:80/p/${id}</id>\\s*<link[^>]*href="http://localhost:80/p/${id}-new-words"`,
  );
  assert.match(await site.text("/t/drivers.atom"), entry, "a feed knows it by what does not change");
  assert.equal((await site.get(path)).status, 301, "old words lead to the new address");
  const conflict = await site.send(
    "PUT",
    `/p/${id}`,
    { title: "x", markdown: "y", version: 2 },
    { "if-match": '"1"' },
  );
  assert.equal(conflict.status, 409);
  assert.equal((await conflict.json()).code, "changed-meanwhile");
});

test("answers, comments below them, acceptance, deletion: the page and the counts follow", async () => {
  const { id, path } = await newPost();
  const at = async (response: Response) =>
    Number(/answer=(\d+)/.exec((await response).headers.get("location") ?? "")?.[1]);
  const answer = await at(await site.form(`/p/${id}/replies`, { markdown: "An **answer**." }));
  const comment = await at(
    await site.form(`/p/${id}/replies`, { markdown: "A comment.", parent: String(answer) }),
  );
  assert.equal(
    (await site.form(`/p/${id}/replies`, { markdown: "deeper", parent: String(comment) })).status,
    422,
  );
  assert.equal((await site.form(`/p/${id}/replies`, { markdown: "x", parent: "999999" })).status, 404);
  await site.form(`/p/${id}/accepted`, { reply: String(answer) });
  assert.equal((await site.json(`/p/${id}.json`)).state, "solved");
  assert.match(await site.text(`${path}?answer=${answer}`), /class="answer accepted asked"/);
  await site.form(`/r/${answer}/edit`, { markdown: "A better answer.", version: "1" });
  assert.match(await site.text(path), /A better answer\.[\s\S]*A comment\./);
  await site.form(`/r/${answer}/delete`, {});
  const after = await site.json(`/p/${id}.json`);
  assert.deepEqual([after.state, after.acceptedReplyId, after.replies], ["open", null, 1]);
  assert.match(await site.text(path), /This answer was deleted\.[\s\S]*A comment\./);
  await site.form(`/p/${id}/delete`, {});
  assert.equal((await site.get(path)).status, 404);
  assert.doesNotMatch(await site.text("/"), new RegExp(`/p/${id}-`));
  assert.deepEqual(await faults(), []);
});

test("a boost says what one has it on, once, and can be taken back", async () => {
  const { id, path } = await newPost();
  for (const os of ["macOS 26.1", "macOS 26.2"]) await site.form(`/p/${id}/boost`, { os, hardware: "M3" });
  assert.equal((await site.json(`/p/${id}.json`)).boosts, 1);
  assert.match(await site.text(path), /You have this too[\s\S]*macOS 26\.2: 1/);
  await site.form(`/p/${id}/boost`, { _method: "DELETE" });
  assert.equal((await site.json(`/p/${id}.json`)).boosts, 0);
  assert.equal((await site.send("PUT", `/p/${id}/boost`, {})).status, 200);
  assert.equal((await site.send("DELETE", `/p/${id}/boost`, {})).status, 200);
});

test("a post can be marked as the same case as another one", async () => {
  const { id } = await newPost();
  await site.form(`/p/${id}/duplicate`, { of: "2" });
  const { path, state } = await site.json(`/p/${id}.json`);
  assert.equal(state, "duplicate");
  assert.match(await site.text(path), /The same case as <a href="\/p\/2-/);
  assert.equal((await site.form(`/p/${id}/duplicate`, { of: String(id) })).status, 422);
});

const browser = {
  "user-agent":
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36",
};
const day = 86_400_000;

test("5.4: fetching counts nothing; a page that was seen counts once a reader and day; robots never", async () => {
  const { id, path } = await newPost();
  for (let times = 0; times < 10_000; times++) await site.get(times % 50 === 0 ? path : `/p/${id}.md`);
  const views = async () => (await site.json(`/p/${id}.json`)).views;
  assert.equal(await views(), 0, "10,000 fetches");
  for (let times = 0; times < 10_000; times++)
    assert.equal((await site.send("POST", "/v", { post: id }, browser)).status, 204);
  assert.equal(await views(), 1, "10,000 tellings of one reader");
  for (const agent of ["", "Googlebot/2.1 (+http://www.google.com/bot.html)", "curl/8.0"])
    assert.equal((await site.send("POST", "/v", { post: id }, { "user-agent": agent })).status, 204);
  assert.equal(await views(), 1, "robots");
  site.at(Date.UTC(2026, 11, 2, 12));
  await site.send("POST", "/v", { post: id }, browser);
  assert.equal(await views(), 2, "the next day");
  assert.equal(
    (await site.send("POST", "/v", { post: 999_999 }, browser)).status,
    204,
    "one answer, also for nothing",
  );
  assert.match(await site.text(path), new RegExp(`data-view-of="${id}"`));
  assert.match(await site.text(path), /readers without script are not counted/);
});

test("5.4: 500 households at once count 60 a minute, not more; a day's readers are forgotten", async () => {
  const { id } = await newPost();
  const { countVisit, forgetViewers } = await import("@drydock/board/views");
  const { createHmac } = await import("node:crypto");
  const hmac = (key: Uint8Array, text: string) =>
    new Uint8Array(createHmac("sha256", key).update(text).digest());
  const now = Date.UTC(2026, 11, 3, 12);
  const visit = (index: number, at: number) =>
    countVisit(
      site.store,
      {
        postId: id,
        visitor: { address: `10.${index >> 8}.${index & 255}.7`, agent: "x" },
        isRobot: false,
        now: at,
      },
      hmac,
      () => Uint8Array.of(1, 2, 3),
    );
  for (let index = 0; index < 500; index++) await visit(index, now);
  const views = async () => (await site.json(`/p/${id}.json`)).views;
  assert.equal(await views(), 60);
  assert.equal(await visit(3, now + 60_000), false, "the same household in the same /24");
  for (let minute = 1; minute < 10; minute++) {
    for (let index = 0; index < 500; index++) await visit(index, now + minute * 60_000);
    assert.equal(
      await views(),
      Math.min(500, 60 * (minute + 1)),
      "60 more every minute, until all have been",
    );
  }
  const seen = () =>
    Number(site.store.connection.get("SELECT count(*) AS n FROM view_seen WHERE post_id = ?", id)?.n);
  const keys = () => Number(site.store.connection.get("SELECT count(*) AS n FROM key_of_day")?.n);
  await forgetViewers(site.store, now + 13.5 * 3_600_000);
  assert.ok(seen() > 0, "readers of yesterday are still known");
  await forgetViewers(site.store, now + 3 * day);
  assert.deepEqual([seen(), keys()], [0, 0]);
});

test("a clock that jumps back and forth: order by arrival, activity forward only, nothing throws", async () => {
  const times = [Date.UTC(2030, 0, 1), Date.UTC(1970, 0, 1), Date.UTC(2026, 11, 5)];
  for (const time of times) {
    site.at(time);
    await newPost();
  }
  const { rows } = await site.json("/t/drivers");
  assert.ok(rows[0].activityAt >= rows[1].activityAt && rows[1].activityAt >= rows[2].activityAt);
  assert.ok(rows[0].id > rows[1].id && rows[1].id > rows[2].id, "the last act stands first");
  assert.equal((await site.get("/")).status, 200);
});

test("5.2: drawn acts, 10,000 of them: counters equal counted rows, the index equals the texts", async () => {
  const random = new Random(5);
  const pick = (values: readonly number[]) => values[random.next32() % values.length];
  const posts: number[] = [];
  const replies: { id: number; post: number; version: number }[] = [];
  const { board } = site.open.site;
  const words = ["stall", "usb", "0xe00002e2", "panic", "DR02-1", "dext", "queue", "-69825"];
  const text = () =>
    Array.from({ length: 1 + (random.next32() % 6) }, () => words[random.next32() % words.length]).join(" ");
  for (let act = 0; act < 10_000; act++) {
    const post = posts.length === 0 ? 0 : pick(posts);
    const reply = replies.length === 0 ? null : replies[random.next32() % replies.length];
    try {
      switch (random.next32() % 10) {
        case 0:
        case 1:
          posts.push(
            (
              await board.addPost("drivers", {
                title: text(),
                markdown: text(),
                tags: ["a", "b", "c"].slice(random.next32() % 3),
              })
            ).id,
          );
          break;
        case 2:
        case 3: {
          const done = await board.addReply(post, {
            markdown: text(),
            parentId: reply?.post === post ? reply.id : null,
          });
          replies.push({ id: done.id, post, version: 1 });
          break;
        }
        case 4:
          await board.editPost(
            post,
            { title: text(), markdown: text(), tags: [] },
            (await board.post(post)).version,
          );
          break;
        case 5:
          if (reply !== null) reply.version = await board.editReply(reply.id, text(), reply.version);
          break;
        case 6:
          await (random.next32() % 2 === 0 ? board.boost(post, { os: "macOS 26" }) : board.unboost(post));
          break;
        case 7:
          await board.accept(post, reply?.id ?? null);
          break;
        case 8:
          if (random.next32() % 4 === 0) await board.deletePost(post);
          else if (reply !== null) await board.deleteReply(reply.id);
          break;
        default:
          await board.markDuplicate(post, random.next32() % 2 === 0 ? null : pick(posts));
      }
    } catch (error) {
      assert.equal((error as Error).name, "BoardRefusal", String(error));
    }
  }
  assert.ok(posts.length > 1500 && replies.length > 500);
  assert.deepEqual(await faults(), []);
});
