// Walks through the lab, the same behind a server and in a copy that was opened from files, with the network off.

import assert from "node:assert/strict";
import { findCase } from "@drydock/cases/casebook";
import { lineCodingPost } from "@drydock/doctor/source/post-samples";
import { hostTurn } from "@drydock/node/host-turn";
import type { Page } from "playwright-core";
import { says } from "./watched-page.ts";

export interface WalkPlace {
  /** The lab's page, without what follows `#`. */
  readonly lab: string;
  /** A file of the walk's own. */
  fileOf(name: string, text: string | Uint8Array): string;
}

export const device = "[data-box='device 1'] .state";
export const mode = ".time-bar .mode";
export const entry = ".tree .entry:not([hidden])";

/** As `ioreg -l` prints a hub with so many devices on it, each with a vendor of its own. */
export const dumpOf = (vendors: readonly number[]): string =>
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

async function dropTwoDumps(page: Page, place: WalkPlace): Promise<void> {
  await page.setInputFiles(".drop input[type=file]", [
    place.fileOf("before.txt", dumpOf([0x403, 0x67b, 0x10c4])),
    place.fileOf("after.txt", dumpOf([0x403, 0x1a86])),
  ]);
}

export const rowsOf = async (page: Page): Promise<number> =>
  Number((await page.locator(".time-bar output").nth(1).innerText()).replaceAll(",", ""));

/** A device that moves, unplug, back one step, plug, the wrong byte. */
export async function minuteByMouse(page: Page, place: WalkPlace): Promise<void> {
  await page.goto(place.lab);
  await says(page, device, /running/);
  await page.waitForSelector(".wire.moving", { state: "attached" });
  await says(page, ".rate", /^\d+\/s$/);
  // The newest row is in sight, not under the edge of its table.
  await page.click("[data-act=unplug]");
  await says(page, device, /gone/);
  await page.click("[data-act=pause]");
  await says(page, mode, /paused/);
  const edges = `[document.querySelector(".scroller").getBoundingClientRect().bottom, Math.max(...[...document.querySelectorAll(".rows .row:not([hidden])")].map((row) => row.getBoundingClientRect().bottom))]`;
  for (const late = Date.now() + 30_000; ; ) {
    const [end, last] = (await page.evaluate(edges)) as [number, number];
    if (last <= end + 1 && (await page.locator(`.rows .row:has-text("${await rowsOf(page)}")`).count()) > 0)
      break;
    assert.ok(Date.now() < late, `the newest row ends at ${last}, the table at ${end}`);
    await page.waitForTimeout(50);
  }
  await says(page, mode, /paused/);
  await page.click("[data-act=step]");
  const before = await rowsOf(page);
  await page.click("[data-act=back]");
  const end = Date.now() + 30_000;
  while ((await rowsOf(page)) >= before) assert.ok(Date.now() < end, "one row less");
  await page.click("[data-act=plug]");
  await page.click("[data-act=run]");
  await says(page, device, /running/);
  // Drawn off its bus and brought back; the wire says what runs on it.
  await page.dragAndDrop("[data-box='device 1']", ".time-bar");
  await says(page, device, /gone/);
  await page.dragAndDrop("[data-box='device 1']", "[data-box='transport usb']");
  await says(page, device, /running/);
  await page.click(".wires .rate");
  await says(page, ".inspector h2", /The wire/);
  await page.click("[role=switch]:has-text('Drop the tenth')");
  await says(page, "[role=switch][aria-checked=true]", /Drop the tenth/);
  await page.click("[role=switch][aria-checked=true]");
  await page.waitForSelector("[role=switch][aria-checked=true]", { state: "detached" });
  await says(page, device, /running/);
  await page.click("[data-box='device 1']");
  await page.click("text=See the byte that was wrong in P02");
  await says(page, "#filter-says", /1 hit/);
  await page.waitForSelector(".rows .row:not(.blank):not([hidden])");
  await page.click(".rows .row:not(.blank):not([hidden])");
  await says(page, ".row-inspector .who", /IOUSBHostInterface\.deviceRequest \(P02Driver\)/);
  assert.equal(await page.locator(".hex .byte.bad").count(), 4);
  assert.match(await page.innerText(".fields .problem"), /dwDTERate[\s\S]*0 bits\/s wrong: the rate is 0/);
}

