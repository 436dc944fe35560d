// FX-LIST-CUT: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { listCutOff } from "./list-cut-off.ts";

test("FX-LIST-CUT fires: the tool gave up", async () => {
  await assertFires(
    listCutOff,
    {
      t: `3 extension(s)
--- com.apple.system_extension.driver_extension
enabled	active	teamID	bundleID (version)	name	[state]
zsh: abort      systemextensionsctl list
`,
    },
    /3 extensions promised, 0 shown, the tool aborted/,
  );
});

test("FX-LIST-CUT is silent: a whole list without a row", async () => {
  await assertSilent(listCutOff, {
    t: `0 extension(s)
`,
  });
});
