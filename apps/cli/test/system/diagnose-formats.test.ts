// drydock diagnose as people and pipelines run it: formats, exit codes, the HTML file in Chromium without a network.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { lineCodingGood, lineCodingPost } from "@drydock/doctor/source/post-samples";
import { assertDiagnosis, assertSarif } from "@drydock/doctor/test/schema-check";
import { chromium } from "playwright-core";

const executablePath = "/usr/bin/chromium";
const missing = existsSync(executablePath) ? false : "chromium is missing: apt-get install chromium";
const folder = mkdtempSync(join(tmpdir(), "drydock-diagnose-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const bad = join(folder, "post.md");
const good = join(folder, "good.cpp");
writeFileSync(bad, lineCodingPost);
writeFileSync(good, lineCodingGood);

function drydock(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const main = join(import.meta.dirname, "../../src/main.ts");
  return spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
}

// Kind 19 of the field: pbpaste | drydock diagnose -
const pasted: readonly (readonly [args: readonly string[], input: string, status: number, said: RegExp])[] = [
  [
    ["diagnose", "-"],
    "kernel: DK: LampUC-0x1:UC failed userclient-access check, needed bundle ID net.sample.lamp\n",
    1,
    /LampUC has no userclient-access key/,
  ],
  [
    ["diagnose", "-", "--json"],
    "libusb: error [darwin_open] USBDeviceOpen: another process has device opened for exclusive access\n",
    1,
    /"FX-HELD"/,
  ],
  [
    ["redact", "-"],
    "dyld: /Users/erika/x.dylib not loaded\n",
    0,
    /^dyld: \/Users\/user1\/x\.dylib not loaded$/m,
  ],
  [["explain", "-"], "0xe00002c5\n", 0, /kIOReturnExclusiveAccess/],
  [["explain", "-"], "OSSystemExtensionErrorDomain error 9.\n", 0, /validation/],
];
for (const [args, input, status, said] of pasted)
  test(`${args.join(" ")} reads what is piped in: ${input.slice(0, 40).trim()}`, () => {
    const main = join(import.meta.dirname, "../../src/main.ts");
    const result = spawnSync(process.execPath, [main, ...args], { encoding: "utf8", input });
    assert.equal(result.status, status, result.stderr);
    assert.match(result.stdout, said);
  });

test("each format is whole, and the exit code says whether something is known", () => {
  const json = drydock("diagnose", bad, "--json");
  assert.equal(json.status, 1, json.stderr);
  assertDiagnosis(JSON.parse(json.stdout));
  const sarif = drydock("diagnose", bad, "--sarif");
  assert.equal(sarif.status, 1);
  assertSarif(JSON.parse(sarif.stdout));
  const github = drydock("diagnose", bad, "--github");
  assert.equal(github.status, 1);
  assert.match(github.stdout, /^::error file=post\.md,line=22,col=5,title=DR02-2/m);
  const clean = drydock("diagnose", good, "--sarif");
  assert.equal(clean.status, 0);
  assertSarif(JSON.parse(clean.stdout));
});

test("two formats at once, or a path that is not there, is a wrong use and says so", () => {
  const two = drydock("diagnose", bad, "--json", "--html");
  assert.equal(two.status, 2);
  assert.equal(two.stderr, "drydock: --json and --html exclude each other; leave one of them out\n");
  const nothing = drydock("diagnose", join(folder, "nothing"));
  assert.equal(nothing.status, 2);
  assert.match(nothing.stderr, /^drydock: path cannot be read: there is no /);
});

test("the HTML file stands alone: no request, no error, no sideways scrolling, the answer in sight", {
  timeout: 60_000,
  skip: missing,
}, async () => {
  const page = join(folder, "report.html");
  writeFileSync(page, drydock("diagnose", bad, "--html").stdout);
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
    const context = await browser.newContext({ offline: true, viewport: { width: 390, height: 844 } });
    const tab = await context.newPage();
    const requests: string[] = [];
    const errors: string[] = [];
    tab.on("request", (request) => requests.push(request.url()));
    tab.on("console", (message) => errors.push(message.text()));
    tab.on("pageerror", (error) => errors.push(String(error)));
    await tab.goto(pathToFileURL(page).href);
    assert.deepEqual(requests, [pathToFileURL(page).href]);
    assert.deepEqual(errors, []);
    assert.equal(await tab.evaluate("document.documentElement.scrollWidth"), 390);
    const claim = tab.locator(".claim").first();
    assert.match((await claim.textContent()) ?? "", /copies over the variable ptr/);
    assert.ok(((await claim.boundingBox())?.y ?? 844) < 300, "the answer is at the top");
    const folded = tab.locator("details").first();
    await folded.locator("summary").click();
    assert.ok(await folded.locator("ol").isVisible(), "what is folded opens without a script");
  } finally {
    await browser.close();
  }
});
