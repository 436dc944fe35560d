// Packages from evidence: what belongs together is found from the contents, and rehearsed; hostile files are a line.

import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { Random } from "@drydock/core/base/random";
import { SignatureMagic } from "@drydock/core/codec/code-signature/code-signature";
import { encodeDerEntitlements } from "@drydock/core/codec/der/der-entitlements";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { Properties } from "@drydock/core/platform/properties";
import { type CheckOptions, checkPackage } from "../check.ts";
import { diagnose } from "../diagnose.ts";
import { collectEvidence } from "../evidence/collect.ts";
import { formatCheck } from "../report/check-report.ts";
import { formatDiagnosis } from "../report/text-report.ts";
import { type Files, sourcesOf } from "../test/rule-check.ts";
import { plist } from "../test/samples.ts";
import {
  accessKey,
  appClaims,
  driverClaims,
  filesOf,
  frameworkPath,
  sampleApp,
  sampleAppId,
  sampleDext,
  sampleDextId,
  sampleProfile,
  sampleUdid,
  usbKey,
} from "../test/signed-samples.ts";
import { evidenceParts } from "./parts.ts";

const plain: CheckOptions = {
  platforms: [],
  platformsMustAccept: false,
  date: "2026-11-24",
  udid: sampleUdid,
};
const checkFiles = (files: Files, more: Partial<CheckOptions> = {}) =>
  checkPackage(sourcesOf(files), { ...plain, ...more });

