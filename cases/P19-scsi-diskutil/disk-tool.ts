// What a disk tool does to a whole disk: wipe both ends, write a map, flush; and what it says when that fails.

import { BlockStatus } from "@drydock/core/ports/block";
import type { RawDisk } from "./case.ts";

/** Blocks wiped at each end, in pieces. */
const wipeBlocks = 2048;
const pieceBlocks = 128;

/** The text of `diskutil partitionDisk` when the wipe fails; null: the disk is partitioned. */
export async function partitionDisk(raw: RawDisk, blockCount: number): Promise<string | null> {
  const failed = "Error: -69825: Wiping volume data to prevent future accidental probing failed";
  const zeros = new Uint8Array(pieceBlocks * 512);
  for (const end of [0, blockCount - wipeBlocks])
    for (let block = end; block < end + wipeBlocks; block += pieceBlocks)
      if ((await raw.write(block, zeros)) !== BlockStatus.ok) return failed;
  // A protective MBR and a header at each end stand for the whole map.
  for (const [block, fill] of [
    [0, 0xee],
    [1, 0x45],
    [blockCount - 1, 0x45],
  ] as const)
    if ((await raw.write(block, new Uint8Array(512).fill(fill))) !== BlockStatus.ok) return failed;
  return (await raw.flush()) === BlockStatus.ok ? null : "Error: -69877: Couldn't open device";
}
