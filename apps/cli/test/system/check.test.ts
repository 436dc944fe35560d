// drydock check beside public tools: CMS made and read by openssl, Mach-O linked by ld64.lld and read by LLVM's tools.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { decodeCodeSignature } from "@drydock/core/codec/code-signature/code-signature";
import { decodeSignedData, encodeUnsignedData } from "@drydock/core/codec/der/cms";
import { decodeMachO, type MachOSlice } from "@drydock/core/codec/macho/macho";
import {
  type BundleFile,
  type BundlePlan,
  writeBundle,
  writeProfile,
} from "@drydock/core/platform/evidence/signed-bundle";
import type { Properties } from "@drydock/core/platform/properties";

const root = join(import.meta.dirname, "../../../..");
const program = join(root, "apps/cli/src/main.ts");
const frameworks = "/System/DriverKit/System/Library/Frameworks";
const team = "TEAM123456";
const dextId = "org.example.app.driver";
const appId = "org.example.app";
const usb = "com.apple.developer.driverkit.transport.usb";
const access = "com.apple.developer.driverkit.userclient-access";
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-check-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Debian gives some of LLVM's programs names with its version only. */
function programNamed(name: string): string | null {
  const names = [name, ...[14, 15, 16, 17, 18, 19, 20, 21].map((version) => `${name}-${version}`)];
  return names.find((entry) => spawnSync(entry, ["--version"]).error === undefined) ?? null;
}

const tools = Object.fromEntries(
  ["llvm-mc", "ld64.lld", "llvm-nm", "llvm-objdump", "llvm-lipo"].map((name) => [name, programNamed(name)]),
);
const missingTool = Object.keys(tools).find((name) => tools[name] === null);
const withoutLlvm = missingTool === undefined ? false : `${missingTool} is missing: apt-get install llvm lld`;
const withoutOpenssl =
  spawnSync("openssl", ["version"]).error === undefined
    ? false
    : "openssl is missing: apt-get install openssl";

function run(name: string, ...args: string[]): string {
  const result = spawnSync(tools[name] ?? name, args, { encoding: "utf8", maxBuffer: 16 << 20 });
  assert.equal(result.status, 0, `${name}: ${result.stderr}`);
  return result.stdout;
}

function check(...args: string[]) {
  const day = args.includes("--date") ? [] : ["--date", "2026-11-24"];
  return spawnSync(process.execPath, [program, "check", ...day, ...args], { encoding: "utf8" });
}

/** An authority and a certificate of the team below it, as openssl makes them; answers a signer with its options. */
function signer(): (content: Uint8Array, ...options: string[]) => Uint8Array {
  const path = (name: string) => join(folder, name);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  run(
    "openssl",
    "req",
    "-x509",
    ...curve,
    "-days",
    "3650",
    "-subj",
    "/O=Drydock/CN=Sample Authority",
    "-keyout",
    path("ca.key"),
    "-out",
    path("ca.pem"),
  );
  run(
    "openssl",
    "req",
    ...curve,
    "-subj",
    `/O=Sample/OU=${team}/CN=Apple Development: Sample`,
    "-keyout",
    path("leaf.key"),
    "-out",
    path("leaf.csr"),
  );
  run(
    "openssl",
    "x509",
    "-req",
    "-in",
    path("leaf.csr"),
    "-CA",
    path("ca.pem"),
    "-CAkey",
    path("ca.key"),
    "-CAcreateserial",
    "-days",
    "3650",
    "-out",
    path("leaf.pem"),
  );
  let count = 0;
  return (content, ...options) => {
    const [plain, signed] = [path(`content-${++count}`), path(`signed-${count}`)];
    writeFileSync(plain, content);
    run(
      "openssl",
      "cms",
      "-sign",
      "-binary",
      "-outform",
      "DER",
      "-md",
      "sha256",
      "-signer",
      path("leaf.pem"),
      "-inkey",
      path("leaf.key"),
      "-certfile",
      path("ca.pem"),
      "-in",
      plain,
      "-out",
      signed,
      ...options,
    );
    return new Uint8Array(readFileSync(signed));
  };
}

function save(files: readonly BundleFile[], into: string): string {
  for (const { name, bytes } of files) {
    mkdirSync(dirname(join(into, name)), { recursive: true });
    writeFileSync(join(into, name), bytes);
  }
  return into;
}

