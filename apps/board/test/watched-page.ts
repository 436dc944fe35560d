// A page of Chromium that is watched: errors, dialogs, and requests to anywhere but the board.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";

export interface Watched {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of the page, and requests to anywhere but the board. */
  readonly wrong: string[];
}

export async function watchedPage(
  browser: Browser,
  home: string,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<Watched> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text()))
      wrong.push(`console: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(home) && !/^(?:file|data|blob):/.test(url)) wrong.push(`request: ${url}`);
  });
  return { page, context, wrong };
}

const axe = readFileSync(join(dirname(fileURLToPath(import.meta.resolve("axe-core"))), "axe.min.js"), "utf8");

/** What axe calls serious or worse. The context needs `bypassCSP`. */
export async function seriousFindings(page: Page): Promise<string[]> {
  if (!(await page.evaluate("typeof axe !== 'undefined'"))) await page.evaluate(axe);
  return (await page.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + n.failureSummary).join('; ')))",
  )) as string[];
}

/** Until the page says so; it draws when its worker has answered. */
export async function says(page: Page, selector: string, words: RegExp): Promise<void> {
  const end = Date.now() + 30_000;
  let text = "";
  for (;;) {
    text =
      (await page.locator(selector).count()) === 0 ? "" : await page.locator(selector).first().innerText();
    if (words.test(text)) return;
    assert.ok(Date.now() < end, `${selector} says "${text}", not ${words}`);
    await page.waitForTimeout(50);
  }
}
