// What clang says, as places in the driver's files and never in ours.

import assert from "node:assert/strict";
import { test } from "node:test";
import { missingNames, readDiagnostics } from "./diagnostics.ts";

const isOwn = (path: string): boolean => path.startsWith("/ours/");
const read = (lines: readonly string[], source: string | null = null) =>
  readDiagnostics(lines.join("\n"), isOwn, source).map(
    ({ column, line, message, path, severity }) => `${path}:${line}:${column}: ${severity}: ${message}`,
  );

test("errors and warnings of the driver's own files, without code, carets and notes", () => {
  assert.deepEqual(
    read([
      "/d/a.cpp:3:7: error: expected ';'",
      "  int a",
      "      ^",
      "/d/a.cpp:1:1: note: to match this",
      "/d/b c:d.cpp:9:1: fatal error: 'X/X.h' file not found",
      "/d/a.cpp:4:1: warning: unused [-Wunused]\r",
      "3 errors generated.",
    ]),
    [
      "/d/a.cpp:3:7: error: expected ';'",
      "/d/b c:d.cpp:9:1: error: 'X/X.h' file not found",
      "/d/a.cpp:4:1: warning: unused [-Wunused]",
    ],
  );
});

test("an error two headers of ours deep is told at the driver's #include", () => {
  assert.deepEqual(
    read([
      "In file included from /d/a.cpp:2:",
      "In file included from /d/a.h:5:",
      "In file included from /ours/DriverKit/DriverKit.h:3:",
      "/ours/DriverKit/IOService.h:9:2: error: unknown type name 'uint99_t'",
      "/d/b.cpp:1:1: error: other",
    ]),
    ["/d/a.h:5:1: error: unknown type name 'uint99_t'", "/d/b.cpp:1:1: error: other"],
  );
});

test("an error in a template of ours is told where the driver asked for it", () => {
  assert.deepEqual(
    read([
      "In file included from /d/a.cpp:2:",
      "/ours/OSSharedPtr.h:20:5: error: no member named 'release' in 'int'",
      "/ours/OSSharedPtr.h:31:9: note: in instantiation of member function 'a' requested here",
      "/d/a.cpp:40:12: note: in instantiation of member function 'b' requested here",
      "/d/a.cpp:50:12: note: in instantiation of member function 'c' requested here",
    ]),
    ["/d/a.cpp:40:12: error: no member named 'release' in 'int'"],
  );
});

test("includes before a note are not those of the next error; what nothing leads to is told at the file compiled", () => {
  const lines = [
    "/d/a.cpp:3:7: error: no matching function",
    "In file included from /d/a.cpp:2:",
    "/ours/x.h:4:4: note: candidate function",
    "/ours/y.h:5:5: error: alone",
  ];
  assert.deepEqual(read(lines, "/d/a.cpp"), [
    "/d/a.cpp:3:7: error: no matching function",
    "/d/a.cpp:1:1: error: alone",
  ]);
});

test("huge, cut off and senseless output is read in time", () => {
  const long = `${":1".repeat(50_000)}: error: x`;
  const chain = Array.from({ length: 50_000 }, (_, line) => `In file included from /ours/a.h:${line}:`);
  assert.deepEqual(read([long, ...chain, "/d/a.cpp:1:1: err"]).length, 1);
  assert.deepEqual(read(["/d/a.cpp:1:1: error:", ":::: error: x", "error: no input files"]), []);
});

test("a missing header or class of DriverKit's that nothing describes yet is told from one that is not there", () => {
  const missing = missingNames(
    readDiagnostics(
      [
        "/d/a.cpp:1:1: error: 'AudioDriverKit/AudioDriverKit.h' file not found",
        "/d/a.cpp:2:1: error: 'SCSIPeripheralsDriverKit/IOUserSCSIPeripheralDeviceType05.h' file not found",
        "/d/a.cpp:3:1: error: unknown type name 'IOUserNetworkEthernet'",
        "/d/a.cpp:4:1: error: 'DriverKit/Nothing.h' file not found",
        "/d/a.cpp:5:1: error: unknown type name 'Misspelt'",
      ].join("\n"),
      isOwn,
    ),
  );
  assert.deepEqual(
    missing.map(({ framework, isUndescribed }) => [framework, isUndescribed]),
    [
      ["AudioDriverKit", true],
      ["SCSIPeripheralsDriverKit", true],
      ["NetworkingDriverKit", true],
      ["DriverKit", false],
      [null, false],
    ],
  );
});

test("missing names: once each, of errors only, with the framework that a header names", () => {
  const missing = missingNames(
    readDiagnostics(
      [
        "/d/a.cpp:1:1: fatal error: 'PCIDriverKit/PCIDriverKit.h' file not found",
        "/d/a.cpp:2:1: error: unknown type name 'IOPCIDevice'",
        "/d/a.cpp:3:1: error: use of undeclared identifier 'IOPCIDevice'",
        "/d/a.cpp:4:1: warning: unknown type name 'Other'",
      ].join("\n"),
      isOwn,
    ),
  );
  assert.deepEqual(
    missing.map(({ framework, line, name }) => [name, framework, line]),
    [
      ["PCIDriverKit/PCIDriverKit.h", "PCIDriverKit", 1],
      ["IOPCIDevice", null, 2],
    ],
  );
});