const driverClaims: Properties = { "com.apple.developer.driverkit": true, [usb]: [{ idVendor: 1356 }] };
const appClaims: Properties = { "com.apple.developer.system-extension.install": true, [access]: [dextId] };

function profileOf(bundle: string, entitlements: Properties, envelope: (content: Uint8Array) => Uint8Array) {
  return writeProfile(
    {
      name: `Sample of ${bundle}`,
      uuid: "5c9a9c2e-7a55-4c7e-9d2b-2f6f0f3a1b10",
      teamIdentifier: team,
      applicationIdentifier: `${team}.${bundle}`,
      platform: "OSX",
      created: "2025-09-01T00:00:00Z",
      expires: "2027-09-01T00:00:00Z",
      devices: ["00008103-000A11112222333A"],
      entitlements,
    },
    envelope,
  );
}

function bundle(kind: "app" | "dext", more: Partial<BundlePlan>): BundleFile[] {
  const isApp = kind === "app";
  return writeBundle({
    folder: isApp ? "Sample.app" : `Sample.app/Contents/Library/SystemExtensions/${dextId}.dext`,
    kind,
    identifier: isApp ? appId : dextId,
    teamIdentifier: team,
    info: {},
    executable: {
      minimumOS: isApp ? "15.0" : "24.0",
      sdk: isApp ? "15.4" : "24.4",
      dylibs: isApp ? ["/usr/lib/libSystem.B.dylib"] : [`${frameworks}/DriverKit.framework/DriverKit`],
      imports: isApp ? [] : [{ symbol: "__ZN9IOService4initEv", dylib: 0 }],
    },
    entitlements: isApp ? appClaims : driverClaims,
    profile: null,
    sha256,
    ...more,
  });
}

test("CMS made by openssl, definite and indefinite: content, certificates and signer are read as openssl prints them", {
  skip: withoutOpenssl,
}, () => {
  const sign = signer();
  const content = new TextEncoder().encode("<plist><dict/></plist>".repeat(200));
  for (const options of [["-nodetach"], ["-nodetach", "-stream"]]) {
    const bytes = sign(content, ...options);
    const read = decodeSignedData(bytes);
    assert.deepEqual(read.content, content);
    assert.deepEqual(read.certificates.map(({ commonName }) => commonName).sort(), [
      "Apple Development: Sample",
      "Sample Authority",
    ]);
    const leaf = read.certificates.find(({ organizationalUnit }) => organizationalUnit === team);
    assert.equal(leaf?.issuerCommonName, "Sample Authority");
    assert.equal(read.signers[0].serialHex.replace(/^00/, ""), leaf?.serialHex.replace(/^00/, ""));
    const printed = run("openssl", "x509", "-noout", "-serial", "-dates", "-in", join(folder, "leaf.pem"));
    const serial = /serial=([0-9A-F]+)/.exec(printed)?.[1].toLowerCase();
    assert.equal(leaf?.serialHex.replace(/^00/, ""), serial);
    const day = (name: string) => new Date(new RegExp(`${name}=(.*)`).exec(printed)?.[1] ?? "").toISOString();
    assert.equal(leaf?.notBefore, day("notBefore").replace(".000", ""));
    assert.equal(leaf?.notAfter, day("notAfter").replace(".000", ""));
    assert.ok((read.signers[0].signingTime ?? "") >= (leaf?.notBefore ?? "9"));
  }
});

test("openssl reads our envelope, and verifies the profile that it signed itself", {
  skip: withoutOpenssl,
}, () => {
  const sign = signer();
  const own = join(folder, "own.cms");
  writeFileSync(own, encodeUnsignedData(new TextEncoder().encode("content of ours")));
  assert.match(
    run("openssl", "asn1parse", "-inform", "DER", "-in", own),
    /pkcs7-signedData[\s\S]*OCTET STRING +:content of ours/,
  );
  assert.match(
    run("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", own),
    /eContentType: pkcs7-data/,
  );
  const signed = join(folder, "signed.provisionprofile");
  writeFileSync(
    signed,
    profileOf(dextId, driverClaims, (content) => sign(content, "-nodetach")),
  );
  const verified = run(
    "openssl",
    "cms",
    "-verify",
    "-inform",
    "DER",
    "-in",
    signed,
    "-CAfile",
    join(folder, "ca.pem"),
    "-purpose",
    "any",
  );
  assert.match(verified, /<key>DER-Encoded-Profile<\/key>/);
});

