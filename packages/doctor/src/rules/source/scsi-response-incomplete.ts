// DR18-3: a SCSI response is completed without fBytesTransferred, or without its version.

import { absent } from "../../facts/statement.ts";
import type { SourceFunction } from "../../source/source-file.ts";
import { keyOf } from "../../source/syntax.ts";
import type { Finding, Rule } from "../rule.ts";
import { nameOf, perFunction } from "../source-questions.ts";

export const scsiResponseIncomplete: Rule = {
  id: "DR18-3",
  title: "A SCSI response is completed without what the kernel reads in it",
  severity: "error",
  certainty: "established",
  source:
    "SCSIControllerDriverKit: SCSIUserParallelResponse; IOSCSIParallelFamily takes the realised count from fBytesTransferred",
  needs: ["source"],
  why: "The realised count of a transfer is fBytesTransferred of the response. Left at zero the layers above see a transfer of no bytes, although the memory is right: an INQUIRY answers nothing and the disk has 0 bytes. A response without its version is dropped, and the task never completes.",
  fix: [
    "Set version = kScsiUserParallelTaskResponseCurrentVersion1, fTargetID, fControllerTaskIdentifier, fCompletionStatus, fServiceResponse and fBytesTransferred in every response.",
  ],
  who: "you",
  states: absent("function", "a field that the kernel reads"),
  judge(evidence) {
    return perFunction(evidence, (one, file) =>
      responsesOf(one).flatMap((name): Finding[] => {
        const done = one.calls.find(
          (call) => call.name === "ParallelTaskCompletion" && call.args.some((arg) => keyOf(arg) === name),
        );
        if (done === undefined) return [];
        const missing = ["version", "fBytesTransferred"].filter((field) => !isSet(one, name, field));
        return missing.map((field) => ({
          score: field === "version" ? 78 : 84,
          claim:
            field === "version"
              ? `${nameOf(one)} completes ${name} without its version: the kernel drops it and the task hangs.`
              : `${nameOf(one)} completes ${name} without fBytesTransferred: the layers above see 0 bytes.`,
          because: [file.placeOf(done.node)],
          about: [one.className],
        }));
      }),
    );
  },
};

/** Variables of the response's type that this function makes itself. */
function responsesOf(one: SourceFunction): string[] {
  return one.body
    .all("declaration")
    .filter((node) => /\bSCSIUserParallelResponse$/.test(node.child("type")?.text ?? ""))
    .flatMap((node) =>
      node
        .all("identifier")
        .slice(0, 1)
        .map(({ text }) => text),
    );
}

/** Assigned by name, or by a designated initialiser. */
function isSet(one: SourceFunction, name: string, field: string): boolean {
  const { text } = one.body;
  const assigned = new RegExp(`\\b${name}\\s*\\.\\s*${field}\\s*[+|]?=`).test(text);
  return (
    assigned ||
    new RegExp(`\\.${field}\\s*=`).test(text) ||
    new RegExp(`&\\s*${name}\\b`).test(withoutZeroing(text))
  );
}

/** bzero(&response, ...) fills nothing that matters. */
function withoutZeroing(text: string): string {
  return text.replace(/\b(?:bzero|memset)\s*\([^;]*;/g, "");
}
