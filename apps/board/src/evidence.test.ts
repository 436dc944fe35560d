// Evidence over its routes: redacted before it is kept, seen by its owner first; twins; its end; its limits.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { SqliteBoardStore } from "@drydock/node/store/sqlite-board-store";
import { readEvidence } from "./evidence-reading.ts";
import { newcomer, origin, ownerOf, type TestSite, testSite } from "./test/site.ts";
import { plainName } from "./upload.ts";

type Who = { readonly cookie: string };
const noon = Date.UTC(2026, 11, 1, 12);
/** A power panic with what its owner would rather keep: AC of board.md 5.3, in our words. */
const panicLog = (user: string) =>
  [
    `panic(cpu 2 caller 0xffffff8012345678): "SomeReader::setPowerState(0xffffff8000000000, 0 -> 1) timed out after 10168 ms"@/x/IOServicePM.cpp:5302`,
    `Path: /Users/${user}/Library/Logs/x.panic`,
    "",
  ].join("\n");
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

const later = (ms = 6_000) => {
  now += ms;
  site.at(now);
};

/** As a browser sends a form with files. */
async function upload(
  path: string,
  fields: Readonly<Record<string, string>>,
  files: readonly (readonly [name: string, text: string | Uint8Array<ArrayBuffer>])[],
  who: Who | Record<string, never>,
  accept = "text/html",
): Promise<Response> {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  for (const [name, text] of files) form.append("file", new File([text], name));
  const request = new Request(origin + path, { method: "POST", body: form });
  for (const [name, value] of Object.entries({ host: "localhost", origin, accept, ...who }))
    request.headers.set(name, value);
  return await site.open.app.request(request);
}

const post = { title: "It panics when it sleeps", markdown: "See the file.", tags: "power" };

test("dropped, redacted, looked at, posted; the next one finds it as its twin; nothing of the secret is anywhere", async () => {
  later();
  const preview = await upload(
    "/t/drivers/posts",
    post,
    [["sleep of pmuster1.panic", panicLog("pmuster1")]],
    ann,
  );
  assert.equal(preview.status, 200, "files are looked at before they are posted");
  const page = await preview.text();
  assert.match(page, /<mark>user1<\/mark>/, "each mark is shown");
  assert.doesNotMatch(page, /pmuster1/);
  assert.match(page, /What the doctor says[\s\S]*DR15-1/);
  const [, evidence] = /name="evidence" value="(\d+)"/.exec(page) ?? [];
  assert.ok(evidence !== undefined);
  // A draft is its owner's alone: one "not found" for everybody else.
  for (const who of [bob, owner, {}])
    for (const path of [`/evidence/${evidence}`, `/evidence/${evidence}/raw`])
      assert.equal((await site.get(path, who)).status, 404, path);
  assert.equal((await site.get(`/evidence/${evidence}`, ann)).status, 200);
  const sent = await upload("/t/drivers/posts", { ...post, evidence, key: "first-0001" }, [], ann);
  assert.equal(sent.status, 303, await sent.text());
  const place = sent.headers.get("location") ?? "";
  const shown = await site.text(place);
  assert.match(shown, /<h2>Evidence<[\s\S]*DR15-1/);
  assert.equal(
    (await site.get(`/evidence/${evidence}/raw`)).status,
    200,
    "the doctor knew it: shown at once",
  );
  // Nobody attaches it again.
  assert.equal((await site.send("POST", "/p/2/evidence", { evidence }, bob)).status, 200);
  assert.doesNotMatch(await site.text("/p/2-set-line-coding"), new RegExp(`/evidence/${evidence}`));

  later();
  const twin = await upload(
    "/t/drivers/posts",
    { ...post, title: "Mine too" },
    [["other name.log", panicLog("somebody-else")]],
    bob,
  );
  const box = await twin.text();
  assert.match(box, /Already here/);
  assert.match(box, /the same finding at the same place<\/a> <a href="[^"]*it-panics-when-it-sleeps"/);
  for (const row of site.store.connection.all("SELECT * FROM evidence_bytes"))
    assert.ok(
      !Buffer.from(row.bytes as Uint8Array)
        .toString("latin1")
        .includes("pmuster1"),
    );
  assert.deepEqual(site.troubles, []);
});

test("what the doctor does not know of somebody new waits until somebody known has looked; then everybody reads it", async () => {
  later();
  const made = await site.send("POST", "/t/drivers/posts", { title: "Strange", markdown: "m" }, bob);
  const { id } = await made.json();
  const drafts = await upload(
    "/evidence",
    {},
    [["notes.txt", "nothing that any rule knows\n"]],
    bob,
    "application/json",
  );
  assert.equal(drafts.status, 201, await drafts.clone().text());
  const [draft] = (await drafts.json()).drafts;
  assert.equal(
    (await site.send("POST", `/p/${id}/evidence`, { evidence: String(draft.id) }, bob)).status,
    200,
  );
  const raw = `/evidence/${draft.id}/raw`;
  assert.deepEqual(
    [
      (await site.get(raw)).status,
      (await site.get(raw, ann)).status,
      (await site.get(raw, bob)).status,
      (await site.get(raw, owner)).status,
    ],
    [404, 404, 200, 200],
    "its owner, and whoever is known",
  );
  assert.match(await site.text(`/p/${id}-strange`), /1 file of somebody new waits/);
  for (const who of [ann, bob])
    assert.ok((await site.send("POST", `/evidence/${draft.id}/release`, {}, who)).status >= 403);
  assert.equal((await site.send("POST", `/evidence/${draft.id}/release`, {}, owner)).status, 200);
  assert.equal((await site.get(raw)).status, 200);
});