test("a package with profiles and signatures made by openssl: passes; with the wildcard it fails at launch", {
  skip: withoutOpenssl,
}, () => {
  const sign = signer();
  const envelope = (content: Uint8Array) => sign(content, "-nodetach");
  const cms = { reservedBytes: 8192, sign: (directory: Uint8Array) => sign(directory) };
  const build = (name: string, driverAllowed: Properties): string =>
    save(
      [
        ...bundle("app", { cms, profile: profileOf(appId, appClaims, envelope) }),
        ...bundle("dext", { cms, profile: profileOf(dextId, driverAllowed, envelope) }),
      ],
      join(folder, name),
    );
  const good = build("good", driverClaims);
  const passed = check(join(good, "Sample.app"));
  assert.equal(passed.status, 0, passed.stdout + passed.stderr);
  assert.match(
    passed.stdout,
    /^driver org\.example\.app\.driver, team TEAM123456; signed by Apple Development: Sample$/m,
  );
  assert.match(
    passed.stdout,
    /user client +pass +org\.example\.app: the app's userclient-access names this driver/,
  );
  // The CMS of the signature is detached: openssl verifies it over the CodeDirectory that we read.
  const executable = new Uint8Array(
    readFileSync(join(good, `Sample.app/Contents/Library/SystemExtensions/${dextId}.dext/${dextId}`)),
  );
  const place = decodeMachO(executable)[0].signature as { offset: number; size: number };
  const signature = decodeCodeSignature(executable.subarray(place.offset, place.offset + place.size));
  writeFileSync(join(folder, "directory"), signature.codeDirectories[0].blob);
  writeFileSync(join(folder, "detached"), signature.cms as Uint8Array);
  run(
    "openssl",
    "cms",
    "-verify",
    "-binary",
    "-inform",
    "DER",
    "-in",
    join(folder, "detached"),
    "-content",
    join(folder, "directory"),
    "-CAfile",
    join(folder, "ca.pem"),
    "-purpose",
    "any",
    "-out",
    join(folder, "verified"),
  );
  const bad = check(build("bad", { ...driverClaims, [usb]: [{ idVendor: "*" }] }), "--json");
  assert.equal(bad.status, 1, bad.stderr);
  const report = JSON.parse(bad.stdout);
  assert.equal(report.packages[0].rehearsal.stoppedAt, "launch");
  assert.match(
    JSON.stringify(report.packages[0].rehearsal.verdicts),
    /Unsatisfied entitlements: com\.apple\.developer\.driverkit\.transport\.usb"/,
  );
});

/** Methods that came with 24.4 and one that did not, a C function, a class's table, a weak import. */
const controller = "IOUserSCSIParallelInterfaceController";
const bundled = "UserProcessBundledParallelTasks";
const symbols = {
  DriverKit: ["__ZN9IOService4initEv", "_IOLog", "_weakOne", "dyld_stub_binder"],
  SCSIControllerDriverKit: [
    `__ZTV${controller.length}${controller}`,
    `__ZN${controller.length}${controller}${bundled.length}${bundled}Ev`,
  ],
};

const stub = (name: keyof typeof symbols): string =>
  [
    "--- !tapi-tbd",
    "tbd-version: 4",
    "targets: [ arm64-driverkit, x86_64-driverkit ]",
    `install-name: '${frameworks}/${name}.framework/${name}'`,
    "exports:",
    "  - targets: [ arm64-driverkit, x86_64-driverkit ]",
    `    symbols: [ ${symbols[name].join(", ")} ]`,
    "...",
    "",
  ].join("\n");

const calls = { arm64: ["bl", ".p2align 2"], x86_64: ["call", ".p2align 4"] } as const;

