// DR19-3: the disk has more than 2^32 blocks, so its end needs 16-byte commands.

import { watch } from "../../evidence/watch.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";
import { opcodeLine, opcodesSeen } from "../scsi-opcodes.ts";

const wipe = watch(["-69825", "Wiping volume data"], /-69825|Wiping volume data to prevent/);
const sixteen: readonly number[] = [0x88, 0x8a, 0x91, 0x9e];

export const moreThan32BitBlocks: Rule = {
  id: "DR19-3",
  title: "The disk has more than 2^32 blocks, so its end needs 16-byte commands",
  severity: "warning",
  certainty: "established",
  source: "SBC-3, READ CAPACITY (16), READ (16), WRITE (16)",
  needs: ["registry dump", "log"],
  why: "READ CAPACITY (10) and READ or WRITE (10) carry 32 bits of block address. Beyond that the class driver uses 9Eh/10h, 88h, 8Ah and 91h; a controller that mishandles 16-byte commands works at the beginning of the disk and fails at its end.",
  fix: [
    "Handle 9Eh with service action 10h, 88h, 8Ah and 91h, with the high half of the block address and fCommandSize 16.",
    "Or format the array with 4096-byte blocks, which brings 17.6 TB below 2^32 blocks.",
  ],
  who: "you",
  watches: [wipe, opcodeLine],
  judge(evidence) {
    const failed = spoken(evidence, wipe);
    const isHandled = opcodesSeen(evidence).some(({ opcode }) => sixteen.includes(opcode));
    return evidence.facts("registry-entry").flatMap(({ value }): Finding[] => {
      const size = value.properties.Size;
      const block = value.properties["Preferred Block Size"] ?? value.properties["Logical Block Size"] ?? 512;
      if (typeof size !== "number" || typeof block !== "number" || block < 512) return [];
      const blocks = Math.floor(size / block);
      if (blocks <= 2 ** 32 || isHandled) return [];
      return [
        {
          score: failed.length > 0 ? 84 : 42,
          claim: `${value.name} has ${blocks} blocks of ${block} bytes, more than 2^32: its end is reached with 16-byte commands only${failed.length > 0 ? ", and the wipe of its end failed" : ""}.`,
          because: [value.placeOf("Size"), ...failed.slice(0, 1).map((hit) => hit.place)],
          about: [value.name],
          missing: ["a log of every opcode with its status"],
        },
      ];
    });
  },
};
