// Reading (board.md 5.1, 5.6, 5.7): the page as given, the live list, search, cases, documentation.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { reportCase } from "@drydock/cases/case-report";
import { casebook, findCase } from "@drydock/cases/casebook";
import { Random } from "@drydock/core/base/random";
import { hostTurn } from "@drydock/node/host-turn";
import { type TestSite, testSite } from "./test/site.ts";

let site: TestSite;
before(async () => {
  site = await testSite();
});
after(async () => await site.open.close());

const rowsOf = (page: string): string[][] =>
  [
    ...page.matchAll(
      /<tr><th scope="row"><a class="title" href="([^"]*)">([^<]*)<\/a><\/th>((?:<td>[^<]*<\/td>)+)<\/tr>/g,
    ),
  ].map(([, , title, cells]) => [
    title,
    ...[...cells.matchAll(/<td>([^<]*)<\/td>/g)].map(([, cell]) => cell),
  ]);

test("5.1 (a): the page as it was given: twenty rows in their order, with their numbers and dates, letter for letter", async () => {
  const page = await site.text("/t/drivers?view=origin");
  const rows = rowsOf(page);
  assert.equal(rows.length, 20);
  const sum = (column: number) => rows.reduce((total, row) => total + Number(row[column]), 0);
  assert.deepEqual([sum(1), sum(2), sum(3)], [86, 0, 3357], "replies, boosts, views of the whole page");
  assert.deepEqual(rows[0], ["External Accessory", "3", "0", "116", "Jul ’25"]);
  assert.deepEqual(rows[3], rows[4], "one question stands there twice");
  assert.deepEqual(rows[6].slice(0, 2), [
    "Blocking USB Devices on macOS – DriverKit or Other Recommended Approach",
    "6",
  ]);
  assert.deepEqual(rows[11].slice(1), ["11", "0", "342", "3w"]);
  assert.deepEqual(rows[18], [
    "[DEXT Migration Issue] IOUserSCSIParallelInterfaceController fails to handle low-level I/O from `diskutil`",
    "12",
    "0",
    "393",
    "4w",
  ]);
  assert.deepEqual(rows[19], ["Problem with DriverKitUserClientSample", "7", "0", "92", "3w"]);
  assert.match(page, /<h1>Drivers<\/h1>/);
  assert.match(
    page,
    /Understand the role of drivers in bridging the gap between software and hardware, ensuring smooth hardware functionality\./,
  );
  assert.match(page, /<a class="doc" href="\/docs">Drivers Documentation<\/a>/);
  assert.match(page, /Posts under Drivers subtopic/);
  assert.match(page, /A snapshot/);
});

test("5.1 (a): the live list counts ours, and says the origin's figures apart", async () => {
  const { rows, posts } = await site.json("/t/drivers");
  assert.equal(posts, 20);
  assert.equal(rows.length, 20);
  for (const row of rows) {
    assert.equal(row.views, 0, row.title);
    assert.equal(row.replies, 1, "the project's own answer");
    assert.equal(row.source, "seed");
    assert.equal(row.author.role, "project");
  }
  assert.match(await site.text("/"), /Origin: 3 replies · 0 boosts · 109 views · Aug ’25/);
});

test("the ids that the board knows without reading the casebook are the casebook's", () => {
  assert.deepEqual([...site.open.site.stillTrue.ids].sort(), casebook.map(({ id }) => id).sort());
});

test("posts without a case say so; posts with one gain it from the casebook", async () => {
  const { rows } = await site.json("/t/drivers");
  for (const row of rows) {
    const id = row.folder.slice(0, 3);
    assert.equal(row.caseId, casebook.some((entry) => entry.id === id) ? id : null, row.folder);
  }
  const without = rows.find((row: { caseId: string | null }) => row.caseId === null);
  if (without !== undefined) assert.match(await site.text(without.path), /No case yet/);
});

