// P16: the AC'97 driver with a ring of 1 MiB, and five ways to get its memory wrong.

import { Ac97Driver } from "@drydock/core/drivers/ac97/ac97-driver";
import type { PreparedRing } from "@drydock/core/drivers/ac97/ac97-ring";
import type { IOAddressSegment } from "@drydock/core/runtime/dma-command";
import { type IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "@drydock/core/runtime/memory";
import type { ServiceClass } from "@drydock/core/runtime/service";

/** In the order of the post's acceptance criteria. */
export const ringFaults = [
  "asks-contiguous",
  "cpu-address",
  "physical-page",
  "first-segment",
  "completes-early",
] as const;
export type RingFault = (typeof ringFaults)[number];

/** The post's ring: 1 MiB, which is 5.46 s of 48 kHz, two channels of 16 bits. */
export const postedRingFrames = 262_144;
/** IOMemoryDescriptor's option in the kernel; a dext's Create knows direction bits alone (posts.md T6). */
const kIOMemoryPhysicallyContiguous = 0x10;
/** Where a machine without an IOMMU would have the first page. */
const somePhysicalPage = 0x2000_0000;

/** `fault` null: the good driver, which is Drydock's own. */
export function ringDriver(fault: RingFault | null, frames: number = postedRingFrames): ServiceClass {
  return class P16Driver extends Ac97Driver {
    protected override ringFrames: number = frames;
    protected override readonly ringOptions: number =
      fault === "asks-contiguous"
        ? kIOMemoryDirectionOutIn | kIOMemoryPhysicallyContiguous
        : kIOMemoryDirectionOutIn;

    protected override ringSegments(
      ring: PreparedRing,
      memory: IOBufferMemoryDescriptor,
    ): readonly IOAddressSegment[] {
      const { length } = memory;
      switch (fault) {
        case "cpu-address":
          // What a pointer's value is to the hardware: 32 bits of it, and none of its business.
          return [{ address: memory.getAddressRange().address >>> 0, length }];
        case "physical-page":
          return [{ address: somePhysicalPage, length }];
        case "first-segment":
          // "It is one buffer, so it goes on behind its first segment."
          return [{ address: ring.segments[0].address, length }];
        default:
          return super.ringSegments(ring, memory);
      }
    }

    override async stopEngine(): Promise<void> {
      // The mapping first, the engine afterwards.
      if (fault === "completes-early") {
        this.releaseDma();
        await this.kernel.scheduler.sleep(5_000_000);
      }
      await super.stopEngine();
    }
  };
}
