// DR09-4: the personality's IOClass is not the SCSI family class.

import { watch } from "../../evidence/watch.ts";
import { refused as refusedClaim } from "../../facts/statement.ts";
import { personalities, spoken } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const refused = watch(
  ["UserSendCDB", "UserReportMediumBlockSize"],
  /User(?:SendCDB|ReportMediumBlockSize)\b.{0,160}(?:0xe00002c7|kIOReturnUnsupported|-536870201)/i,
);
const scsiNubs = /^IOSCSI(?:PeripheralDeviceNub|LogicalUnitNub|HierarchicalLogicalUnit)$/;

export const sendCdbNotSupported: Rule = {
  id: "DR09-4",
  title: "UserSendCDB is not supported by this personality",
  severity: "error",
  certainty: "likely",
  source: "thread 749459; SCSIPeripheralsDriverKit personality documentation",
  needs: ["log", "Info.plist"],
  why: "UserSendCDB and its relatives live in the kernel half of the family class. A personality whose IOClass is IOUserService gives the dext a plain kernel object that has none of them, and every such call ends with kIOReturnUnsupported.",
  fix: [
    "Set IOClass to the family class: IOUserSCSIPeripheralDeviceType00, Type05 or Type07.",
    "Set CFBundleIdentifierKernel to com.apple.iokit.IOSCSIBlockCommandsDevice (Type00, Type07) or com.apple.iokit.IOSCSIMultimediaCommandsDevice (Type05).",
  ],
  who: "you",
  states: refusedClaim("the call of the SCSI class is not supported"),
  watches: [refused],
  judge(evidence) {
    const wrong = personalities(evidence).filter(
      ({ value }) => scsiNubs.test(String(value.IOProviderClass)) && value.IOClass === "IOUserService",
    );
    const hits = spoken(evidence, refused);
    if (wrong.length > 0) {
      return wrong.map(
        ({ name, placeOf }): Finding => ({
          score: hits.length > 0 ? 92 : 74,
          claim: `Personality "${name}" has IOClass IOUserService: the kernel's half of the SCSI class is missing, so UserSendCDB and UserReportMediumBlockSize are not supported.`,
          because: [placeOf("IOClass"), ...hits.slice(0, 2).map((hit) => hit.place)],
        }),
      );
    }
    if (hits.length === 0) return [];
    return [
      {
        score: 70,
        claim:
          "A call of the SCSI class ended with kIOReturnUnsupported: the personality's IOClass is most likely not the family's class.",
        because: hits.slice(0, 3).map((hit) => hit.place),
        missing: ["the dext's Info.plist"],
      },
    ];
  },
};
