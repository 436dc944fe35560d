// In and out (board.md 5.10): the same bytes back whatever people did, and an upgrade that never writes over them.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EvidenceDesk } from "@drydock/board/evidence";
import { exportBoard, importBoard } from "@drydock/board/exchange";
import { Moderation } from "@drydock/board/moderation";
import { Random } from "@drydock/core/base/random";
import { readEvidence } from "./evidence-reading.ts";
import { folderReader, writeExported } from "./folders.ts";
import { seedFolder } from "./server.ts";
import { type TestSite, testSite } from "./test/site.ts";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-exchange-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function exported(site: TestSite): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { path, text } of exportBoard(site.open.site.board)) files.set(path.join("/"), text);
  return files;
}

/** Into a folder, and from there into an empty board. */
async function throughFolder(site: TestSite, name: string): Promise<TestSite> {
  const root = join(folder, name);
  for await (const file of exportBoard(site.open.site.board)) writeExported(root, file);
  const other = await testSite(join(folder, "nothing-here"));
  const report = await importBoard(other.open.site.board, folderReader(root), "own");
  assert.deepEqual([report.kept, report.refused], [[], []]);
  return other;
}

/** What moderators do and people hand in goes out and comes back, too. */
async function moderated(site: TestSite, replies: readonly { id: number; post: number }[]): Promise<void> {
  const { board } = site.open.site;
  const moderation = new Moderation(board);
  const [hidden, locked, merged, into] = [1, 2, 3, 4];
  for (const { id } of replies.slice(0, 3))
    await moderation
      .hide("reply", id, "rude")
      .catch((error: Error) => assert.equal(error.name, "BoardRefusal"));
  await moderation.hide("post", hidden, "spam");
  await moderation.lock(locked, true, "a quarrel");
  await moderation
    .merge(merged, into, "the same")
    .catch((error: Error) => assert.equal(error.name, "BoardRefusal"));
  const desk = new EvidenceDesk(board);
  const read = await readEvidence(
    [
      { name: "a.log", bytes: new TextEncoder().encode("a line\r\nof /Users/pmuster/x 漢 \t\n\n") },
      { name: "b.log", bytes: new TextEncoder().encode("another") },
    ],
    "2026-12-01",
  );
  const ids = await desk.draft(read.files, read.reading);
  await desk.attach(into, ids.join(","));
  // Of an answer, while it is there: some of those drawn were deleted, and some stand below what is hidden.
  for (const { id, post } of replies.slice(3, 8)) {
    const [draft] = await desk.draft(read.files.slice(0, 1), read.reading);
    await desk
      .attach(post, String(draft), id)
      .catch((error: Error) => assert.equal(error.name, "BoardRefusal"));
  }
}

test("drawn boards go out and come back the same, byte for byte, twice", { timeout: 60_000 }, async () => {
  for (let seed = 1; seed <= 4; seed++) {
    const site = await testSite();
    const { board } = site.open.site;
    const random = new Random(seed);
    const draw = <T>(values: readonly T[]): T => values[random.next32() % values.length];
    const texts = [
      "plain",
      "---\ntitle: x\n---",
      "a\n\n\n    code\n\ttab",
      "```\n---\n```",
      "ü 漢 😀 <b>",
      "title: y",
      "> q\n\n- l",
      "x  \ny",
    ];
    const replies: { id: number; post: number }[] = [];
    for (let act = 0; act < 120; act++) {
      const post = 1 + (random.next32() % 20);
      try {
        switch (random.next32() % 8) {
          case 0:
            await board.addPost("drivers", {
              title: draw(["T: x", "--- a", "né", "a\tb"]),
              markdown: draw(texts),
              tags: draw(["", "a b", "z"]),
            });
            break;
          case 1:
          case 2:
            replies.push({ post, id: (await board.addReply(post, { markdown: draw(texts) })).id });
            break;
          case 3: {
            const answer = draw(replies);
            if (answer !== undefined)
              await board.addReply(answer.post, { markdown: draw(texts), parentId: answer.id });
            break;
          }
          case 4:
            await board.boost(post, { os: draw(["macOS 26.1", ""]), hardware: draw(["M3\tPro", ""]) });
            break;
          case 5:
            await board.accept(post, replies.find((reply) => reply.post === post)?.id ?? null);
            break;
          case 6:
            if (replies.length > 3) await board.deleteReply(draw(replies).id);
            break;
          default:
            await board.markDuplicate(post, draw([null, 1 + (random.next32() % 20)]));
        }
      } catch (error) {
        assert.equal((error as Error).name, "BoardRefusal", String(error));
      }
    }
    await moderated(site, replies);
    const once = await exported(site);
    assert.ok([...once.keys()].some((path) => path.endsWith("/evidence/000002.txt")));
    const second = await throughFolder(site, `drawn-${seed}`);
    const twice = await exported(second);
    for (const [path, text] of once) assert.equal(twice.get(path), text, `${path} of seed ${seed}`);
    assert.equal(twice.size, once.size);
    assert.deepEqual((await second.store.check()).faults, []);
    await second.open.close();
    await site.open.close();
  }
});

