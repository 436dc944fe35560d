// Every rule there is. Made by `npm run new -- catalogue` from the folders; not edited by hand.

import { dr01x1 } from "./accessory/dr01-1.ts";
import { dr01x3 } from "./accessory/dr01-3.ts";
import { ioxreturn } from "./codes/io-return.ts";
import { dr11x1 } from "./crash/dr11-1.ts";
import { dr11x2 } from "./crash/dr11-2.ts";
import { dr11x6 } from "./crash/dr11-6.ts";
import { dr16x1 } from "./dma/dr16-1.ts";
import { dr18x1 } from "./dma/dr18-1.ts";
import { dr18x2 } from "./dma/dr18-2.ts";
import { ntx807791 } from "./dma/nt-807791.ts";
import { fxxapproval } from "./extension/fx-approval.ts";
import { fxxtwoxversions } from "./extension/fx-two-versions.ts";
import { ntx806336 } from "./extension/nt-806336.ts";
import { ntx814055 } from "./extension/nt-814055.ts";
import { ntx824746 } from "./extension/nt-824746.ts";
import { dr17x1 } from "./log/dr17-1.ts";
import { dr17x2 } from "./log/dr17-2.ts";
import { dr17x3 } from "./log/dr17-3.ts";
import { dr17x4 } from "./log/dr17-4.ts";
import { fxxbase } from "./matching/fx-base.ts";
import { fxxcdhash } from "./matching/fx-cdhash.ts";
import { fxxprovider } from "./matching/fx-provider.ts";
import { dr14x1 } from "./pci/dr14-1.ts";
import { dr14x2 } from "./pci/dr14-2.ts";
import { dr14x4 } from "./pci/dr14-4.ts";
import { dr14x5 } from "./pci/dr14-5.ts";
import { dr14x6 } from "./pci/dr14-6.ts";
import { dr16x5 } from "./pci/dr16-5.ts";
import { dr18x6 } from "./pci/dr18-6.ts";
import { ntx795835 } from "./pci/nt-795835.ts";
import { dr01x2 } from "./platform/dr01-2.ts";
import { dr10x1 } from "./platform/dr10-1.ts";
import { dr10x2 } from "./platform/dr10-2.ts";
import { dr13x3 } from "./platform/dr13-3.ts";
import { ntx673038 } from "./platform/nt-673038.ts";
import { dr15x1 } from "./power/dr15-1.ts";
import { dr15x4 } from "./power/dr15-4.ts";
import { fxxbusyxtimeout } from "./power/fx-busy-timeout.ts";
import { fxxsleepxtimeout } from "./power/fx-sleep-timeout.ts";
import { dr08x1 } from "./scsi/dr08-1.ts";
import { dr08x2 } from "./scsi/dr08-2.ts";
import { dr08x3 } from "./scsi/dr08-3.ts";
import { dr09x1 } from "./scsi/dr09-1.ts";
import { dr09x2 } from "./scsi/dr09-2.ts";
import { dr09x3 } from "./scsi/dr09-3.ts";
import { dr09x4 } from "./scsi/dr09-4.ts";
import { dr09x5 } from "./scsi/dr09-5.ts";
import { dr19x1 } from "./scsi/dr19-1.ts";
import { dr19x2 } from "./scsi/dr19-2.ts";
import { dr19x3 } from "./scsi/dr19-3.ts";
import { dr19x4 } from "./scsi/dr19-4.ts";
import { dr19x5 } from "./scsi/dr19-5.ts";
import { dr19x6 } from "./scsi/dr19-6.ts";
import { dr03x1 } from "./sdk/dr03-1.ts";
import { dr03x2 } from "./sdk/dr03-2.ts";
import { dr03x3 } from "./sdk/dr03-3.ts";
import { dr04x1 } from "./signing/dr04-1.ts";
import { dr04x2 } from "./signing/dr04-2.ts";
import { dr04x3 } from "./signing/dr04-3.ts";
import { dr04x4 } from "./signing/dr04-4.ts";
import { dr04x5 } from "./signing/dr04-5.ts";
import { dr04x6 } from "./signing/dr04-6.ts";
import { dr04x7 } from "./signing/dr04-7.ts";
import { dr06x4 } from "./signing/dr06-4.ts";
import { dr12x1 } from "./signing/dr12-1.ts";
import { dr12x2 } from "./signing/dr12-2.ts";
import { dr12x3 } from "./signing/dr12-3.ts";
import { dr12x4 } from "./signing/dr12-4.ts";
import { dr12x5 } from "./signing/dr12-5.ts";
import { dr12x6 } from "./signing/dr12-6.ts";
import { dr12x7 } from "./signing/dr12-7.ts";
import { dr20x5 } from "./signing/dr20-5.ts";
import { fxxedited } from "./signing/fx-edited.ts";
import { fxxstage } from "./signing/fx-stage.ts";
import { ntx792031 } from "./signing/nt-792031.ts";
import { dr02x2 } from "./source/dr02-2.ts";
import { dr02x3 } from "./source/dr02-3.ts";
import { dr02x4 } from "./source/dr02-4.ts";
import { dr02x5 } from "./source/dr02-5.ts";
import { dr02x6 } from "./source/dr02-6.ts";
import { dr02x7 } from "./source/dr02-7.ts";
import { dr06x1 } from "./source/dr06-1.ts";
import { dr06x2 } from "./source/dr06-2.ts";
import { dr06x3 } from "./source/dr06-3.ts";
import { dr07x2 } from "./source/dr07-2.ts";
import { dr10x3 } from "./source/dr10-3.ts";
import { dr11x3 } from "./source/dr11-3.ts";
import { dr11x4 } from "./source/dr11-4.ts";
import { dr11x5 } from "./source/dr11-5.ts";
import { dr14x3 } from "./source/dr14-3.ts";
import { dr15x2 } from "./source/dr15-2.ts";
import { dr15x3 } from "./source/dr15-3.ts";
import { dr16x2 } from "./source/dr16-2.ts";
import { dr16x3 } from "./source/dr16-3.ts";
import { dr16x4 } from "./source/dr16-4.ts";
import { dr18x3 } from "./source/dr18-3.ts";
import { dr18x4 } from "./source/dr18-4.ts";
import { dr18x5 } from "./source/dr18-5.ts";
import { dr19x7 } from "./source/dr19-7.ts";
import { fxxafterxclose } from "./source/fx-after-close.ts";
import { fxxallocxsize } from "./source/fx-alloc-size.ts";
import { fxxbufferxoptions } from "./source/fx-buffer-options.ts";
import { fxxhalfxstart } from "./source/fx-half-start.ts";
import { fxxhidxregister } from "./source/fx-hid-register.ts";
import { fxxhidxstart } from "./source/fx-hid-start.ts";
import { fxxinterruptxcount } from "./source/fx-interrupt-count.ts";
import { fxxloopxend } from "./source/fx-loop-end.ts";
import { fxxoverride } from "./source/fx-override.ts";
import { fxxplainxaction } from "./source/fx-plain-action.ts";
import { fxxqueuexname } from "./source/fx-queue-name.ts";
import { fxxrequestxdata } from "./source/fx-request-data.ts";
import { fxxscsixdirection } from "./source/fx-scsi-direction.ts";
import { fxxscsixqueue } from "./source/fx-scsi-queue.ts";
import { fxxsensexlength } from "./source/fx-sense-length.ts";
import { fxxstartxsuper } from "./source/fx-start-super.ts";
import { fxxstopxsuper } from "./source/fx-stop-super.ts";
import { fxxtaskxqueue } from "./source/fx-task-queue.ts";
import { fxxtypexoverride } from "./source/fx-type-override.ts";
import { fxxuserxclass } from "./source/fx-user-class.ts";
import { dr02x1 } from "./usb/dr02-1.ts";
import { dr07x1 } from "./usb/dr07-1.ts";
import { dr07x3 } from "./usb/dr07-3.ts";
import { dr13x1 } from "./usb/dr13-1.ts";
import { dr13x2 } from "./usb/dr13-2.ts";
import { dr13x4 } from "./usb/dr13-4.ts";
import { dr20x1 } from "./user-client/dr20-1.ts";
import { dr20x2 } from "./user-client/dr20-2.ts";
import { dr20x3 } from "./user-client/dr20-3.ts";
import { dr20x4 } from "./user-client/dr20-4.ts";
import { ntx825971 } from "./user-client/nt-825971.ts";
import type { Rule } from "./rule.ts";

