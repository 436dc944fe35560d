// Chromium for tests: where it is, what is missing without it, and how it starts without talking to anybody.

import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = "/usr/bin/chromium";

/** False, or why a test that needs it is skipped. */
export const withoutChromium: string | false = existsSync(executablePath)
  ? false
  : "chromium is missing: apt-get install chromium";

export function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
