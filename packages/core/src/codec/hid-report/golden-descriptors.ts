// Report descriptors for tests: the ones that the HID specification and the usage tables print.

import { bytesFromHex } from "../../base/text.ts";

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
