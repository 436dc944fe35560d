// P02, right: seven bytes stored at the buffer's own address, by table, little-endian, and checked.

import { IOReturns } from "@drydock/core/base/io-return";
import { parseAcmFunction } from "@drydock/core/codec/cdc/cdc";
import { kIOMemoryDirectionOut } from "@drydock/core/runtime/memory";
import {
  classRequestOut,
  LineCodingDriver,
  type LineWish,
  lineCodingBundle,
  setLineCodingRequest,
} from "./line-coding-driver.ts";

/** The size is fixed by the standard (PSTN 1.2 table 17), not by a struct's layout. */
const lineCodingBytes = 7;
const offersLineCoding = 0x02;
const charFormatOfHalfStopBits: Readonly<Record<number, number>> = { 2: 0, 3: 1, 4: 2 };
const parityTypeOfCode: Readonly<Record<number, number>> = { 1: 0, 2: 1, 3: 2, 4: 3, 5: 4 };

class P02Driver extends LineCodingDriver {
  protected override async setLineCoding(wish: LineWish): Promise<number> {
    const { capabilities } = parseAcmFunction(this.usb.setting.extra);
    if (((capabilities ?? 0) & offersLineCoding) === 0) {
      throw this.failure(
        IOReturns.kIOReturnUnsupported,
        "setLineCoding",
        "the device has no line coding (D1 is clear)",
      );
    }
    const charFormat = charFormatOfHalfStopBits[wish.halfStopBits];
    const parityType = parityTypeOfCode[wish.parity];
    if (charFormat === undefined || parityType === undefined) {
      throw this.failure(IOReturns.kIOReturnBadArgument, "setLineCoding");
    }
    const descriptor = this.usb.createIOBuffer(kIOMemoryDirectionOut, lineCodingBytes);
    const view = new DataView(descriptor.bytes.buffer, descriptor.bytes.byteOffset, lineCodingBytes);
    view.setUint32(0, wish.baudRate, true);
    view.setUint8(4, charFormat);
    view.setUint8(5, parityType);
    view.setUint8(6, wish.dataBits);
    try {
      return await this.usb.deviceRequest(
        classRequestOut,
        setLineCodingRequest,
        0,
        this.usb.number,
        lineCodingBytes,
        descriptor,
        1000,
      );
    } finally {
      descriptor.release();
    }
  }
}

export const goodLineCodingBundle = lineCodingBundle("good", P02Driver);
