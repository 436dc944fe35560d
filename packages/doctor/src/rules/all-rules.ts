// Every rule there is. Made by `npm run new -- catalogue` from the folders; not edited by hand.

import { dr11x1 } from "./crash/dr11-1.ts";
import { dr17x1 } from "./log/dr17-1.ts";
import { dr17x2 } from "./log/dr17-2.ts";
import { dr17x3 } from "./log/dr17-3.ts";
import { dr17x4 } from "./log/dr17-4.ts";
import { dr14x1 } from "./pci/dr14-1.ts";
import { dr14x4 } from "./pci/dr14-4.ts";
import { dr16x5 } from "./pci/dr16-5.ts";
import { dr18x6 } from "./pci/dr18-6.ts";
import { dr15x1 } from "./power/dr15-1.ts";
import { dr15x4 } from "./power/dr15-4.ts";
import { dr09x1 } from "./scsi/dr09-1.ts";
import { dr09x2 } from "./scsi/dr09-2.ts";
import { dr09x3 } from "./scsi/dr09-3.ts";
import { dr09x4 } from "./scsi/dr09-4.ts";
import { dr09x5 } from "./scsi/dr09-5.ts";
import { dr19x2 } from "./scsi/dr19-2.ts";
import { dr04x1 } from "./signing/dr04-1.ts";
import { dr04x4 } from "./signing/dr04-4.ts";
import { dr04x5 } from "./signing/dr04-5.ts";
import { dr04x7 } from "./signing/dr04-7.ts";
import { dr12x1 } from "./signing/dr12-1.ts";
import { dr12x2 } from "./signing/dr12-2.ts";
import { dr12x3 } from "./signing/dr12-3.ts";
import { dr12x4 } from "./signing/dr12-4.ts";
import { dr12x5 } from "./signing/dr12-5.ts";
import { dr12x7 } from "./signing/dr12-7.ts";
import { dr02x1 } from "./usb/dr02-1.ts";
import { dr13x1 } from "./usb/dr13-1.ts";
import { dr13x2 } from "./usb/dr13-2.ts";
import { dr13x4 } from "./usb/dr13-4.ts";
import { dr20x1 } from "./user-client/dr20-1.ts";
import { dr20x2 } from "./user-client/dr20-2.ts";
import { dr20x3 } from "./user-client/dr20-3.ts";
import { dr20x4 } from "./user-client/dr20-4.ts";
import type { Rule } from "./rule.ts";

/** In the order of their ids. */
export const allRules: readonly Rule[] = [
  dr02x1,
  dr04x1,
  dr04x4,
  dr04x5,
  dr04x7,
  dr09x1,
  dr09x2,
  dr09x3,
  dr09x4,
  dr09x5,
  dr11x1,
  dr12x1,
  dr12x2,
  dr12x3,
  dr12x4,
  dr12x5,
  dr12x7,
  dr13x1,
  dr13x2,
  dr13x4,
  dr14x1,
  dr14x4,
  dr15x1,
  dr15x4,
  dr16x5,
  dr17x1,
  dr17x2,
  dr17x3,
  dr17x4,
  dr18x6,
  dr19x2,
  dr20x1,
  dr20x2,
  dr20x3,
  dr20x4,
];
