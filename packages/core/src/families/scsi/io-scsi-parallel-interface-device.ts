// IOSCSIParallelInterfaceDevice: one target behind a host adapter's dext, as the rest of the SCSI stack sees it.

import type { IOReturn } from "../../base/io-return.ts";
import type { Properties } from "../../platform/properties.ts";
import type { ServiceContext } from "../../runtime/service.ts";
import { IOSCSIProtocolServices, type UnitNaming } from "./io-scsi-protocol-services.ts";
import type { SCSITask } from "./scsi-task.ts";

/** What the controller's kernel half does for its targets. */
export interface ParallelTargetOwner {
  readonly physicalInterconnect: string;
  readonly maximumTransferBytes: number;
  readonly highestLun: number;
  send(target: IOSCSIParallelInterfaceDevice, task: SCSITask): IOReturn;
  abort(task: SCSITask): void;
  resetTarget(targetId: number): Promise<void>;
}

/** Logical units asked for by number, at most: each silent one costs an INQUIRY. */
const lunMaximum = 7;

export class IOSCSIParallelInterfaceDevice extends IOSCSIProtocolServices {
  readonly targetId: number;
  readonly #owner: ParallelTargetOwner;

  constructor(context: ServiceContext, owner: ParallelTargetOwner, targetId: number) {
    super(context);
    this.#owner = owner;
    this.targetId = targetId;
  }

  override get unitNaming(): UnitNaming {
    return "IOSCSILogicalUnitNub";
  }

  /** Registry text: the personality's, or the family's default. It selects nothing (posts.md P19). */
  override get physicalInterconnect(): string {
    return this.#owner.physicalInterconnect;
  }

  override get maximumLun(): number {
    return Math.min(this.#owner.highestLun, lunMaximum);
  }

  override get maximumTransferBytes(): number {
    return this.#owner.maximumTransferBytes;
  }

  override sendCommand(task: SCSITask): IOReturn {
    return this.#owner.send(this, task);
  }

  override abortCommand(task: SCSITask): void {
    this.#owner.abort(task);
  }

  override resetDevice(): Promise<void> {
    return this.#owner.resetTarget(this.targetId);
  }

  /** UserSetTargetProperties. */
  addProtocolCharacteristics(properties: Properties): void {
    const known = this.properties["Protocol Characteristics"] as Properties | undefined;
    this.properties["Protocol Characteristics"] = { ...known, ...properties };
  }
}
