// DR19-3: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { moreThan32BitBlocks } from "./more-than-32-bit-blocks.ts";

const media = (size: number) =>
  `+-o Array Media@0  <class IOMedia, id 0x100000512, registered, matched, active, busy 0 (0 ms), retain 7>\n  {\n    "Size" = ${size}\n    "Preferred Block Size" = 512\n  }\n`;

test("DR19-3 fires: 128906250000 blocks of 512 bytes, more than 2^32", async () => {
  await assertFires(
    moreThan32BitBlocks,
    {
      r: media(66_000_000_000_000),
      t: "Error: -69825: Wiping volume data to prevent future accidental probing failed",
    },
    /128906250000 blocks of 512 bytes, more than 2\^32/,
  );
});

test("DR19-3 fires: large alone is a hint", async () => {
  await assertFires(moreThan32BitBlocks, { r: media(66_000_000_000_000) }, /16-byte commands only/, "hint");
});

test("DR19-3 is silent on a near miss", async () => {
  await assertSilent(moreThan32BitBlocks, { r: media(2_000_000_000_000), t: "Error: -69825" });
});

test("DR19-3 is silent on a near miss: 16-byte commands are there", async () => {
  await assertSilent(moreThan32BitBlocks, { r: media(66_000_000_000_000), l: "opcode 0x9e\nopcode 0x8a" });
});
