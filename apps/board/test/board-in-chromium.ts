// What a test file of the board's pages stands on: a board in a folder of its own, and one Chromium.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import type { Browser } from "playwright-core";
import { type RunningBoard, startBoard } from "../src/server.ts";
import { startChromium, withoutChromium } from "./chromium.ts";

export interface BoardInChromium {
  readonly folder: string;
  readonly board: RunningBoard;
  readonly browser: Browser;
}

/** Before the file's tests, `give` gets it; after them all of it is gone. Nothing is started without Chromium. */
export function boardInChromium(name: string, give: (made: BoardInChromium) => void): void {
  let folder = "";
  let board: RunningBoard | undefined;
  let browser: Browser | undefined;
  before(async () => {
    if (withoutChromium !== false) return;
    folder = mkdtempSync(join(tmpdir(), `drydock-${name}-`));
    board = await startBoard({ home: folder, port: 0, version: "0.1.0" });
    browser = await startChromium();
    give({ folder, board, browser });
  });
  after(async () => {
    await browser?.close();
    await board?.close();
    if (folder !== "") rmSync(folder, { recursive: true, force: true });
  });
}
