// Signed apps and drivers for tests: every part can be changed, the rest stays right.

import { createHash } from "node:crypto";
import { encodeUtf8 } from "@drydock/core/base/text";
import {
  type BundleFile,
  type BundlePlan,
  type Envelope,
  type ProfilePlan,
  writeBundle,
  writeProfile,
} from "@drydock/core/platform/evidence/signed-bundle";
import type { Properties } from "@drydock/core/platform/properties";

export const sampleTeam = "TEAM123456";
export const sampleAppId = "org.example.app";
export const sampleDextId = "org.example.app.driver";
export const sampleUdid = "00008103-000A11112222333A";
export const usbKey = "com.apple.developer.driverkit.transport.usb";
export const accessKey = "com.apple.developer.driverkit.userclient-access";
export const installKey = "com.apple.developer.system-extension.install";

export const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash("sha256").update(bytes).digest());

/** CodeResources with these files, each by its SHA-256; what a bundle's signature holds by other means is left out. */
export function sealOf(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const entries = Object.entries(files).map(
    ([name, bytes]) =>
      `<key>${name}</key><dict><key>hash2</key><data>${Buffer.from(sha256(bytes)).toString("base64")}</data></dict>`,
  );
  const left = ["^Info\\.plist$", "^embedded\\.provisionprofile$"].map(
    (rule) => `<key>${rule}</key><dict><key>omit</key><true/><key>weight</key><real>20</real></dict>`,
  );
  return encodeUtf8(
    `<?xml version="1.0"?><plist version="1.0"><dict><key>files2</key><dict>${entries.join("")}</dict><key>rules2</key><dict><key>^.*</key><true/>${left.join("")}</dict></dict></plist>`,
  );
}

export const driverClaims: Properties = {
  "com.apple.developer.driverkit": true,
  [usbKey]: [{ idVendor: 1356 }],
};
export const appClaims: Properties = { [installKey]: true, [accessKey]: [sampleDextId] };

export const frameworkPath = (name: string): string =>
  `/System/DriverKit/System/Library/Frameworks/${name}.framework/${name}`;

export function sampleProfile(
  bundle: string,
  entitlements: Properties,
  more: Partial<ProfilePlan> = {},
  envelope?: Envelope,
): Uint8Array {
  return writeProfile(
    {
      name: `${bundle} profile`,
      uuid: "5c9a9c2e-7a55-4c7e-9d2b-2f6f0f3a1b10",
      teamIdentifier: sampleTeam,
      applicationIdentifier: `${sampleTeam}.${bundle}`,
      platform: "OSX",
      created: "2025-09-01T00:00:00Z",
      expires: "2027-09-01T00:00:00Z",
      devices: [sampleUdid],
      entitlements,
      ...more,
    },
    envelope,
  );
}

export const samplePersonality: Properties = {
  CFBundleIdentifier: sampleDextId,
  IOClass: "IOUserService",
  IOUserClass: "SampleDriver",
  IOUserServerName: sampleDextId,
  IOProviderClass: "IOUSBHostInterface",
  idVendor: 1356,
  idProduct: 2,
  bInterfaceNumber: 0,
  bConfigurationValue: 1,
  UserClientProperties: { IOClass: "IOUserUserClient", IOUserClass: "SampleUserClient" },
};

export function sampleDext(more: Partial<BundlePlan> = {}): BundleFile[] {
  return writeBundle({
    folder: `Sample.app/Contents/Library/SystemExtensions/${sampleDextId}.dext`,
    kind: "dext",
    identifier: sampleDextId,
    teamIdentifier: sampleTeam,
    info: { IOKitPersonalities: { Sample: samplePersonality } },
    executable: {
      minimumOS: "24.0",
      sdk: "24.0",
      dylibs: [frameworkPath("DriverKit"), frameworkPath("USBDriverKit")],
      imports: [{ symbol: "__ZN9IOService4initEv", dylib: 0 }],
    },
    entitlements: driverClaims,
    profile: sampleProfile(sampleDextId, driverClaims),
    sha256,
    ...more,
  });
}

export function sampleApp(more: Partial<BundlePlan> = {}): BundleFile[] {
  return writeBundle({
    folder: "Sample.app",
    kind: "app",
    identifier: sampleAppId,
    teamIdentifier: sampleTeam,
    info: {},
    executable: {
      minimumOS: "15.0",
      sdk: "15.4",
      dylibs: ["/System/Library/Frameworks/IOKit.framework/Versions/A/IOKit"],
      imports: [{ symbol: "_IOServiceOpen", dylib: 0 }],
    },
    entitlements: appClaims,
    profile: sampleProfile(sampleAppId, appClaims),
    sha256,
    ...more,
  });
}

/** Name -> bytes, as the other helpers of tests take them. */
export function filesOf(...bundles: readonly (readonly BundleFile[])[]): Record<string, Uint8Array> {
  return Object.fromEntries(bundles.flat().map(({ name, bytes }) => [name, bytes]));
}
