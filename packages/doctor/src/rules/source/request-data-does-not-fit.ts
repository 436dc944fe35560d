// FX-REQUEST-DATA: a control request whose data stage and buffer do not fit.

import { numberOf } from "../../source/source-file.ts";
import { usbRequestOf } from "../../source/usb-requests.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction, sources } from "../source-questions.ts";

export const requestDataDoesNotFit: Rule = {
  id: "FX-REQUEST-DATA",
  title: "A control request has a data stage and no buffer, or a direction that does not fit",
  severity: "error",
  certainty: "established",
  source: "USB 2.0 section 9.3: bit 7 of bmRequestType is the direction, wLength > 0 is a data stage",
  needs: ["source"],
  why: "A request with wLength above 0 has a data stage and needs a buffer, and one with wLength 0 has none. The call is refused before anything is on the bus.",
  fix: [
    "With wLength 0 give a null pointer; with a data stage give a buffer that is at least wLength long, direction In for bmRequestType 80h and above, Out below.",
  ],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      one.calls.flatMap((call): Finding[] => {
        const request = usbRequestOf(call, one, file, sources(evidence));
        if (request === null) return [];
        const length = numberOf(request.length);
        const isNull = /^(?:nullptr|NULL|0)$/.test(request.buffer.text);
        if (length === null || length > 0 !== isNull) return [];
        return [
          {
            score: 82,
            claim:
              length > 0
                ? `${call.name} asks for ${length} bytes of data and gives no buffer.`
                : `${call.name} gives a buffer, and wLength is 0: the data is not sent.`,
            because: [file.placeOf(call.node)],
            about: [nameOf(one)],
          },
        ];
      }),
    );
  },
};
