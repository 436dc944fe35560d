// DR19-1: flushes were asked for, and no SYNCHRONIZE CACHE was sent.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Rule } from "../rule.ts";
import { opcodeLine, opcodesSeen } from "../scsi-opcodes.ts";

const flush = watch(
  ["F_FULLFSYNC", "DKIOCSYNCHRONIZE", "fsync", "flush"],
  /\b(?:F_FULLFSYNC|DKIOCSYNCHRONIZE\w*|fsync|flush(?:es|ed)?)\b/i,
);
const none = watch(
  ["SYNCHRONIZE"],
  /SYNCHRONIZE(?:_| )CACHE\b.{0,80}?\b(?:not (?:sent|dispatched|issued|called)|never (?:sent|dispatched|issued|comes|called|seen)|(?:sent|issued) 0 times|is not (?:sent|dispatched))/i,
);
const synchronize: readonly number[] = [0x35, 0x91];
const writes: readonly number[] = [0x0a, 0x2a, 0xaa, 0x8a];

export const flushWithoutCommand: Rule = {
  id: "DR19-1",
  title: "Flushes were asked for, and no SYNCHRONIZE CACHE was sent",
  severity: "error",
  certainty: "likely",
  source:
    "IOSCSIArchitectureModelFamily 139: the class driver flushes only a write cache that it believes in",
  needs: ["log", "capture"],
  why: "The class driver sends SYNCHRONIZE CACHE only when it believes that the write cache is on. It believes so from MODE SENSE page 08h, and only when the realised byte count equals the requested one and the page code is right. Otherwise every flush succeeds at once without a command.",
  fix: [
    "Answer MODE SENSE page 08h with WCE, in the header-only and in the whole form.",
    "Report in fBytesTransferred exactly the bytes that were moved, for this command above all.",
    "Count opcodes 35h and 91h afterwards: there must be one for each flush.",
  ],
  who: "you",
  watches: [opcodeLine, flush, none],
  judge(evidence) {
    const said = spoken(evidence, none);
    const asked = spoken(evidence, flush);
    const seen = opcodesSeen(evidence);
    // Several disks may be in one folder: what counts is a log of its own that has writes and no flush.
    const logs = Map.groupBy(seen, ({ place }) => place.file);
    const silent = [...logs.values()].find(
      (list) =>
        list.filter(({ opcode }) => writes.includes(opcode)).length >= (said.length > 0 ? 1 : 2) &&
        !list.some(({ opcode }) => synchronize.includes(opcode)),
    );
    if (silent === undefined && (said.length === 0 || seen.length > 0)) return [];
    if (said.length === 0 && asked.length === 0) return [];
    const written = (silent ?? []).filter(({ opcode }) => writes.includes(opcode));
    const sense = (silent ?? []).find(
      ({ opcode, block }) =>
        (opcode === 0x1a || opcode === 0x5a) && (block === null || (block[2] & 0x3f) === 8),
    );
    return [
      {
        score: said.length > 0 ? 86 : sense === undefined ? 72 : 80,
        claim: `Flushes were asked for, and SYNCHRONIZE CACHE was never sent as far as this evidence goes: the class driver takes the write cache for off${sense === undefined ? "" : ", so look at the answer to MODE SENSE page 08h"}.`,
        because: [
          ...said.slice(0, 1).map((hit) => hit.place),
          ...asked.slice(0, 1).map((hit) => hit.place),
          ...written.slice(0, 1).map((command) => command.place),
          ...(sense === undefined ? [] : [sense.place]),
        ],
        missing: ["the answer to MODE SENSE page 08h with its byte counts: requested, and reported as moved"],
      },
    ];
  },
};
