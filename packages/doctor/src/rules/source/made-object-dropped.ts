// DR02-7: the result of a call that makes an object is dropped.

import { addressOf, isDropped } from "../../source/source-file.ts";
import type { Rule } from "../rule.ts";
import { isDext, nameOf, perFunction } from "../source-questions.ts";

export const madeObjectDropped: Rule = {
  id: "DR02-7",
  title: "The result of a call that makes an object is dropped",
  severity: "warning",
  certainty: "established",
  source: "DriverKit: an out parameter is set only when the call answers kIOReturnSuccess",
  needs: ["source"],
  why: "The call gives its object through a pointer, and only when it succeeds. Without a look at its result a failure becomes a null dereference one line later, in a dext that is then killed and relaunched.",
  fix: ["Keep the result, and leave the function with it when it is not kIOReturnSuccess."],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      isDext(file)
        ? one.calls
            .filter(
              (call) =>
                makers.test(call.name) && isDropped(call) && call.args.some((arg) => addressOf(arg) !== null),
            )
            .map((call) => ({
              score: 74,
              claim: `The result of ${call.name} is dropped; when it fails, ${addressOf(call.args.find((arg) => addressOf(arg) !== null))} is not set.`,
              because: [file.placeOf(call.node)],
              about: [nameOf(one)],
            }))
        : [],
    );
  },
};

const makers =
  /^(?:Create\w*|CopyPipe|CopyDispatchQueue|CopyClientMemoryForType|PrepareForDMA|GetAddressRange|UserGetDataBuffer)$/;
