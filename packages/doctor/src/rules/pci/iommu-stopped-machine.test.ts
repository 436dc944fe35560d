// DR16-5: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { panicOf } from "../../test/samples.ts";
import { iommuStoppedMachine } from "./iommu-stopped-machine.ts";

test("DR16-5 fires: err_mask 0x80180000", async () => {
  await assertFires(
    iommuStoppedMachine,
    {
      p: panicOf(
        "[SPTM] VIOLATION_T8110_DART_INVALID_ERR_MASK: validate_t8110dart_err_mask(t8110dart_validation.h:324) state->dart_id(0x9), err_mask(0x80180000)",
      ),
    },
    /err_mask 0x80180000/,
  );
});

test("DR16-5 is silent on a near miss", async () => {
  await assertSilent(iommuStoppedMachine, { p: panicOf("[SPTM] VIOLATION_FRAME_TYPE: x") });
});