/** In the order of their ids. */
export const allRules: readonly Rule[] = [
  dr01x1,
  dr01x2,
  dr01x3,
  dr02x1,
  dr02x2,
  dr02x3,
  dr02x4,
  dr02x5,
  dr02x6,
  dr02x7,
  dr03x1,
  dr03x2,
  dr03x3,
  dr04x1,
  dr04x2,
  dr04x3,
  dr04x4,
  dr04x5,
  dr04x6,
  dr04x7,
  dr06x1,
  dr06x2,
  dr06x3,
  dr06x4,
  dr07x1,
  dr07x2,
  dr07x3,
  dr08x1,
  dr08x2,
  dr08x3,
  dr09x1,
  dr09x2,
  dr09x3,
  dr09x4,
  dr09x5,
  dr10x1,
  dr10x2,
  dr10x3,
  dr11x1,
  dr11x2,
  dr11x3,
  dr11x4,
  dr11x5,
  dr11x6,
  dr12x1,
  dr12x2,
  dr12x3,
  dr12x4,
  dr12x5,
  dr12x6,
  dr12x7,
  dr13x1,
  dr13x2,
  dr13x3,
  dr13x4,
  dr14x1,
  dr14x2,
  dr14x3,
  dr14x4,
  dr14x5,
  dr14x6,
  dr15x1,
  dr15x2,
  dr15x3,
  dr15x4,
  dr16x1,
  dr16x2,
  dr16x3,
  dr16x4,
  dr16x5,
  dr17x1,
  dr17x2,
  dr17x3,
  dr17x4,
  dr18x1,
  dr18x2,
  dr18x3,
  dr18x4,
  dr18x5,
  dr18x6,
  dr19x1,
  dr19x2,
  dr19x3,
  dr19x4,
  dr19x5,
  dr19x6,
  dr19x7,
  dr20x1,
  dr20x2,
  dr20x3,
  dr20x4,
  dr20x5,
  fxxafterxclose,
  fxxallocxsize,
  fxxapproval,
  fxxbase,
  fxxbufferxoptions,
  fxxbusyxtimeout,
  fxxcdhash,
  fxxedited,
  fxxhalfxstart,
  fxxhidxregister,
  fxxhidxstart,
  fxxinterruptxcount,
  fxxloopxend,
  fxxoverride,
  fxxplainxaction,
  fxxprovider,
  fxxqueuexname,
  fxxrequestxdata,
  fxxscsixdirection,
  fxxscsixqueue,
  fxxsensexlength,
  fxxsleepxtimeout,
  fxxstage,
  fxxstartxsuper,
  fxxstopxsuper,
  fxxtaskxqueue,
  fxxtwoxversions,
  fxxtypexoverride,
  fxxuserxclass,
  ioxreturn,
  ntx673038,
  ntx792031,
  ntx795835,
  ntx806336,
  ntx807791,
  ntx814055,
  ntx824746,
  ntx825971,
];