test("every post reads whole without script: question, answer, code, what is unknown", async () => {
  const { rows } = await site.json("/t/drivers");
  for (const row of rows) {
    const page = await site.text(row.path);
    assert.match(page, /<div class="text"><p>/, row.path);
    assert.match(page, /<b class="who">Drydock<\/b> <span class="role">the project<\/span>/);
    assert.match(page, /In short\./, row.path);
    assert.doesNotMatch(page, /undefined|\[object|NaN/, row.path);
  }
});

test("the answer of a post with a case is marked shown once its run holds, and not before", async () => {
  const path = "/p/2-usbsendsetlinecoding-failing-in-devicerequest-with-error";
  assert.equal((await site.get("/p/2")).headers.get("location"), path);
  assert.match(await site.text(path), /its run: never run/);
  await site.open.site.stillTrue.run("P02");
  const page = await site.text(path);
  assert.match(page, /shown by a run/);
  assert.match(page, /data-case="P02"/);
});

test("5.1 (c): the list is at most 30 kB and 8 kB gzipped with its style, and names no other origin", async () => {
  const page = await site.text("/");
  const style = await site.text("/style.css");
  const bytes = Buffer.byteLength(page) + Buffer.byteLength(style);
  assert.ok(bytes <= 30_000, `${bytes} bytes`);
  const packed = gzipSync(page).length + gzipSync(style).length;
  assert.ok(packed <= 8_000, `${packed} bytes gzipped`);
  assert.doesNotMatch(page, /(?:src|href)="(?:https?:)?\/\//);
  assert.doesNotMatch(page, /<script|more\.css/, "a list needs neither");
  assert.doesNotMatch(style, /url\(|@import/);
});

test("5.1 (c): a thread of 50 long answers is at most 60 kB gzipped with style and script", async () => {
  const own = await testSite();
  try {
    const random = new Random(50);
    const words = Array.from({ length: 400 }, () => random.next32().toString(36));
    const text = (count: number) =>
      Array.from({ length: count }, () => words[random.next32() % words.length]).join(" ");
    const { board } = own.open.site;
    const { id } = await board.addPost("drivers", { title: "Long", markdown: text(200), tags: "" });
    for (let index = 0; index < 50; index++) await board.addReply(id, { markdown: text(70) });
    const page = await own.text(`/p/${id}-long`);
    assert.equal(page.split('<article class="answer').length - 1, 50);
    const others = await Promise.all(["/style.css", "/more.css", "/page.js"].map((path) => own.text(path)));
    const packed = [page, ...others].reduce((sum, body) => sum + gzipSync(body).length, 0);
    assert.ok(packed <= 60_000, `${packed} bytes gzipped`);
  } finally {
    await own.open.close();
  }
});

test("5.1 (e): a list page is at most four queries, and no page's query scans a big table", async () => {
  const { connection } = site.store;
  const seen = new Set<string>();
  let count = 0;
  connection.onQuery = (sql) => {
    count++;
    seen.add(sql);
  };
  try {
    await site.text("/t/drivers");
    assert.ok(count <= 4, `${count} queries for the list`);
    for (const path of [
      ...["activity", "created", "replies", "boosts", "views", "unanswered"].flatMap((sort) => [
        `/t/drivers?sort=${sort}`,
        `/t/drivers?sort=${sort}&order=asc&after=5.5`,
      ]),
      "/t/drivers?view=origin",
      "/t/drivers.atom",
      "/tags/usb",
      "/symptoms/io_return/e00002e2",
      "/search?q=usb+driver",
      "/search?q=0xe00002e2",
      "/search?q=usb&tag=usb&state=open&has=run&os=macOS",
      "/cases",
      "/p/2-x",
      "/p/2.json",
      "/p/2/history",
    ])
      await site.text(path);
    const own = await (await site.send("POST", "/t/drivers/posts", { title: "Acts", markdown: "x" })).json();
    for (const act of ["boost", "accepted", "replies", "delete"])
      await site.form(
        `/p/${own.id}/${act}`,
        { boost: { os: "x" }, accepted: { reply: "" }, replies: { markdown: "x" }, delete: {} }[
          act
        ] as Record<string, string>,
      );
    await site.send("POST", "/v", { post: "3" });
  } finally {
    connection.onQuery = null;
  }
  assert.ok(seen.size > 30, `${seen.size} queries seen`);
  // Topics, cases and the rows that were given are few, whatever is posted.
  const small = /\b(topic|topic_place|case_latest|l|json_each|j|g|sqlite_sequence)\b/;
  for (const sql of seen) {
    if (!/^\s*(SELECT|UPDATE|DELETE|INSERT)/i.test(sql)) continue;
    for (const row of connection.db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()) {
      const detail = String(row.detail);
      if (/^SCAN/.test(detail) && !/VIRTUAL TABLE INDEX|CONSTANT ROW|SUBQUERY|\bf\b/.test(detail))
        assert.match(detail, small, `${detail} in ${sql}`);
    }
  }
});

test("every order is an address; a wrong one is told", async () => {
  for (const sort of ["activity", "created", "replies", "boosts", "views", "unanswered"])
    assert.equal((await site.get(`/t/drivers?sort=${sort}`)).status, 200, sort);
  const wrong = await site.get("/t/drivers?sort=colour");
  assert.equal(wrong.status, 422);
  assert.match(await wrong.text(), /sorted by activity, created, replies, boosts, views or unanswered/);
  assert.equal((await site.get("/t/drivers?order=sideways")).status, 422);
  for (const after of ["x", "1", "1.2.3", "-1.2", "99999999999999999.1", "1.%00"])
    assert.equal((await site.get(`/t/drivers?after=${after}`)).status, 422, after);
});

test("5.6: each casebook post is found first for its own symptom, in every form of its code", async () => {
  const first = async (q: string) =>
    (await site.json(`/search?q=${encodeURIComponent(q)}`)).rows[0]?.folder.slice(0, 3);
  for (const q of ["0xe0005000", "0xE0005000", "e0005000", "-536850432", "kUSBHostReturnPipeStalled"])
    assert.equal(await first(q), "P02", q);
  for (const q of ["0xe00002e2", "-536870174", "kIOReturnNotPermitted"])
    assert.equal(await first(q), "P20", q);
  assert.equal(await first("-69825"), "P19");
  assert.equal(await first("0b95:772b"), "P10");
  const words: Readonly<Record<string, string>> = {
    P01: "EASession nil protocolStrings",
    P03: "DriverKit SDK 24.4",
    P04: "Unsatisfied entitlements transport.usb",
    P06: "OSDeclareDefaultStructors",
    P07: "block USB devices policy",
    P08: "relink bridge",
    P09: "UAS UserSendCDB no data",
    P11: "interrupt queue dispatch trap",
    P14: "unplug Thunderbolt panic",
    P12: "doesn't match entitlements value userclient-access",
    P13: "FTDI iPad serial",
    P15: "setPowerState 20 seconds panic",
    P16: "contiguous memory DMA",
    P17: "log lines lost grep",
    P18: "zero-filled buffer DMA firmware",
  };
  const coded = ["P02", "P10", "P19", "P20"];
  for (const { id } of casebook)
    assert.ok(id === "P05" || coded.includes(id) || Object.hasOwn(words, id), `${id} is searched for`);
  for (const [id, q] of Object.entries(words)) {
    const found = (await site.json(`/search?q=${encodeURIComponent(q)}`)).rows.map(
      (row: { folder: string }) => row.folder.slice(0, 3),
    );
    assert.equal(found[0], id, `${q}: ${found.join()}`);
  }
});

test("search finds the documentation from the same box, and says what it read", async () => {
  assert.match(await site.text("/search?q=floors+rooms"), /In the documentation/);
  assert.match(await site.text("/search?q=0xe00002e2"), /Read as .*0xe00002e2 kIOReturnNotPermitted/);
  assert.match(await site.text("/search?q=zzzzunfindable"), /No post has all of this/);
});

test("hostile searches are answered: quotes, operators, controls, length, every filter", async () => {
  for (const q of [
    '"',
    "a OR",
    "NEAR(a b)",
    "a*b^c",
    "title:x",
    "-",
    "\u0000",
    "%",
    "'; DROP TABLE post; --",
    "𝒳",
    "(",
    "{a b}",
    "*".repeat(400),
  ])
    assert.equal((await site.get(`/search?q=${encodeURIComponent(q)}`)).status, 200, q);
  assert.equal((await site.get(`/search?q=${"x".repeat(401)}`)).status, 422);
  assert.equal((await site.get("/search?q=x&state=closed")).status, 422);
  assert.equal((await site.get("/search?q=x&topic=none")).status, 404);
});

test("ids that are none: one answer for all of them, and no trouble", async () => {
  const answers = new Set<string>();
  for (const id of [
    "0",
    "-1",
    "999999",
    "1.5",
    "1e3",
    "abc",
    "1;2",
    "..%2f..%2fetc",
    "%00",
    "9".repeat(30),
    "1%20",
  ]) {
    const response = await site.get(`/p/${id}`);
    assert.equal(response.status, 404, id);
    answers.add(await response.text());
  }
  for (const path of [
    "/t/none",
    "/tags/%3Cb%3E",
    "/symptoms/colour/red",
    "/symptoms/io_return/xyz",
    "/cases/P99",
    "/r/5x/edit",
    "/docs/../../package",
    "/badge/P99.svg",
  ])
    assert.equal((await site.get(path)).status, 404, path);
  assert.deepEqual(site.troubles, []);
});

test("a case is its address: page, text and JSON of one seed, with the digest of a run here", async () => {
  const report = await reportCase(findCase("P02"), { seed: 7, turn: hostTurn });
  const asJson = await site.json("/cases/P02?seed=7&side=bad&step=7");
  assert.equal(asJson.bad.digest, report.bad.digest);
  assert.equal(asJson.good.digest, report.good.digest);
  assert.equal(asJson.firstDifference, 7);
  assert.match(asJson.bad.steps[7].text, /SET_LINE_CODING.*data 00 00 00 00 00 00 00 {2}-> STALL/);
  const page = await site.text("/cases/P02?seed=7&side=bad&step=7");
  assert.match(page, /<li value="7" class="asked" id="bad-7">/);
  assert.match(page, /<a class="chip code" href="\/symptoms\/rule\/DR02-1">/);
  const text = await site.text("/cases/P02.txt?seed=7");
  assert.match(text, new RegExp(`wrong driver: fails: .*\\[${report.bad.digest}\\]`));
  assert.match(text, /npx drydock case P02 --seed 7/);
  for (const seed of ["x", "-1", "1.5", "99999999999"])
    assert.equal((await site.get(`/cases/P02?seed=${seed}`)).status, 422, seed);
});

test("5.7: all cases run again, are recorded with version and digest, and all hold", async () => {
  await site.open.site.stillTrue.runAll(true);
  const { cases } = await site.json("/cases.json");
  assert.equal(cases.length, casebook.length);
  for (const entry of cases) {
    assert.equal(entry.stillTrue.state, "holds", `${entry.id}: ${entry.stillTrue.text}`);
    assert.equal(entry.stillTrue.version, "0.1.0");
  }
  const { runs } = await site.json("/cases/P02/runs.json");
  const direct = await reportCase(findCase("P02"), { seed: 1, turn: hostTurn });
  assert.deepEqual([runs[1].side, runs[1].traceDigest], ["bad", direct.bad.digest]);
  assert.match(await site.text("/badge/P02.svg"), /holds on 0\.1\.0/);
});

test("Atom, Markdown, JSON at the same addresses; OpenAPI names every route that programs use", async () => {
  const feed = await site.get("/t/drivers.atom");
  assert.match(feed.headers.get("content-type") ?? "", /^application\/atom\+xml/);
  assert.equal((await feed.text()).split("<entry>").length - 1, 20);
  assert.match(await site.text("/p/2.md"), /^# USBSendSetLineCoding[\s\S]*## Answer by Drydock/);
  assert.equal((await site.json("/p/2.json")).answers.length, 1);
  const { paths, openapi } = await site.json("/api.json");
  assert.equal(openapi, "3.1.0");
  assert.ok(paths["/t/{topic}/posts"].post.requestBody.content["application/json"].schema.properties.title);
  assert.ok(paths["/search"].get.parameters.some((parameter: { name: string }) => parameter.name === "q"));
});

test("documentation: pages of this version, links among them stay, sources can be had", async () => {
  assert.match(await site.text("/docs"), /<a href="\/docs\/floors">/);
  assert.match(
    await site.text("/docs/decisions/0001-node-26-through-npm"),
    /<article class="text doc-page">/,
  );
  assert.match(await site.text("/docs/floors.md"), /^# Floors?/);
});
