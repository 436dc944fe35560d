// Signed apps and drivers for tests: every part can be changed, the rest stays right.

import { createHash } from "node:crypto";
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
