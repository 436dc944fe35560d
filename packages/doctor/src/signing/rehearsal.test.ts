// Signing rehearsal: the eight faults of P04 and the eight of P12, each with its stage and its exact lines.

import assert from "node:assert/strict";
import { test } from "node:test";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import {
  accessFaults,
  app,
  appClaims,
  appId,
  base,
  dext,
  dextId,
  driverClaims,
  driverFaults,
  profileOf,
  thisMac,
  today,
  usb,
} from "../test/signing-faults.ts";
import { claimTable, formatClaimTable } from "./claim-table.ts";
import { portalAdvice, portalRecords } from "./portal.ts";
import { type Rehearsal, type RehearsalInput, rehearse, signingKeys } from "./rehearsal.ts";

/** A USB interface of the vendor, as the registry shows it. */
const device = {
  classChain: ["IOUSBHostInterface", "IOService"],
  name: "IOUSBHostInterface",
  properties: { idVendor: 1356, idProduct: 2, IOServiceDEXTEntitlements: [[usb]] },
};

function run(change: Partial<RehearsalInput>): Rehearsal {
  return rehearse({
    app: app(),
    dext: dext(),
    tool: "xcode",
    platform: platformProfile("macos15"),
    serviceBundleIdentifier: dextId,
    serviceClass: "Driver",
    userClientClass: "DriverClient",
    device,
    machine: { udid: thisMac, date: today },
    ...change,
  });
}

function failed(rehearsal: Rehearsal) {
  const found = rehearsal.verdicts.find(({ ok }) => ok === false);
  assert.ok(found !== undefined, "some stage fails");
  return found;
}

test("good configurations pass every stage, development and distribution", () => {
  const distribution = run({});
  assert.equal(
    distribution.stoppedAt,
    null,
    JSON.stringify(distribution.verdicts.filter(({ ok }) => ok !== true)),
  );
  const wildcard = { [base]: true, [usb]: [{ idVendor: "*" }], [signingKeys.allowAny]: true };
  const development = run({
    dext: dext(wildcard, profileOf(dextId, wildcard)),
    app: app({ [signingKeys.install]: true }, profileOf(appId, { [signingKeys.install]: true })),
  });
  assert.equal(development.stoppedAt, null);
  assert.deepEqual(development.warnings, []);
});

test("P04 AC3: eight faults of the driver's signature, eight findings, each with its stage and lines", () => {
  for (const { name, change, stage, finding, lines } of driverFaults) {
    const rehearsal = run(change);
    const verdict = failed(rehearsal);
    assert.deepEqual([verdict.stage, verdict.finding], [stage, finding], `${name}: ${verdict.reason}`);
    assert.equal(rehearsal.stoppedAt, stage);
    assert.deepEqual(verdict.lines, lines, name);
    assert.notEqual(verdict.fix, "", name);
  }
  assert.equal(new Set(driverFaults.map(({ finding }) => finding)).size, 8);
});

test("P12 AC1: eight faults of userclient-access, at build time and at run time", () => {
  for (const { name, change, stage, lines } of accessFaults) {
    const verdict = failed(run(change));
    assert.equal(verdict.stage, stage, `${name}: ${verdict.reason}`);
    assert.deepEqual(verdict.lines, lines, name);
  }
  const claims = { ...appClaims, [signingKeys.access]: dextId };
  const byHand = run({ tool: "codesign", app: app(claims, profileOf(appId, appClaims)) });
  assert.equal(byHand.stoppedAt, null, "the kernel takes a string for a list of one");
});

test("P12 AC3: allow-any with the value false admits, and the rehearsal warns", () => {
  const claims = { ...driverClaims, [signingKeys.allowAny]: false };
  const rehearsal = run({
    dext: dext(claims, profileOf(dextId, claims)),
    app: app({ [signingKeys.install]: true }, profileOf(appId, { [signingKeys.install]: true })),
  });
  assert.equal(rehearsal.stoppedAt, null);
  assert.deepEqual(
    rehearsal.warnings.map(({ rule }) => rule),
    ["DR12-7"],
  );
  const shipped = { ...driverClaims, [signingKeys.allowAny]: true };
  const warned = run({
    dext: dext(shipped, profileOf(dextId, shipped, { kind: "developer id or in-house", devices: "all" })),
    app: app(
      { ...appClaims, [signingKeys.communicates]: true },
      profileOf(appId, { ...appClaims, [signingKeys.communicates]: true }),
    ),
  });
  assert.deepEqual(
    warned.warnings.map(({ rule }) => rule),
    ["DR12-3", "DR12-7"],
  );
});

test("install, provider and iPad: the remaining stages have their own findings", () => {
  assert.equal(failed(run({ appPath: "/Users/me/Downloads/My.app" })).finding, "app-location");
  assert.equal(
    failed(run({ app: app({ [signingKeys.access]: [dextId] }, profileOf(appId, appClaims)) })).finding,
    "install-entitlement",
  );
  const other = { ...device, properties: { ...device.properties, idVendor: 0x0403 } };
  const provider = failed(run({ device: other }));
  assert.deepEqual([provider.stage, provider.finding], ["provider", "provider-entitlement"]);
  assert.match(provider.lines[0], /provider entitlements check failed$/);
  const pad = failed(run({ platform: platformProfile("ipados") }));
  assert.equal(pad.stage, "user client");
  assert.match(
    pad.lines[0],
    /app does not have com\.apple\.developer\.driverkit\.communicates-with-drivers entitlement/,
  );
  assert.equal(run({ device: null }).verdicts.find(({ stage }) => stage === "provider")?.ok, null);
  const tool = failed(run({ app: { ...app(), role: "tool", profile: null } }));
  assert.deepEqual([tool.stage, tool.finding], ["launch", "tool-without-profile"]);
});

test("F06: three columns with types, the first mismatch named, an edited copy told apart from what counts", () => {
  const profile = profileOf(
    dextId,
    { ...driverClaims, [usb]: [{ idVendor: "*" }] },
    {
      plistEntitlements: driverClaims,
      editedKeys: [usb],
    },
  );
  const row = claimTable(driverClaims, profile).find(({ key }) => key === usb);
  assert.equal(row?.claim, "[{idVendor = 1356 (number)}]");
  assert.equal(row?.allowed, '[{idVendor = "*" (string)}]');
  assert.equal(row?.verdict, "wildcard-differs");
  assert.match(
    row?.reason ?? "",
    /the readable copy says \[\{idVendor = 1356 \(number\)\}\], which does not count/,
  );
  assert.match(
    formatClaimTable(claimTable(driverClaims, profile)),
    /^! com\.apple\.developer\.driverkit\.transport\.usb$/m,
  );
});

test("F07: one dated entry decides the advice for its own entitlement and no other", () => {
  const [record] = portalRecords;
  const newer = {
    ...record,
    since: "2026-06-01",
    capabilities: record.capabilities.map((entry) =>
      entry.entitlement === signingKeys.access ? { ...entry, access: "self-service" as const } : entry,
    ),
  };
  const records = [newer, ...portalRecords];
  assert.match(portalAdvice(signingKeys.access, "2026-05-31", records) ?? "", /request .* from Apple/);
  assert.match(portalAdvice(signingKeys.access, "2026-06-01", records) ?? "", /^Tick/);
  for (const { entitlement } of record.capabilities) {
    if (entitlement === signingKeys.access) continue;
    assert.equal(
      portalAdvice(entitlement, "2026-06-01", records),
      portalAdvice(entitlement, "2026-05-31", records),
    );
  }
  assert.equal(portalAdvice("com.example.unknown", today), null);
});
