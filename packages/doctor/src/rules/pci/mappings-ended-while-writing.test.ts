// DR14-6: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { panicOf } from "../../test/samples.ts";
import { mappingsEndedWhileWriting } from "./mappings-ended-while-writing.ts";

test("DR14-6 fires: still writing to mappings that were gone", async () => {
  await assertFires(
    mappingsEndedWhileWriting,
    {
      p: panicOf(
        "[SPTM] VIOLATION_T8110_DART_INVALID_ERR_MASK: validate(x.h:324) state->dart_id(0x9), err_mask(0x80180000)",
      ),
      l: "kernel: (org.example.gpu.dext) client 501 exited, completing 12 mappings\n",
    },
    /still writing to mappings that were gone/,
  );
});

test("DR14-6 is silent on a near miss", async () => {
  await assertSilent(mappingsEndedWhileWriting, {
    p: panicOf("[SPTM] VIOLATION_T8110_DART_INVALID_ERR_MASK: validate(x.h:324) err_mask(0x80180000)"),
  });
});

test("DR14-6 is silent on: kernel: (x.dext) DK: AUC-0x1:UC entitlements check failed, client terminated", async () => {
  await assertSilent(mappingsEndedWhileWriting, {
    l: "kernel: (x.dext) DK: AUC-0x1:UC entitlements check failed, client terminated\nno DART fault",
  });
});
