// DR09-1: two personalities match the two SCSI nubs one by one.

import { personalities } from "../questions.ts";
import type { Rule } from "../rule.ts";

const leaves = ["IOSCSILogicalUnitNub", "IOSCSIHierarchicalLogicalUnit"];

export const twoPersonalitiesOneProvider: Rule = {
  id: "DR09-1",
  title: "Two personalities for what one provider class matches",
  severity: "warning",
  certainty: "established",
  source: "DTS answer 860954022 in thread 802099; IOSCSIArchitectureModelFamily class chain",
  needs: ["Info.plist"],
  why: "On USB 2 (Bulk-Only) a unit is an IOSCSILogicalUnitNub, on USB 3 (UAS) an IOSCSIHierarchicalLogicalUnit. Both are kinds of IOSCSIPeripheralDeviceNub, so one personality with that provider class matches at both speeds.",
  fix: [
    "Replace both personalities by one with IOProviderClass IOSCSIPeripheralDeviceNub.",
    'Keep "Peripheral Device Type" and, to win over the class driver alone, vendor or product.',
  ],
  who: "you",

  judge(evidence) {
    const byLeaf = new Map(
      personalities(evidence).map((personality) => [personality.value.IOProviderClass, personality] as const),
    );
    const found = leaves.flatMap((leaf) => byLeaf.get(leaf) ?? []);
    if (found.length === 0) return [];
    return [
      {
        score: found.length === 2 ? 78 : 56,
        claim:
          found.length === 2
            ? `Personalities "${found[0].name}" and "${found[1].name}" match the two SCSI nubs one by one: one for IOSCSIPeripheralDeviceNub does both.`
            : `Personality "${found[0].name}" matches ${String(found[0].value.IOProviderClass)} only: a disk on the other transport is not matched.`,
        because: found.map((personality) => personality.placeOf("IOProviderClass")),
      },
    ];
  },
};
