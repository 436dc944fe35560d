// DR09-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { directionsContradict } from "./directions-contradict.ts";

test("DR09-3 fires: printed directions that do not agree", async () => {
  await assertFires(
    directionsContradict,
    {
      a: "2026-01-01 10:00:00.000000+0000 0x1 Default 0x0 0 0 kernel: P09Driver-0x100: fBufferDirection 1 and fDataTransferDirection 0 do not agree: the command goes without data",
    },
    /do not agree, and no data moves/,
  );
});

test("DR09-3 is silent: printed directions that agree", async () => {
  await assertSilent(directionsContradict, { a: "send: fBufferDirection=1, fDataTransferDirection=2" });
});
