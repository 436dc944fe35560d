// DR01-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { protocolNotDeclared } from "./protocol-not-declared.ts";

test("DR01-1 fires: does not declare the protocol com.example.data", async () => {
  await assertFires(
    protocolNotDeclared,
    {
      "a.txt": "EASession initWithAccessory:forProtocol: com.example.data returned nil\n",
      b: plist({
        CFBundleIdentifier: "org.example.app",
        UISupportedExternalAccessoryProtocols: ["com.example.control"],
      }),
    },
    /does not declare the protocol com\.example\.data/,
  );
});

test("DR01-1 fires: the case differs", async () => {
  await assertFires(
    protocolNotDeclared,
    {
      a: "protocolStrings: com.example.Data\nEASession is nil\n",
      b: plist({ UISupportedExternalAccessoryProtocols: ["com.example.data"] }),
    },
    /the case differs/,
  );
});

test("DR01-1 fires: without the app's list it is a hint", async () => {
  await assertFires(
    protocolNotDeclared,
    { a: "EASession for protocol com.example.data failed" },
    /not in this evidence/,
    "hint",
  );
});

test("DR01-1 is silent on a near miss", async () => {
  await assertSilent(protocolNotDeclared, {
    a: "EASession for protocol com.example.data opened, delegate nil\nEASession for protocol com.example.data failed",
    b: plist({ UISupportedExternalAccessoryProtocols: ["com.example.data"] }),
  });
});
