// The lab in Chromium: the first minute by mouse, touch and keyboard; every screen; the console; the same digests.

import assert from "node:assert/strict";
import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { casebook } from "@drydock/cases/casebook";
import { digestOfRun } from "@drydock/cases/run-digest";
import { acts } from "@drydock/lab/session/acts";
import { hostTurn } from "@drydock/node/host-turn";
import type { Browser } from "playwright-core";
import type { RunningBoard } from "../../src/server.ts";
import { boardInChromium } from "../board-in-chromium.ts";
import { withoutChromium } from "../chromium.ts";
import { device, minuteByMouse, mode, rowsOf } from "../lab-walks.ts";
import { npmStart } from "../npm-start.ts";
import { says, seriousFindings, watchedPage } from "../watched-page.ts";

const skip = withoutChromium;
let folder = "";
let board: RunningBoard;
let browser: Browser;

boardInChromium("lab", (made) => {
  ({ folder, board, browser } = made);
});

const wrongByte = "#/trace/P02?seed=7&side=bad&filter=SET_LINE_CODING";

test("the first minute by mouse: a device that moves, unplug, back one step, plug, the wrong byte", {
  skip,
  timeout: 120_000,
}, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url, {
    viewport: { width: 1280, height: 800 },
  });
  await page.goto(`${board.url}/p/2`);
  await page.click("text=Open it in the lab");
  await says(page, ".trace-head h1", /P02/);
  await page.click("[data-screen=cases]");
  await minuteByMouse(page, { lab: `${board.url}/lab`, fileOf: () => assert.fail("no file is needed") });
  assert.deepEqual(wrong, []);
  await context.close();
});

test("the first minute by keyboard alone", { skip, timeout: 120_000 }, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url);
  await page.goto(`${board.url}/lab`);
  await says(page, device, /running/);
  await page.keyboard.press("u");
  await says(page, device, /gone/);
  await page.keyboard.press("Space");
  await says(page, mode, /paused/);
  await page.keyboard.press(".");
  await page.keyboard.press(",");
  await page.keyboard.press("p");
  await page.keyboard.press("Space");
  await says(page, device, /running/);
  await page.keyboard.press("Control+k");
  await page.waitForSelector("#palette-line:focus");
  await page.keyboard.type("unplug 1");
  await page.keyboard.press("Enter");
  await says(page, device, /gone/);
  await page.keyboard.press("g");
  await page.keyboard.press("k");
  await page.waitForSelector(".cases .list");
  await page.goto(`${board.url}/lab${wrongByte}`);
  await says(page, "#filter-says", /1 hit/);
  await page.locator(".scroller").focus();
  await page.keyboard.press("ArrowDown");
  await says(page, ".row-inspector .who", /deviceRequest/);
  await page.keyboard.press("E");
  await says(page, ".row-inspector h2", /answer to/);
  await page.keyboard.press("e");
  await says(page, ".row-inspector h2", /SET_LINE_CODING/);
  // Rows come and go in the page: what is marked is copied all the same.
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.fill("#filter", "GET_DESCRIPTOR");
  await page.check("input[name=mark]");
  await says(page, "#filter-says", /^\d+ hits among 30 rows/);
  await page.waitForSelector(".marks rect", { state: "attached" });
  await page.keyboard.press("Escape");
  await page.locator(".scroller").focus();
  await page.keyboard.press("Escape");
  await page.waitForSelector(".row-inspector .fields", { state: "detached" });
  await page.keyboard.press("n");
  await says(page, ".row-inspector h2", /GET_DESCRIPTOR/);
  const hit = await page.innerText(".row-inspector h2");
  await page.keyboard.press("n");
  await says(page, ".row-inspector h2", new RegExp(`^(?!${hit}$)`));
  await page.keyboard.press("N");
  await says(page, ".row-inspector h2", new RegExp(`^${hit}$`));
  // The one line of the screen that moves, and is where it was when one comes back.
  await page.locator(".splitter").focus();
  for (let times = 0; times < 5; times++) await page.keyboard.press("ArrowUp");
  assert.equal(await page.getAttribute(".splitter", "aria-valuenow"), "48");
  await page.reload();
  await page.waitForSelector(".splitter[aria-valuenow='48']");
  await page.dblclick(".splitter");
  await page.waitForSelector(".splitter[aria-valuenow='38']");
  await page.uncheck("input[name=mark]");
  await page.fill("#filter", "");
  await page.locator(".scroller").focus();
  await page.keyboard.press("Home");
  for (let times = 0; times < 3; times++) await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Control+c");
  await says(page, ".said", /Copied: 4 rows/);
  assert.match(String(await page.evaluate("navigator.clipboard.readText()")), /^1\t(?:.*\n){4}$/);
  await page.keyboard.press("?");
  await page.waitForSelector("dialog .keys");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  assert.deepEqual(wrong, []);
  await context.close();
});

