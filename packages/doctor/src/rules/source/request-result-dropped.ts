// FX-REQUEST-DROPPED: a function says success whatever its control request answered.

import { isDropped } from "../../source/source-file.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const requestResultDropped: Rule = {
  id: "FX-REQUEST-DROPPED",
  title: "The result of a control request is dropped, and success is returned",
  severity: "warning",
  certainty: "established",
  source:
    "IOUSBHostInterface::DeviceRequest answers whether the device took the request (IOUSBHostInterface.iig)",
  needs: ["source"],
  why: "The device may refuse a request or be gone. A function that drops the answer and returns success tells its caller that the device is in a state in which it is not.",
  fix: ["Return what DeviceRequest answered; set what depends on it after it has succeeded."],
  who: "you",
  judge(evidence) {
    return perFunction(evidence, (one, file): Finding[] => {
      if (!/\b(?:kern_return_t|IOReturn)\b/.test(one.returnType) || /^(?:Stop|free)$/.test(one.name))
        return [];
      const answers = one.body
        .all("return_statement")
        .filter((node) => node.above("lambda_expression") === null)
        .map(({ children }) => children[0]?.text ?? "");
      if (answers.length === 0 || answers.some((text) => text !== "kIOReturnSuccess")) return [];
      const dropped = one.calls.filter(
        (call) =>
          call.name === "DeviceRequest" && isDropped(call) && call.node.above("lambda_expression") === null,
      );
      if (dropped.length === 0) return [];
      return [
        {
          score: 70,
          claim: `${nameOf(one)} drops what DeviceRequest answers and returns kIOReturnSuccess.`,
          because: dropped.map(({ node }) => file.placeOf(node)),
          about: [nameOf(one)],
        },
      ];
    });
  },
};
