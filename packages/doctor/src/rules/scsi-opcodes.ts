// SCSI commands that the evidence shows: in a person's own opcode log, or in captures of USB storage.

import type { Evidence } from "../evidence/evidence.ts";
import { watch } from "../evidence/watch.ts";
import type { Place } from "../facts/evidence-source.ts";
import { spoken } from "./questions.ts";

/** "opcode 0x2a", "CDB: 8a 00 ...", "cdb[0]=0x35": how drivers log commands. */
export const opcodeLine = watch(
  ["opcode", "op code", "cdb[0]", "CDB: ", "CDB =", "CDB=0", " CDB "],
  /\b(?:op ?code|cdb(?:\[0\])?)\b["']?\s*[:=]?\s*\(?(?:0x)?([0-9a-f]{2})\b/i,
);

export interface SeenCommand {
  readonly opcode: number;
  /** The first bytes, where they are known. */
  readonly block: Uint8Array | null;
  readonly place: Place;
}

/** In the order of the evidence. */
export function opcodesSeen(evidence: Evidence): SeenCommand[] {
  const logged = spoken(evidence, opcodeLine).map(
    (hit): SeenCommand => ({ opcode: Number.parseInt(hit.match[1], 16), block: null, place: hit.place }),
  );
  const captured = evidence
    .facts("scsi-command")
    .map(
      ({ value, place }): SeenCommand => ({ opcode: value.command.cdb[0], block: value.command.cdb, place }),
    );
  return [...logged, ...captured];
}
