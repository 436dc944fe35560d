// People in a browser: a virtual authenticator makes a passkey and signs in by it; forms work without script; axe.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { exportTo, importFrom } from "../../src/board-files.ts";
import { type RunningBoard, startBoard } from "../../src/server.ts";
import { startChromium, withoutChromium } from "../chromium.ts";
import { filesBelow } from "../files-below.ts";
import { seriousFindings } from "../watched-page.ts";

const skip = withoutChromium;
const password = "four words of no kin";
let board: RunningBoard;
let browser: Browser;
let home: string;
before(async () => {
  if (skip !== false) return;
  home = mkdtempSync(join(tmpdir(), "drydock-people-"));
  board = await startBoard({ home, port: 0, version: "0.1.0", many: { origin: null, listen: "127.0.0.1" } });
  browser = await startChromium();
});
after(async () => {
  if (skip !== false) return;
  await browser.close();
  await board.close();
  rmSync(home, { recursive: true, force: true });
});

test("the owner's link, a passkey, out, in again by the passkey alone", { skip }, async () => {
  const page = await browser.newPage();
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  assert.ok(board.ownerLink !== null, "a first start makes a link");
  await page.goto(board.ownerLink);
  await page.fill("#name", "Olga");
  await page.click("main button");
  await page.waitForURL("**/me");
  await page.click("[data-passkey-go]");
  await page.getByText("last used").first().waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(/\/$|\/t\/drivers/);
  await page.goto(`${board.url}/login`);
  await page.click("[data-passkey-go]");
  await page.getByRole("link", { name: "Olga" }).waitFor();
  assert.equal(await board.open.site.board.store.accounts.owners(), 1);
  await page.close();
});

const newest = { sort: "created", direction: "desc", unanswered: false, after: null } as const;
const panic = (user: string) =>
  `panic(cpu 2 caller 0xffffff8012345678): "SomeReader::setPowerState(0xffffff8000000000, 0 -> 1) timed out after 10168 ms"@/x/IOServicePM.cpp:5302\nPath: /Users/${user}/x\n`;

