// A page whose navigator.usb is a rig, in headless Chromium; the examples of one import changed.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const executablePath = "/usr/bin/chromium";
const missing = existsSync(executablePath) ? false : "chromium is missing: apt-get install chromium";

test("a page's driver runs on the rig as its navigator.usb", { timeout: 60_000, skip: missing }, async () => {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "web-usb-page.ts")],
    bundle: true,
    format: "iife",
    platform: "browser",
    target: "es2024",
    write: false,
    logLevel: "silent",
  });
  const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.setContent("<!doctype html><title>dry dock</title>");
    await page.addScriptTag({ content: outputFiles[0].text });
    assert.deepEqual(await page.evaluate("runWebUsb()"), {
      product: "Loopback",
      bytesWritten: 100,
      received: Array.from({ length: 100 }, (_, index) => index),
      event: "disconnect",
      refusal: "NotFoundError",
    });
    assert.deepEqual(errors, []);
  } finally {
    await browser.close();
  }
});

for (const [name, output] of [
  ["webusb-driver", /hello from a WebUSB driver/],
  ["serialport-program", /usbserial-DD000001: hello from serialport/],
] as const) {
  test(`examples/${name}.ts runs`, { timeout: 60_000 }, () => {
    const file = join(import.meta.dirname, "../../../../examples", `${name}.ts`);
    const result = spawnSync(process.execPath, [file], { encoding: "utf8", timeout: 50_000 });
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout, output);
  });
}
