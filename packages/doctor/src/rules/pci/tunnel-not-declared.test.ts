// DR14-5: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { tunnelNotDeclared } from "./tunnel-not-declared.ts";

const list = (more: Readonly<Record<string, boolean>>) =>
  plist({
    CFBundleIdentifier: "org.example.hba",
    IOKitPersonalities: { Hba: { IOProviderClass: "IOPCIDevice", IOUserClass: "ExampleHba", ...more } },
  });
const nub =
  '+-o hba@0  <class IOPCIDevice, id 0x100000412, registered, matched, active, busy 0 (0 ms), retain 7>\n  {\n    "IOPCITunnelled" = Yes\n  }\n';

test("DR14-5 fires: does not set IOPCIPauseCompatible, and hba is tunnelled", async () => {
  await assertFires(
    tunnelNotDeclared,
    { i: list({ IOPCITunnelCompatible: true }), r: nub },
    /does not set IOPCIPauseCompatible, and hba is tunnelled/,
  );
});

test("DR14-5 fires: without a registry it is a hint", async () => {
  await assertFires(
    tunnelNotDeclared,
    { i: list({}) },
    /IOPCITunnelCompatible and IOPCIPauseCompatible/,
    "hint",
  );
});

test("DR14-5 is silent on a near miss", async () => {
  await assertSilent(tunnelNotDeclared, {
    i: list({ IOPCITunnelCompatible: true, IOPCIPauseCompatible: true }),
    r: nub,
  });
});
