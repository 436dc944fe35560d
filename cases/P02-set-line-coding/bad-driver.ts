// P02, wrong: the line coding is copied over the variable that holds the buffer's address.

import { kIOMemoryDirectionOut, kIOMemoryMapReadOnly } from "@drydock/core/runtime/memory";
import {
  classRequestOut,
  LineCodingDriver,
  type LineWish,
  lineCodingBundle,
  setLineCodingRequest,
} from "./line-coding-driver.ts";

/**
 * The mistakes of the post and their near relations, one at a time. `addressVariable` is the post's own; the others
 * show that each failure has a face of its own (AC3).
 */
export const lineCodingMistakes = [
  "addressVariable",
  "lengthSix",
  "bigEndianRate",
  "parityUnderflow",
  "stopUnderflow",
  "wrongInterface",
  "readOnlyMapping",
] as const;
export type LineCodingMistake = (typeof lineCodingMistakes)[number];

/** A class with one mistake in it. `none` serves where the device, not the driver, is at fault (D1 clear). */
export function badLineCodingDriver(
  mistake: LineCodingMistake | "none",
): new (
  ...parameters: ConstructorParameters<typeof LineCodingDriver>
) => LineCodingDriver {
  return class P02Driver extends LineCodingDriver {
    protected override async setLineCoding(wish: LineWish): Promise<number> {
      const { memory } = this.process;
      const length = mistake === "lengthSix" ? 6 : 7;

      // lineParms = IOMalloc(length), then one store per field.
      const lineParms = memory.allocate(length, "lineParms");
      const fields = this.fields(wish, mistake).slice(0, length);
      memory.write(lineParms, fields);

      const descriptor = this.usb.createIOBuffer(kIOMemoryDirectionOut, length);
      if (mistake === "readOnlyMapping" || mistake === "addressVariable") {
        // The mapping is asked for read-only, and the buffer was made by the USB family: it really is read-only.
        const map = descriptor.createMapping(memory, kIOMemoryMapReadOnly, 0, 0);
        if (map.value === null) throw this.failure(map.status, "CreateMapping");
        const address = memory.local("ptr", map.value.getAddress());
        // The post: memcpy(&ptr, lineParms, length). It fills the variable; the buffer keeps its zeros.
        const target = mistake === "addressVariable" ? address.address : address.value;
        memory.copy(target, lineParms, length);
      } else {
        descriptor.bytes.set(fields);
      }
      memory.free(lineParms);

      const index = mistake === "wrongInterface" ? this.usb.number + 1 : this.usb.number;
      return await this.usb.deviceRequest(
        classRequestOut,
        setLineCodingRequest,
        0,
        index,
        length,
        descriptor,
        1000,
      );
    }

    private fields(wish: LineWish, kind: LineCodingMistake | "none"): Uint8Array {
      const rate = new DataView(new ArrayBuffer(4));
      rate.setUint32(0, wish.baudRate, kind !== "bigEndianRate");
      // StopBits - 2 and Parity - 1 underflow when the caller counts otherwise.
      const stop = (kind === "stopUnderflow" ? 1 : wish.halfStopBits) - 2;
      const parity = (kind === "parityUnderflow" ? 0 : wish.parity) - 1;
      return Uint8Array.of(...new Uint8Array(rate.buffer), stop & 0xff, parity & 0xff, wish.dataBits);
    }
  };
}

export const badLineCodingBundle = lineCodingBundle("bad", badLineCodingDriver("addressVariable"));
