// What a serial dext is to the runtime: rings in its own memory, and for USB the pipes that Apple finds.

import { IOUserSerial } from "@drydock/core/families/serial/io-user-serial";
import { IOUSBHostInterface } from "@drydock/core/families/usb/io-usb-host-interface";
import { IOUserUSBSerial } from "@drydock/core/families/usb-serial/io-user-usb-serial";
import type { IOService } from "@drydock/core/runtime/service";
import type { SharedRing } from "./shared-ring.ts";

/** Takes rings that lie in the dext's memory. */
export interface RingTaker {
  takeRings(rxRing: SharedRing, txRing: SharedRing): void;
}

export class DextSerial extends IOUserSerial implements RingTaker {
  takeRings(rxRing: SharedRing, txRing: SharedRing): void {
    this.useRings(rxRing, txRing);
  }
}

/** Apple's base opens the interface and runs its pipes by itself (driverkit-families.md §3: documentation; the order is likely). */
export class DextUsbSerial extends IOUserUSBSerial implements RingTaker {
  takeRings(rxRing: SharedRing, txRing: SharedRing): void {
    this.useRings(rxRing, txRing);
  }

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOUSBHostInterface)) return;
    await provider.open(this);
    const { endpoints } = provider.setting;
    const find = (type: number, isIn: boolean) =>
      endpoints.find(
        ({ descriptor }) =>
          (descriptor.bmAttributes & 3) === type && ((descriptor.bEndpointAddress & 0x80) !== 0) === isIn,
      );
    const bulkIn = find(2, true);
    const bulkOut = find(2, false);
    const interruptIn = find(3, true);
    if (bulkIn === undefined || bulkOut === undefined) return;
    this.usePipes(provider, {
      bulkIn: provider.copyPipe(bulkIn.descriptor.bEndpointAddress),
      bulkOut: provider.copyPipe(bulkOut.descriptor.bEndpointAddress),
      interruptIn:
        interruptIn === undefined ? null : provider.copyPipe(interruptIn.descriptor.bEndpointAddress),
    });
  }

  /** For the superclass's implementation of a method that is protected there. */
  baseRxPacket(buffer: Uint8Array, length: number): void {
    super.handleRxPacket(buffer, length);
  }
}
