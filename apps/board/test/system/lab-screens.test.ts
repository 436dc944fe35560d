// The lab's later screens in Chromium, behind the board and as a copy from files: each walk in both.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { casebook } from "@drydock/cases/casebook";
import { Random } from "@drydock/core/base/random";
import { lineCodingPost } from "@drydock/doctor/source/post-samples";
import { binaryPlistSeed, seeds } from "@drydock/doctor/test/seeds";
import { campaignAddress } from "@drydock/lab/session/shown-campaign";
import { hostTurn } from "@drydock/node/host-turn";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import type { RunningBoard } from "../../src/server.ts";
import { publishLab } from "../../src/static-lab.ts";
import { attack } from "../attack-strings.ts";
import { boardInChromium } from "../board-in-chromium.ts";
import { withoutChromium } from "../chromium.ts";
import { dumpOf, entry, minuteByMouse, walks } from "../lab-walks.ts";
import { says, watchedPage } from "../watched-page.ts";

const skip = withoutChromium;
let folder = "";
let board: RunningBoard;
let browser: Browser;

boardInChromium("lab-screens", (made) => {
  ({ folder, board, browser } = made);
});

/** A file of the test's own. */
function fileOf(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

let made: Promise<string> | null = null;
/** The lab exported into a folder, once. */
const copy = (): Promise<string> =>
  (made ??= publishLab(board.open, join(folder, "copy")).then(() => join(folder, "copy")));

for (const [name, walk] of walks)
  test(`${name}; behind the board, and from files with the network off`, {
    skip,
    timeout: 300_000,
  }, async () => {
    for (const place of ["board", "files"] as const) {
      const lab = place === "board" ? `${board.url}/lab` : `file://${await copy()}/index.html`;
      const { page, context, wrong } = await watchedPage(browser, board.url);
      await context.setOffline(place === "files");
      await walk(page, { lab, fileOf });
      assert.deepEqual(wrong, [], place);
      await context.close();
    }
  });

test("the first minute by mouse in a copy that any static server gives", {
  skip,
  timeout: 120_000,
}, async () => {
  const root = await copy();
  const types: Readonly<Record<string, string>> = {
    html: "text/html",
    js: "text/javascript",
    css: "text/css",
  };
  const server = createServer((request, response) => {
    const name = request.url === "/" ? "/index.html" : (request.url ?? "");
    response.setHeader("content-type", types[name.split(".").at(-1) ?? ""] ?? "image/svg+xml");
    response.end(readFileSync(join(root, name)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const { page, context, wrong } = await watchedPage(browser, url);
    await minuteByMouse(page, { lab: url, fileOf });
    assert.deepEqual(wrong, []);
    await context.close();
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("a device of the visitor's: chosen in the page, under our drivers in a worker; WebUSB itself is a rig here", {
  skip,
  timeout: 120_000,
}, async () => {
  const made = await build({
    entryPoints: [join(import.meta.dirname, "../own-usb.ts")],
    ...{ bundle: true, write: false, format: "iife", platform: "browser", logLevel: "silent" },
  });
  const { page, context, wrong } = await watchedPage(browser, board.url);
  await context.route("**/lab-device-worker.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${made.outputFiles[0].text}\n${await response.text()}` });
  });
  await page.addInitScript(
    "Object.defineProperty(navigator, 'usb', { value: { requestDevice: async () => ({ productName: 'FT232R USB UART' }) } })",
  );
  await page.goto(`${board.url}/lab#/consoles/nvme?seed=1`);
  await page.click("text=Choose a USB device");
  await says(page, ".serial .chip.good", /open/);
  await page.fill("#line", "ahoy");
  await page.keyboard.press("Enter");
  await says(page, ".console .screen", /ahoy/);
  assert.match(page.url(), /#\/consoles\/device/);
  assert.deepEqual(wrong, []);
  await context.close();
});

test("a run of a campaign, by the link of its report: its faults, its verdict, its rows, its line for a terminal", {
  skip,
  timeout: 120_000,
}, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url);
  const faults = [{ fault: "late", access: "interrupt", number: 2, delayNs: 100_000 }] as const;
  const address = campaignAddress("nvme", { seed: 5, faults });
  await page.goto(`${board.url}/lab${address}`);
  await says(page, "[role=grid]", /register/);
  await page.click("[data-screen=rig]");
  await says(page, ".rig h1", /nvme.*late:interrupt:2:100us, seed 5/);
  await says(page, ".verdict", /every contract was kept/);
  assert.deepEqual(wrong, []);
  await context.close();
});

test("what the doctor says becomes a post: nothing is sent but what is shown", {
  skip,
  timeout: 120_000,
}, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url);
  await page.goto(`${board.url}/lab#/doctor/serial?seed=1`);
  const log = 'The log of /Users/somebody/build says "IOUSBHostDevice" and jane.doe@example.com\n';
  await page.setInputFiles(".drop input[type=file]", fileOf("mail.txt", log));
  await says(page, ".doctor-says", /from 1 files/);
  await page.check("input[name=redact]");
  await page.click("text=Attach to a post");
  assert.doesNotMatch(await page.inputValue("#draft-text"), /somebody|jane\.doe/);
  await page.click("text=Preview as a post");
  await says(page, ".preview", /What the doctor says/);
  assert.deepEqual(wrong, []);
  await context.close();
});

/** Everything that a page has no reason to hold, whatever a file says. */
const foreign = `[
  document.querySelectorAll("script:not([src^='/lab']):not([src*='/lab-']), iframe, object, embed, base, img, style, math, video, template, form[action*='evil']").length,
  [...document.querySelectorAll("*")].filter((e) => [...e.attributes].some((a) => /^on/i.test(a.name) || a.name === "srcdoc")).length,
  [...document.querySelectorAll("a[href]")].filter((a) => new URL(a.href).origin !== location.origin).length,
]`;

const attacks = 2000;

/** Of every kind that a reader takes: as it is, and with its bytes changed and an attack in its middle. */
function* hostileKinds(random: Random): Generator<readonly [string, Uint8Array]> {
  for (const [kind, seed] of Object.entries(seeds)) {
    yield [`seed-${kind}`, seed];
    for (let round = 0; round < 5; round++) {
      const at = random.below(seed.length);
      const bytes = Buffer.concat([
        seed.subarray(0, at),
        Buffer.from(attack(random)),
        seed.subarray(at + random.below(4)),
      ]);
      bytes[random.below(bytes.length)] = random.below(256);
      yield [`mutated-${round}-${kind}`, bytes];
    }
  }
  const list = "<plist><dict><key>CFBundleIdentifier</key>";
  yield ["deep.plist", Buffer.from(list + "<array>".repeat(100_000))];
  const entities = '<!DOCTYPE p [<!ENTITY a "<img src=x onerror=alert(1)>"><!ENTITY b "&a;&a;">]>';
  yield ["laughs.plist", Buffer.from(`${entities}${list}<string>&b;</string></dict></plist>`)];
  const cyclic = binaryPlistSeed.slice();
  cyclic[14] = 0;
  yield ["cyclic.plist", cyclic];
  yield ["bomb.gz", gzipSync(new Uint8Array(32 << 20))];
  yield ["long-line.log", Buffer.alloc(1 << 20, "kIOReturnNotPermitted <script>alert(1)</script> ")];
}

test(`${attacks} attack strings in the evidence of every case, and files of every kind: no script runs, no request leaves`, {
  skip,
  timeout: 300_000,
}, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const random = new Random(25);
  const files: string[] = [];
  let planted = 0;
  const plant = (text: string, times: number): string => {
    const lines = text.split("\n");
    for (let count = 0; count < times; count++) {
      const at = random.next32() % lines.length;
      const hostile = attack(random).replace(/\n/g, " ");
      // Where a name or a value stands, or behind the line.
      const quoted = /"[^"]*"/.exec(lines[at]);
      lines[at] =
        quoted !== null && random.next32() % 2 === 0
          ? lines[at].replace(quoted[0], () => JSON.stringify(hostile))
          : lines[at] + hostile;
      planted++;
    }
    return lines.join("\n");
  };
  for (const entry of casebook) {
    const { evidence = [] } = await entry.run("bad", { seed: 1, turn: hostTurn });
    for (const file of evidence)
      if ("text" in file)
        files.push(fileOf(`${entry.id}-${file.name.replaceAll("/", "-")}`, plant(file.text, 20)));
  }
  files.push(
    fileOf("<img src=x onerror=alert(1)>.log", plant("kernel: (IOUSBHostFamily) stall\n".repeat(200), 400)),
  );
  files.push(fileOf("hostile.cpp", plant(lineCodingPost, 60)));
  for (const [name, bytes] of hostileKinds(random)) files.push(fileOf(name, bytes));
  while (planted < attacks) files.push(fileOf(`more-${planted}.txt`, plant(dumpOf([1, 2, 3, 4, 5]), 100)));
  await page.goto(`${board.url}/lab#/doctor/serial?seed=1`);
  await page.setInputFiles(".drop input[type=file]", files);
  await says(page, ".doctor-says", /\d+ answers, \d+ hints, from/);
  assert.deepEqual(await page.evaluate(foreign), [0, 0, 0]);
  await page.evaluate(
    "document.querySelectorAll('.doctor details').forEach((each) => { each.open = true; })",
  );
  const places = page.locator(".because button");
  for (let index = 0; index < Math.min(12, await places.count()); index++) {
    await places.nth(index).click();
    await says(page, ".opened-file pre", /\S/);
  }
  assert.deepEqual(await page.evaluate(foreign), [0, 0, 0]);
  await page.check("input[name=redact]");
  await says(page, ".redaction h2", /secrets replaced/);
  assert.deepEqual(await page.evaluate(foreign), [0, 0, 0]);
  // The same files as registries: names, keys and values of entries.
  await page.click("[data-screen=registry]");
  await page.setInputFiles(
    ".drop input[type=file]",
    files.filter((name) => /ioreg|more-/.test(name)),
  );
  await page.click(entry);
  await says(page, ".entry-part h2", /\S/);
  assert.deepEqual(await page.evaluate(foreign), [0, 0, 0]);
  assert.deepEqual(wrong, []);
  const own =
    /^\/(?:lab|lab[\w-]*\.(?:js|css)|style\.css|more\.css|favicon\.svg|(?:evidence|source)-worker\.js|source-(?:runtime|grammar)\.wasm)$/;
  assert.deepEqual(
    asked.filter((path) => !own.test(path)),
    [],
  );
  await context.close();
});
