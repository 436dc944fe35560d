// The board in Chromium: with and without script, three widths, both themes, keyboard, axe, cases.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { reportCase } from "@drydock/cases/case-report";
import { casebook } from "@drydock/cases/casebook";
import { hostTurn } from "@drydock/node/host-turn";
import type { Browser } from "playwright-core";
import { openBoard, type RunningBoard } from "../../src/server.ts";
import { publishBoard } from "../../src/static-site.ts";
import { boardInChromium } from "../board-in-chromium.ts";
import { withoutChromium } from "../chromium.ts";
import { npmStart } from "../npm-start.ts";
import { seriousFindings, type Watched, watchedPage } from "../watched-page.ts";

const skip = withoutChromium;

let folder = "";
let board: RunningBoard;
let browser: Browser;

boardInChromium("pages", (made) => {
  ({ folder, board, browser } = made);
});

const watched = (options: Parameters<Browser["newContext"]>[0] = {}, home = board.url): Promise<Watched> =>
  watchedPage(browser, home, options);

const postOfP02 = "/p/2-usbsendsetlinecoding-failing-in-devicerequest-with-error";

test("every kind of page at 1280, 800 and 360 px, light and dark: nothing serious for axe, nothing wider than the window", {
  skip,
  timeout: 600_000,
}, async () => {
  const paths = [
    "/",
    "/t/drivers?view=origin",
    postOfP02,
    "/p/19",
    "/search?q=0xe00002e2",
    "/cases",
    "/cases/P02",
    "/docs",
    "/docs/floors",
    "/t/drivers/new",
    "/p/2/edit",
    "/symptoms/io_return/e00002e2",
    "/tags/usb",
    "/nope",
  ];
  for (const colorScheme of ["light", "dark"] as const) {
    const { page, context, wrong } = await watched({ colorScheme, bypassCSP: true });
    for (const path of paths) {
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.goto(board.url + path);
      for (const width of [1280, 800, 360]) {
        await page.setViewportSize({ width, height: 900 });
        const wide = await page.evaluate("document.documentElement.scrollWidth");
        assert.ok(Number(wide) <= width, `${path} is ${wide} px wide in ${width} px`);
        const found = await seriousFindings(page);
        assert.deepEqual(found, [], `${path} ${colorScheme} ${width}`);
      }
    }
    assert.deepEqual(wrong, []);
    await context.close();
  }
});

test("the walk by mouse: from npm start to P02's seven zero bytes", {
  skip,
  timeout: 120_000,
}, async () => {
  const started = await npmStart(join(folder, "newcomer"));
  const { page, context, wrong } = await watched({}, started.url);
  await page.goto(started.url);
  await page.click("text=USBSendSetLineCoding failing in DeviceRequest");
  await page.waitForURL(`**${postOfP02}`);
  await page.click("text=Run both drivers");
  await page.waitForSelector(".verdict.bad");
  assert.match(await page.innerText(".verdict.bad"), /kUSBHostReturnPipeStalled \(0xe0005000\), 0 bytes/);
  assert.match(await page.innerText(".verdict.good"), /7 bytes transferred/);
  assert.match(
    (await page.innerText(".first")).replace(/\s+/g, " "),
    /wrong ep0 .* data 00 00 00 00 00 00 00 -> STALL/,
  );
  assert.match(await page.innerText(".doctor"), /DR02-1/);
  assert.deepEqual(wrong, []);
  await context.close();
  await started.end();
});

test("the walk by keyboard alone", { skip, timeout: 60_000 }, async () => {
  const { page, context, wrong } = await watched();
  await page.goto(board.url);
  const tabTo = async (words: RegExp): Promise<void> => {
    for (let times = 0; times < 120; times++) {
      await page.keyboard.press("Tab");
      const focused = String(
        await page.evaluate("document.activeElement.innerText || document.activeElement.value || ''"),
      );
      if (words.test(focused)) return;
    }
    assert.fail(`no way by Tab to ${words}`);
  };
  await tabTo(/^To the content$/);
  await page.keyboard.press("Enter");
  await tabTo(/USBSendSetLineCoding/);
  await page.keyboard.press("Enter");
  await page.waitForURL(`**${postOfP02}`);
  await tabTo(/^Run both drivers$/);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".first");
  assert.match(await page.innerText(".first"), /00 00 00 00 00 00 00/);
  assert.deepEqual(wrong, []);
  await context.close();
});

