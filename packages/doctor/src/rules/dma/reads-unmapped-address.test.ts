// DR16-6: an address that nobody mapped, a mapping that had ended, and a ledger in which all was delivered.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { readsUnmappedAddress } from "./reads-unmapped-address.ts";

const line = (what: string): { l: string } => ({ l: `DMA ledger: t=1.2 ms 01:00.0 ${what}` });

test("DR16-6 fires: a read where nothing was ever mapped, beside the ring (forum thread 804520)", async () => {
  const sample = line(
    'read of 256 bytes at 0x4000000 refused: no mapping; missed "audio ring" (0x40004000, 65536 bytes, both ways) by 999 bytes',
  );
  await assertFires(readsUnmappedAddress, sample, /no address that PrepareForDMA answered/);
});

test("DR16-6 fires: a write behind the end of its mapping", async () => {
  const sample = line(
    'write of 64 bytes at 0x40004000 refused: no mapping; inside "reply queue" (0x40004000, 4096 bytes, device writes, unmapped at 1.1 ms)',
  );
  await assertFires(readsUnmappedAddress, sample, /after the mapping of "reply queue" had ended/);
});

test("DR16-6 is silent: bus master off is another matter, and so is a device that never reached anything", async () => {
  await assertSilent(
    readsUnmappedAddress,
    line(
      'read of 8 bytes at 0x4000 refused: bus master off; missed "ring" (0x8000, 64 bytes, both ways) by 1 bytes',
    ),
  );
  await assertSilent(readsUnmappedAddress, { l: "DMA ledger: 0 accesses refused" });
});
