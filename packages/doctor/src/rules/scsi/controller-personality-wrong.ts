// DR19-6: the personality of the SCSI controller names a wrong class, provider or kext.

import { personalities } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

const family = "com.apple.iokit.IOSCSIParallelFamily";
const kernelClass = "IOUserSCSIParallelInterfaceController";

export const controllerPersonalityWrong: Rule = {
  id: "DR19-6",
  title: "The personality of the SCSI controller names a wrong class, provider or kext",
  severity: "error",
  certainty: "established",
  source: "Apple, SCSIControllerDriverKit: keys of the personality",
  needs: ["Info.plist"],
  why: "The kernel half of a SCSI controller dext is IOUserSCSIParallelInterfaceController in com.apple.iokit.IOSCSIParallelFamily. With another IOClass or kext the dext matches as something else, or not at all.",
  fix: [
    "IOClass IOUserSCSIParallelInterfaceController, CFBundleIdentifierKernel com.apple.iokit.IOSCSIParallelFamily.",
    "IOProviderClass IOPCIDevice with an IOPCIMatch, IOUserClass the class of your .iig.",
  ],
  who: "you",
  judge(evidence) {
    return personalities(evidence).flatMap((personality): Finding[] => {
      const { value } = personality;
      if (value.IOClass !== kernelClass && value.CFBundleIdentifierKernel !== family) return [];
      const wanted: readonly (readonly [string, string])[] = [
        ["IOClass", kernelClass],
        ["CFBundleIdentifierKernel", family],
      ];
      const wrong = wanted.filter(([key, right]) => value[key] !== right);
      // A controller without hardware has another provider; one that names PCI devices to match has this one.
      const isPci = Object.keys(value).some((key) => /^IOPCI\w*Match$/.test(key));
      if (value.IOProviderClass === undefined || (isPci && value.IOProviderClass !== "IOPCIDevice"))
        wrong.push([
          "IOProviderClass",
          "IOPCIDevice, or the class of the service below which a virtual one hangs",
        ]);
      if (typeof value.IOUserClass !== "string") wrong.push(["IOUserClass", "the class of your .iig"]);
      if (wrong.length === 0) return [];
      return [
        {
          score: 84,
          claim: `${personality.name}: ${wrong.map(([key, right]) => `${key} is ${typeof value[key] === "string" ? value[key] : "missing"}, it has to be ${right}`).join("; ")}.`,
          because: [personality.placeOf(wrong[0][0])],
          about: [personality.name],
        },
      ];
    });
  },
};
