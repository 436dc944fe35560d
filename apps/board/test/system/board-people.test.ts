// People in a browser: a virtual authenticator makes a passkey and signs in by it; forms work without script; axe.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { type RunningBoard, startBoard } from "../../src/server.ts";
import { startChromium, withoutChromium } from "../chromium.ts";

const skip = withoutChromium;
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
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
  for (const path of ["/login", "/signup", "/me", "/owner/none"])
    for (const width of [360, 800, 1280]) {
      await view.setViewportSize({ width, height: 800 });
      await view.goto(board.url + path);
      const wide = await view.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `${path} at ${width}: ${wide} px too wide`);
      if (width !== 360) continue;
      await view.addScriptTag({ path: axe });
      const found = await view.evaluate(async () => {
        // biome-ignore lint/suspicious/noExplicitAny: axe's own global
        const { violations } = await (globalThis as any).axe.run();
        return violations
          .filter(({ impact }: { impact: string }) => impact === "serious" || impact === "critical")
          .map(({ id, nodes }: { id: string; nodes: { html: string }[] }) => `${id} ${nodes[0].html}`);
      });
      assert.deepEqual(found, [], path);
    }
  await looking.close();
});
