// DR18-4: required keys are missing in UserReportHBAConstraints, or it comes too late.

import { absent } from "../../facts/statement.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const hbaConstraintsIncomplete: Rule = {
  id: "DR18-4",
  title: "The constraints of the controller are incomplete or late",
  severity: "error",
  certainty: "established",
  source: "SCSIControllerDriverKit: seven keys are required, before UserInitializeController returns",
  needs: ["source"],
  why: "The kernel reads seven constraints right after UserInitializeController, one of them without looking whether it is there: a missing key panics the machine, and constraints that are reported later are not read.",
  fix: [
    "Report all seven in one dictionary before UserInitializeController returns: segment counts and segment byte counts for read and write, segment alignment, addressable bits, and the data alignment mask.",
  ],
  who: "you",
  states: absent("source", "a required key of the constraints"),
  judge(evidence) {
    return perFunction(evidence, (one, file) => {
      const call = one.calls.find(({ name }) => name === "UserReportHBAConstraints");
      if (call === undefined || one.name === "UserReportHBAConstraints") return [];
      const findings: Finding[] = [];
      const missing = required.filter(
        ([macro, text]) => !file.text.includes(macro) && !file.text.includes(`"${text}"`),
      );
      if (missing.length > 0 && missing.length < required.length)
        findings.push({
          score: 86,
          claim: `${nameOf(one)} reports constraints without ${missing.map(([macro]) => macro).join(", ")}.`,
          because: [file.placeOf(call.node)],
          about: [one.className],
        });
      if (["UserStartController", "UserProcessParallelTask", "UserInitializeTargetForID"].includes(one.name))
        findings.push({
          score: 84,
          claim: `${nameOf(one)} reports the constraints: that is after UserInitializeController returned.`,
          because: [file.placeOf(call.node)],
          about: [one.className],
        });
      return findings;
    });
  },
};

/** Macro and string of each required key (families, SCSIControllerDriverKit). */
const required: readonly (readonly [string, string])[] = [
  ["kIOMaximumSegmentCountReadKey", "IOMaximumSegmentCountRead"],
  ["kIOMaximumSegmentCountWriteKey", "IOMaximumSegmentCountWrite"],
  ["kIOMaximumSegmentByteCountReadKey", "IOMaximumSegmentByteCountRead"],
  ["kIOMaximumSegmentByteCountWriteKey", "IOMaximumSegmentByteCountWrite"],
  ["kIOMinimumSegmentAlignmentByteCountKey", "IOMinimumSegmentAlignmentByteCount"],
  ["kIOMaximumSegmentAddressableBitCountKey", "IOMaximumSegmentAddressableBitCount"],
  ["kIOMinimumHBADataAlignmentMaskKey", "HBA Data Alignment"],
];
