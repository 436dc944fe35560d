// FX-SCSI-QUEUE: a SCSI controller has no AuxiliaryQueue.

import { absent } from "../../facts/statement.ts";
import type { Rule } from "../rule.ts";
import { isDext, nameOf, perFunction, sources } from "../source-questions.ts";

export const auxiliaryQueueMissing: Rule = {
  id: "FX-SCSI-QUEUE",
  title: "A SCSI controller makes targets without an AuxiliaryQueue",
  severity: "error",
  certainty: "likely",
  source:
    "SCSIControllerDriverKit: UserCreateTargetForID runs on the queue named AuxiliaryQueue; public dexts report the deadlock",
  needs: ["source"],
  why: "UserCreateTargetForID is bound to a queue named AuxiliaryQueue. Without one it runs on the default queue and waits there for INQUIRY commands that arrive on the same queue: the call never returns and the registry stays busy.",
  fix: [
    "Create queues named AuxiliaryQueue and InterruptQueue and install them with SetDispatchQueue before super Start.",
    "Call UserCreateTargetForID from a third queue, and never wait for it in Stop.",
  ],
  who: "you",
  states: absent("source", "a queue named AuxiliaryQueue"),
  judge(evidence) {
    const files = sources(evidence).filter(isDext);
    if (
      files.some(
        (file) => file.text.includes('"AuxiliaryQueue"') || file.text.includes("kAuxiliaryQueueName"),
      )
    )
      return [];
    return perFunction(evidence, (one, file) =>
      one.calls
        .filter(({ name }) => name === "UserCreateTargetForID")
        .map((call) => ({
          score: 72,
          claim: `${nameOf(one)} calls UserCreateTargetForID, and no queue named AuxiliaryQueue is installed.`,
          because: [file.placeOf(call.node)],
          about: [one.className],
        })),
    );
  },
};
