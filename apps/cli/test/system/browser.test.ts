// Core in a browser: it bundles without Node's built-ins, and the serial rig runs in headless Chromium.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { defaultSerialRig } from "@drydock/core/rigs/serial-rig";
import { openSerialSession } from "@drydock/core/rigs/serial-session";
import { digestOf } from "@drydock/core/rigs/usb-rig-doors";
import { hostTurn } from "@drydock/node/host-turn";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const executablePath = "/usr/bin/chromium";
const missing = existsSync(executablePath) ? false : "chromium is missing: apt-get install chromium";

async function bundle(): Promise<string> {
  const result = await build({
    entryPoints: [join(import.meta.dirname, "browser-rig.ts")],
    bundle: true,
    format: "iife",
    platform: "browser",
    target: "es2024",
    write: false,
    logLevel: "silent",
  });
  return result.outputFiles[0].text;
}

test("core bundles for the browser without Node's built-ins", async () => {
  const code = await bundle();
  assert.ok(code.length > 50_000);
  assert.equal(/\brequire\(|from "node:/.test(code), false);
});

test("the serial rig runs in headless Chromium and gives the same digest as here", {
  timeout: 60_000,
  skip: missing,
}, async () => {
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
    ],
  });
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.setContent("<!doctype html><title>dry dock</title>");
    await page.addScriptTag({ content: await bundle() });
    const there = (await page.evaluate("runSerialRig(7)")) as { received: string; digest: string };
    assert.deepEqual(errors, []);
    assert.equal(there.received, "hello from the page");
    const rig = defaultSerialRig(7, hostTurn, { devices: ["ftdi"] });
    const session = await openSerialSession(rig);
    session.configure({ baudRate: 115200 });
    session.send(Buffer.from("hello from the page"));
    await rig.machine.scheduler.run(5_000_000_000, () => session.received.length === 19);
    rig.usb.bus.unplug(1);
    await rig.machine.run();
    assert.equal(there.digest, digestOf(rig));
  } finally {
    await browser.close();
  }
});