test("an answer's files: looked at first, shown below it, hidden and deleted with it; another post's answer has none", async () => {
  later();
  const asked = await (
    await site.send("POST", "/t/drivers/posts", { title: "Asked", markdown: "m" }, ann)
  ).json();
  later();
  const answered = await site.form(
    `/p/${asked.id}/replies`,
    { markdown: "Mine says this", files: "1", key: "answer-0001" },
    bob,
  );
  const place = answered.headers.get("location") ?? "";
  assert.match(place, new RegExp(`^/p/${asked.id}/evidence\\?answer=\\d+$`));
  const form = await (await site.get(place, bob)).text();
  assert.match(form, /Add evidence to an answer/);
  const [, reply] = /name="reply" value="(\d+)"/.exec(form) ?? [];
  const preview = await upload(
    `/p/${asked.id}/evidence`,
    { reply },
    [["z.panic", panicLog("pmuster2")]],
    bob,
  );
  const page = await preview.text();
  assert.match(page, /<mark>user1<\/mark>[\s\S]*Put it on the answer/);
  const [, evidence] = /name="evidence" value="(\d+)"/.exec(page) ?? [];
  // Neither on another post's address, nor on an answer that never was.
  for (const [post, id] of [
    [2, reply],
    [asked.id, "999999"],
  ])
    for (const status of [
      (await site.form(`/p/${post}/evidence`, { reply: id, evidence }, bob)).status,
      (await site.get(`/p/${post}/evidence?answer=${id}`, bob)).status,
    ])
      assert.equal(status, 404);
  const put = await site.form(`/p/${asked.id}/evidence`, { reply, evidence }, bob);
  assert.equal(put.headers.get("location"), `/p/${asked.id}-asked?answer=${reply}#r${reply}`);
  const below = new RegExp(
    `id="r${reply}"[\\s\\S]*Evidence of answer ${reply}[\\s\\S]*z\\.panic[\\s\\S]*DR15-1`,
  );
  assert.match(await site.text(`/p/${asked.id}-asked`), below);
  assert.doesNotMatch(await site.text(`/p/${asked.id}-asked`), /aria-label="Evidence"/, "the post has none");
  const raw = `/evidence/${evidence}/raw`;
  const hide = (act: string) => site.form(`/r/${reply}/moderate`, { act, reason: "a reason" }, owner);
  assert.equal((await hide("hide")).status, 303);
  assert.deepEqual(
    [(await site.get(raw)).status, (await site.get(raw, ann)).status, (await site.get(raw, bob)).status],
    [404, 404, 200],
    "hidden with it, but to its author",
  );
  assert.equal((await hide("show")).status, 303);
  assert.equal((await site.get(raw)).status, 200);
  assert.equal((await site.form(`/r/${reply}/delete`, {}, bob)).status, 303);
  assert.equal((await site.get(raw, bob)).status, 404);
  const bytes = site.store.connection.get(
    "SELECT count(*) AS n FROM evidence_bytes WHERE evidence_id = ?",
    Number(evidence),
  );
  assert.equal(bytes?.n, 0, "for good");
});