/** Why the driver matched, what a pulled cable leaves, two dumps compared; by mouse and keyboard. */
async function registryWalk(page: Page, place: WalkPlace): Promise<void> {
  await page.goto(place.lab);
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
  await dropTwoDumps(page, place);
  await says(page, "#registry-says", /0 appeared, 1 left, 1 changed, 2 the same/);
  await page.click(`${entry}.m-changed`);
  await says(page, ".entry-part .differs", /idVendor\s+6790 \(was 1659\)/);
  await page.click(`${entry}.m-gone`);
  await says(page, ".entry-part h2", /Device 2@14100002/);
  // A file that is none says what to do.
  await page.setInputFiles(".drop input[type=file]", place.fileOf("note.txt", "no registry"));
  await says(page, ".said.refusal", /note\.txt holds no registry: make one with "ioreg/);
}

/** A crash report to its line and its case, source by its own worker, what a redacted copy says. */
async function doctorWalk(page: Page, place: WalkPlace): Promise<void> {
  await page.goto(place.lab);
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  const { evidence = [] } = await findCase("P11").run("bad", { seed: 1, turn: hostTurn });
  const files = evidence.map((file) => place.fileOf(file.name, "text" in file ? file.text : file.bytes));
  await page.setInputFiles(".drop input[type=file]", files);
  await says(page, ".card .claim", /\S/);
  const line = page.locator(".because button").first();
  const asked = /:(\d+)$/.exec(await line.innerText())?.[1];
  await line.focus();
  await page.keyboard.press("Enter");
  await says(page, ".opened-file .asked .offset", new RegExp(`^${asked}$`));
  // Source is read by a worker with a policy of its own: what its rules find stands at its line.
  await page.setInputFiles(".drop input[type=file]", place.fileOf("Pasted.cpp", lineCodingPost));
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
  // Anew: an address that differs behind its # alone keeps the files.
  await page.goto("about:blank");
  await page.goto(`${place.lab}#/doctor/serial?seed=1`);
  await page.setInputFiles(".drop input[type=file]", files);
  await page.locator(".to-case").first().click();
  await says(page, ".one-case", /Trace of the wrong driver/);
  assert.match(page.url(), /#\/cases\/P11/);
}

/** P11: the kill stands out behind the storm; a span by mouse and by keys, as text, and in the trace. */
async function lanesWalk(page: Page, place: WalkPlace): Promise<void> {
  await page.goto(`${place.lab}#/trace/P11?seed=1&side=bad`);
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
}

/** P19's lost blocks and its ledger; a disk that is written, flushed and cut by its buttons, most of it by keyboard. */
async function diskWalk(page: Page, place: WalkPlace): Promise<void> {
  await page.goto(`${place.lab}#/consoles/P19?seed=1&side=bad`);
  await says(page, ".disk-says", /[1-9]\d* lost\.$/);
  await says(page, ".no-flush", /No flush has reached this disk/);
  await says(page, ".ledger .guilty", /class driver\s*requested 1, sent 0, suppressed 1/);
  const [, lost] = /(\d+) lost\.$/.exec(await page.innerText(".disk-says")) ?? assert.fail();
  assert.equal(await page.locator(".one-disk td:text-is('lost')").count(), Math.min(40, Number(lost)));
  await page.goto(`${place.lab}#/consoles/P19?seed=1&side=good`);
  await says(page, ".disk-says", /^64 flushed, 0 dirty, 0 caught by a power cut, 0 lost\.$/);
  await page.goto(`${place.lab}#/consoles/storage?seed=1&t=5`);
  await says(page, mode, /paused/);
  await page.click(".disks [data-act=write]");
  await page.locator("h1").click();
  await page.keyboard.press("Space");
  await says(page, ".disk-says", /64 dirty/);
  await page.focus(".disks [data-act=flush]");
  await page.keyboard.press("Enter");
  await says(page, ".disk-says", /^64 flushed, 0 dirty/);
  await says(page, ".one-disk .wide", /SYNCHRONIZE CACHE/);
  await page.focus(".disks [data-act=write]");
  await page.keyboard.press("Enter");
  await says(page, ".disk-says", /64 dirty/);
  await page.focus(".disks [data-act=power-cut]");
  await page.keyboard.press("Enter");
  await says(page, ".disk-says", /64 caught by a power cut/);
}

/** P15's bar, and P18's refused address among its causes. */
async function powerAndDmaWalk(page: Page, place: WalkPlace): Promise<void> {
  await page.goto(`${place.lab}#/consoles/P15?seed=1&side=bad`);
  await says(page, ".budget .over", /never acknowledged within 20\.000 s/);
  assert.equal(await page.getAttribute(".budget tbody tr:last-child meter", "value"), "1");
  await page.click(".budget tbody tr:last-child a");
  await says(page, ".row-inspector h2", /0 -> 2: never acknowledged/);
  await page.goto(`${place.lab}#/consoles/P18?seed=1&side=bad`);
  await says(page, ".dma-ledger", /went to local memory at 0x801[0-9a-f]+/);
  await page.focus("#cause");
  await page.keyboard.type("swapped");
  await says(
    page,
    ".refusals",
    /write of 6 bytes at 0x[0-9a-f]{1,6} refused: no mapping; missed .* by \d+ bytes/,
  );
  assert.match(page.url(), /fault=swapped-address/);
}

/** Keys by mouse and by keyboard, frames that come back. */
async function inputAndNetworkWalk(page: Page, place: WalkPlace): Promise<void> {
  await page.goto(`${place.lab}#/consoles/inputs?seed=1`);
  await says(page, ".heard >> nth=1", /events heard/);
  await page.click("[data-press='1:26']");
  await says(page, ".inputs", /A down/);
  await page.focus("[data-press='2:3']");
  await page.keyboard.press("Enter");
  await says(page, ".inputs", /pressed: \w+/);
  await page.goto(`${place.lab}#/consoles/ethernet?seed=1`);
  await says(page, ".network .counters", /link up at \d+ Mbit\/s/);
  await page.click("[data-act=send-frames]");
  await says(page, ".network .counters >> nth=1", /cable 1\s+10\s+600\s+10\s+600/);
}

/** Which seed fails: tried by workers, with progress; what is left opens as a link and is the same run. */
async function seedWalk(page: Page, place: WalkPlace): Promise<void> {
  const idle = ["run-to 0.02", "unplug 1", "run-to 0.03", "plug 1", "run-to 0.5"];
  const words = new URLSearchParams({ seed: "1", fault: "stall:ep=0,probability=0.02" });
  words.append("fault", "stall:ep=0x99,nth=1");
  for (const line of idle) words.append("act", line);
  await page.goto(`${place.lab}#/rig/serial?${words}`);
  await says(page, mode, /paused/);
  await says(page, ".time-bar .t", /0\.500000/);
  await page.keyboard.press("Control+k");
  await page.waitForSelector("#palette-line:focus");
  await page.keyboard.type("which-seed 40");
  await page.keyboard.press("Enter");
  await says(page, ".seed-search", /Seed \d+ fails: .*It fails without .*the fault stall:ep=0x99,nth=1/s);
  const href = (await page.getAttribute(".seed-search a", "href")) ?? assert.fail("a link");
  assert.match(href, /fault=stall.*act=run-to\+0\.5/);
  assert.doesNotMatch(href, /0x99/);
  await page.keyboard.press("Escape");
  await page.waitForSelector(".seed-search", { state: "detached" });
  const toTrace = href.replace("#/rig/", "#/trace/");
  const digestOf = async (): Promise<string> => {
    await page.waitForSelector(".trace[data-digest]:not([data-digest=''])");
    return (await page.getAttribute(".trace", "data-digest")) ?? "";
  };
  await page.click("[data-screen=trace]");
  const digest = await digestOf();
  await page.goto("about:blank");
  await page.goto(place.lab + toTrace);
  await says(page, ".time-bar .t", /0\.500000/);
  assert.equal(await digestOf(), digest);
  // Stopped half-way it says how far it was.
  await page.goto(`${place.lab}#/rig/serial?seed=1&t=5`);
  await says(page, mode, /paused/);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("which-seed 1000");
  await page.keyboard.press("Enter");
  await says(page, ".seed-search [role=status]", /[1-9]\d* of 1000 seeds tried by/);
  await page.click(".seed-search button");
  await says(page, ".said", /Stopped after \d+ of 1000 seeds/);
}

/** By the names of tests. */
export const walks: readonly (readonly [string, (page: Page, place: WalkPlace) => Promise<void>])[] = [
  ["the registry: why the driver matched, what a pulled cable leaves, two dumps compared", registryWalk],
  [
    "the doctor: a crash report to its line and its case, source by its own worker, a redacted copy",
    doctorWalk,
  ],
  [
    "P11 in lanes: the kill behind the storm; a span by mouse and by keys, as text, and in the trace",
    lanesWalk,
  ],
  ["disks: P19's lost blocks and its ledger; written, flushed, cut", diskWalk],
  ["P15's bar; P18's refused address among its causes", powerAndDmaWalk],
  ["keys that are pressed and heard, frames that come back", inputAndNetworkWalk],
  ["which seed fails: by workers, and what is left as a link", seedWalk],
];
