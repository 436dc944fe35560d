// FX-NO-PROFILE: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { noProfileChosen } from "./no-profile-chosen.ts";

test("FX-NO-PROFILE fires: Xcode names the target", async () => {
  await assertFires(
    noProfileChosen,
    { l: `error: "Pad" requires a provisioning profile. (in target 'Pad' from project 'Pad')` },
    /No profile is chosen for target Pad: automatic signing with a paid team/,
  );
});

test("FX-NO-PROFILE fires: none for the App ID", async () => {
  await assertFires(
    noProfileChosen,
    { l: "error: No profiles for 'org.example.pad' were found: Xcode couldn't find any" },
    /No profile was found for org\.example\.pad/,
  );
});

test("FX-NO-PROFILE is silent: other words", async () => {
  await assertSilent(noProfileChosen, { l: "the profile is required by law" });
});
