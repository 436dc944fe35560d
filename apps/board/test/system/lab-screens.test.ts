// The lab's later screens in Chromium, by mouse and keyboard: registry, time, consoles, doctor.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { casebook, findCase } from "@drydock/cases/casebook";
import { Random } from "@drydock/core/base/random";
import { lineCodingPost } from "@drydock/doctor/source/post-samples";
import { hostTurn } from "@drydock/node/host-turn";
import type { Browser, Page } from "playwright-core";
import type { RunningBoard } from "../../src/server.ts";
import { attack } from "../attack-strings.ts";
import { boardInChromium } from "../board-in-chromium.ts";
import { withoutChromium } from "../chromium.ts";
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

/** Everything that a page has no reason to hold, whatever a file says. */
const foreign = `[
  document.querySelectorAll("script:not([src^='/lab']):not([src*='/lab-']), iframe, object, embed, base, img, style, math, video, template, form[action*='evil']").length,
  [...document.querySelectorAll("*")].filter((e) => [...e.attributes].some((a) => /^on/i.test(a.name) || a.name === "srcdoc")).length,
  [...document.querySelectorAll("a[href]")].filter((a) => new URL(a.href).origin !== location.origin).length,
]`;

test("the doctor: a crash report to its line and its case, source by its own worker, what a redacted copy says, a post of it", {
  skip,
  timeout: 180_000,
}, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url);
  await page.goto(`${board.url}/lab`);
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  const { evidence = [] } = await findCase("P11").run("bad", { seed: 1, turn: hostTurn });
  const files = evidence.map((file) => fileOf(file.name, "text" in file ? file.text : file.bytes));
  await page.setInputFiles(".drop input[type=file]", files);
  await says(page, ".card .claim", /\S/);
  const line = page.locator(".because button").first();
  const asked = /:(\d+)$/.exec(await line.innerText())?.[1];
  await line.focus();
  await page.keyboard.press("Enter");
  await says(page, ".opened-file .asked .offset", new RegExp(`^${asked}$`));
  // Source is read by a worker with a policy of its own: what its rules find stands at its line.
  await page.setInputFiles(".drop input[type=file]", fileOf("Pasted.cpp", lineCodingPost));
  await page.click("[data-rule='DR02-5'] summary");
  await says(page, "[data-rule='DR02-5'] .because", /Pasted\.cpp:10/);
  // What names somebody is a word, in the report and in the copy; nothing is sent but what is shown.
  await page.click("summary:has-text('Or paste text')");
  await page.fill(
    ".paste textarea",
    'The log of /Users/somebody/build says "IOUSBHostDevice" and jane.doe@example.com\n',
  );
  await page.click("text=Diagnose it");
  await says(page, ".file-list", /pasted\.txt/);
  await page.check("input[name=redact]");
  await says(page, ".redaction h2", /Redacted: \d+ secrets replaced/);
  await page.click(".redaction summary:has-text('pasted.txt')");
  await says(page, ".redaction details[open] mark", /user1|person1/);
  await page.locator(".because button").first().click();
  await says(page, ".opened-file .asked", /\S/);
  await page.click("text=Attach to a post");
  assert.doesNotMatch(await page.inputValue("#draft-text"), /somebody|jane\.doe/);
  await page.click("text=Preview as a post");
  await says(page, ".preview", /What the doctor says/);
  await page.goto(`${board.url}/lab#/doctor/serial?seed=1`);
  await page.setInputFiles(".drop input[type=file]", files);
  await page.locator(".to-case").first().click();
  await says(page, ".one-case", /Trace of the wrong driver/);
  assert.match(page.url(), /#\/cases\/P11/);
  assert.deepEqual(wrong, []);
  await context.close();
});

const attacks = 2000;

test(`${attacks} attack strings in the evidence of every case: no script runs, no request leaves`, {
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

test("P11 in lanes: the kill stands out behind the storm; a span by mouse and by keys, as text, and in the trace", {
  skip,
  timeout: 180_000,
}, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url);
  await page.goto(`${board.url}/lab#/trace/P11?seed=1&side=bad`);
  await says(page, ".trace-head h1", /P11/);
  await page.keyboard.press("g");
  await page.keyboard.press("i");
  await says(page, "#time-says", /60,921 rows in 11 lanes/);
  assert.match(await page.innerText(".lane-names .bad"), /Kernel process-killed 1/);
  const lanes = page.locator(".lanes canvas");
  const box = (await lanes.boundingBox()) ?? assert.fail("lanes are drawn");
  // Over the end of the storm, where the dext is killed.
  await page.mouse.move(box.x + box.width - 40, box.y + 12);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + 12, { steps: 3 });
  await page.mouse.up();
  await says(page, "#time-says", /^0\.22\d+ s to 0\.23\d+ s: [1-9]/);
  assert.match(page.url(), /span=0\.22\d+-0\.23\d+/);
  await lanes.focus();
  await page.keyboard.press("f");
  await says(page, "#time-says", /60,921 rows/);
  await page.keyboard.press("w");
  await page.keyboard.press("a");
  await says(page, "#time-says", /^0\.0\d+ s to 0\.1\d+ s/);
  await page.click("text=All of it");
  await says(page, ".span-text", /registered: IOUserResources/);
  await page.click("[data-filter]");
  await says(page, "#filter-says", /60,921 hits/);
  assert.deepEqual(wrong, []);
  await context.close();
});
