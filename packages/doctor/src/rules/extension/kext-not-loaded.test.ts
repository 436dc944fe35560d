// FX-KEXT: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { kextNotLoaded } from "./kext-not-loaded.ts";

test("FX-KEXT fires: the wrong processor", async () => {
  await assertFires(
    kextNotLoaded,
    {
      t: `Error Domain=KMErrorDomain Code=71 "Incompatible architecture: Binary is for x86_64, but needed arch arm64e"`,
    },
    /has no arm64e code: it is built for x86_64/,
  );
});

test("FX-KEXT fires: not approved", async () => {
  await assertFires(
    kextNotLoaded,
    {
      t: `Error Domain=KMErrorDomain Code=27 "Extension with identifiers org.example.k not approved to load. Please approve using System Settings."`,
    },
    /has not approved it/,
  );
});

test("FX-KEXT is silent: a kext that was loaded", async () => {
  await assertSilent(kextNotLoaded, { t: "the kext was loaded" });
});
