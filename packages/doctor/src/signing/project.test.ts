// A source tree with an Xcode project: app and driver get their ids and are rehearsed together.

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkPackage } from "../check.ts";
import { collectEvidence } from "../evidence/collect.ts";
import { formatCheck } from "../report/check-report.ts";
import { type Files, sourcesOf } from "../test/rule-check.ts";
import { plist } from "../test/samples.ts";
import { accessKey, installKey } from "../test/signed-samples.ts";
import { evidenceParts } from "./parts.ts";

const configuration = (name: string, settings: readonly string[]): string =>
  `\t\tC${name} /* ${name} */ = {\n\t\t\tisa = XCBuildConfiguration;\n\t\t\tbuildSettings = {\n${settings.map((line) => `\t\t\t\t${line};\n`).join("")}\t\t\t};\n\t\t\tname = ${name};\n\t\t};\n`;
const project = (...configurations: readonly string[]): string =>
  `// !$*UTF8*$!\n{\n\tarchiveVersion = 1;\n\tobjects = {\n${configurations.join("")}\t};\n\trootObject = A0;\n}\n`;

const driverSettings = [
  "CODE_SIGN_ENTITLEMENTS = Driver/Driver.entitlements",
  'INFOPLIST_FILE = "$(SRCROOT)/Driver/Info.plist"',
  'PRODUCT_BUNDLE_IDENTIFIER = "$(MAIN_ID).$(PRODUCT_NAME:rfc1034identifier)"',
  'PRODUCT_NAME = "my driver"',
  "SDKROOT = driverkit",
];
const appSettings = [
  "CODE_SIGN_ENTITLEMENTS = App/App.entitlements",
  "INFOPLIST_FILE = App/Info.plist",
  'LD_RUNPATH_SEARCH_PATHS = (\n"$(inherited)",\n"@executable_path/../Frameworks",\n)',
  "PRODUCT_BUNDLE_IDENTIFIER = org.example.app",
];
const shared = ["DEVELOPMENT_TEAM = TEAM123456", "MAIN_ID = org.example.app"];

function tree(access: string, pbxproj: string): Files {
  return {
    "Sample/Sample.xcodeproj/project.pbxproj": pbxproj,
    "Sample/Driver/Info.plist": plist({
      CFBundleIdentifier: "$(PRODUCT_BUNDLE_IDENTIFIER)",
      CFBundleExecutable: "$(EXECUTABLE_NAME)",
      CFBundlePackageType: "DEXT",
      IOKitPersonalities: {
        Mine: {
          CFBundleIdentifier: "$(PRODUCT_BUNDLE_IDENTIFIER)",
          IOClass: "IOUserService",
          IOUserClass: "Mine",
          IOUserServerName: "$(PRODUCT_BUNDLE_IDENTIFIER)",
          IOProviderClass: "IOUSBHostInterface",
          idVendor: 4617,
          idProduct: 7,
          bInterfaceNumber: 0,
          bConfigurationValue: 1,
          UserClientProperties: { IOClass: "IOUserUserClient", IOUserClass: "MineClient" },
        },
      },
    }),
    "Sample/Driver/Driver.entitlements": plist({
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.usb": [{ idVendor: 4617 }],
    }),
    // What Xcode generates is not in the file: no id stands in it.
    "Sample/App/Info.plist": plist({ CFBundleExecutable: "$(EXECUTABLE_NAME)", CFBundlePackageType: "APPL" }),
    "Sample/App/App.entitlements": plist({ [installKey]: true, [accessKey]: [access] }),
  };
}

const whole = project(
  configuration("Debug", shared),
  configuration("Debug", driverSettings),
  configuration("Debug", appSettings),
);
const check = (files: Files) =>
  checkPackage(sourcesOf(files), { platforms: [], platformsMustAccept: false, date: "2026-11-30" });
const userClient = async (files: Files) =>
  (await check(files)).packages
    .flatMap(({ rehearsal }) => rehearsal.verdicts)
    .filter(({ stage }) => stage === "user client")
    .map(({ finding, ok }) => [ok, finding]);

