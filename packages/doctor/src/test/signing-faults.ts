// The faults of P04 and P12 as packages, each with its stage, finding and lines: one table for objects and for files.

import { formatPlist } from "@drydock/core/platform/evidence/plist-text";
import {
  type BundleFile,
  type Envelope,
  writeBundle,
  writeProfile,
} from "@drydock/core/platform/evidence/signed-bundle";
import type { Properties } from "@drydock/core/platform/properties";
import type { ProvisioningProfile } from "../facts/provisioning-profile.ts";
import { type RehearsalInput, type SignedPart, signingKeys } from "../signing/rehearsal.ts";
import { frameworkPath, sha256 } from "./signed-samples.ts";

export const team = "TEAM123456";
export const appId = "org.example.app";
export const dextId = "org.example.app.driver";
export const usb = "com.apple.developer.driverkit.transport.usb";
export const base = "com.apple.developer.driverkit";
export const today = "2026-11-24T00:00:00Z";
export const thisMac = "00008103-000A11112222333A";

export function profileOf(
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

export const driverClaims: Properties = { [base]: true, [usb]: [{ idVendor: 1356 }] };
export const appClaims: Properties = { [signingKeys.install]: true, [signingKeys.access]: [dextId] };

export function dext(
  claims: Properties = driverClaims,
  profile: ProvisioningProfile | null = profileOf(dextId, driverClaims),
): SignedPart {
  return { role: "dext", bundleIdentifier: dextId, teamIdentifier: team, claims, profile };
}

export function app(
  claims: Properties = appClaims,
  profile: ProvisioningProfile | null = profileOf(appId, appClaims),
): SignedPart {
  return { role: "app", bundleIdentifier: appId, teamIdentifier: team, claims, profile };
}

export interface SigningFault {
  readonly name: string;
  readonly change: Partial<Pick<RehearsalInput, "app" | "dext" | "tool">>;
  readonly stage: string;
  /** Null: not part of the table. */
  readonly finding: string | null;
  readonly lines: readonly string[];
}

/** What is printed when AMFI refuses (posts.md T3). */
const unsatisfied = (bundle: string, keys: string) => [
  `taskgated-helper: (ConfigurationProfiles) [com.apple.ManagedClient:ProvisioningProfiles] ${bundle}: Unsatisfied entitlements: ${keys}`,
  "amfid: Requirements for restricted entitlements failed to validate, error -67671",
  `amfid: AppleMobileFileIntegrityError Code=-413 "No matching profile found" unsatisfiedEntitlements=(${keys})`,
  "kernel: AMFI: bailing out because of restricted entitlements.",
  "kernel: mac_vnode_check_signature: Code has restricted entitlements, but the validation of its code signature failed.",
];

const both = `${base}, ${usb}`;

/** P04 AC3. */
export const driverFaults: readonly SigningFault[] = [
  {
    name: "wildcard against number",
    change: { dext: dext(driverClaims, profileOf(dextId, { ...driverClaims, [usb]: [{ idVendor: "*" }] })) },
    stage: "launch",
    finding: "wildcard-differs",
    lines: unsatisfied(dextId, usb),
  },
  {
    name: "stale profile: made before the approval, with another number",
    change: { dext: dext(driverClaims, profileOf(dextId, { ...driverClaims, [usb]: [{ idVendor: 1027 }] })) },
    stage: "launch",
    finding: "value-differs",
    lines: unsatisfied(dextId, usb),
  },
  {
    name: "missing key",
    change: { dext: dext(driverClaims, profileOf(dextId, { [base]: true })) },
    stage: "build",
    finding: "absent",
    lines: [`Provisioning profile "${dextId} profile" doesn't include the ${usb} entitlement.`],
  },
  {
    name: "profile of another App ID",
    change: { tool: "codesign", dext: dext(driverClaims, profileOf("org.example.other", driverClaims)) },
    stage: "launch",
    finding: "wrong-app-id",
    lines: unsatisfied(dextId, both),
  },
  {
    name: "expired",
    change: {
      dext: dext(driverClaims, profileOf(dextId, driverClaims, { expires: "2026-11-01T00:00:00Z" })),
    },
    stage: "launch",
    finding: "expired",
    lines: unsatisfied(dextId, both),
  },
  {
    name: "this Mac is not listed",
    change: { dext: dext(driverClaims, profileOf(dextId, driverClaims, { devices: ["00008103-OTHER"] })) },
    stage: "launch",
    finding: "device-not-listed",
    lines: unsatisfied(dextId, both),
  },
  {
    name: "the number as a string",
    change: { dext: dext({ [base]: true, [usb]: [{ idVendor: "1356" }] }, profileOf(dextId, driverClaims)) },
    stage: "launch",
    finding: "type-differs",
    lines: unsatisfied(dextId, usb),
  },
  {
    name: "a comment in the XML, signed by hand",
    change: { tool: "codesign", dext: { ...dext(), hasXmlComments: true } },
    stage: "build",
    finding: "xml-comment",
    lines: ["AMFIUnserializeXML: syntax error near line 1"],
  },
];

const profileWith = (value: Properties[string]) =>
  profileOf(appId, { ...appClaims, [signingKeys.access]: value });
const claiming = (value: Properties[string]) => ({ ...appClaims, [signingKeys.access]: value });
const without = { [signingKeys.install]: true };
const include = `Provisioning profile "${appId} profile" doesn't include the ${signingKeys.access} entitlement.`;
const match = `Provisioning profile "${appId} profile" doesn't match the entitlements file's value for the ${signingKeys.access} entitlement.`;
const needed = `DK: DriverClient-0x10000ad6a:UC failed userclient-access check, needed bundle ID ${dextId}`;
const refused = "DK: DriverClient-0x10000ad6a:UC entitlements check failed";
const dextWithKey = { ...driverClaims, [signingKeys.access]: [dextId] };

const access = (
  name: string,
  change: SigningFault["change"],
  stage: string,
  lines: readonly string[],
): SigningFault => ({ name, change, stage, finding: null, lines });

/** P12 AC1: eight faults, three of them in build and at run time. */
export const accessFaults: readonly SigningFault[] = [
  access("missing in the profile", { app: app(appClaims, profileOf(appId, without)) }, "build", [include]),
  access(
    "missing, and taken out of the claim",
    { app: app(without, profileOf(appId, without)) },
    "user client",
    [needed, refused],
  ),
  access(
    "the app's own id, in profile and claim",
    { app: app(claiming([appId]), profileWith([appId])) },
    "user client",
    [refused],
  ),
  access("the app's own id in the profile only", { app: app(appClaims, profileWith([appId])) }, "build", [
    match,
  ]),
  access(
    "another driver's id",
    { app: app(claiming(["org.other.driver"]), profileWith(["org.other.driver"])) },
    "user client",
    [refused],
  ),
  access(
    "newline-joined by the portal",
    { app: app(appClaims, profileWith(`${dextId}\norg.other.driver`)) },
    "build",
    [match],
  ),
  access(
    "newline-joined, copied into the claim",
    { app: app(claiming(`${dextId}\norg.other`), profileWith(`${dextId}\norg.other`)) },
    "user client",
    [refused],
  ),
  access(
    "a string where the profile has a list",
    { app: app(claiming(dextId), profileWith([dextId])) },
    "build",
    [match],
  ),
  access(
    "a wildcard in the claim",
    { app: app(claiming(["org.example.*"]), profileWith([dextId])) },
    "build",
    [match],
  ),
  access(
    "stale profile, another approval",
    { app: app(appClaims, profileWith(["org.example.old"])) },
    "build",
    [match],
  ),
  access(
    "the key on the driver instead of the app",
    {
      app: app(without, profileOf(appId, without)),
      dext: dext(dextWithKey, profileOf(dextId, dextWithKey)),
    },
    "user client",
    [needed, refused],
  ),
];

/** The part as the files of its bundle; `envelope` makes the CMS of its profile. */
export function filesOfPart(part: SignedPart, envelope?: Envelope): BundleFile[] {
  const kind = part.role === "dext" ? "dext" : "app";
  const { profile } = part;
  return writeBundle({
    folder: kind === "app" ? "Sample.app" : `Sample.app/Contents/Library/SystemExtensions/${dextId}.dext`,
    kind,
    identifier: part.bundleIdentifier,
    teamIdentifier: part.teamIdentifier,
    info: kind === "app" ? {} : { IOKitPersonalities: { Sample: personality } },
    executable: {
      minimumOS: kind === "app" ? "15.0" : "24.0",
      sdk: kind === "app" ? "15.0" : "24.0",
      dylibs: [frameworkPath("DriverKit")],
      imports: [],
    },
    entitlements: part.claims,
    ...(part.hasXmlComments === true
      ? { readableEntitlements: formatPlist(part.claims).replace("<dict>", "<dict>\n\t<!-- Sony -->") }
      : {}),
    profile:
      profile === null
        ? null
        : writeProfile(
            {
              name: profile.name,
              uuid: profile.uuid,
              teamIdentifier: team,
              applicationIdentifier: profile.applicationIdentifier,
              platform: "OSX",
              created: profile.created,
              expires: profile.expires,
              devices: profile.devices,
              entitlements: profile.allowlist,
            },
            envelope,
          ),
    sha256,
  });
}

const personality: Properties = {
  CFBundleIdentifier: dextId,
  IOClass: "IOUserService",
  IOUserClass: "Driver",
  IOUserServerName: dextId,
  IOProviderClass: "IOUSBHostInterface",
  UserClientProperties: { IOClass: "IOUserUserClient", IOUserClass: "DriverClient" },
};
