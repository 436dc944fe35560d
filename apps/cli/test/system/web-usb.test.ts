// Pages whose navigator.usb, serial and hid are a rig, in headless Chromium; the examples of one import changed.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { type FacesOutcome, runFaces, serialAndHid } from "./web-faces-program.ts";

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
    // A secure context, where Chromium shows its own interfaces; nothing is asked of the network.
    await page.route("**/*", (route) =>
      route.fulfill({ contentType: "text/html", body: "<!doctype html><title>dry dock</title>" }),
    );
    await page.goto("http://localhost:1/");
    await page.addScriptTag({ content: outputFiles[0].text });
    assert.deepEqual(await page.evaluate("runWebUsb()"), {
      product: "Loopback",
      bytesWritten: 100,
      received: Array.from({ length: 100 }, (_, index) => index),
      event: "disconnect",
      refusal: "NotFoundError",
    });
    const chromiums = (await page.evaluate("chromiums")) as Record<string, Record<string, string>>;
    const ours = (await page.evaluate("ours()")) as typeof chromiums;
    for (const name of Object.keys(chromiums)) {
      assert.ok(Object.keys(chromiums[name] ?? {}).length > 2, `Chromium has ${name}`);
      assert.deepEqual(sorted(ours[name]), sorted(chromiums[name]), name);
    }
    assert.deepEqual(Object.keys(ours).sort(), Object.keys(chromiums).sort());
    assert.ok(serialAndHid.every((name) => name in chromiums) && Object.keys(chromiums).length >= 19);
    assert.deepEqual(await page.evaluate("missingOfWebUsb()"), []);
    const there = (await page.evaluate("runFaces(11)")) as FacesOutcome;
    assert.deepEqual(there.said, facesSaid);
    assert.deepEqual(await runFaces(11, hostTurn, {}), there);
    assert.notEqual((await runFaces(12, hostTurn, {})).digest, there.digest);
    assert.deepEqual(errors, []);
  } finally {
    await browser.close();
  }
});

const sorted = (members: Readonly<Record<string, string>>) => Object.entries(members).sort();

const facesSaid = [
  "over the line",
  "serial disconnect",
  "read NetworkError",
  "write NetworkError",
  "report 1",
  'rumble [{"strong":10,"weak":20}]',
  "hid disconnect",
  "NotAllowedError",
  "usb 3",
  "usb NotFoundError",
];

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
