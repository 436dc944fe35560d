// npm run screenshots: the pictures that README shows, taken of what runs now.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { startBoard } from "../src/server.ts";
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
    name: "lab-rig",
    path: "/lab",
    colorScheme: "light",
    width: 1280,
    height: 800,
    ready: async (page) => {
      await page.waitForSelector(".wire.moving", { state: "attached" });
      await page.waitForSelector(".rows .row:not(.blank):not([hidden]) >> nth=10");
      await page.click("[data-box='device 1']");
    },
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
} finally {
  await browser.close();
  await board.close();
  rmSync(home, { recursive: true, force: true });
}
