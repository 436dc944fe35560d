// What was not handed in is not called absent, what shares nothing is not paired, and no gate is made up.
// Instances after public trees: every public driver tree with automatic signing, CH34x VCP (equal ids), forum 744377.

import { test } from "node:test";
import { assertField, type FieldCase } from "../test/field-check.ts";
import { plist } from "../test/samples.ts";
import { filesOf, sampleApp, sampleDext } from "../test/signed-samples.ts";

const transport = "com.apple.developer.driverkit.transport";
const dextInfo = (id: string, more: Readonly<Record<string, string>> = {}) =>
  plist({
    CFBundleIdentifier: id,
    CFBundlePackageType: "DEXT",
    CFBundleExecutable: id,
    CFBundleVersion: "4",
    OSBundleUsageDescription: "Drives it",
    IOKitPersonalities: {
      One: {
        CFBundleIdentifier: id,
        CFBundleIdentifierKernel: "com.apple.kpi.iokit",
        IOClass: "IOUserService",
        IOUserClass: "OneDriver",
        IOUserServerName: id,
        IOProviderClass: "IOUSBHostInterface",
        ...more,
      },
    },
  });
const driverClaims = plist({
  "com.apple.developer.driverkit": true,
  [`${transport}.usb`]: [{ idVendor: 4660 }],
});
const absent = [/FAILS/, /there is no profile/, /"" requires/, /holds no profile/];

const cases: Readonly<Record<string, FieldCase>> = {
  "a driver's source tree has no profile: the build stage stays open": {
    files: {
      "Driver/Info.plist": dextInfo("org.example.modem.driver"),
      "Driver/Driver.entitlements": driverClaims,
      "Modem.xcodeproj/project.pbxproj":
        "// !$*UTF8*$!\n{ objects = { A = { buildSettings = { CODE_SIGN_STYLE = Automatic; SDKROOT = driverkit; }; }; }; }\n",
    },
    must: [/build open/],
    never: absent,
    isRight: true,
  },
  "entitlements of a PCI driver by themselves": {
    files: {
      "pci.entitlements": plist({
        "com.apple.developer.driverkit": true,
        [`${transport}.pci`]: [{ IOPCIPrimaryMatch: "0x12341b36&0xffffffff" }],
      }),
    },
    must: [/build open/],
    never: absent,
    isRight: true,
  },
  "entitlements of an app by themselves: neither its name nor its profile is known": {
    files: { "App.entitlements": plist({ "com.apple.developer.system-extension.install": true }) },
    must: [/build open/],
    never: [...absent, /app without a known bundle id: *$/],
    isRight: true,
  },
  "app and driver of a tree, each with its own entitlements": {
    files: {
      "App/Info.plist": plist({
        CFBundleIdentifier: "org.example.scope",
        CFBundlePackageType: "APPL",
        CFBundleExecutable: "Scope",
      }),
      "App/App.entitlements": plist({ "com.apple.developer.system-extension.install": true }),
      "Driver/Info.plist": dextInfo("org.example.scope.driver"),
      "Driver/Driver.entitlements": driverClaims,
    },
    must: [/app org\.example\.scope with driver org\.example\.scope\.driver/, /build open/],
    never: absent,
    isRight: true,
  },
  "a serial driver's entitlements in binary form": {
    files: {
      "serial.entitlements": plist({
        "com.apple.developer.driverkit": true,
        "com.apple.developer.driverkit.family.serial": true,
      }),
    },
    never: absent,
    isRight: true,
  },
  "a bundle handed in whole with an empty place for its profile is told so": {
    files: filesOf(sampleDext({ profile: null })),
    must: [/build FAILS/, /the bundle holds no profile/],
  },
  "two products side by side: an app of one team, a driver of nobody known": {
    files: {
      "player.entitlements": plist({
        "com.apple.application-identifier": "QW12ER34TY.org.example.recorder",
        "com.apple.developer.system-extension.install": true,
      }),
      "Info.plist": dextInfo("org.example.modem.driver"),
    },
    never: [/recorder with driver/, /profile of another/i],
    isRight: true,
  },
  "a profile of one team beside entitlements of another": {
    files: {
      "old.plist": plist({
        TeamIdentifier: ["ZZ11YY22XX"],
        Name: "Old",
        Entitlements: {
          "com.apple.application-identifier": "ZZ11YY22XX.org.example.camera",
          "com.apple.developer.driverkit": true,
        },
      }),
      "scanner.entitlements": plist({
        "com.apple.application-identifier": "QW12ER34TY.net.example.scanner",
        "com.apple.developer.team-identifier": "QW12ER34TY",
        "com.apple.developer.driverkit": true,
      }),
    },
    never: [/does not match the bundle ID/, /covers none/, /wrong|FAILS/],
    isRight: true,
  },
  "an app that names one driver beside another product's driver": {
    files: {
      "App.entitlements": plist({
        "com.apple.application-identifier": "QW12ER34TY.org.example.lamp",
        "com.apple.developer.driverkit.userclient-access": ["org.example.lamp.driver"],
      }),
      "Info.plist": dextInfo("com.sample.printer.driver"),
    },
    never: [/DR12-6/, /lamp with driver com\.sample/],
    isRight: true,
  },
  "a profile and an Info.plist of two products": {
    files: {
      "p.plist": plist({
        TeamIdentifier: ["ZZ11YY22XX"],
        Entitlements: { "com.apple.application-identifier": "ZZ11YY22XX.org.example.camera" },
      }),
      "Info.plist": dextInfo("com.sample.printer.driver"),
    },
    never: [/DR20-5/, /covers none/],
    isRight: true,
  },
  "a refusal of one program in a log beside a profile of another product": {
    files: {
      "log.txt":
        "2026-11-20 10:00:00.000000+0100 0x1 Default 0x0 90 0 taskgated-helper: (ConfigurationProfiles) [com.apple.ManagedClient:ProvisioningProfiles] org.example.lamp: Unsatisfied entitlements: com.apple.developer.driverkit",
      "p.plist": plist({
        TeamIdentifier: ["ZZ11YY22XX"],
        Name: "Camera",
        Entitlements: { "com.apple.application-identifier": "ZZ11YY22XX.com.sample.camera" },
      }),
    },
    first: "DR04-1",
    never: [/does not cover/],
  },
};

for (const [name, one] of Object.entries(cases)) test(name, () => assertField(one));

const nest = (appId: string, dextId: string): FieldCase["files"] => ({
  ...filesOf(sampleApp({ identifier: appId })),
  ...filesOf(
    sampleDext({
      identifier: dextId,
      folder: `Sample.app/Contents/Library/SystemExtensions/${dextId}.dext`,
    }),
  ),
});
for (const [what, appId, dextId] of [
  ["equal", "org.example.app", "org.example.app"],
  ["siblings", "org.example.app", "org.example.app-driver"],
  ["of another vendor's prefix", "org.example.app", "com.sample.app.driver"],
  ["with the driver's as the shorter one", "org.example.app.setup", "org.example.app"],
  ["in another letter case", "org.example.App", "org.example.app.driver"],
] as const) {
  test(`bundle ids that are ${what}: no gate of the installation`, () =>
    assertField({
      files: nest(appId, dextId),
      never: [/install FAILS/, /OSSystemExtensionErrorDomain/, /is not activated/],
    }));
}
