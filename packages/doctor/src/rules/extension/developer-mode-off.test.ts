// FX-DEVELOPER-MODE: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { developerModeOff } from "./developer-mode-off.ts";

test("FX-DEVELOPER-MODE fires: the tool says so", async () => {
  await assertFires(
    developerModeOff,
    {
      t: `% systemextensionsctl developer
Developer mode is off
`,
    },
    /Developer mode is off: only apps in \/Applications/,
    "hint",
  );
});

test("FX-DEVELOPER-MODE is silent: it is on", async () => {
  await assertSilent(developerModeOff, {
    t: `Developer mode is on
`,
  });
});