/** A driver extension of one architecture, linked and ad-hoc signed by ld64.lld. */
function link(architecture: keyof typeof calls): string {
  const path = (name: string) => join(folder, `${architecture}-${name}`);
  const [call, align] = calls[architecture];
  const lines = [
    ".section __TEXT,__text,regular,pure_instructions",
    ".globl _main",
    align,
    "_main:",
    ...[symbols.DriverKit[0], symbols.DriverKit[1], symbols.SCSIControllerDriverKit[1]].map(
      (symbol) => `  ${call} ${symbol}`,
    ),
    "  ret",
    ".section __DATA,__const",
    ".p2align 3",
    `.quad ${symbols.SCSIControllerDriverKit[0]}`,
    ".weak_reference _weakOne",
    ".quad _weakOne",
    "",
  ];
  writeFileSync(path("a.s"), lines.join("\n"));
  run(
    "llvm-mc",
    "-triple",
    `${architecture}-apple-driverkit24.0-macho`,
    "-filetype=obj",
    path("a.s"),
    "-o",
    path("a.o"),
  );
  const stubs = (["DriverKit", "SCSIControllerDriverKit"] as const).map((name) => {
    writeFileSync(path(`${name}.tbd`), stub(name));
    return path(`${name}.tbd`);
  });
  run(
    "ld64.lld",
    "-arch",
    architecture,
    "-platform_version",
    "driverkit",
    "24.0",
    "24.4",
    "-adhoc_codesign",
    "-o",
    path("dext"),
    path("a.o"),
    ...stubs,
  );
  return path("dext");
}

/** What llvm-objdump prints of one slice: the fields after each "cmd NAME". (LLVM 14's otool -arch shows another slice.) */
function loadCommands(file: string, architecture: string): Record<string, string>[] {
  const text = run("llvm-objdump", "--macho", `--arch=${architecture}`, "--private-headers", file);
  return text
    .split(/^Load command \d+$/m)
    .slice(1)
    .map((block) =>
      Object.fromEntries(
        block
          .split("\n")
          .map((line) => /^\s*(\S+) (.+?)\s*$/.exec(line))
          .filter((match) => match !== null)
          .map(([, key, value]) => [key, value]),
      ),
    );
}

function agreesWithLlvm(slice: MachOSlice, file: string): void {
  const { architecture } = slice;
  const commands = loadCommands(file, architecture);
  // Older systems are named by another command, which has no platform.
  const build = commands.find(({ cmd }) => cmd === "LC_BUILD_VERSION" || cmd === "LC_VERSION_MIN_MACOSX");
  assert.deepEqual(
    [slice.build?.platform.toLowerCase(), slice.build?.minimumOS, slice.build?.sdk],
    [build?.platform ?? "macos", build?.minos ?? build?.version, build?.sdk],
  );
  const uuid = commands.find(({ cmd }) => cmd === "LC_UUID")?.uuid ?? null;
  assert.equal(slice.uuid, uuid === null ? null : uuid.replace(/-/g, "").toLowerCase());
  const place = commands.find(({ cmd }) => cmd === "LC_CODE_SIGNATURE");
  if (place === undefined) assert.equal(slice.signature, null);
  else
    assert.deepEqual(
      [(slice.signature?.offset ?? 0) - slice.offset, slice.signature?.size],
      [Number(place.dataoff), Number(place.datasize)],
    );
  assert.deepEqual(
    slice.dylibs.map(({ path }) => path),
    commands
      .filter(({ cmd }) => /LC_LOAD.*DYLIB/.test(cmd))
      .map(({ name }) => name.replace(/ \(offset \d+\)$/, "")),
  );
  const printed = run("llvm-nm", "--arch", architecture, "-m", "-u", file);
  const named = [
    ...printed.matchAll(/\(undefined\) (weak )?external (\S+) \((?:from ([^)]+)|(dynamically looked up))\)/g),
  ].map(
    ([, weak, symbol, library, dynamic]) =>
      `${symbol} ${library ?? dynamic}${weak === undefined ? "" : " weak"}`,
  );
  const libraryName = (index: number) =>
    slice.dylibs[index]?.path.split("/").pop()?.replace(/\..*$/, "") ?? "dynamically looked up";
  assert.deepEqual(
    slice.imports
      .map(({ symbol, dylib, isWeak }) => `${symbol} ${libraryName(dylib)}${isWeak ? " weak" : ""}`)
      .sort(),
    named.sort(),
  );
  assert.ok(named.length > 0);
}

test("Mach-O linked by ld64.lld, thin and fat: build version, libraries, imports and signature as LLVM's tools print them", {
  skip: withoutLlvm,
}, () => {
  const thin = (["arm64", "x86_64"] as const).map((architecture) => ({
    architecture,
    file: link(architecture),
  }));
  const fat = join(folder, "fat");
  run("llvm-lipo", "-create", ...thin.map(({ file }) => file), "-output", fat);
  for (const file of [...thin.map((entry) => entry.file), fat]) {
    const bytes = new Uint8Array(readFileSync(file));
    const slices = decodeMachO(bytes);
    assert.equal(slices.length, file === fat ? 2 : 1);
    for (const slice of slices) {
      agreesWithLlvm(slice, file);
      // The linker's identifier is the file's name.
      assert.equal(hashesFit(bytes, slice), `${slice.architecture}-dext`);
    }
  }
});

