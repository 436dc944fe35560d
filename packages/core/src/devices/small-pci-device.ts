// The smallest PCI function to extend: registers in BAR 0, one interrupt vector, memory of the host in two calls.

import { PciFunctionModel } from "./pci-function-model.ts";

export interface SmallPciPlan {
  readonly vendorId: number;
  readonly deviceId: number;
  /** Base class, subclass, programming interface. Default 0xff0000, none of the classes. */
  readonly classCode?: number;
  /** MSI-X vectors. Default 1. */
  readonly vectors?: number;
}

const tableOffset = 0x2000;
const pendingOffset = 0x3000;

/**
 * BAR 0 is 16 KiB: the subclass's registers of 32 bits below 2000h, then the table of MSI-X. A subclass answers in
 * `readRegister` and `writeRegister`; `clear` puts it back to how power finds it, and is called for a lost link too.
 */
export abstract class SmallPciDevice extends PciFunctionModel {
  constructor({ classCode = 0xff0000, deviceId, vectors = 1, vendorId }: SmallPciPlan) {
    super({
      vendorId,
      deviceId,
      classCode,
      bars: [{ index: 0, kind: "memory64", lengthBytes: 0x4000 }],
      msiX: { vectors, bar: 0, tableOffset, pendingOffset },
    });
  }

  protected abstract readRegister(offset: number): number;
  protected abstract writeRegister(offset: number, value: number): void;
  protected abstract clear(): void;

  /** DMA from the host's memory. False: nobody allowed it, and `into` is all ones. */
  protected readMemory(address: number, into: Uint8Array): boolean {
    return this.upstream?.read(address, into, 0, into.length) ?? false;
  }

  /** DMA into the host's memory: posted, nobody says whether it was allowed. */
  protected writeMemory(address: number, from: Uint8Array): void {
    this.upstream?.write(address, from, 0, from.length);
  }

  protected override registerRead(bar: number, offset: number, sizeBytes: number): number {
    return bar === 0 && sizeBytes === 4 && offset < tableOffset ? this.readRegister(offset) >>> 0 : 0;
  }

  protected override registerWrite(bar: number, offset: number, sizeBytes: number, value: number): void {
    if (bar === 0 && sizeBytes === 4 && offset < tableOffset) this.writeRegister(offset, value >>> 0);
  }

  protected override functionReset(): void {
    this.clear();
  }

  protected override linkLost(): void {
    this.clear();
  }
}