test("the first minute by touch at 360 px: device and Unplug are there without scrolling", {
  skip,
  timeout: 120_000,
}, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url, {
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
  });
  await page.goto(`${board.url}/lab`);
  await says(page, device, /running/);
  for (const selector of ["[data-act=unplug]", "[data-box='device 1']", "[data-act=back]"]) {
    const place = await page.locator(selector).first().boundingBox();
    assert.ok(
      place !== null && place.y >= 0 && place.y + place.height <= 740 && place.x + place.width <= 360,
      selector,
    );
  }
  // Everything of the first screen is here: the network may go.
  await context.setOffline(true);
  await page.tap("[data-act=unplug]");
  await says(page, device, /gone/);
  await page.tap("[data-act=plug]");
  await says(page, device, /running/);
  await page.tap("[data-act=pause]");
  await page.tap("[data-act=back]");
  await says(page, mode, /paused/);
  await page.tap("[data-screen=trace]");
  await page.fill("#filter", "GET_DESCRIPTOR");
  await says(page, "#filter-says", /^[1-9]\d* hits/);
  await context.setOffline(false);
  await page.goto(`${board.url}/lab${wrongByte}`);
  await says(page, "#filter-says", /1 hit/);
  await page.waitForSelector(".rows .row:not(.blank):not([hidden])");
  await page.tap(".rows .row:not(.blank):not([hidden]) .c-what");
  await says(page, ".row-inspector .who", /deviceRequest/);
  assert.deepEqual(wrong, []);
  await context.close();
});

test("every screen at 1280, 800 and 360 px in both themes: nothing serious for axe, nothing wider than the window", {
  skip,
  timeout: 240_000,
}, async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    const { page, context, wrong } = await watchedPage(browser, board.url, { colorScheme, bypassCSP: true });
    for (const [hash, ready] of [
      ["#/rig/serial?seed=1", device],
      ["#/trace/P02?seed=7&side=bad&row=22", ".row-inspector .fields"],
      ["#/registry/serial?seed=1", ".tree .entry:not([hidden])"],
      ["#/time/P15?seed=1&side=bad", ".span-text td"],
      ["#/doctor/serial?seed=1", ".doctor .drop"],
      ["#/consoles/serial?seed=1", ".console .screen"],
      ["#/consoles/P19?seed=1&side=bad", ".disks canvas"],
      ["#/consoles/P15?seed=1&side=bad", ".budget td"],
      ["#/consoles/P18?seed=1&side=bad&fault=swapped-address", ".refusals"],
      ["#/consoles/inputs?seed=1&t=2", ".heard"],
      ["#/consoles/ethernet?seed=1&t=3", ".network .counters"],
      ["#/cases/P02?seed=7", ".one-case .verdict"],
    ]) {
      await page.goto(`${board.url}/lab${hash}`);
      await page.waitForSelector(ready);
      if (await page.locator("[data-act=pause]").count()) await page.click("[data-act=pause]");
      for (const width of [1280, 800, 360]) {
        await page.setViewportSize({ width, height: 800 });
        const wide = await page.evaluate("document.documentElement.scrollWidth");
        assert.ok(Number(wide) <= width, `${hash} is ${wide} px wide in ${width} px`);
        assert.deepEqual(await seriousFindings(page), [], `${hash} ${colorScheme} ${width}`);
      }
    }
    // The Doctor with evidence: cards, the opened line, what is redacted.
    await page.goto(`${board.url}/lab#/doctor/serial?seed=1`);
    const text = 'panic(cpu 0 caller 0xfffffe0012345678): "user1 jane.doe@example.com: LLC Bus error"\n';
    await page.setInputFiles(".drop input[type=file]", [
      { name: "kernel.panic", mimeType: "text/plain", buffer: Buffer.from(text) },
      { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("completed with 0xe00002eb\n") },
    ]);
    await says(page, ".card .claim", /\S/);
    await page.evaluate(
      "for (const card of document.querySelectorAll('.card details, details.card')) card.open = true",
    );
    await page.locator(".because button").first().click();
    await says(page, ".opened-file .asked", /\S/);
    await page.check("input[name=redact]");
    await says(page, ".redaction h2", /Redacted/);
    for (const width of [1280, 800, 360]) {
      await page.setViewportSize({ width, height: 800 });
      assert.deepEqual(await seriousFindings(page), [], `Doctor with evidence, ${colorScheme} ${width}`);
    }
    assert.deepEqual(wrong, []);
    await context.close();
  }
});

