// SCSI commands that the evidence shows: in a person's own opcode log, or in USB captures of Bulk-Only transport.

import type { Evidence } from "../evidence/evidence.ts";
import type { Place } from "../evidence/evidence-source.ts";
import { watch } from "../evidence/watch.ts";
import { spoken } from "./questions.ts";

/** "opcode 0x2a", "CDB: 8a 00 ...", "cdb[0]=0x35": how drivers log commands. */
export const opcodeLine = watch(
  ["opcode", "op code", "cdb[0]", "CDB:", "CDB =", "CDB=", " CDB "],
  /\b(?:op ?code|cdb(?:\[0\])?)\b["']?\s*[:=]?\s*\(?(?:0x)?([0-9a-f]{2})\b/i,
);

export interface SeenCommand {
  readonly opcode: number;
  /** The first bytes, where they are known. */
  readonly block: Uint8Array | null;
  readonly place: Place;
}

/** USB mass storage Bulk-Only 1.0 section 5.1: 31 bytes that begin with "USBC", the command from byte 15 on. */
function commandOfWrapper(data: Uint8Array): Uint8Array | null {
  const isWrapper =
    data.length === 31 && data[0] === 0x55 && data[1] === 0x53 && data[2] === 0x42 && data[3] === 0x43;
  return isWrapper ? data.subarray(15, 15 + Math.min(16, data[14] & 0x1f)) : null;
}

/** In the order of the evidence. */
export function opcodesSeen(evidence: Evidence): SeenCommand[] {
  const logged = spoken(evidence, opcodeLine).map(
    (hit): SeenCommand => ({ opcode: Number.parseInt(hit.match[1], 16), block: null, place: hit.place }),
  );
  const captured = evidence.facts("transfer").flatMap(({ value, place }): SeenCommand[] => {
    const block =
      value.kind === "bulk" && (value.endpoint & 0x80) === 0 ? commandOfWrapper(value.data) : null;
    return block === null || block.length === 0 ? [] : [{ opcode: block[0], block, place }];
  });
  return [...logged, ...captured];
}