test("an upgrade: untouched texts become the new ones, people's edits stay, deleted answers stay away, new ones come", async () => {
  const seed = join(folder, "seed");
  cpSync(seedFolder, seed, { recursive: true });
  const site = await testSite(seed);
  const { board } = site.open.site;
  const places = ["P02-set-line-coding", "P03-alternate-sdks", "P06-osdeclare-structors"].map((name) =>
    join(seed, "drivers", name),
  );
  const change = (file: string, more: string) =>
    writeFileSync(file, `${readFileSync(file, "utf8")}\n${more}\n`);
  const own = await board.store.postByFolder("P03-alternate-sdks");
  assert.ok(own !== null);
  await board.editPost(own.id, { title: own.title, markdown: "my own words", tags: own.tags }, own.version);
  const third = await board.store.postByFolder("P06-osdeclare-structors");
  const [answer] = await board.store.replies(third?.id ?? 0);
  await board.deleteReply(answer.id);
  change(join(places[0], "post.md"), "NEWER QUESTION");
  change(join(places[0], "replies/000001.md"), "NEWER ANSWER");
  change(join(places[1], "post.md"), "NEWER THIRD");
  writeFileSync(
    join(places[2], "replies/000002.md"),
    readFileSync(join(places[2], "replies/000001.md"), "utf8").replace("In short.", "Besides."),
  );
  const report = await importBoard(board, folderReader(seed), "seed");
  assert.deepEqual(report.kept, ["drivers/P03-alternate-sdks/post.md"]);
  assert.deepEqual(report.refused, []);
  assert.equal(report.updated, 2);
  const markdown = async (name: string) => (await board.store.postByFolder(name))?.markdown ?? "";
  assert.match(await markdown("P02-set-line-coding"), /NEWER QUESTION$/);
  assert.equal(await markdown("P03-alternate-sdks"), "my own words");
  const [newer] = await board.store.replies((await board.store.postByFolder("P02-set-line-coding"))?.id ?? 0);
  assert.match(newer.markdown, /NEWER ANSWER$/);
  const sixth = await board.store.replies(third?.id ?? 0);
  assert.deepEqual(
    sixth.map(({ file, state }) => [file, state]),
    [
      ["000001.md", "deleted"],
      ["000002.md", "shown"],
    ],
  );
  assert.deepEqual((await importBoard(board, folderReader(seed), "seed")).updated, 0, "once is enough");
  assert.deepEqual((await site.store.check()).faults, []);
  await site.open.close();
});

test("hostile folders: links, names of devices, damaged heads, huge files; the rest comes in", async () => {
  const root = join(folder, "hostile");
  const place = join(root, "drivers");
  mkdirSync(join(place, "good", "replies"), { recursive: true });
  writeFileSync(join(place, "topic.md"), readFileSync(join(seedFolder, "drivers/topic.md")));
  const post = readFileSync(join(seedFolder, "drivers/P02-set-line-coding/post.md"), "utf8").replace(
    /^(?:case|accepted|origin[a-z-]*): .*\n/gm,
    "",
  );
  writeFileSync(join(place, "good/post.md"), post);
  for (const [name, text] of [
    ["damaged", post.replace("state:", "stat:")],
    ["empty", ""],
    ["binary", "\u0000\u0001"],
    ["untimely", post.replace(/created: .*/, "created: now")],
  ]) {
    mkdirSync(join(place, name));
    writeFileSync(join(place, name, "post.md"), text);
  }
  symlinkSync("/etc", join(place, "link"));
  symlinkSync("/etc/passwd", join(place, "good/replies/000001.md"));
  const site = await testSite(join(folder, "nothing-here"));
  const report = await importBoard(site.open.site.board, folderReader(root), "own");
  assert.equal(report.added, 1);
  assert.deepEqual(report.refused.map((line) => line.split(":")[0]).sort(), [
    "drivers/binary",
    "drivers/damaged",
    "drivers/empty",
    "drivers/untimely",
  ]);
  assert.deepEqual(await site.open.site.board.store.replies(1), []);
  for (const path of [
    ["..", "x"],
    ["drivers", "con", "post.md"],
    ["drivers", "a/b"],
    ["/etc", "x"],
  ])
    assert.throws(() => writeExported(root, { path, text: "x" }), /no name for a file/);
  assert.throws(() => writeExported(root, { path: ["drivers", "link", "post.md"], text: "x" }), /is a link/);
  await site.open.close();
});
