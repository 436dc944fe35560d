// Report descriptors for tests: the ones that the HID specification and the usage tables print.

import { bytesFromHex } from "../../base/text.ts";
import type { CollectionPlan } from "./report-compiler.ts";
import { Desktop, UsagePage, usage } from "./usages.ts";

/** HID 1.11, appendix E.6: the boot keyboard, 63 bytes. */
export const specKeyboard = bytesFromHex(`
  05 01 09 06 a1 01 05 07 19 e0 29 e7 15 00 25 01 75 01 95 08 81 02 95 01 75 08 81 01
  95 05 75 01 05 08 19 01 29 05 91 02 95 01 75 03 91 01
  95 06 75 08 15 00 25 65 05 07 19 00 29 65 81 00 c0`);

/** HID 1.11, appendix E.10: the boot mouse, 50 bytes. */
export const specMouse = bytesFromHex(`
  05 01 09 02 a1 01 09 01 a1 00 05 09 19 01 29 03 15 00 25 01 95 03 75 01 81 02 95 01 75 05 81 01
  05 01 09 30 09 31 15 81 25 7f 75 08 95 02 81 06 c0 c0`);

/** HID 1.11, §6.2.2.7's units and §5.10's null state together: a hat switch in degrees, on a report with an id. */
export const hatSwitch = bytesFromHex(`
  05 01 09 04 a1 01 85 07 09 39 15 00 25 03 35 00 46 0e 01 65 14 75 04 95 01 81 42 75 04 95 01 81 03 c0`);

/** What a compiler is given: an application with reports of each kind. */
export const pad: CollectionPlan = {
  collection: "application",
  usage: usage(UsagePage.genericDesktop, Desktop.joystick),
  items: [
    {
      collection: "physical",
      usage: usage(UsagePage.genericDesktop, Desktop.pointer),
      items: [
        {
          kind: "input",
          reportId: 1,
          size: 12,
          count: 2,
          usages: [usage(1, Desktop.x), usage(1, Desktop.y)],
          logical: [-2048, 2047],
          physical: [-10, 10],
          unit: 0x11,
          unitExponent: -2,
          flags: ["variable"],
        },
      ],
    },
    { kind: "input", reportId: 1, size: 1, count: 3, usageRange: [0x9_0001, 0x9_0003], flags: ["variable"] },
    { kind: "input", reportId: 1, size: 5, count: 1 },
    {
      kind: "feature",
      reportId: 2,
      size: 32,
      count: 1,
      usages: [0xff00_0001],
      logical: [0, 2_147_483_647],
      flags: ["variable", "volatile", "bufferedBytes"],
    },
  ],
};
