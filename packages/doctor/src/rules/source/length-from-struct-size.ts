// DR02-5: sizeof(struct) - 1 as the length of a request whose size a standard fixes.

import { bare, numberOf, type SourceFunction, valuesOf } from "../../source/source-file.ts";
import { keyOf, type Syntax } from "../../source/syntax.ts";
import { usbRequestOf } from "../../source/usb-requests.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction, sources } from "../source-questions.ts";

export const lengthFromStructSize: Rule = {
  id: "DR02-5",
  title: "The length of a request is computed from the size of a struct",
  severity: "warning",
  certainty: "established",
  source: "USB CDC PSTN 1.2 section 6.3.11: a line coding has 7 bytes",
  needs: ["source"],
  why: "sizeof(LineCoding) - 1 is 7 only while the struct is padded to 8; declared packed it is 7 and the request becomes 6 bytes, which the device answers with STALL or a timeout. The standard fixes the number, the compiler does not.",
  fix: [
    "Write the standard's number: 7 for SET_LINE_CODING (20h) and GET_LINE_CODING (21h), 2 for SET_COMM_FEATURE (02h), 0 for SET_CONTROL_LINE_STATE (22h) and SEND_BREAK (23h).",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        const request = usbRequestOf(call, one, file, sources(evidence));
        const length = request === null ? null : sizeTrick(one, request.length);
        if (request === null || length === null) return [];
        const isLineCoding = ["0x20", "0x21"].includes(request.request.text.toLowerCase());
        return [
          {
            score: 80,
            claim: `wLength of the request is ${length.text}${isLineCoding ? ", and a line coding has 7 bytes whatever the compiler does" : ": what the compiler makes of the struct, not what the standard says"}.`,
            because: [file.placeOf(length), file.placeOf(call.node)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};

/** `sizeof(X) - n`, here or where the variable got its value. */
function sizeTrick(one: SourceFunction, argument: Syntax): Syntax | null {
  const value = bare(argument);
  if (isTrick(value)) return value;
  return (
    valuesOf(one.body, keyOf(value))
      .map((given) => bare(given.value))
      .find(isTrick) ?? null
  );
}

function isTrick(node: Syntax): boolean {
  return (
    node.kind === "binary_expression" &&
    node.child("operator")?.text === "-" &&
    node.child("left")?.kind === "sizeof_expression" &&
    numberOf(node.child("right")) !== null
  );
}
