// The block family of a machine: finds block storage dexts and publishes the disks they are.

import { dmaProviderOf } from "../../runtime/dma-provider.ts";
import type { Machine } from "../../runtime/machine.ts";
import { BlockStorageUnit } from "./block-storage-unit.ts";
import { nextDiskName } from "./disk-names.ts";
import { IOMedia } from "./io-media.ts";
import { IOUserBlockStorageDevice } from "./io-user-block-storage-device.ts";

/** Watches a machine for block storage dexts. `media` are the disks that are there; `units` hold the last that left besides. */
export class BlockFamily {
  readonly units: BlockStorageUnit[] = [];
  readonly failures: string[] = [];
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
    machine.onRegistered((service) => {
      if (service instanceof IOUserBlockStorageDevice) this.#adopt(service);
    });
    machine.onGone((service) => {
      for (const unit of this.units) if (unit.media?.provider === service) unit.end();
    });
  }

  /** Disks that are there, in order of appearance. */
  get media(): IOMedia[] {
    return this.units.flatMap(({ media }) => (media === null || media.isGone ? [] : [media]));
  }

  #adopt(service: IOUserBlockStorageDevice): void {
    const machine = this.#machine;
    const dma = dmaProviderOf(service);
    if (dma === null) {
      this.failures.push(`${service.logName}: no provider does DMA`);
      return;
    }
    const params = service.getDeviceParams();
    if (!(params.numOfOutstandingIOs > 0)) {
      this.failures.push(`${service.logName}: numOfOutstandingIOs is 0, the kernel does not start it`);
      return;
    }
    const unit = new BlockStorageUnit(service, machine.scheduler, params, dma);
    service.blockKernel = unit;
    const gone = this.units.filter(({ media }) => media?.isGone === true);
    for (const old of gone) this.units.splice(this.units.indexOf(old), 1);
    this.units.push(unit);
    const { geometry } = unit;
    const media = machine.publish(
      {
        kernelClass: "IOMedia",
        provider: service,
        properties: {
          "BSD Name": nextDiskName(machine),
          Size: geometry.blockBytes * geometry.blockCount,
          "Preferred Block Size": geometry.blockBytes,
          Writable: !geometry.isReadOnly,
          Whole: true,
        },
      },
      (context) => new IOMedia(context, geometry, unit, unit.ledger, () => unit.end()),
    );
    media.registryName = `${service.getVendorString()} ${service.getProductString()} Media`.trim();
    unit.media = media;
    media.registerService();
  }
}
