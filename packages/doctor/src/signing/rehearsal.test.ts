// Signing rehearsal: the eight faults of P04 and the eight of P12, each with its stage and its exact lines.

import assert from "node:assert/strict";
import { test } from "node:test";
import { platformProfile } from "@drydock/core/runtime/platform-profile";
import type { Properties } from "@drydock/core/runtime/properties";
import { claimTable, formatClaimTable } from "./claim-table.ts";
import { portalAdvice, portalRecords } from "./portal.ts";
import type { ProvisioningProfile } from "./profile.ts";
import { type Rehearsal, type RehearsalInput, rehearse, type SignedPart, signingKeys } from "./rehearsal.ts";

const team = "TEAM123456";
const appId = "org.example.app";
const dextId = "org.example.app.driver";
const usb = "com.apple.developer.driverkit.transport.usb";
const base = "com.apple.developer.driverkit";
const today = "2026-11-24T00:00:00Z";
const thisMac = "00008103-000A11112222333A";

function profileOf(
  bundle: string,
  allowlist: Properties,
  more: Partial<ProvisioningProfile> = {},
): ProvisioningProfile {
  return {
    name: `${bundle} profile`,
    uuid: "0",
    teamIdentifiers: [team],
    applicationIdentifier: `${team}.${bundle}`,
    platforms: ["OSX"],
    created: "2026-01-01T00:00:00Z",
    expires: "2027-01-01T00:00:00Z",
    kind: "development",
    devices: [thisMac],
    allowlist,
    allowlistSource: "DER",
    plistEntitlements: allowlist,
    editedKeys: [],
    signedBy: [],
    certificateHashes: [],
    ...more,
  };
}

const driverClaims = { [base]: true, [usb]: [{ idVendor: 1356 }] };
const appClaims = { [signingKeys.install]: true, [signingKeys.access]: [dextId] };

function dext(
  claims: Properties = driverClaims,
  profile: ProvisioningProfile | null = profileOf(dextId, driverClaims),
): SignedPart {
  return { role: "dext", bundleIdentifier: dextId, teamIdentifier: team, claims, profile };
}

function app(
  claims: Properties = appClaims,
  profile: ProvisioningProfile | null = profileOf(appId, appClaims),
): SignedPart {
  return { role: "app", bundleIdentifier: appId, teamIdentifier: team, claims, profile };
}

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

const unsatisfied = (bundle: string, keys: string) => [
  `taskgated-helper: (ConfigurationProfiles) [com.apple.ManagedClient:ProvisioningProfiles] ${bundle}: Unsatisfied entitlements: ${keys}`,
  "amfid: Requirements for restricted entitlements failed to validate, error -67671",
  `amfid: AppleMobileFileIntegrityError Code=-413 "No matching profile found" unsatisfiedEntitlements=(${keys})`,
  "kernel: AMFI: bailing out because of restricted entitlements.",
  "kernel: mac_vnode_check_signature: Code has restricted entitlements, but the validation of its code signature failed.",
];

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
  const both = `${base}, ${usb}`;
  const rows: [string, Partial<RehearsalInput>, string, string, readonly string[]][] = [
    [
      "wildcard against number",
      { dext: dext(driverClaims, profileOf(dextId, { ...driverClaims, [usb]: [{ idVendor: "*" }] })) },
      "launch",
      "wildcard-differs",
      unsatisfied(dextId, usb),
    ],
    [
      "stale profile: made before the approval, with another number",
      { dext: dext(driverClaims, profileOf(dextId, { ...driverClaims, [usb]: [{ idVendor: 1027 }] })) },
      "launch",
      "value-differs",
      unsatisfied(dextId, usb),
    ],
    [
      "missing key",
      { dext: dext(driverClaims, profileOf(dextId, { [base]: true })) },
      "build",
      "absent",
      [`Provisioning profile "${dextId} profile" doesn't include the ${usb} entitlement.`],
    ],
    [
      "profile of another App ID",
      { tool: "codesign", dext: dext(driverClaims, profileOf("org.example.other", driverClaims)) },
      "launch",
      "wrong-app-id",
      unsatisfied(dextId, both),
    ],
    [
      "expired",
      { dext: dext(driverClaims, profileOf(dextId, driverClaims, { expires: "2026-11-01T00:00:00Z" })) },
      "launch",
      "expired",
      unsatisfied(dextId, both),
    ],
    [
      "this Mac is not listed",
      { dext: dext(driverClaims, profileOf(dextId, driverClaims, { devices: ["00008103-OTHER"] })) },
      "launch",
      "device-not-listed",
      unsatisfied(dextId, both),
    ],
    [
      "the number as a string",
      { dext: dext({ [base]: true, [usb]: [{ idVendor: "1356" }] }, profileOf(dextId, driverClaims)) },
      "launch",
      "type-differs",
      unsatisfied(dextId, usb),
    ],
    [
      "a comment in the XML, signed by hand",
      { tool: "codesign", dext: { ...dext(), hasXmlComments: true } },
      "build",
      "xml-comment",
      ["AMFIUnserializeXML: syntax error near line 1"],
    ],
  ];
  const seen = new Set<string>();
  for (const [name, change, stage, finding, lines] of rows) {
    const rehearsal = run(change);
    const verdict = failed(rehearsal);
    assert.deepEqual([verdict.stage, verdict.finding], [stage, finding], `${name}: ${verdict.reason}`);
    assert.equal(rehearsal.stoppedAt, stage);
    assert.deepEqual(verdict.lines, lines, name);
    assert.notEqual(verdict.fix, "", name);
    seen.add(finding);
  }
  assert.equal(seen.size, 8);
});

