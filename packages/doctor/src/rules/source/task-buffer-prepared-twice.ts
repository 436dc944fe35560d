// DR18-5: PrepareForDMA on the buffer of a SCSI task.

import { addressOf } from "../../source/source-file.ts";
import { keyOf } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const taskBufferPreparedTwice: Rule = {
  id: "DR18-5",
  title: "A SCSI task's buffer is prepared for DMA a second time",
  severity: "warning",
  certainty: "established",
  source: "SCSIControllerDriverKit: fBufferIOVMAddr is the one segment that the kernel has mapped already",
  needs: ["source"],
  why: "The kernel has prepared the task's buffer before the driver sees the task: fBufferIOVMAddr is the address for the hardware. A second preparation is not needed, costs time, and tempts one to use an address that ends with another mapping.",
  fix: ["Hand fBufferIOVMAddr to the hardware as it is, cut into as many entries as the hardware needs."],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        const memory = call.name === "PrepareForDMA" ? call.args[1] : undefined;
        if (memory === undefined) return [];
        const taken = one.calls.find(
          ({ name, args }) => name === "UserGetDataBuffer" && addressOf(args[2]) === keyOf(memory),
        );
        if (
          taken === undefined ||
          !/fBufferIOVMAddr|fRequestedTransferCount|UserProcessParallelTask/.test(
            `${one.name} ${one.body.text}`,
          )
        )
          return [];
        return [
          {
            score: 68,
            claim: `${nameOf(one)} prepares ${memory.text}, which the kernel has prepared already.`,
            because: [file.placeOf(call.node), file.placeOf(taken.node)],
            about: [one.className],
          },
        ];
      }),
    );
  },
};
