// DR02-3: a byte swap whose value is used by nobody.

import { isDropped } from "../../source/source-file.ts";
import type { Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const swapResultDropped: Rule = {
  id: "DR02-3",
  title: "The result of a byte swap is dropped",
  severity: "warning",
  certainty: "established",
  source:
    "the functions answer the swapped value and change nothing; USB CDC PSTN 1.2 section 6.3.11 gives little-endian fields",
  needs: ["source"],
  why: "OSSwap... and OSRead... answer the swapped value and leave their argument alone, so such a statement does nothing. Where the host's order is the wire's order the value is right by accident, and assigning the result would create a real bug.",
  fix: [
    "Take the statement out, or use its value: which of the two depends on the wire.",
    "USB descriptors and CDC requests are little-endian, as the processor is: no swap. SCSI CDBs, network headers and most SCSI data are big-endian: OSSwapHostToBig...",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls
        .filter((call) => swaps.test(call.name) && isDropped(call))
        .map((call) => ({
          score: 78,
          claim: `The value of ${call.node.text} is used by nobody, so the statement does nothing.`,
          because: [file.placeOf(call.node)],
          about: [nameOf(one)],
        })),
    );
  },
};

const swaps =
  /^(?:_?OSSwap(?:Big|Little|Host|Int|Const)\w*|OSRead(?:Big|Little|Swap)?Int\d*|[hn]to[hn][sl]l?)$/;