test("whatever was uploaded is served as a download of plain text: no type, name or byte of it reaches a browser as a document", async () => {
  const hostile = [
    ["page.html", "<script>alert(1)</script>"],
    ["picture.svg", '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
    ["../../etc/passwd", "root:x:0:0"],
    ['a"\r\nSet-Cookie: x=1.txt', "text"],
    ["CON", "text"],
  ] as const;
  later(600_000);
  const drafts = await upload("/evidence", {}, hostile, owner, "application/json");
  const { drafts: made } = await drafts.json();
  assert.equal(made.length, hostile.length);
  for (const { id, name } of made) {
    assert.doesNotMatch(name, /[\\/\r\n]/);
    const response = await site.get(`/evidence/${id}/raw`, owner);
    assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(response.headers.get("content-disposition"), `attachment; filename="evidence-${id}.txt"`);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.match(response.headers.get("content-security-policy") ?? "", /^sandbox; default-src 'none'/);
    assert.equal(response.headers.get("set-cookie"), null);
    const page = await (await site.get(`/evidence/${id}`, owner)).text();
    assert.doesNotMatch(page, /<script>alert|<svg xmlns/);
  }
});

test("deleted for good: the bytes are in no file of the board a second later; the place stays", async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-evidence-"));
  const store = SqliteBoardStore.open(join(folder, "board.db"));
  try {
    const person = await store.person("ann", "Ann", "writer", 1);
    const secret = `erase-me-${"0123456789".repeat(3000)}`;
    const bytes = new TextEncoder().encode(secret.repeat(4));
    const file = { name: "erase-me-name", bytes, sha256: "x", marks: 0, marked: "[]", notes: [] };
    const [id] = await store.evidence.addDrafts(
      person.id,
      [file],
      { isKnown: false, cards: "[]", symptoms: [] },
      2,
    );
    const holds = () =>
      readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes("erase-me-"));
    assert.ok(holds().length > 0, "it was there");
    assert.equal(await store.evidence.remove(id), true);
    assert.deepEqual(holds(), [], "no file has a byte of it");
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("an account that leaves takes its evidence along", async () => {
  later(600_000);
  const leo = await newcomer(site, "leo");
  const { drafts } = await (
    await upload("/evidence", {}, [["a.log", "text of leo"]], leo, "application/json")
  ).json();
  assert.equal((await site.form("/me/delete", { handle: "leo" }, leo)).status, 303);
  assert.equal(await site.store.evidence.bytes(drafts[0].id), null);
});

test("limits: ten files, eight MiB, ten uploads in ten minutes with Retry-After; signed out, nothing is read", async () => {
  later(600_000);
  const eve = await newcomer(site, "eve");
  const many = Array.from({ length: 11 }, (_, index) => [`${index}.log`, "x"] as const);
  assert.equal((await upload("/evidence", {}, many, eve, "application/json")).status, 413);
  const large = new Uint8Array(8 * 1024 * 1024 + 1);
  assert.equal((await upload("/evidence", {}, [["l.log", large]], eve, "application/json")).status, 413);
  assert.equal((await upload("/evidence", {}, [["l.log", "x"]], {}, "application/json")).status, 401);
  later(600_000);
  for (let count = 0; count < 10; count++)
    assert.equal(
      (await upload("/evidence", {}, [["l.log", "x"]], eve, "application/json")).status,
      201,
      `${count}`,
    );
  const eleventh = await upload("/evidence", {}, [["l.log", "x"]], eve, "application/json");
  assert.equal(eleventh.status, 429);
  const seconds = Number(eleventh.headers.get("retry-after"));
  assert.ok(seconds >= 1 && seconds <= 600, `${seconds}`);
});

test("bodies that are no form, end early or never, and archives that are none: told, and nothing is kept", async () => {
  later(600_000);
  const before = site.store.connection.get("SELECT count(*) AS n FROM evidence")?.n;
  const send = (body: BodyInit, type = "multipart/form-data; boundary=x") =>
    site.open.app.request(`${origin}/evidence`, {
      method: "POST",
      body,
      headers: { host: "localhost", origin, accept: "application/json", "content-type": type, ...owner },
      duplex: "half",
    } as RequestInit);
  const part = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc';
  for (const body of ["", "--x", part, `${part}\r\n`, "\u0000\u0001", `${part}\r\n--x\r\n`])
    assert.equal((await send(body)).status, 422, JSON.stringify(body));
  assert.equal((await send("a", "multipart/form-data")).status, 422);
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1_000_000;
      controller.enqueue(new Uint8Array(1_000_000));
    },
  });
  assert.equal((await send(endless)).status, 413);
  assert.ok(sent < 40_000_000, `${sent} bytes of an endless body were read`);
  const bomb = Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, ...new Array<number>(60).fill(0));
  const refused = await upload("/evidence", {}, [["a.zip", bomb]], owner, "application/json");
  assert.equal(refused.status, 201);
  const { drafts, refused: why } = await refused.json();
  assert.deepEqual(drafts, []);
  assert.match(why[0], /a\.zip/);
  assert.equal(site.store.connection.get("SELECT count(*) AS n FROM evidence")?.n, before);
  assert.deepEqual(site.troubles, []);
});

test("mutated panics: no crash, and what is kept never holds the user's name", async () => {
  const random = new Random(5);
  const whole = new TextEncoder().encode(panicLog("pmuster9"));
  for (let times = 0; times < 60; times++) {
    const bytes = whole.slice();
    // Not within the line that names the user: a cut name is another name.
    for (let count = 0; count < 4; count++) bytes[random.next32() % 120] = random.next32() & 255;
    const { files } = await readEvidence([{ name: `${times}.panic`, bytes }], "2026-12-01");
    for (const file of files) assert.doesNotMatch(new TextDecoder().decode(file.bytes), /pmuster9/);
  }
});

test("names of files, a hundred thousand: one line, no path, nothing that leads elsewhere", () => {
  const random = new Random(6);
  const letters = [
    "/",
    "\\",
    "..",
    ".",
    "\u0000",
    "\n",
    "\u202e",
    "a",
    "é",
    '"',
    " ",
    "C:",
    "%2e",
    "~",
    "💥",
  ];
  for (let times = 0; times < 100_000; times++) {
    let name = "";
    for (let count = random.next32() % 12; count > 0; count--)
      name += letters[random.next32() % letters.length];
    const plain = plainName(name);
    assert.ok(plain.length >= 1 && plain.length <= 100, JSON.stringify(name));
    assert.doesNotMatch(plain, /[\\/\p{Cc}\u202e]|^\.+$/u, JSON.stringify(name));
  }
});