test("the console echoes through the FTDI stair, and the trace has the bytes both ways", {
  skip,
  timeout: 60_000,
}, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url);
  await page.goto(`${board.url}/lab#/consoles/serial?seed=1`);
  await page.waitForSelector("#line:not([disabled])");
  await page.fill("#line", "ahoy");
  await page.keyboard.press("Enter");
  await says(page, ".console .screen", /ahoy/);
  // Into the terminal itself, key by key; what a device sends is obeyed.
  await page.click(".terminal .xterm-screen");
  await page.keyboard.type("\x1b[7mbeam ");
  await says(page, ".console .screen", /beam/);
  await page.uncheck("input[name=dtr]");
  await page.click("[data-act=break]");
  await page.waitForFunction("document.querySelector('input[name=dtr]').checked === false");
  await page.click("[data-act=pause]");
  await page.click("[data-screen=trace]");
  await page.fill("#filter", 'what:"bulk out"');
  await says(page, "#filter-says", /^[1-9]\d* hits?$/);
  await page.locator(".scroller").focus();
  await page.keyboard.press("Home");
  await says(page, ".hex", /61 68 6f 79/);
  await page.fill("#filter", "MODEM_CTRL");
  await says(page, "#filter-says", /^[1-9]\d* hits?$/);
  assert.deepEqual(wrong, []);
  await context.close();
});

test("one address, one digest: every case and side in the page as in Node", {
  skip,
  timeout: 240_000,
}, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url);
  await page.goto(`${board.url}/lab`);
  // The session's own digest, asked as "Copy JSON" does.
  for (const entry of casebook)
    for (const side of ["bad", "good"] as const) {
      await page.goto(`${board.url}/lab#/trace/${entry.id}?seed=5&side=${side}`);
      await says(page, ".trace-head h1", new RegExp(`${entry.id}.*, ${side} driver`));
      const digest = digestOfRun(entry, await entry.run(side, { seed: 5, turn: hostTurn }));
      assert.equal(await page.getAttribute(".trace", "data-digest"), digest, `${entry.id} ${side}`);
    }
  assert.deepEqual(wrong, []);
  await context.close();
});