/** Every page has the hash of the CodeDirectory; answers its identifier. */
function hashesFit(bytes: Uint8Array, slice: MachOSlice): string {
  const { offset, size } = slice.signature as { offset: number; size: number };
  const [directory] = decodeCodeSignature(bytes.subarray(offset, offset + size)).codeDirectories;
  assert.ok(directory.flagNames.includes("adhoc"));
  assert.equal(directory.codeLimit, offset - slice.offset);
  directory.codeHashes.forEach((hash, page) => {
    const from = slice.offset + page * directory.pageBytes;
    const to = Math.min(from + directory.pageBytes, slice.offset + directory.codeLimit);
    assert.deepEqual(hash, sha256(bytes.subarray(from, to)), `page ${page}`);
  });
  return directory.identifier;
}

/** Add-ons that npm packages carry for macOS: made and signed by Apple's own linker. */
const addons: readonly (readonly [path: string, identifier: string])[] = [
  ["@serialport/bindings-cpp/prebuilds/darwin-x64+arm64/@serialport+bindings-cpp.node", "bindings.node"],
  ["usb/prebuilds/darwin-x64+arm64/node.napi.node", "usb_bindings.node"],
];

test("fat binaries of Apple's linker: what LLVM's tools print, and the hash of every page", {
  skip: withoutLlvm,
}, () => {
  for (const [path, identifier] of addons) {
    const file = join(root, "node_modules", path);
    const bytes = new Uint8Array(readFileSync(file));
    const slices = decodeMachO(bytes);
    assert.deepEqual(slices.map(({ architecture }) => architecture).sort(), ["arm64", "x86_64"]);
    for (const slice of slices) {
      agreesWithLlvm(slice, file);
      if (slice.signature !== null) assert.equal(hashesFit(bytes, slice), identifier);
    }
    assert.ok(slices.some(({ signature }) => signature !== null));
  }
});

test("LLVM's tools read the Mach-O that we write", { skip: withoutLlvm }, () => {
  const file = join(folder, "ours");
  const own = bundle("dext", {}).find(({ name }) => name.endsWith(`/${dextId}`)) as BundleFile;
  writeFileSync(file, own.bytes);
  agreesWithLlvm(decodeMachO(own.bytes)[0], file);
  assert.match(run("llvm-objdump", "--macho", "--private-header", file), /ARM64 +ALL +0x00 +EXECUTE/);
});

test("the import gate of a linked binary names what came with 24.4", { skip: withoutLlvm }, () => {
  const file = link("arm64");
  const older = check(file, "--min-os", "15.3");
  assert.equal(older.status, 1, older.stderr);
  assert.match(
    older.stdout,
    /FAILS {2}SCSIControllerDriverKit: IOUserSCSIParallelInterfaceController::UserProcessBundledParallelTasks came with 24\.4 \(macOS 15\.4;/,
  );
  const newer = check(file, "--min-os", "15.4");
  assert.equal(newer.status, 0, newer.stdout);
  assert.match(newer.stdout, /pass +none of its imports \(6\) is known to be missing/);
});

test("bad input: a clear sentence and exit code 2", () => {
  writeFileSync(join(folder, "notes.txt"), "hello");
  const rows: [string[], RegExp][] = [
    [[join(folder, "nowhere")], /there is no .*nowhere/],
    [[join(folder, "notes.txt")], /no app, driver, signature or entitlements to check: notes\.txt is text/],
    [[join(folder, "notes.txt"), "--platform", "palm"], /--platform is one of macos15, .*not "palm"/],
    [[join(folder, "notes.txt"), "--tool", "hammer"], /--tool is one of xcode, codesign, not "hammer"/],
    [[join(folder, "notes.txt"), "--date", "soon"], /--date takes a day like 2026-12-31, not "soon"/],
  ];
  for (const [args, pattern] of rows) {
    const result = check(...args);
    assert.equal(result.status, 2, args.join(" "));
    assert.match(result.stderr, pattern);
    assert.equal(result.stdout, "");
  }
});
