// The casebook: the list of the cases that run.

import type { DriverCase } from "./driver-case.ts";
import { externalAccessoryCase } from "./P01-external-accessory/case.ts";
import { setLineCodingCase } from "./P02-set-line-coding/case.ts";
import { alternateSdksCase } from "./P03-alternate-sdks/case.ts";
import { transportUsbCase } from "./P04-transport-usb-profile/case.ts";
import { transportUsbCommentsCase } from "./P05-transport-usb-profile-dup/case.ts";
import { declareStructorsCase } from "./P06-osdeclare-structors/case.ts";
import { usbPolicyCase } from "./P07-usb-policy/case.ts";
import { relinkBridgeCase } from "./P08-relink-bridge/case.ts";
import { sendCdbUasCase } from "./P09-sendcdb-uas/case.ts";
import { ax88772IphoneCase } from "./P10-ax88772-iphone/case.ts";
import { interruptTrapCase } from "./P11-interrupt-queue-trap/case.ts";
import { userClientSigningCase } from "./P12-userclient-signing/case.ts";
import { ftdiIpadCase } from "./P13-ftdi-ipados/case.ts";
import { unplugPanicCase } from "./P14-unplug-panic/case.ts";
import { power20sCase } from "./P15-power-20s/case.ts";
import { contiguousDmaCase } from "./P16-contiguous-dma/case.ts";
import { lostLogsCase } from "./P17-lost-logs/case.ts";
import { zeroDmaCase } from "./P18-zero-dma/case.ts";
import { scsiDiskutilCase } from "./P19-scsi-diskutil/case.ts";
import { userClientSampleCase } from "./P20-userclient-sample/case.ts";

/** In the order of the forum's list. */
export const casebook: readonly DriverCase[] = [
  externalAccessoryCase,
  setLineCodingCase,
  alternateSdksCase,
  transportUsbCase,
  transportUsbCommentsCase,
  declareStructorsCase,
  usbPolicyCase,
  relinkBridgeCase,
  sendCdbUasCase,
  ax88772IphoneCase,
  interruptTrapCase,
  userClientSigningCase,
  ftdiIpadCase,
  unplugPanicCase,
  power20sCase,
  contiguousDmaCase,
  lostLogsCase,
  zeroDmaCase,
  scsiDiskutilCase,
  userClientSampleCase,
];

/** By id, in any letter case. The error lists what there is. */
export function findCase(id: string): DriverCase {
  const found = casebook.find((entry) => entry.id.toLowerCase() === id.toLowerCase());
  if (found === undefined) {
    throw new RangeError(`no case "${id}"; there are: ${casebook.map((entry) => entry.id).join(", ")}`);
  }
  return found;
}
