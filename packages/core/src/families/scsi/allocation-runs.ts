// GET LBA STATUS data as runs of data and holes: what makes no sense ends the list. SBC-3 r36 §5.4.

import { decodeLbaStatus } from "../../codec/scsi/provisioning.ts";
import { type BlockRuns, blockRunMaximum } from "../../ports/block.ts";

/** LBA STATUS descriptors that are believed: deallocated, and anchored ones count as data. */
const deallocated = 1;

/** Leaves `runs` as it is when the answer says nothing about `block`. */
export function readRuns(answer: Uint8Array, block: number, blocks: number, runs: BlockRuns): void {
  if (answer.length < 8) return;
  let at = block;
  let count = 0;
  for (const extent of decodeLbaStatus(answer)) {
    // The first descriptor may begin before what was asked for; the others follow each other.
    const isNext = count === 0 ? extent.lba <= at : extent.lba === at;
    const end = Math.min(extent.lba + extent.blocks, block + blocks);
    if (!isNext || !(end > at) || count === blockRunMaximum) break;
    runs.blocks[count] = end - at;
    runs.isHole[count] = extent.status === deallocated ? 1 : 0;
    count++;
    at = end;
  }
  if (count > 0) runs.count = count;
}
