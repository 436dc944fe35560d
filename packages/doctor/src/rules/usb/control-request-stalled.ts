// DR02-1: the device refused a control request (STALL on endpoint 0).

import { watch } from "../../evidence/watch.ts";
import { refused } from "../../facts/statement.ts";
import { spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";
import { setInterfaceWords } from "./set-interface-refused.ts";

const stalled = watch(
  ["0xe0005000", "e0005000", "-536850432", "3758116864", "kUSBHostReturnPipeStalled"],
  /(?:0x)?e0005000|-536850432|3758116864|kUSBHostReturnPipeStalled/i,
);

/** Calls on pipes: no control request is in sight there. */
const pipeWords =
  /\b(?:AsyncIO|AsyncIOBundled|ReadPipe\w*|WritePipe\w*|IsochIO|bulk|interrupt (?:in|out|pipe|endpoint))\b/i;

export const controlRequestStalled: Rule = {
  id: "DR02-1",
  title: "The device refused a control request (STALL on endpoint 0)",
  severity: "error",
  certainty: "established",
  source: "USB 2.0 section 8.5.3.4; USB CDC PSTN 1.2 section 6.3.10",
  needs: ["log", "capture"],
  why: "0xe0005000 is kUSBHostReturnPipeStalled. On endpoint 0 a STALL is the device's answer to this one request: it does not know the request, or it refuses a value in it. Nothing is broken and nothing has to be reset; the next SETUP clears it.",
  fix: [
    "Look at the request, not at the pipe: bmRequestType, wValue, wIndex (the right interface number?), wLength, and above all the bytes of the data stage.",
    "Print the bytes from the descriptor that is really sent. A memcpy to the address of a variable that holds the address (memcpy(&ptr, ...)) leaves zeros in the buffer.",
    "Check the capability bits of the class descriptor before using an optional request.",
  ],
  who: "you",
  states: refused("the device answered a control request with STALL"),
  watches: [stalled],
  judge(evidence) {
    const findings: Finding[] = [];
    for (const { place, value } of evidence.facts("transfer")) {
      if (value.kind !== "control" || value.result !== "stall" || value.setup === null) continue;
      if ((value.setup[0] & 0x60) === 0 && !(value.setup[0] === 0x80 && value.setup[1] === 6)) continue;
      const line = lineCodingProblem(value.setup, value.data);
      const isStandard = (value.setup[0] & 0x60) === 0;
      if (isStandard) continue;
      const logged = spoken(evidence, stalled).map((hit) => hit.place);
      findings.push({
        score: line === null ? (logged.length > 0 ? 82 : 66) : 97,
        claim:
          line === null
            ? `The device refused the request ${bytes(value.setup)} with STALL.`
            : `The device refused SET_LINE_CODING with STALL: ${line}.`,
        because: [place, ...logged.slice(0, 3)],
        about: [value.comment],
      });
    }
    if (findings.length > 0) return findings;
    // A pipe's STALL and the answer to SET_INTERFACE have rules of their own.
    const hits = spoken(evidence, stalled).filter(
      ({ place }) => !setInterfaceWords.test(place.text) && !pipeWords.test(place.text),
    );
    return hits.length === 0
      ? []
      : [
          {
            score: /request|DeviceRequest|control|coding|SETUP/i.test(hits[0].place.text) ? 78 : 62,
            claim:
              "0xe0005000 came back from a request: the device answered STALL, so it refuses this request or a value in it.",
            because: hits.slice(0, 3).map((hit) => hit.place),
            missing: ["a capture of the USB traffic, or the eight SETUP bytes and the data of the request"],
          },
        ];
  },
};

function bytes(data: Uint8Array): string {
  return [...data].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** What a CDC device may dislike about a line coding; null when this is none, or nothing is wrong with it. */
function lineCodingProblem(setup: Uint8Array, data: Uint8Array): string | null {
  if (setup[0] !== 0x21 || setup[1] !== 0x20) return null;
  const wanted = setup[6] | (setup[7] << 8);
  if (wanted !== 7) return `wLength is ${wanted}, a line coding has 7 bytes`;
  if (data.length < 7) return null;
  if (data.every((byte) => byte === 0))
    return "it sent seven zero bytes, so baud rate 0 and 0 data bits; the buffer was never filled";
  const rate = data[0] + data[1] * 256 + data[2] * 65536 + data[3] * 16777216;
  if (rate === 0) return "the baud rate is 0";
  if (data[4] > 2) return `stop bits ${data[4]} are none of 0, 1, 2 (a subtraction below zero?)`;
  if (data[5] > 4) return `parity ${data[5]} is none of 0 to 4 (a subtraction below zero?)`;
  if (![5, 6, 7, 8, 16].includes(data[6])) return `${data[6]} data bits are none of 5, 6, 7, 8, 16`;
  const swapped = data[3] + data[2] * 256 + data[1] * 65536 + data[0] * 16777216;
  return rate > 12_000_000 && swapped <= 12_000_000
    ? `the baud rate ${rate} is ${swapped} with its bytes swapped; CDC wants little-endian`
    : null;
}
