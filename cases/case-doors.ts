// Each case by its id, loaded when it is asked for: whoever wants one waits for no other.

import type { DriverCase } from "./driver-case.ts";

const doors: Readonly<Record<string, () => Promise<DriverCase>>> = {
  P01: async () => (await import("./P01-external-accessory/case.ts")).externalAccessoryCase,
  P02: async () => (await import("./P02-set-line-coding/case.ts")).setLineCodingCase,
  P03: async () => (await import("./P03-alternate-sdks/case.ts")).alternateSdksCase,
  P04: async () => (await import("./P04-transport-usb-profile/case.ts")).transportUsbCase,
  P05: async () => (await import("./P05-transport-usb-profile-dup/case.ts")).transportUsbCommentsCase,
  P06: async () => (await import("./P06-osdeclare-structors/case.ts")).declareStructorsCase,
  P07: async () => (await import("./P07-usb-policy/case.ts")).usbPolicyCase,
  P08: async () => (await import("./P08-relink-bridge/case.ts")).relinkBridgeCase,
  P09: async () => (await import("./P09-sendcdb-uas/case.ts")).sendCdbUasCase,
  P10: async () => (await import("./P10-ax88772-iphone/case.ts")).ax88772IphoneCase,
  P11: async () => (await import("./P11-interrupt-queue-trap/case.ts")).interruptTrapCase,
  P12: async () => (await import("./P12-userclient-signing/case.ts")).userClientSigningCase,
  P13: async () => (await import("./P13-ftdi-ipados/case.ts")).ftdiIpadCase,
  P14: async () => (await import("./P14-unplug-panic/case.ts")).unplugPanicCase,
  P15: async () => (await import("./P15-power-20s/case.ts")).power20sCase,
  P16: async () => (await import("./P16-contiguous-dma/case.ts")).contiguousDmaCase,
  P17: async () => (await import("./P17-lost-logs/case.ts")).lostLogsCase,
  P18: async () => (await import("./P18-zero-dma/case.ts")).zeroDmaCase,
  P19: async () => (await import("./P19-scsi-diskutil/case.ts")).scsiDiskutilCase,
  P20: async () => (await import("./P20-userclient-sample/case.ts")).userClientSampleCase,
};

/** In the order of the forum's list. */
export const caseIds: readonly string[] = Object.keys(doors);

/** By id, in any letter case. Rejects with a RangeError that lists what there is. */
export async function loadCase(id: string): Promise<DriverCase> {
  const known = caseIds.find((each) => each.toLowerCase() === id.toLowerCase());
  if (known === undefined) throw new RangeError(`no case "${id}"; there are: ${caseIds.join(", ")}`);
  return doors[known]();
}