test("two seeds side by side, P19's ledger, P14's slider, files to take away, reduced motion", {
  skip,
  timeout: 120_000,
}, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url, {
    reducedMotion: "reduce",
    acceptDownloads: true,
  });
  await page.goto(`${board.url}/lab#/trace/P02?seed=7&side=bad`);
  await says(page, ".trace-head h1", /P02/);
  await page.click("[data-act=against-side]");
  await says(
    page,
    ".difference",
    /Against the good driver the first difference is row \d+: here .* 00 00 00 00 00 00 00/s,
  );
  await page.click("text=Take away");
  for (const [text, name] of [
    ["Capture for Wireshark", "drydock-P02-7.pcapng"],
    ["Lanes for Perfetto", "drydock-P02-7.perfetto.json"],
    ["Trace as text", "drydock-P02-7.tsv"],
  ]) {
    const coming = page.waitForEvent("download");
    await page.click(`.menu .item:has-text("${text}")`);
    assert.equal((await coming).suggestedFilename(), name);
  }
  // The fault as a switch, and both drivers in lockstep.
  await page.goto(`${board.url}/lab#/cases/P02?seed=7`);
  await page.click("[role=switch][aria-checked=true]");
  await says(page, "[role=switch][aria-checked=false]", /right driver/);
  await page.click("text=One on");
  await says(page, ".lockstep output", /step 8 of 10/);
  await page.waitForSelector(".traces .trace:nth-child(2) li.asked");
  assert.equal(await page.locator(".traces li.asked").count(), 2);
  // P19's ledger names who swallowed the flush; P14's cable goes one step later, and the verdict is of that step.
  await page.goto(`${board.url}/lab#/trace/P19?seed=1&side=bad`);
  await says(page, ".ledger .guilty", /class driver\s*requested 1, sent 0, suppressed 1/);
  await page.goto(`${board.url}/lab#/trace/P14?seed=1&side=bad&unplug=5`);
  await says(page, ".verdict", /unplugged before step 5:/);
  await page.click("text=One later");
  await says(page, ".verdict", /unplugged before step 6:/);
  await page.goto(`${board.url}/lab#/trace/serial?seed=7&t=1`);
  await says(page, mode, /paused/);
  await page.click("[data-act=against-seed]");
  await says(page, ".difference", /against seed 8/i);
  await page.goto(`${board.url}/lab#/rig/serial?seed=1`);
  // The wire moves while something passes: it is looked at in one breath.
  let animation = "";
  for (const end = Date.now() + 30_000; animation === ""; ) {
    assert.ok(Date.now() < end, "a wire moves");
    animation = String(
      await page.evaluate(
        "[...document.querySelectorAll('.wire.moving')].map((wire) => getComputedStyle(wire).animationName)[0] ?? ''",
      ),
    );
  }
  assert.equal(animation, "none");
  assert.deepEqual(wrong, []);
  await context.close();
});

/** Takes what the page tells its session to do, and lets none of it happen. */
const listening = `
  window.toldActs = [];
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...rest) {
    if (message.kind === "act") window.toldActs.push(message.act.name + " " + message.act.value);
    else post.call(this, message, ...rest);
  };`;

/** One act by its button, by the palette's item and by the palette's line, as fast as the page takes it. */
const threeWays = `async (name, words) => {
  const until = async (find) => {
    for (let tries = 0; tries < 3000; tries++) {
      const found = find();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(name + ": never " + find);
  };
  const one = (selector) => document.querySelector(selector);
  const palette = async () => {
    await until(() => one("dialog") === null);
    const keys = { key: "k", ctrlKey: true, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new KeyboardEvent("keydown", keys));
    return await until(() => one("#palette-line"));
  };
  // Seeds are searched by workers of the page: what is told is how many.
  const searched = async () => {
    if (name !== "which-seed") return;
    const dialog = await until(() => one(".seed-search"));
    window.toldActs.push(name + " " + dialog.querySelector("progress").max);
    dialog.close();
  };
  one('[data-every-act="' + name + '"]').click();
  await searched();
  await palette();
  (await until(() => one('[data-palette="' + name + '"]'))).click();
  await searched();
  const line = await palette();
  const all = document.querySelectorAll("[data-palette]").length;
  line.value = words;
  line.dispatchEvent(new Event("input", { bubbles: true }));
  await until(() => document.querySelectorAll("[data-palette]").length < all);
  line.form.requestSubmit();
  await searched();
  await until(() => one("dialog") === null);
  return window.toldActs.splice(0);
}`;

