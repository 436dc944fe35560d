// The lab's later screens in Chromium, by mouse and keyboard: registry, time, consoles, doctor.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type RunningBoard, startBoard } from "../../src/server.ts";
import { startChromium, withoutChromium } from "../chromium.ts";
import { says, watchedPage } from "../watched-page.ts";

const skip = withoutChromium;
let folder = "";
let board: RunningBoard;
let browser: Browser;

before(async () => {
  if (skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), "drydock-lab-screens-"));
  board = await startBoard({ home: folder, port: 0, version: "0.1.0" });
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await board?.close();
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

/** A file of the test's own. */
function fileOf(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const entry = ".tree .entry:not([hidden])";

/** As `ioreg -l` prints a hub with so many devices on it, each with a vendor of its own. */
const dumpOf = (vendors: readonly number[]): string =>
  [
    "+-o Root  <class IORegistryEntry, id 0x100000100, retain 11>",
    ...vendors.flatMap((vendor, index) => [
      `  +-o Device ${index}@1410000${index}  <class IOUSBHostDevice, id 0x10000020${index}, registered, matched, active, busy 0 (0 ms), retain 9>`,
      "  | {",
      `  |   "idVendor" = ${vendor}`,
      `  |   "USB Product Name" = "<img src=x onerror=alert(1)>"`,
      "  | }",
    ]),
  ].join("\n");

async function dropTwoDumps(page: Page): Promise<void> {
  await page.setInputFiles(".drop input[type=file]", [
    fileOf("before.txt", dumpOf([0x403, 0x67b, 0x10c4])),
    fileOf("after.txt", dumpOf([0x403, 0x1a86])),
  ]);
}

test("the registry by mouse and keyboard: why the driver matched, what a pulled cable leaves, two dumps compared", {
  skip,
  timeout: 120_000,
}, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url);
  await page.goto(`${board.url}/lab`);
  await page.keyboard.press("g");
  await page.keyboard.press("g");
  await page.click(`${entry}:has-text("FtdiDriver")`);
  await says(page, ".judged .good", /matches, score 90000[\s\S]*idVendor \+ idProduct/);
  await says(page, ".entry-part .fields", /IOProbeScore\s+90000/);
  // A tree of a desktop: to the top, into it, the branch folded away, and by first letters.
  await page.keyboard.press("Home");
  const all = Number(await page.getAttribute(".tree", "data-lines"));
  await page.keyboard.press("ArrowDown");
  await page.keyboard.type("ft");
  await says(page, ".tree .entry.selected", /FT232R/);
  await page.keyboard.press("ArrowLeft");
  await page.waitForSelector(`.tree[data-lines="${all - 3}"]`);
  await page.keyboard.press("ArrowRight");
  await page.waitForSelector(`.tree[data-lines="${all}"]`);
  assert.equal(await page.getAttribute(".tree .entry.selected", "aria-expanded"), "true");
  await page.fill("#entry-search", "0403:6001");
  await says(page, "#registry-says", /3 found/);
  await page.fill("#entry-search", "");
  await page.locator("h1").click();
  await page.keyboard.press("u");
  await says(page, `${entry}.m-gone`, /FT232R[\s\S]*gone: terminated at \d+\.\d+ s/);
  await page.keyboard.press("p");
  await says(page, `${entry}.m-new`, /FT232R/);
  await dropTwoDumps(page);
  await says(page, "#registry-says", /0 appeared, 1 left, 1 changed, 2 the same/);
  await page.click(`${entry}.m-changed`);
  await says(page, ".entry-part .differs", /idVendor\s+6790 \(was 1659\)/);
  await page.click(`${entry}.m-gone`);
  await says(page, ".entry-part h2", /Device 2@14100002/);
  // A file that is none says what to do.
  await page.setInputFiles(".drop input[type=file]", fileOf("note.txt", "no registry"));
  await says(page, ".said.refusal", /note\.txt holds no registry: make one with "ioreg/);
  assert.deepEqual(wrong, []);
  await context.close();
});
