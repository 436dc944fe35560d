// DR08-3: a kext that subclasses the SCSI block commands classes.

import { isDictionary } from "@drydock/core/platform/properties";
import { listsOf } from "../../signing/entitlement-lists.ts";
import type { Finding, Rule } from "../rule.ts";

const subclass =
  /\bclass\s+\w+\s*:\s*public\s+(IOSCSIBlockCommandsDevice|IOSCSIPeripheralDeviceType00|IOBlockStorageServices?)\b/;
const family = "com.apple.iokit.IOSCSIArchitectureModelFamily";

export const kextHasASuccessor: Rule = {
  id: "DR08-3",
  title: "A kernel extension on the SCSI family has a successor in DriverKit",
  severity: "note",
  certainty: "established",
  source: "SCSIPeripheralsDriverKit documentation",
  needs: ["source", "Info.plist"],
  why: "Kernel extensions on IOSCSIArchitectureModelFamily need reduced security on Apple silicon. SCSIPeripheralsDriverKit has what an unlock needs: exclusive access, vendor commands, and the way back.",
  fix: [
    "Match IOSCSIPeripheralDeviceNub with IOClass IOUserSCSIPeripheralDeviceType00.",
    "Unmount, UserSuspendServices, UserSendCDB for unlock, query and relink, UserResumeServices.",
    "Override nothing of the data path: the class driver in the kernel reads and writes.",
  ],
  who: "you",

  judge(evidence) {
    const findings: Finding[] = [];
    for (const { place, value } of evidence.facts("source")) {
      const found = subclass.exec(value.text);
      if (found === null) continue;
      findings.push({
        score: 60,
        claim: `This is a kernel extension on ${found[1]}; SCSIPeripheralsDriverKit can do what it does.`,
        because: [place],
      });
    }
    for (const list of listsOf(evidence, "Info.plist")) {
      const { OSBundleLibraries: libraries } = list.value.value;
      if (!isDictionary(libraries) || !(family in libraries)) continue;
      findings.push({
        score: 58,
        claim: `This bundle is a kernel extension linked against ${family}; SCSIPeripheralsDriverKit can do what it does.`,
        because: [list.value.placeOf(`OSBundleLibraries/${family}`)],
      });
    }
    return findings;
  },
};