async function signedIn(handle: string): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${board.url}/signup`);
  await page.fill("#handle", handle);
  await page.fill("#password", password);
  await page.click("main button");
  await page.waitForURL("**/me");
  return { context, page };
}

/** A new post of this person; answers its address. */
async function written(page: Page, title: string): Promise<string> {
  await page.goto(`${board.url}/t/drivers/new`);
  await page.fill("#title", title);
  await page.fill("#text", "What happens, and on what.");
  await page.getByRole("button", { name: "Post", exact: true }).click();
  await page.waitForURL("**/p/*");
  return page.url();
}

async function sees(page: Page, words: string | RegExp): Promise<void> {
  await page.getByText(words).first().waitFor();
}

test("a crash report dropped: redacted in the page before a byte is sent, shown with its marks, posted, found by its twin", {
  skip,
}, async () => {
  const { context, page } = await signedIn("petra");
  const sent: string[] = [];
  const wrong: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST") sent.push(request.postDataBuffer()?.toString("latin1") ?? "");
  });
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") wrong.push(message.text());
  });
  await page.goto(`${board.url}/t/drivers/new`);
  await page.fill("#title", "Sleeps, and panics");
  await page.fill("#text", "See the file.");
  await page.setInputFiles("#files", {
    name: "report of pmuster.panic",
    mimeType: "text/plain",
    buffer: Buffer.from(panic("pmuster")),
  });
  await sees(page, /Redacted in this page/);
  assert.equal(await page.locator("[data-evidence-marks] mark").first().innerText(), "user1");
  await page.getByRole("button", { name: "Post", exact: true }).click();
  await sees(page, "What the doctor says");
  await page.getByRole("button", { name: "Post", exact: true }).click();
  await page.waitForURL("**/p/*-sleeps-and-panics");
  await sees(page, "report of user1.panic");
  assert.ok(sent.length >= 2);
  for (const body of sent) assert.ok(!body.includes("pmuster"), "only the redacted copy was sent");
  assert.deepEqual(wrong, []);
  await context.close();

  const other = await signedIn("quirin");
  await other.page.goto(`${board.url}/t/drivers/new`);
  await other.page.fill("#title", "Another sleeper");
  await other.page.fill("#text", "Mine too?");
  await other.page.setInputFiles("#files", {
    name: "b.log",
    mimeType: "text/plain",
    buffer: Buffer.from(panic("quirin")),
  });
  await sees(other.page, /Redacted in this page/);
  await other.page.getByRole("button", { name: "Preview" }).click();
  await other.page.getByRole("link", { name: "Sleeps, and panics" }).click();
  await other.page.waitForURL("**/p/*-sleeps-and-panics");
  await other.page.getByRole("button", { name: /I have this too/ }).click();
  await sees(other.page, /You have this too/);
  await other.context.close();
});

test("a post answered with evidence, boosted by three, accepted, merged; exported, and imported byte for byte", {
  skip,
}, async () => {
  const people = await Promise.all(["asker", "one", "two", "three"].map(signedIn));
  const [asker, ...boosters] = people.map(({ page }) => page);
  const main = await written(asker, "Stops after an hour");
  for (const page of boosters) {
    await page.goto(main);
    await page.getByRole("button", { name: /I have this too/ }).click();
    await sees(page, /You have this too/);
  }
  const [answering, other] = boosters;
  await answering.fill("#reply-text", "It waits for a callback that never comes.");
  await answering.getByRole("button", { name: "Answer and add evidence" }).click();
  await answering.setInputFiles("#files", {
    name: "mine.panic",
    mimeType: "text/plain",
    buffer: Buffer.from(panic("pmuster")),
  });
  await sees(answering, /Redacted in this page/);
  await answering.getByRole("button", { name: "Read the files" }).click();
  await answering.getByRole("button", { name: "Put it on the answer" }).click();
  await answering.locator(".answer .evidence").getByRole("link", { name: "mine.panic" }).waitFor();
  assert.deepEqual(await seriousFindings(answering), []);
  await asker.goto(main);
  await asker.getByRole("button", { name: "Accept" }).click();
  await sees(asker, "accepted");
  // The same question once more, by somebody else: a moderator merges it, and its boost moves along.
  const twice = await written(other, "It stops, too");
  const last = boosters[2];
  await last.goto(twice);
  await last.getByRole("button", { name: /I have this too/ }).click();
  await sees(last, /You have this too/);
  const { people: desk, store } = board.open.site.board;
  const three = await store.accounts.byHandle("three");
  await store.moderation.setRole(three?.id ?? 0, "moderator", {
    actorId: desk.owner.id,
    reason: "helps",
    at: Date.now(),
  });
  await last.goto(twice);
  const merge = last.locator("form", { has: last.locator('button[value="merge"]') });
  await last.locator(".post .moderate > summary").click();
  await merge.locator('input[name="reason"]').fill("the same");
  await merge.locator('input[name="into"]').fill(/\/p\/(\d+)/.exec(main)?.[1] ?? "");
  await merge.locator("button").click();
  await sees(last, "The same case as");
  for (const { context } of people) await context.close();
  const post = await store.post(Number(/\/p\/(\d+)/.exec(main)?.[1]));
  assert.deepEqual([post?.boosts, post?.replies, post?.state], [3, 1, "solved"]);

  const [out, back, again] = ["out", "back", "again"].map((name) => join(home, name));
  assert.ok((await exportTo({ home }, out)) > 40);
  const report = await importFrom({ home: back }, out);
  assert.deepEqual([report.kept, report.refused], [[], []]);
  await exportTo({ home: back }, again);
  const [before, after] = [filesBelow(out), filesBelow(again)];
  assert.ok([...before.keys()].some((path) => path.endsWith("evidence/000001.txt")));
  assert.deepEqual(after, before);
});

test("without script: up, a post, out, in by password; every page at three widths, axe finds nothing serious", {
  skip,
}, async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${board.url}/signup`);
  await page.fill("#handle", "ann");
  await page.fill("#password", password);
  await page.click("main button");
  await page.waitForURL("**/me");
  await page.goto(`${board.url}/t/drivers/new`);
  await page.fill("#title", "By a form");
  await page.fill("#text", "text");
  await page.getByRole("button", { name: "Post", exact: true }).click();
  await page.waitForURL("**/p/*-by-a-form");
  const [cookie] = await context.cookies();
  await context.close();

  const looking = await browser.newContext({ bypassCSP: true });
  await looking.addCookies([cookie]);
  const view = await looking.newPage();
  const [post] = (await board.open.site.board.store.list(1, { ...newest, limit: 1 })).map(({ id }) => id);
  const { accounts } = board.open.site.board.store;
  // Ann moderates, so that every page of moderation has something to show.
  const ann = await accounts.byHandle("ann");
  const act = { actorId: board.open.site.board.people.owner.id, reason: "helps", at: Date.now() };
  const { moderation } = board.open.site.board.store;
  await moderation.setRole(ann?.id ?? 0, "moderator", act);
  await moderation.flag("post", 2, { personId: ann?.id ?? 0, reason: "a reason", at: Date.now() });
  assert.ok(ann !== null);
  const asAnn = board.open.site.board.as({ ...ann, limits: null });
  const answer = await asAnn.addReply(post, { markdown: "An answer of hers." });
  let isDark = false;
  // With a picture of each, for whoever wants to look: DRYDOCK_PICTURES is a folder.
  const pictures = process.env.DRYDOCK_PICTURES;
  for (const path of [
    ...["/login", "/signup", "/me", "/owner/none", "/notices", "/me/log"],
    ...["/moderation/queue", "/moderation/log", "/people", "/people/ann"],
    ...[`/p/${post}`, `/p/${post}/evidence`, `/p/${post}/evidence?answer=${answer.id}`, "/t/drivers/new"],
  ]) {
    isDark = !isDark;
    await view.emulateMedia({ colorScheme: isDark ? "dark" : "light" });
    await view.goto(board.url + path);
    if (pictures !== undefined)
      await view.screenshot({ path: join(pictures, `${path.replaceAll("/", "-")}.png`), fullPage: true });
    for (const width of [1280, 800, 360]) {
      await view.setViewportSize({ width, height: 800 });
      const wide = await view.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `${path} at ${width}: ${wide} px too wide`);
    }
    assert.deepEqual(await seriousFindings(view), [], path);
  }
  await looking.close();
});