test("each act of the table by line, by palette and by button", { skip, timeout: 180_000 }, async () => {
  const { page, context, wrong } = await watchedPage(browser, board.url);
  await page.addInitScript(listening);
  const reached = new Set<string>();
  for (const [address, act] of [
    ["#/rig/serial?seed=1&t=0", "unplug"],
    ["#/rig/storage?seed=1&t=0", "write"],
    ["#/rig/keyboard?seed=1&t=0", "press"],
    ["#/rig/ethernet?seed=1&t=0", "send-frames"],
    ["#/trace/P02?seed=7&side=bad", "against-side"],
    ["#/trace/P14?seed=1&side=bad", "unplug-at"],
  ]) {
    await page.goto(`${board.url}/lab${address}`);
    await page.click("summary:has-text('Everything one can do')");
    await page.waitForSelector(`[data-every-act=${act}]`);
    const names = (await page.evaluate(
      "window.toldActs.length = 0, [...document.querySelectorAll('[data-every-act]')].map((one) => one.dataset.everyAct)",
    )) as string[];
    for (const name of names.filter((each) => !reached.has(each))) {
      const { argument, usual } = acts.find((known) => known.name === name) ?? assert.fail(name);
      const value = argument === "none" ? "" : usual || "7";
      const told = await page.evaluate(`(${threeWays})("${name}", "${name} ${value}")`);
      assert.deepEqual(told, [`${name} ${usual}`, `${name} ${usual}`, `${name} ${value}`]);
      reached.add(name);
    }
  }
  assert.deepEqual([...reached].sort(), acts.map(({ name }) => name).sort());
  assert.deepEqual(wrong, []);
  await context.close();
});

test("the rigs of npm start, watched: cables, a step back on the server, a kill and a start", {
  skip,
  timeout: 120_000,
}, async () => {
  const home = join(folder, "desk");
  let started = await npmStart(home, 0, ["--lab", "storage"]);
  try {
    const { page, context, wrong } = await watchedPage(browser, started.url);
    await page.goto(`${started.url}/lab`);
    await says(page, device, /running/);
    await page.click("text=Watch the rig of the server");
    await says(page, ".inspector h2", /of this desk/);
    await says(page, device, /running/);
    await page.waitForSelector(".rows .row:not(.blank):not([hidden])");
    // Its terminal is a real one.
    const terminal = openSync(
      join(home, "tty"),
      constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK,
    );
    writeSync(terminal, "ahoy");
    const echoed = Buffer.alloc(16);
    for (let at = 0, end = Date.now() + 30_000; at < 4; await page.waitForTimeout(20)) {
      assert.ok(Date.now() < end, `it comes back: ${echoed}`);
      try {
        at += readSync(terminal, echoed, at, 4 - at, null);
      } catch {
        // Nothing yet.
      }
    }
    assert.equal(echoed.toString("utf8", 0, 4), "ahoy");
    closeSync(terminal);
    const before = await rowsOf(page);
    assert.ok(before > 20, "what happened before somebody watched is there too");
    await page.click("[data-act=unplug]");
    await says(page, device, /gone/);
    await page.click("[data-act=plug]");
    await says(page, device, /running/);
    const end = Date.now() + 30_000;
    while ((await rowsOf(page)) < before + 20) assert.ok(Date.now() < end, "new rows come");
    assert.equal(await page.locator("[data-act=back]").count(), 0, "what is outside does not go back");
    // Another rig of the server, in its own thread: it goes back as one of the page does.
    await page.goto(`${started.url}/lab#/rig/server-storage`);
    await says(page, ".inspector h2", /on the server/);
    await says(page, device, /running/);
    await says(page, ".time-bar output >> nth=1", /^\d{3}/);
    await page.click("[data-act=pause]");
    await says(page, mode, /paused/);
    const stood = await rowsOf(page);
    await page.click("[data-act=back]");
    for (const late = Date.now() + 30_000; (await rowsOf(page)) >= stood; )
      assert.ok(Date.now() < late, "a row less");
    assert.deepEqual(wrong, []);
    await started.end("SIGKILL");
    await says(page, mode, /the server does not answer/);
    started = await npmStart(home, Number(new URL(started.url).port), ["--lab", "storage"]);
    await says(page, mode, /running/);
    await says(page, device, /running/);
    await context.close();
  } finally {
    await started.end();
  }
});
