// Descriptors as bytes and as values: a wrong one is refused with the place where it is wrong.

import {
  encodeStringDescriptor,
  parseConfiguration,
  parseStringDescriptor,
} from "@drydock/core/codec/usb/descriptors";

console.log(parseStringDescriptor(encodeStringDescriptor("Temperature logger")));
try {
  parseConfiguration(Uint8Array.of(9, 2, 64, 0, 1, 1, 0, 0x80, 50));
} catch (error) {
  console.log((error as Error).message);
}
// prints:
// Temperature logger
// configuration descriptor: wTotalLength is 64 but only 9 bytes came (at byte 2)