/** The same bytes under names that say nothing, in one folder. */
function anonymous(files: Record<string, Uint8Array>): Record<string, Uint8Array> {
  const random = new Random(7);
  return Object.fromEntries(
    Object.values(files)
      .map((bytes) => [random.next32().toString(16), bytes] as const)
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}

test("a package of which not every file was read does not pass, and the report says so", async () => {
  const files = filesOf(sampleApp(), sampleDext());
  assert.equal((await checkFiles(files)).ok, true);
  const report = await checkFiles(files, { skipped: new Set(["the rest"]) });
  assert.equal(report.ok, false);
  assert.match(formatCheck(report), /the rest cannot be read: there are more files/);
});

test("source that quotes a property list in a comment is no part of the package, and fails nothing", async () => {
  const quoted = `/* In the Info.plist:
 * <key>IOKitPersonalities</key>
 * <dict>
 *   <key>IOProviderClass</key>
 *   <string>IOUSBHostInterfaces</string>
 *   <key>IOUserClass</key>
 *   <string>Pad</string>
 * </dict>
 */
#include <DriverKit/IOService.iig>

class Pad : public IOService {
 public:
  virtual kern_return_t Start(IOService *provider) override;
};
`;
  const report = await checkFiles({
    "Pad.entitlements": plist({ "com.apple.developer.driverkit": true }),
    "Pad.iig": quoted,
  });
  const [source] = report.files.filter(({ name }) => name === "Pad.iig");
  assert.deepEqual([...source.kinds].sort(), ["property list", "source"]);
  assert.deepEqual([report.ok, report.findings.length, source.problems.length], [true, 0, 1]);
});

test("an app with its driver: every part is found, and every stage passes", async () => {
  const files = filesOf(sampleApp(), sampleDext());
  for (const given of [files, anonymous(files)]) {
    const evidence = await collectEvidence(sourcesOf(given), []);
    const parts = evidenceParts(evidence);
    assert.deepEqual(
      parts
        .map(({ role, bundleIdentifier, teamIdentifier, claimsFrom, profile }) => [
          role,
          bundleIdentifier,
          teamIdentifier,
          claimsFrom,
          profile?.value.profile.applicationIdentifier,
        ])
        .sort(),
      [
        ["app", sampleAppId, "TEAM123456", "signature", `TEAM123456.${sampleAppId}`],
        ["dext", sampleDextId, "TEAM123456", "signature", `TEAM123456.${sampleDextId}`],
      ],
    );
    const report = await checkFiles(given);
    assert.equal(report.ok, true, formatCheck(report));
    assert.deepEqual(
      report.packages.map(({ app, dext, rehearsal }) => [
        app?.bundleIdentifier,
        dext?.bundleIdentifier,
        rehearsal.stoppedAt,
      ]),
      [[sampleAppId, sampleDextId, null]],
    );
    assert.deepEqual(
      evidence.files.flatMap(({ kinds }) => kinds).sort(),
      [
        "Info.plist",
        "Info.plist",
        "Mach-O",
        "Mach-O",
        "code signature",
        "code signature",
        "entitlements",
        "entitlements",
        "provisioning profile",
        "provisioning profile",
      ].sort(),
    );
  }
});

test("P04's fault in real files: launch fails with the lines of AMFI, and the three columns show the types", async () => {
  const allowed = { ...driverClaims, [usbKey]: [{ idVendor: "*" }] };
  const files = filesOf(sampleApp(), sampleDext({ profile: sampleProfile(sampleDextId, allowed) }));
  const report = await checkFiles(anonymous(files));
  assert.equal(report.packages[0].rehearsal.stoppedAt, "launch");
  const text = formatCheck(report);
  assert.match(text, /launch +FAILS +org\.example\.app\.driver: .*transport\.usb/);
  assert.match(
    text,
    /\| taskgated-helper: .*Unsatisfied entitlements: com\.apple\.developer\.driverkit\.transport\.usb/,
  );
  assert.match(
    text,
    /claim {4}\[\{idVendor = 1356 \(number\)\}\]\n {4}profile {2}\[\{idVendor = "\*" \(string\)\}\]/,
  );
  assert.match(text, /user client {3}- +not reached/);
});

test("F06: a profile whose readable copy was edited: the DER decides, and the report says so", async () => {
  const profile = sampleProfile(
    sampleDextId,
    { ...driverClaims, [usbKey]: [{ idVendor: "*" }] },
    { readableEntitlements: driverClaims },
  );
  const report = await checkFiles(filesOf(sampleApp(), sampleDext({ profile })));
  assert.equal(report.packages[0].rehearsal.stoppedAt, "launch");
  const row = report.packages[0].dext?.claims.find(({ key }) => key === usbKey);
  assert.equal(row?.verdict, "wildcard-differs");
  assert.match(row?.reason ?? "", /readable copy says .*1356.*which does not count/);
});

test("entitlements and profile without any binary are enough for build and launch", async () => {
  const files = {
    a: plist({ ...appClaims, [accessKey]: [sampleDextId] }),
    b: sampleProfile(sampleAppId, { ...appClaims, [accessKey]: [sampleAppId] }),
  };
  const report = await checkFiles(files);
  const [item] = report.packages;
  assert.deepEqual([item.app?.bundleIdentifier, item.dext], [sampleAppId, null]);
  assert.equal(item.rehearsal.stoppedAt, "build");
  assert.match(
    item.rehearsal.verdicts.at(-1)?.lines[0] ?? "",
    /doesn't match the entitlements file's value for the com\.apple\.developer\.driverkit\.userclient-access entitlement\.$/,
  );
  assert.match(
    formatCheck(report),
    /note: app org\.example\.app: its claims are those of an entitlements file/,
  );
});

test("F08: the import gate names the four methods of 24.4 for 24.0 to 24.3, and passes 24.4", async () => {
  const controller = "IOUserSCSIParallelInterfaceController";
  const methods = [
    "UserMapBundledParallelTaskCommandAndResponseBuffers",
    "BundledParallelTaskCompletion",
    "UserProcessBundledParallelTasks",
    "UserCompleteBundledParallelTask",
  ];
  const symbol = (method: string) => `__ZN${controller.length}${controller}${method.length}${method}Ev`;
  const files = filesOf(
    sampleDext({
      executable: {
        minimumOS: "24.0",
        sdk: "24.4",
        dylibs: [frameworkPath("DriverKit"), frameworkPath("SCSIControllerDriverKit")],
        imports: [...methods, "UserInitializeController"].map((method) => ({
          symbol: symbol(method),
          dylib: 1,
        })),
      },
    }),
  );
  for (const [system, missing] of [
    ["15.0", 4],
    ["15.3", 4],
    ["15.4", 0],
    ["26", 0],
  ] as const) {
    const report = await checkFiles(files, { minimumSystem: system });
    assert.deepEqual(
      report.gates[0].missing.map(({ wanted }) => wanted.symbol),
      methods.slice(0, missing).map((method) => `${controller}::${method}`),
      system,
    );
    assert.equal(report.gates[0].system, `macOS ${system}`);
  }
  // Without a system asked for, its own promise counts.
  assert.equal((await checkFiles(files)).gates[0].missing.length, 4);
  const early = await checkFiles(files, { minimumSystem: "14.0" });
  assert.equal(early.gates[0].isTooNew, true);
  await assert.rejects(
    checkFiles(files, { minimumSystem: "9.0" }),
    /macOS 9\.0 is not known to have DriverKit/,
  );
  await assert.rejects(checkFiles(files, { minimumSystem: "new" }), /"new" is no version/);
  await assert.rejects(
    checkFiles(files, { minimumSystem: "15.0", platform: platformProfile("ipados") }),
    /iPadOS 15\.0 is not known to have DriverKit; known: 16/,
  );
});

test("F19: one network driver for USB: refused on iPhone, for its app on iPadOS, an interface on macOS", async () => {
  const files = filesOf(
    sampleDext({
      executable: {
        minimumOS: "24.0",
        sdk: "24.0",
        dylibs: ["DriverKit", "USBDriverKit", "NetworkingDriverKit"].map(frameworkPath),
        imports: [],
      },
    }),
  );
  const platforms = ["iphone", "ipados", "macos15", "macos26", "macos27"].map(platformProfile);
  const report = await checkFiles(files, { platforms });
  assert.deepEqual(
    report.platforms[0].verdicts.map(({ platform, outcome }) => [platform, outcome]),
    [
      ["iPhone (iOS 18)", "refused"],
      ["iPadOS 18", "app only"],
      ["macOS 15", "system"],
      ["macOS 26", "system"],
      ["macOS 27", "unknown"],
    ],
  );
  // What is recorded of it, what another system does, and that nobody knows whether it does the same.
  assert.match(
    report.platforms[0].verdicts[4].reason,
    /^only that it has DriverKit 27\.0 is recorded; on macOS 26: system, it becomes a network service/,
  );
  const newest = await checkFiles(files, { platform: platformProfile("macos27"), minimumSystem: "27.0" });
  assert.match(
    formatCheck(newest),
    /macOS 27 \(as macOS 26: of macOS 27 only that it has DriverKit 27\.0 is recorded, the rest is unknown\)/,
  );
  assert.equal(new Set(report.platforms[0].verdicts.slice(0, 3).map(({ reason }) => reason)).size, 3);
  const iphone = await checkFiles(files, {
    platforms: [platformProfile("iphone")],
    platformsMustAccept: true,
  });
  assert.equal(iphone.ok, false);
  const phoneRehearsal = await checkFiles(files, { platform: platformProfile("iphone") });
  assert.match(formatCheck(phoneRehearsal), /install +FAILS .*no driver extensions on this platform/);
});

test("profiles that do not help: expired, another Mac's, another bundle's, each by its own finding", async () => {
  const finding = async (profile: Uint8Array, more: Partial<CheckOptions> = {}) => {
    const report = await checkFiles(filesOf(sampleApp(), sampleDext({ profile })), {
      tool: "codesign",
      ...more,
    });
    return report.packages[0].rehearsal.verdicts.find(({ ok }) => ok === false)?.finding;
  };
  assert.equal(
    await finding(sampleProfile(sampleDextId, driverClaims, { expires: "2026-01-01T00:00:00Z" })),
    "expired",
  );
  assert.equal(
    await finding(sampleProfile(sampleDextId, driverClaims, { devices: ["OTHER"] })),
    "device-not-listed",
  );
  assert.equal(await finding(sampleProfile("org.example.old", driverClaims)), "wrong-app-id");
  // Where neither day nor Mac is known, neither is judged.
  const silent = sampleProfile(sampleDextId, driverClaims, {
    expires: "2026-01-01T00:00:00Z",
    devices: ["OTHER"],
  });
  assert.equal(await finding(silent, { date: null, udid: null }), undefined);
});

test("entitlements in every form are read: XML, DER, both blobs of a signature, binary lists", async () => {
  const der = encodeDerEntitlements({
    "com.apple.developer.driverkit": true,
    [usbKey]: [{ idVendor: "1356" }],
  });
  const blob = (magic: number, payload: Uint8Array) => {
    const bytes = new Uint8Array(8 + payload.length);
    new DataView(bytes.buffer).setUint32(0, magic);
    new DataView(bytes.buffer).setUint32(4, bytes.length);
    bytes.set(payload, 8);
    return bytes;
  };
  const xml = new TextEncoder().encode(
    plist({ "com.apple.developer.driverkit": true, [usbKey]: [{ idVendor: "1356" }] }),
  );
  const files = {
    a: der,
    b: blob(SignatureMagic.derEntitlements, der),
    c: blob(SignatureMagic.entitlements, xml),
    d: xml,
  };
  const evidence = await collectEvidence(sourcesOf(files), []);
  const lists = evidence.facts("property-list");
  assert.equal(lists.length, 4);
  for (const { value } of lists) {
    assert.equal(value.role, "entitlements");
    assert.deepEqual(value.value[usbKey], [{ idVendor: "1356" }], "the number written as a string stays one");
  }
});

test("a whole bundle in a tar.gz is the same package", async () => {
  const members = Object.entries(filesOf(sampleApp(), sampleDext())).map(([name, bytes]) => {
    const padded = new Uint8Array(512 + Math.ceil(bytes.length / 512) * 512);
    const put = (text: string, at: number) => padded.set(new TextEncoder().encode(text), at);
    put(name, 0);
    put(bytes.length.toString(8).padStart(11, "0"), 124);
    put("0", 156);
    put("ustar", 257);
    padded.set(bytes, 512);
    return Buffer.from(padded);
  });
  const archive = gzipSync(Buffer.concat([...members, Buffer.alloc(1024)]));
  const report = await checkFiles({ "any.thing": new Uint8Array(archive) });
  assert.equal(report.ok, true, formatCheck(report));
  assert.equal(report.packages[0].dext?.bundleIdentifier, sampleDextId);
});

test("what cannot be checked is refused with what was there instead", async () => {
  await assert.rejects(
    checkFiles({ "notes.txt": "hello" }),
    /no app, driver.*notes\.txt is text\. Give an \.app or \.dext/s,
  );
  const binary = filesOf(sampleDext())[
    `Sample.app/Contents/Library/SystemExtensions/${sampleDextId}.dext/${sampleDextId}`
  ];
  await assert.rejects(checkFiles({ cut: binary.slice(0, 60) }), /cut cannot be read: Mach-O: .*at byte/);
  // A broken signature leaves the rest readable, and fails the check.
  const broken = binary.slice();
  broken.fill(0xff, binary.length - 300);
  const report = await checkFiles({ broken });
  assert.equal(report.ok, false);
  assert.match(
    formatCheck(report),
    /broken has (?:a code signature|DER entitlements|XML entitlements) that cannot be read/,
  );
});

test("200 mutated packages: a diagnosis each time, and a check or a refusal with words", async () => {
  const files = Object.entries(filesOf(sampleApp(), sampleDext()));
  const words = ["<true/>", "<array>", "</dict>", "<integer>", " $(", "<string>"];
  const random = new Random(9);
  const mutate = (bytes: Uint8Array): Uint8Array => {
    const copy = bytes.slice();
    for (let change = random.between(0, 6); change > 0; change--) {
      const at = random.below(copy.length);
      if (random.chance(0.5)) copy[at] = random.below(256);
      else
        copy.set(
          new TextEncoder().encode(words[random.below(words.length)]).subarray(0, copy.length - at),
          at,
        );
    }
    return copy;
  };
  let checked = 0;
  for (let round = 0; round < 200; round++) {
    const given = files
      .filter(() => !random.chance(0.15))
      .map(([name, bytes]) => [name, mutate(bytes)] as const);
    const diagnosis = await diagnose(sourcesOf(Object.fromEntries(given)), { today: "2026-11-24" });
    assert.equal(diagnosis.files.length, given.length);
    assert.ok(formatDiagnosis(diagnosis, { all: true }).length > 0);
    try {
      const report = await checkFiles(Object.fromEntries(given), { platforms: [platformProfile("ipados")] });
      assert.match(formatCheck(report), /(?:Passed|Failed)\.\n$/);
      checked++;
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
    }
  }
  assert.ok(checked > 100);
});

/** A zip with one stored and otherwise deflated members: APPNOTE 6.3.10 sections 4.3.7, 4.3.12 and 4.3.16. */
function zipOf(files: Record<string, Uint8Array>): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  Object.entries(files).forEach(([name, bytes], index) => {
    const data = index === 0 ? Buffer.from(bytes) : deflateRawSync(bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(index === 0 ? 0 : 8, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, Buffer.from(name), data]);
    const entry = Buffer.alloc(46);
    entry.write("PK\x01\x02", "latin1");
    entry.writeUInt16LE(20, 4);
    common.copy(entry, 6);
    entry.writeUInt32LE(at, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(local);
    at += local.length;
  });
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return new Uint8Array(Buffer.concat([...parts, list, end]));
}

test("a whole bundle in a zip is the same package", async () => {
  const report = await checkFiles({ archive: zipOf(filesOf(sampleApp(), sampleDext())) });
  assert.equal(report.ok, true, formatCheck(report));
  assert.equal(report.packages[0].dext?.bundleIdentifier, sampleDextId);
});

test("profiles for iPadOS alone: the rules of iPadOS decide who may open the driver", async () => {
  const communicates = "com.apple.developer.driverkit.communicates-with-drivers";
  const ios = { platform: "iOS" } as const;
  const package_ = (claims: Properties) =>
    filesOf(
      sampleApp({ entitlements: claims, profile: sampleProfile(sampleAppId, claims, ios) }),
      sampleDext({ profile: sampleProfile(sampleDextId, driverClaims, ios) }),
    );
  const good = await checkFiles(package_({ [communicates]: true }));
  assert.equal(good.packages[0].platform, "iPadOS 18");
  assert.equal(good.packages[0].rehearsal.stoppedAt, null, formatCheck(good));
  const bad = await checkFiles(package_(appClaims));
  assert.equal(bad.packages[0].rehearsal.stoppedAt, "user client");
  assert.match(
    formatCheck(bad),
    /UC entitlement check failed, app does not have .*communicates-with-drivers entitlement/,
  );
});

test("a diagnosis shows the stages in short: where it stops, why, and the lines", async () => {
  const wildcard = sampleProfile(sampleDextId, { ...driverClaims, [usbKey]: [{ idVendor: "*" }] });
  const diagnosis = await diagnose(sourcesOf(filesOf(sampleApp(), sampleDext({ profile: wildcard }))));
  const text = formatDiagnosis(diagnosis, { width: 200 });
  assert.match(text, /Rehearsed on macOS 15: app org\.example\.app with driver org\.example\.app\.driver/);
  assert.match(text, /build pass, install pass, launch FAILS, provider -, user client -/);
  assert.match(text, /\| kernel: AMFI: bailing out because of restricted entitlements\./);
  assert.equal(diagnosis.answers[0].rule, "DR04-1");
});
