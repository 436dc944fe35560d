// DR07-3: a dump with a disk and a modem for somebody who wants to block them, and near misses.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { usbExits } from "./usb-exits.ts";

const words = "How do we block USB storage on all our Macs?\n";
const dump = `+-o Root  <class IORegistryEntry, id 0x100000100, retain 20>
  +-o Thumb drive@14100000  <class IOUSBHostDevice, id 0x100000a01, registered, matched, active, busy 0 (0 ms), retain 20>
    | {
    |   "idVendor" = 2385
    |   "bDeviceClass" = 0
    | }
    +-o IOUSBHostInterface@0  <class IOUSBHostInterface, id 0x100000a02, registered, matched, active, busy 0 (0 ms), retain 9>
      +-o IOBlockStorageDriver  <class IOBlockStorageDriver, id 0x100000a03, registered, matched, active, busy 0 (0 ms), retain 9>
        +-o Thumb Media  <class IOMedia, id 0x100000a04, registered, matched, active, busy 0 (0 ms), retain 9>
            {
              "BSD Name" = "disk4"
            }
`;

test("DR07-3 fires: each exit with what covers it", async () => {
  await assertFires(
    usbExits,
    { post: words, dump },
    /Thumb drive.* leaves the kernel by disk node \(disk4\): Disk Arbitration/,
  );
});

test("DR07-3 is silent when nobody wants to block anything", async () => {
  await assertSilent(usbExits, { post: "The USB disk is slow.\n", dump });
});

test("DR07-3 is silent without a registry dump", async () => {
  await assertSilent(usbExits, { post: words });
});