test("the walk without script, to the answer and the case's page; then post, answer, boost and search", {
  skip,
  timeout: 90_000,
}, async () => {
  const { page, context, wrong } = await watched({ javaScriptEnabled: false });
  await page.goto(board.url);
  await page.click("text=USBSendSetLineCoding failing in DeviceRequest");
  assert.match(
    await page.innerText(".answer"),
    /The copy goes to the wrong place[\s\S]*00 00 00 00 00 00 00/,
  );
  await page.click("text=Run both drivers");
  assert.match(await page.innerText(".first"), /00 00 00 00 00 00 00/, "the server ran it");
  await page.fill('input[name="seed"]', "7");
  await page.click("[data-run]");
  assert.match(page.url(), /\/cases\/P02\?seed=7$/);
  await page.goto(`${board.url}/t/drivers/new`);
  await page.fill('input[name="title"]', "Written without script");
  await page.fill("textarea", "It says `0xe00002e2`.\n\n```cpp\nint a;\n```");
  await page.fill('input[name="tags"]', "noscript");
  await page.click("text=Preview");
  assert.match(await page.innerText(".snapshot"), /Problem with DriverKitUserClientSample/);
  await page.click("button.button:text('Post')");
  assert.match(await page.innerText("h1"), /Written without script/);
  await page.fill("#reply-text", "An **answer**.");
  await page.click("button:text-is('Answer')");
  assert.match(await page.innerHTML(".answer .text"), /<strong>answer<\/strong>/);
  await page.click("text=I have this too");
  assert.match(await page.innerText(".acts"), /You have this too/);
  await page.click("button:text-is('Accept')");
  assert.match(await page.innerText(".answer .meta"), /accepted/);
  await page.fill('.find input[name="q"]', "kIOReturnNotPermitted script");
  await page.click(".find button");
  assert.match(await page.innerText(".posts"), /Written without script/);
  await page.goto(board.url);
  await page.click(".orders >> text=boosts");
  assert.match(await page.innerText(".posts tbody tr:first-child"), /Written without script/);
  await page.click(".orders >> text=created");
  await page.click("text=Next page");
  assert.equal(await page.locator(".posts tbody tr").count(), 1, "the twenty-first post");
  await page.click("text=First page");
  assert.equal(await page.locator(".posts tbody tr").count(), 20);
  assert.deepEqual(wrong, []);
  await context.close();
});

test("every case runs in the page, with the digests of a run here", {
  skip,
  timeout: 180_000,
}, async () => {
  const { page, context, wrong } = await watched();
  for (const entry of casebook) {
    await page.goto(`${board.url}/cases/${entry.id}`);
    await page.fill('input[name="seed"]', "5");
    await page.click("[data-run]");
    await page.waitForSelector("[data-case][data-digests]", { timeout: 30_000 });
    const report = await reportCase(entry, { seed: 5, turn: hostTurn });
    assert.equal(
      await page.getAttribute("[data-case]", "data-digests"),
      `${report.bad.digest} ${report.good.digest}`,
      entry.id,
    );
  }
  assert.deepEqual(wrong, []);
  await context.close();
});

test("a view is told once the page was visible for two seconds, and not before", {
  skip,
  timeout: 30_000,
}, async () => {
  const { page, context, wrong } = await watched({
    userAgent:
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
  });
  const views = async () => Number((await (await fetch(`${board.url}/p/6.json`)).json()).views);
  const before = await views();
  const told = page.waitForResponse((response) => response.url().endsWith("/v"));
  await page.goto(`${board.url}/p/6`);
  assert.equal(await views(), before, "a page that was only fetched");
  assert.equal((await told).status(), 204);
  assert.equal(await views(), before + 1);
  assert.deepEqual(wrong, []);
  await context.close();
});

test("feeds are XML that a parser takes, with what stands in the list", {
  skip,
  timeout: 30_000,
}, async () => {
  const { page, context } = await watched({ bypassCSP: true });
  await page.goto(board.url);
  for (const path of ["/t/drivers.atom", "/p/2.atom", "/tags/usb.atom"]) {
    const read = (await page.evaluate(
      `fetch(${JSON.stringify(path)}).then((r) => r.text()).then((t) => { const d = new DOMParser().parseFromString(t, "application/xml"); return [d.querySelector("parsererror") === null, d.documentElement.namespaceURI, d.querySelectorAll("entry > title").length]; })`,
    )) as [boolean, string, number];
    assert.equal(read[0], true, path);
    assert.equal(read[1], "http://www.w3.org/2005/Atom");
    assert.ok(read[2] >= 1, path);
  }
  await context.close();
});

test("a published copy, opened from files without any server: pages, links, and a case that runs", {
  skip,
  timeout: 120_000,
}, async () => {
  const open = await openBoard({ home: null, version: "0.1.0", isStatic: true });
  const copy = mkdtempSync(join(tmpdir(), "drydock-copy-"));
  try {
    const { pages } = await publishBoard(open, copy);
    assert.ok(pages > 60, `${pages} pages`);
    const { page, context, wrong } = await watched();
    await page.goto(`file://${copy}/index.html`);
    assert.equal(await page.locator(".posts tbody tr").count(), 20);
    assert.equal(await page.locator("form").count(), 0, "nothing that needs a server");
    await page.click("text=USBSendSetLineCoding failing in DeviceRequest");
    assert.match(await page.innerText(".answer"), /The copy goes to the wrong place/);
    await page.click("[data-run]");
    await page.waitForSelector(".verdict.bad", { timeout: 30_000 });
    assert.match(await page.innerText(".first"), /00 00 00 00 00 00 00/);
    await page.click(".traces .at >> nth=2");
    await page.waitForSelector("li.asked", { timeout: 30_000 });
    await page.click("nav >> text=Docs");
    await page.click("text=Floors");
    assert.match(await page.innerText("h1"), /Floors/);
    const hrefs = (await page.evaluate(
      "[...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))",
    )) as string[];
    assert.ok(
      hrefs.every((href) => !href.startsWith("/")),
      "no link to the root of a file system",
    );
    assert.deepEqual(wrong, []);
    await context.close();
  } finally {
    await open.close();
    rmSync(copy, { recursive: true, force: true });
  }
});
