// A Web Serial page in Chromium, tested without the device: node --test page-serial.test.mjs

import assert from "node:assert/strict";
import { test } from "node:test";
import { rigFor } from "@drydock/fixtures/playwright";
import { chromium } from "playwright-core";

/** Your page. */
const html = `<!doctype html><title>terminal</title><button id="connect">Connect</button><p id="state">closed</p>
<script>
  connect.onclick = async () => {
    const port = await navigator.serial.requestPort({ filters: [{ usbVendorId: 0x0403 }] });
    await port.open({ baudRate: 115200 });
    const writer = port.writable.getWriter();
    await writer.write(new TextEncoder().encode("hello"));
    writer.releaseLock();
    try {
      for await (const bytes of port.readable) state.textContent = new TextDecoder().decode(bytes);
    } catch (error) {
      state.textContent = error.name;
    }
  };
</script>`;

test("the page says what comes back, and what happens when the cable is pulled", async () => {
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
  try {
    const page = await browser.newPage();
    await page.route("**/*", (route) => route.fulfill({ contentType: "text/html", body: html }));
    const rig = await rigFor(page);
    const plug = rig.plugIn("ftdi");
    await page.goto("http://localhost:1/");
    await page.click("#connect");
    await page.waitForFunction("state.textContent === 'hello'");
    plug.unplug();
    await page.waitForFunction("state.textContent === 'NetworkError'");
    assert.equal(await page.textContent("#state"), "NetworkError");
  } finally {
    await browser.close();
  }
});