test("app and driver of a project get their ids and team, and are rehearsed together", async () => {
  const parts = evidenceParts(await collectEvidence(sourcesOf(tree("$(MAIN_ID).my-driver", whole)), []));
  assert.deepEqual(
    parts
      .map(({ bundleIdentifier, role, teamIdentifier }) => [role, bundleIdentifier, teamIdentifier])
      .sort(),
    [
      ["app", "org.example.app", "TEAM123456"],
      ["dext", "org.example.app.my-driver", "TEAM123456"],
    ],
  );
  assert.deepEqual(await userClient(tree("$(MAIN_ID).my-driver", whole)), [[true, "ok"]]);
});

test("an app that names another driver is told so from the source tree, with the id that the variable stands for", async () => {
  const report = await check(tree("$(PRODUCT_BUNDLE_IDENTIFIER).driver", whole));
  assert.equal(report.ok, false);
  assert.match(
    formatCheck(report),
    /names org\.example\.app\.driver in userclient-access, and the driver's CFBundleIdentifier is org\.example\.app\.my-driver/,
  );
});

test("what no project tells stays open: without one, and where two targets build with one list", async () => {
  const files = tree("$(PRODUCT_BUNDLE_IDENTIFIER).driver", whole);
  const { "Sample/Sample.xcodeproj/project.pbxproj": _, ...without } = files;
  const two = {
    ...files,
    "Sample/Sample.xcodeproj/project.pbxproj": project(
      configuration("Debug", driverSettings),
      configuration("Debug", [...appSettings.slice(0, 3), "PRODUCT_BUNDLE_IDENTIFIER = org.example.one"]),
      configuration("Debug", [...appSettings.slice(0, 3), "PRODUCT_BUNDLE_IDENTIFIER = org.example.two"]),
    ),
  };
  for (const one of [without, two]) {
    const report = await check(one);
    assert.equal(report.ok, true, formatCheck(report));
    assert.doesNotMatch(formatCheck(report), /may not open|CFBundleIdentifier is \$/);
  }
  // One team tells that they belong together; which id the list names is not known.
  const config = { "Shared.xcconfig": "// all\nDEVELOPMENT_TEAM = TEAM123456 // ours\nA[sdk=x] = 1\n" };
  assert.deepEqual(await userClient({ ...without, ...config }), [[null, "variable"]]);
});

test("one project with an app for the Mac and one for iPads: each is rehearsed on its own system", async () => {
  // Apple's sample of an audio driver is built so: both apps have one id.
  const files = tree("$(MAIN_ID).my-driver", whole);
  const ipad = [
    "CODE_SIGN_ENTITLEMENTS = iOS/iOS.entitlements",
    "PRODUCT_BUNDLE_IDENTIFIER = org.example.app",
    "SDKROOT = iphoneos",
  ];
  const report = await check({
    "iOS/iOS.entitlements": plist({ "com.apple.developer.driverkit.communicates-with-drivers": true }),
    ...files,
    "Sample/Sample.xcodeproj/project.pbxproj": project(
      configuration("Debug", shared),
      configuration("Debug", driverSettings),
      configuration("Debug", [...appSettings, "SDKROOT = macosx"]),
      configuration("Debug", ipad),
    ),
  });
  assert.deepEqual(
    report.packages.map(({ platform, rehearsal }) => [platform, rehearsal.stoppedAt]),
    [
      ["macOS 15", null],
      ["iPadOS 18", null],
    ],
  );
  assert.deepEqual(
    [...report.findings, ...report.hints].filter(({ rule }) => rule === "DR12-3"),
    [],
  );
});

test("projects that lead nowhere: circles, cut files, brackets without end, ten thousand settings", async () => {
  const many = Array.from({ length: 10_000 }, (_, index) => `S${index} = "v${index}"`);
  for (const [name, text] of [
    ["circle", project(configuration("Debug", [...appSettings, "MAIN_ID = $(MAIN_ID).$(MAIN_ID)"]))],
    ["cut", whole.slice(0, whole.length / 2)],
    ["no end", `// !$*UTF8*$!\nXCBuildConfiguration buildSettings = { A = (${"a, ".repeat(50_000)}`],
    ["quotes", `// !$*UTF8*$!\nXCBuildConfiguration buildSettings = { A = "${"\\".repeat(60_000)}`],
    ["many", project(configuration("Debug", many))],
    ["prototype", project(configuration("Debug", [...appSettings, "__proto__ = x", "constructor = y"]))],
  ]) {
    const report = await check(tree("$(MAIN_ID)", text));
    assert.deepEqual(
      report.files.flatMap(({ problems }) => problems),
      [],
      name,
    );
  }
});
