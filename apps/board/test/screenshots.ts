// npm run screenshots: the pictures that README shows, taken of what runs now.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { startBoard } from "../src/server.ts";
import { animatedPng } from "./animated-png.ts";
import { startChromium, withoutChromium } from "./chromium.ts";

const folder = join(import.meta.dirname, "../../../docs/pictures");

interface Picture {
  readonly name: string;
  readonly path: string;
  readonly colorScheme: "light" | "dark";
  readonly width: number;
  readonly height: number;
  /** Until it shows what it is about. */
  readonly ready: (page: Page) => Promise<unknown>;
}

const pictures: readonly Picture[] = [
  {
    name: "board",
    path: "/",
    colorScheme: "light",
    width: 1280,
    height: 800,
    ready: (page) => page.waitForSelector(".chip.case.good"),
  },
  {
    name: "lab-trace",
    path: "/lab#/trace/P02?seed=7&side=bad&row=22",
    colorScheme: "dark",
    width: 1280,
    height: 800,
    ready: async (page) => {
      await page.waitForSelector(".hex .byte.bad");
      await page.click("[data-act=against-side]");
      await page.waitForSelector(".difference");
    },
  },
];

const unplugFile = "lab-unplug.png";

/** The first minute: the rig alive, its cable pulled, a step, back to where it was, and plugged in again. */
async function filmUnplug(browser: Browser, url: string): Promise<void> {
  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 920, height: 560 } });
  const page = await context.newPage();
  const frames: { readonly png: Uint8Array; readonly milliseconds: number }[] = [];
  const shoot = async (milliseconds: number) => frames.push({ png: await page.screenshot(), milliseconds });
  /** The hand on the button first, then what it does. */
  const press = async (act: string, isDone: string) => {
    await page.hover(`[data-act=${act}] >> nth=0`);
    await shoot(700);
    await page.click(`[data-act=${act}] >> nth=0`);
    await page.waitForTimeout(400);
    await page.waitForSelector(isDone, { timeout: 60_000 });
    await shoot(1200);
  };
  const device = (state: string) => `[data-box="device 1"].s-${state}`;
  await page.goto(`${url}/lab`);
  await page.waitForSelector(".wire.moving", { state: "attached" });
  await page.waitForSelector(".rows .row:not(.blank):not([hidden]) >> nth=4");
  await shoot(500);
  await page.waitForTimeout(300);
  await shoot(500);
  await press("unplug", device("gone"));
  await press("pause", ".m-paused");
  await press("back", ".m-paused");
  await press("plug", device("running"));
  await press("run", ".m-running");
  writeFileSync(join(folder, unplugFile), animatedPng(frames));
  await context.close();
  process.stdout.write(`docs/pictures/${unplugFile}\n`);
}

if (withoutChromium !== false) throw new Error(withoutChromium);
const home = mkdtempSync(join(tmpdir(), "drydock-pictures-"));
const board = await startBoard({ home, port: 0, version: "0.1.0" });
const browser = await startChromium();
try {
  await board.open.site.stillTrue.runAll(false);
  mkdirSync(folder, { recursive: true });
  for (const { colorScheme, height, name, path, ready, width } of pictures) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height } });
    const page = await context.newPage();
    await page.goto(board.url + path);
    await ready(page);
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    await context.close();
    process.stdout.write(`docs/pictures/${name}.png\n`);
  }
  await filmUnplug(browser, board.url);
} finally {
  await browser.close();
  await board.close();
  rmSync(home, { recursive: true, force: true });
}
