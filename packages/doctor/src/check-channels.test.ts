// Channels: what a profile is for, and how each claim is had for each channel; an old record says its age.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkPackage } from "./check.ts";
import { sourceOfText } from "./facts/evidence-source.ts";
import { formatCheck } from "./report/check-report.ts";
import { formatCheckAnnotations } from "./report/github.ts";
import { portalAdvice } from "./signing/portal.ts";
import { plist } from "./test/samples.ts";

const claims = plist({
  "com.apple.developer.driverkit": true,
  "com.apple.developer.driverkit.transport.usb": [{ idVendor: 4617 }],
  "com.apple.developer.driverkit.family.serial": true,
  "com.apple.developer.driverkit.userclient-access": ["org.example.driver"],
});

const check = (date: string | null, text = claims) =>
  checkPackage([sourceOfText("Driver.entitlements", text)], {
    date,
    platforms: [],
    platformsMustAccept: false,
  });

test("by the portal's record: self-service for development, on request for distribution, unknown where it is silent", async () => {
  const [part] = (await check("2025-02-01")).channels;
  const by = Object.fromEntries(
    part.claims.map(({ key, by: access }) => [key.replace(/^.*driverkit\.?/, ""), access]),
  );
  assert.equal(by["transport.usb"].development, "self-service");
  assert.equal(by["transport.usb"]["Developer ID"], "on request");
  assert.equal(by["userclient-access"].development, "on request");
  // The record has a development variant of it alone.
  assert.equal(by["family.serial"]["Developer ID"], "unknown");
  assert.equal(by["transport.usb"]["ad hoc"], "no such channel");
  assert.deepEqual([part.profileFor, part.recordDays, part.isOld], [null, 31, false]);
});

test("what Apple usually declines is said of the time from which it is reported, and what to ask for instead", async () => {
  const access = async (date: string) => {
    const [part] = (await check(date)).channels;
    const own = part.claims.find(({ key }) => key.endsWith("userclient-access"));
    const usb = part.claims.find(({ key }) => key.endsWith("transport.usb"));
    return [own?.by["Developer ID"], usb?.by["Developer ID"]];
  };
  assert.deepEqual(await access("2025-12-31"), ["on request", "on request"]);
  // Vendor and product together are a request of their own, which is not.
  assert.deepEqual(await access("2026-03-01"), ["on request, usually declined", "on request"]);
  const usb = "com.apple.developer.driverkit.transport.usb";
  assert.match(
    portalAdvice(usb, "2026-03-01") ?? "",
    /VendorID" is usually declined \(likely; 2026-02\): ask for vendor and product/,
  );
  assert.doesNotMatch(portalAdvice(usb, "2025-12-31") ?? "", /declined/);
  const fresh = (await check("2026-07-31")).channels[0];
  assert.deepEqual([fresh.recordDays, fresh.isOld], [180, false]);
});

test("a record older than 180 days says its age", async () => {
  const report = await check("2026-11-30");
  assert.deepEqual([report.channels[0].recordDays, report.channels[0].isOld], [302, true]);
  assert.match(formatCheck(report), /record of 2026-02-01, 302 days old: look at the portal itself/);
  assert.match(formatCheck(await check("2025-02-01")), /record of 2025-01-01\)/);
});

test("annotations of a workflow: findings with their line, nothing of a file commands the runner", async () => {
  const wrong = plist({
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.transport.usb": true,
  });
  const text = formatCheckAnnotations(await check("2026-11-30", wrong));
  assert.match(text, /^::(error|warning|notice) file=Driver\.entitlements,line=\d+/m);
  for (const line of text.trimEnd().split("\n")) assert.match(line, /^::(error|warning|notice) /);
});
