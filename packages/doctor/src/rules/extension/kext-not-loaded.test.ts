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

// The number of the domain is the same for all of these; public reports of 2022 and 2023.
test("FX-KEXT fires: KMErrorDomain 71 is no processor by itself: the start routine failed", async () => {
  await assertFires(
    kextNotLoaded,
    {
      t: `Error Domain=KMErrorDomain Code=71 "Kernel request failed: (libkern/kext) kext (kmod) start/stop routine failed (-603946985)"`,
    },
    /not loaded: its own start routine ran and refused.*kOSKextReturnStartStopError/,
  );
});

test("FX-KEXT fires: KMErrorDomain 71 with words that no table knows", async () => {
  await assertFires(
    kextNotLoaded,
    {
      t: `Error Domain=KMErrorDomain Code=71 "Could not find: Unable to get contents of boot kernel collection"`,
    },
    /was not loaded \(KMErrorDomain 71\): the loader gives a general error/,
  );
});

// Its name ends with a word that the loader has for something else.
test("FX-KEXT fires: a kext that asks for com.apple.kpi.unsupported", async () => {
  await assertFires(
    kextNotLoaded,
    {
      t: `Error Domain=KMErrorDomain Code=71 "Incompatible kext at path /Library/Extensions/Box.kext: it requires KPI com.apple.kpi.unsupported"`,
    },
    /was not loaded \(KMErrorDomain 71\): the loader gives a general error/,
  );
});

test("FX-KEXT is silent: a kext that was loaded", async () => {
  await assertSilent(kextNotLoaded, { t: "the kext was loaded" });
});
