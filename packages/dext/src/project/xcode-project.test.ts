// Xcode projects that nobody should have written, and the settings that people do write.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { findDextSources } from "./dext-sources.ts";
import { NoDextError } from "./no-dext-error.ts";
import { dextTargets, expandSettings } from "./xcode-project.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-project-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (path: string, text: string): void => {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
};

/** A project with one dext, whose group, settings and further objects are given. */
function project({ children = "", settings = "", more = "" } = {}): string {
  const path = join(folder, "My.xcodeproj");
  write(
    "My.xcodeproj/project.pbxproj",
    `// !$*UTF8*$!
{ rootObject = P; objects = {
  P = { isa = PBXProject; mainGroup = G; };
  G = { isa = PBXGroup; children = (I, C, ${children}); sourceTree = "<group>"; };
  I = { isa = PBXFileReference; path = Driver/My.iig; sourceTree = "<group>"; };
  C = { isa = PBXFileReference; path = Driver/My.cpp; sourceTree = SOURCE_ROOT; };
  BI = { isa = PBXBuildFile; fileRef = I; }; BC = { isa = PBXBuildFile; fileRef = C; };
  S = { isa = PBXSourcesBuildPhase; files = (BI, BC); };
  T = { isa = PBXNativeTarget; name = My; productType = "com.apple.product-type.driver-extension";
        buildPhases = (S); buildConfigurationList = L; };
  L = { buildConfigurations = (D); };
  D = { name = Debug; buildSettings = { ${settings} }; };
  ${more}
}; }`,
  );
  write("Driver/My.iig", "class My : public IOService {};");
  write("Driver/My.cpp", "");
  return path;
}

const info = (value: string) =>
  `<?xml version="1.0"?><plist version="1.0"><dict><key>CFBundleName</key><string>${value}</string></dict></plist>`;

test("sources, and an Info.plist named from $(SRCROOT) or from the project's folder", () => {
  for (const place of [
    "Driver/Info.plist",
    '"$(SRCROOT)/Driver/Info.plist"',
    '"$(PROJECT_DIR)/Driver/Info.plist"',
  ]) {
    write("Driver/Info.plist", info("$(PRODUCT_NAME:c99extidentifier)"));
    const found = findDextSources([
      project({ settings: `INFOPLIST_FILE = ${place}; PRODUCT_NAME = "a b";` }),
    ]);
    assert.deepEqual(found.info, { CFBundleName: "a_b" }, place);
    assert.deepEqual(found.interfaces, [join(folder, "Driver/My.iig")]);
    assert.deepEqual(found.sources, [join(folder, "Driver/My.cpp")]);
  }
});

test("groups that hold themselves, each other, or a hundred times the same, end", () => {
  const many = Array.from({ length: 100 }, () => "H").join(", ");
  const path = project({
    children: "G, H, H",
    more: `H = { isa = PBXGroup; path = x; children = (G, H, ${many}, K); }; K = { isa = PBXGroup; children = (H, K, K); };`,
  });
  assert.deepEqual(
    dextTargets(path).map(({ sources }) => sources.length),
    [2],
  );
});

test("objects of the wrong kind are no dext, and no crash", () => {
  for (const text of [
    "text",
    "(a, b)",
    "{}",
    "{ objects = (a); }",
    "{ objects = { T = text; U = (a); }; rootObject = (x); }",
  ]) {
    write("My.xcodeproj/project.pbxproj", text);
    assert.deepEqual(dextTargets(join(folder, "My.xcodeproj")), [], text);
  }
});

test("settings: circles and bombs stay within bounds, names of JavaScript's are no settings", () => {
  const bomb = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`A${index}`, `$(A${index + 1})`.repeat(50)]),
  );
  assert.ok(expandSettings("$(A0)", bomb).length < 10_000_000);
  assert.equal(expandSettings("$(A)", { A: "$(A)" }), "$(A)");
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"])
    assert.equal(expandSettings(`$(${name})`, {}), `$(${name})`);
  assert.equal(expandSettings("$(N:rfc1034identifier)", { N: "my driver" }), "my-driver");
});

test("what is no file is told, not waited for: a device, a folder, links in a circle", () => {
  assert.throws(() => findDextSources([project({ settings: 'INFOPLIST_FILE = "/dev/zero";' })]), {
    name: "NoDextError",
    message: /^\/dev\/zero: is no regular file/,
  });
  project();
  rmSync(join(folder, "Driver/My.cpp"));
  symlinkSync("My.cpp", join(folder, "Driver/My.cpp"));
  symlinkSync("..", join(folder, "Driver/up"));
  symlinkSync("nowhere", join(folder, "dangling"));
  const found = findDextSources([folder]);
  assert.deepEqual(found.sources, []);
  assert.match(found.remarks.join(), /My\.cpp is named by the project and not there/);
});

test("a project that is empty, broken or of an application says so", () => {
  mkdirSync(join(folder, "No.xcodeproj"));
  assert.throws(() => findDextSources([join(folder, "No.xcodeproj")]), /holds no project\.pbxproj/);
  write("No.xcodeproj/project.pbxproj", "{ objects = {}; }");
  assert.throws(
    () => findDextSources([join(folder, "No.xcodeproj")]),
    /no target that is a driver extension/,
  );
  write("No.xcodeproj/project.pbxproj", "{ objects = {");
  assert.throws(() => findDextSources([join(folder, "No.xcodeproj")]), /line 1/);
  assert.throws(() => findDextSources([folder]), NoDextError);
});

test("a property list that is cut off, deep or not one is refused with its path", () => {
  const path = project({ settings: "INFOPLIST_FILE = Info.plist;" });
  const deep = `<plist version="1.0">${"<array>".repeat(50_000)}`;
  for (const text of [info("x").slice(0, 60), deep, "", "bplist00", "\0\0\0\0"]) {
    write("Info.plist", text);
    assert.throws(
      () => findDextSources([path]),
      { name: "NoDextError", message: /Info\.plist: / },
      text.slice(0, 30),
    );
  }
});
