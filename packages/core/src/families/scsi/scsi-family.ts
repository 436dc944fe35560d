// The SCSI family of a machine: finds logical units behind transports, publishes them, brings disks up.

import type { BlockGeometry } from "../../ports/block.ts";
import type { Machine } from "../../runtime/machine.ts";
import type { IOService } from "../../runtime/service.ts";
import { callService } from "../../runtime/service-call.ts";
import { nextDiskName } from "../block/disk-names.ts";
import type { FlushLedger } from "../block/flush-ledger.ts";
import { type BlockStorageBackend, IOMedia } from "../block/io-media.ts";
import { DirectAccessUnit } from "./direct-access-unit.ts";
import {
  IOSCSIPeripheralDeviceNub,
  identifyUnit,
  nubProperties,
  reportUnits,
} from "./io-scsi-peripheral-device-nub.ts";
import { IOSCSIPeripheralDeviceType00, scsiBlockCommandsKext } from "./io-scsi-peripheral-device-type00.ts";
import { IOSCSIProtocolServices } from "./io-scsi-protocol-services.ts";
import { IOUserSCSIParallelInterfaceController } from "./io-user-scsi-parallel-interface-controller.ts";
import { IOUserSCSIPeripheralDeviceType00 } from "./io-user-scsi-peripheral-device-type00.ts";
import { ParallelController } from "./parallel-controller.ts";

export interface ScsiFamilyOptions {
  /** Installs Apple's class driver for disks. Default true. */
  readonly classDriver?: boolean;
}

/** Disks that have left stay in the list until so many others have. */
const goneMaximum = 1;

/**
 * Watches a machine for transports and class drivers. `units` are the disks in order of appearance, and the one that
 * left last; `media` the media that are there now.
 */
export class ScsiFamily {
  readonly units: DirectAccessUnit[] = [];
  /** Host adapters with a dext, and what was last of those that left. */
  readonly controllers: ParallelController[] = [];
  readonly #machine: Machine;

  constructor(machine: Machine, options: ScsiFamilyOptions = {}) {
    this.#machine = machine;
    if (options.classDriver ?? true) machine.install(scsiBlockCommandsKext);
    machine.onRegistered((service) => {
      if (service instanceof IOUserSCSIParallelInterfaceController) this.#adoptController(service);
      else if (service instanceof IOSCSIProtocolServices)
        this.#spawn("probe SCSI units", () => this.#probe(service));
      else if (service instanceof IOSCSIPeripheralDeviceType00) this.#adopt(service);
      else if (service instanceof IOUserSCSIPeripheralDeviceType00) this.#adopt(service);
    });
    machine.onGone((service) => {
      for (const controller of this.controllers) if (controller.service === service) controller.stopped();
    });
  }

  #adoptController(service: IOUserSCSIParallelInterfaceController): void {
    const gone = this.controllers.filter((known) => known.service.isInactive);
    for (const old of gone) this.controllers.splice(this.controllers.indexOf(old), 1);
    const controller = new ParallelController(this.#machine, service);
    this.controllers.push(controller);
    this.#spawn("start SCSI controller", () => controller.start());
  }

  /** Media that are there, in order of appearance. */
  get media(): IOMedia[] {
    return this.units.flatMap(({ media }) => (media === null || media.isGone ? [] : [media]));
  }

  #spawn(name: string, body: () => Promise<void>): void {
    this.#machine.kernelProcess.spawn(name, body);
  }

  async #probe(protocol: IOSCSIProtocolServices): Promise<void> {
    const isHierarchical = protocol.unitNaming === "IOSCSIHierarchicalLogicalUnit";
    const luns = isHierarchical
      ? await reportUnits(protocol)
      : Array.from({ length: protocol.maximumLun + 1 }, (_, lun) => lun);
    for (const lun of luns) {
      const identity = await identifyUnit(protocol, lun);
      if (protocol.isInactive) return;
      if (identity === null) {
        this.#machine.log.kernel(
          `IOSCSIArchitectureModelFamily: unit ${lun} of ${protocol.logName} did not answer INQUIRY`,
        );
        // What follows a silent number that was not announced is no more likely to be there.
        if (!isHierarchical && lun > 0) return;
        continue;
      }
      const nub = this.#machine.publish(
        {
          kernelClass: protocol.unitNaming,
          classChain: [protocol.unitNaming, "IOSCSIPeripheralDeviceNub", "IOService"],
          provider: protocol,
          properties: nubProperties(identity, lun, protocol.physicalInterconnect),
        },
        (context) => new IOSCSIPeripheralDeviceNub(context, protocol, lun),
      );
      nub.location = String(lun);
      nub.registerService();
    }
  }

  #adopt(service: IOSCSIPeripheralDeviceType00 | IOUserSCSIPeripheralDeviceType00): void {
    const { provider } = service;
    if (!(provider instanceof IOSCSIPeripheralDeviceNub) || service.unit !== null) return;
    const unit = new DirectAccessUnit(provider, this.#machine.scheduler, {
      publishMedia: (geometry, backend, ledger) => this.#publishMedia(service, geometry, backend, ledger),
      withdrawMedia: (media) => this.#machine.terminate(media),
      note: (text) => this.#machine.log.kernel(`IOSCSIBlockCommandsDevice: ${text}`),
    });
    service.unit = unit;
    const gone = this.units.filter((known) => known.state === "gone");
    for (const old of gone.slice(0, Math.max(0, gone.length - goneMaximum)))
      this.units.splice(this.units.indexOf(old), 1);
    this.units.push(unit);
    this.#spawn("bring up disk", async () => {
      if (service instanceof IOUserSCSIPeripheralDeviceType00) {
        const answer = await callService(
          this.#machine.scheduler,
          service,
          "UserDetermineDeviceCharacteristics",
          this.#machine.messageDelayNs(),
          () => service.userDetermineDeviceCharacteristics(),
        );
        if (answer.value !== true) return;
      }
      await unit.bringUp();
    });
  }

  #publishMedia(
    service: IOService,
    geometry: BlockGeometry,
    backend: BlockStorageBackend,
    ledger: FlushLedger,
  ): IOMedia {
    const name = nextDiskName(this.#machine);
    const media = this.#machine.publish(
      {
        kernelClass: "IOMedia",
        provider: service,
        properties: {
          "BSD Name": name,
          Size: geometry.blockBytes * geometry.blockCount,
          "Preferred Block Size": geometry.blockBytes,
          Writable: !geometry.isReadOnly,
          Whole: true,
        },
      },
      (context) => new IOMedia(context, geometry, backend, ledger),
    );
    media.registryName =
      `${String(service.provider?.properties["Vendor Identification"] ?? "")} ${String(service.provider?.properties["Product Identification"] ?? "")} Media`.trim();
    media.registerService();
    return media;
  }
}
