// FX-HALTED: transfers are refused because the pipe is halted, and what halted it before.

import { formatReturn, type IOReturnName, IOReturns } from "@drydock/core/base/io-return";
import { type Hit, watch } from "../../evidence/watch.ts";
import { refused as refusedClaim } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import { nameOfReturn } from "../return-meanings.ts";
import type { Finding, Rule } from "../rule.ts";

const refused = watch(
  ["e0005000", "-536850432", "3758116864", "kUSBHostReturnPipeStalled"],
  /\b(AsyncIO|AsyncIOBundled|IO|ReadPipe(?:Async)?|WritePipe(?:Async)?|bulk|interrupt|pipe|ep ?0x[0-9a-f]{2}|endpoint 0x[0-9a-f]{2})\b[^\n]{0,160}?(?:0xe0005000|e0005000|-536850432|3758116864|kUSBHostReturnPipeStalled)/i,
);
/** What ends a transfer before the pipe is found halted. */
const before = watch(
  [
    "e00002ed",
    "e00002d6",
    "e00002eb",
    "e00002c0",
    "e0004051",
    "kIOReturnNotResponding",
    "kIOReturnTimeout",
    "-536870163",
    "-536870186",
  ],
  /(?:0x)?(e00002ed|e00002d6|e00002eb|e00002c0|e0004051)|(kIOReturnNotResponding|kIOReturnTimeout)|(-536870163|-536870186)/i,
);

export const pipeHalted: Rule = {
  id: "FX-HALTED",
  title: "Transfers are refused because the pipe is halted",
  severity: "error",
  certainty: "established",
  source:
    "USB 2.0 section 8.4.5; USBDriverKit: a halted pipe refuses AsyncIO with kUSBHostReturnPipeStalled until ClearStall",
  needs: ["log"],
  why: "After an error or a STALL the host halts the pipe, and refuses each further transfer at once, also when AsyncIO itself returns the code. That ends only with ClearStall. The first status before it says what began it.",
  fix: [
    "On kUSBHostReturnPipeStalled, from the completion or from AsyncIO itself: ClearStall on the pipe, then submit again.",
    "Do not take the first bad status for the end: submit again after it, and give up only in Stop or when the device is gone.",
  ],
  who: "you",
  states: refusedClaim("transfers on a halted pipe"),
  watches: [refused, before],
  judge(evidence) {
    const [first, ...rest] = spoken(evidence, refused);
    if (first === undefined) return [];
    const began = spoken(evidence, before).find(
      ({ place }) => place.file === first.place.file && place.line < first.place.line,
    );
    const name =
      began === undefined ? null : nameOfReturn(began.match[1] ?? began.match[2] ?? began.match[3]);
    const origin =
      began === undefined || name === null
        ? ""
        : ` It began with ${name in IOReturns ? `${formatReturn(IOReturns[name as IOReturnName])} (${name})` : name}${gap(began, first)} before.`;
    return [
      {
        score: 83,
        claim: `${first.match[1]} is refused because the pipe is halted (kUSBHostReturnPipeStalled, 0xe0005000): ClearStall, then submit again.${origin}`,
        because: [first, ...rest.slice(0, 2), ...(began === undefined ? [] : [began])].map(
          ({ place }) => place,
        ),
        about: ["kUSBHostReturnPipeStalled", first.match[1]],
      } satisfies Finding,
    ];
  },
};

/** " 0.4 s", from the times of two rows; "" when they do not say. */
function gap(left: Hit, right: Hit): string {
  const [from, to] = [left, right].map(({ row }) =>
    Date.parse(row.time.replace(" ", "T").replace(",", ".").slice(0, 23)),
  );
  return Number.isNaN(from) || Number.isNaN(to) || to < from ? "" : ` ${((to - from) / 1000).toFixed(1)} s`;
}