test("P12 AC1: eight faults of userclient-access, at build time and at run time", () => {
  const profileWith = (value: Properties[string]) =>
    profileOf(appId, { ...appClaims, [signingKeys.access]: value });
  const claiming = (value: Properties[string]) => ({ ...appClaims, [signingKeys.access]: value });
  const without = { [signingKeys.install]: true };
  const include = `Provisioning profile "${appId} profile" doesn't include the ${signingKeys.access} entitlement.`;
  const match = `Provisioning profile "${appId} profile" doesn't match the entitlements file's value for the ${signingKeys.access} entitlement.`;
  const needed = `DK: DriverClient-0x10000ad6a:UC failed userclient-access check, needed bundle ID ${dextId}`;
  const refused = "DK: DriverClient-0x10000ad6a:UC entitlements check failed";
  const dextWithKey = { ...driverClaims, [signingKeys.access]: [dextId] };
  const rows: [string, Partial<RehearsalInput>, string, readonly string[]][] = [
    ["missing in the profile", { app: app(appClaims, profileOf(appId, without)) }, "build", [include]],
    [
      "missing, and taken out of the claim",
      { app: app(without, profileOf(appId, without)) },
      "user client",
      [needed, refused],
    ],
    [
      "the app's own id, in profile and claim",
      { app: app(claiming([appId]), profileWith([appId])) },
      "user client",
      [refused],
    ],
    ["the app's own id in the profile only", { app: app(appClaims, profileWith([appId])) }, "build", [match]],
    [
      "another driver's id",
      { app: app(claiming(["org.other.driver"]), profileWith(["org.other.driver"])) },
      "user client",
      [refused],
    ],
    [
      "newline-joined by the portal",
      { app: app(appClaims, profileWith(`${dextId}\norg.other.driver`)) },
      "build",
      [match],
    ],
    [
      "newline-joined, copied into the claim",
      { app: app(claiming(`${dextId}\norg.other`), profileWith(`${dextId}\norg.other`)) },
      "user client",
      [refused],
    ],
    [
      "a string where the profile has a list",
      { app: app(claiming(dextId), profileWith([dextId])) },
      "build",
      [match],
    ],
    [
      "a wildcard in the claim",
      { app: app(claiming(["org.example.*"]), profileWith([dextId])) },
      "build",
      [match],
    ],
    [
      "stale profile, another approval",
      { app: app(appClaims, profileWith(["org.example.old"])) },
      "build",
      [match],
    ],
    [
      "the key on the driver instead of the app",
      {
        app: app(without, profileOf(appId, without)),
        dext: dext(dextWithKey, profileOf(dextId, dextWithKey)),
      },
      "user client",
      [needed, refused],
    ],
  ];
  for (const [name, change, stage, lines] of rows) {
    const verdict = failed(run(change));
    assert.equal(verdict.stage, stage, `${name}: ${verdict.reason}`);
    assert.deepEqual(verdict.lines, lines, name);
  }
  const byHand = run({ tool: "codesign", app: app(claiming(dextId), profileWith([dextId])) });
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
