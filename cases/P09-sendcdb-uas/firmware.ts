// P09: the drive's firmware. One vendor command moves a firmware image; two flavours of how it learns the length.

import { getU32be } from "@drydock/core/base/bytes";
import { SenseCode, SenseKey } from "@drydock/core/codec/scsi/sense";
import {
  ScsiDirection,
  ScsiStatus,
  type ScsiTargetPort,
  type ScsiTask,
} from "@drydock/core/ports/scsi-target";
import { refuseTask, ScsiTargetFilter } from "@drydock/core/ports/scsi-target-filter";

/** FIRMWARE IMAGE: byte 1 says which way, bytes 10 to 13 how much (big-endian; older tools leave zeros there). */
export const firmwareImageOpcode = 0xc6;
export const imageToDevice = 0x01;
export const imageFromDevice = 0x02;
export const imageLengthAt = 10;

/**
 * `CBW`: the length is what the transport says; over UAS, whose command unit says none, that is nothing. `CDB`: it is
 * read from the command itself, on every transport.
 */
export type LengthSource = "CBW" | "CDB";

export class VendorFirmware extends ScsiTargetFilter {
  readonly #lengthFrom: LengthSource;
  /** What was loaded last. */
  image = new Uint8Array(0);

  constructor(target: ScsiTargetPort, lengthFrom: LengthSource) {
    super(target);
    this.#lengthFrom = lengthFrom;
  }

  override begin(task: ScsiTask): boolean {
    const { cdb } = task;
    if (cdb[0] !== firmwareImageOpcode) return super.begin(task);
    if (cdb[1] !== imageToDevice && cdb[1] !== imageFromDevice)
      return refuseTask(task, SenseKey.illegalRequest, SenseCode.invalidFieldInCdb);
    task.status = ScsiStatus.good;
    task.senseBytes = 0;
    task.movedBytes = 0;
    task.transferBytes = this.#lengthFrom === "CBW" ? task.dataBytes : getU32be(cdb, imageLengthAt);
    task.direction = cdb[1] === imageToDevice ? ScsiDirection.out : ScsiDirection.in;
    if (task.transferBytes === 0) task.direction = ScsiDirection.none;
    return false;
  }

  override execute(task: ScsiTask): boolean {
    if (task.cdb[0] !== firmwareImageOpcode) return super.execute(task);
    const bytes = Math.min(task.transferBytes, task.dataBytes);
    if (task.direction === ScsiDirection.out)
      this.image = task.data.slice(task.dataOffset, task.dataOffset + bytes);
    else if (task.direction === ScsiDirection.in) {
      task.data.fill(0, task.dataOffset, task.dataOffset + bytes);
      task.data.set(this.image.subarray(0, bytes), task.dataOffset);
    }
    task.movedBytes = bytes;
    return true;
  }
}
