// A SCSI target with disks as its logical units: the device behind BOT, UAS, iSCSI or an HBA.

import type { Clock } from "../../base/clock.ts";
import { Random } from "../../base/random.ts";
import { ScsiOpcode } from "../../codec/scsi/commands.ts";
import { encodeReportLuns, encodeStandardInquiry } from "../../codec/scsi/inquiry.ts";
import { SenseCode, SenseKey, writeFixedSense } from "../../codec/scsi/sense.ts";
import {
  ScsiDirection,
  ScsiStatus,
  type ScsiTargetClient,
  type ScsiTargetPort,
  type ScsiTask,
} from "../../ports/scsi-target.ts";
import { LogicalUnit, type UnitHome } from "./logical-unit.ts";
import { SparseStore } from "./sparse-store.ts";
import { resolveUnitOptions, type ScsiUnitOptions } from "./unit-options.ts";

export interface ScsiDiskOptions {
  readonly clock: Clock;
  /** Decides which unflushed blocks a power cut takes. Default: seed 1. */
  readonly random?: Random;
  /** LUN 0, 1, 2... */
  readonly units: readonly ScsiUnitOptions[];
}

const noBytes = new Uint8Array(0);

/**
 * LUNs that lead nowhere answer as SPC-4 §5.11 says: INQUIRY with qualifier 3, REPORT LUNS, REQUEST SENSE; everything
 * else with LOGICAL UNIT NOT SUPPORTED.
 */
export class ScsiDiskDevice implements ScsiTargetPort {
  readonly units: readonly LogicalUnit[];
  /** Blocks whose newest contents power cuts have taken so far. */
  lostBlocks = 0;
  #client: ScsiTargetClient | null = null;

  constructor(options: ScsiDiskOptions) {
    if (options.units.length < 1 || options.units.length > 256)
      throw new RangeError(`a target has 1 to 256 logical units, not ${options.units.length}`);
    const home: UnitHome = {
      clock: options.clock,
      random: options.random ?? new Random(1),
      luns: options.units.map((_unit, lun) => lun),
      units: () => this.units,
      finished: (task) => this.#client?.finished(task),
      transportIdOf: (initiator) => this.#client?.transportIdOf?.(initiator) ?? noBytes,
    };
    this.units = options.units.map(
      (unit, lun) =>
        new LogicalUnit(
          lun,
          resolveUnitOptions(unit, lun, (bytes) => new SparseStore(bytes)),
          home,
        ),
    );
  }

  connect(client: ScsiTargetClient): void {
    this.#client = client;
  }

  begin(task: ScsiTask): boolean {
    const unit = this.units[task.lun];
    return unit === undefined ? this.#beginNowhere(task) : unit.begin(task);
  }

  execute(task: ScsiTask): boolean {
    const unit = this.units[task.lun];
    return unit === undefined ? this.#executeNowhere(task) : unit.execute(task);
  }

  abort(task: ScsiTask): void {
    this.units[task.lun]?.abort(task);
  }

  commandsCleared(lun: number, initiator: number): void {
    this.units[lun]?.attentions.raiseFor(initiator, SenseCode.commandsCleared);
  }

  resetUnit(lun: number): void {
    this.units[lun]?.reset(SenseCode.busDeviceReset);
  }

  resetTarget(): void {
    for (const unit of this.units) unit.reset(SenseCode.scsiBusReset);
  }

  nexusLost(initiator: number): void {
    for (const unit of this.units) unit.nexusLost(initiator);
  }

  /** A hand puts the card in: the unit says 28h/00h once to each initiator, then is ready. */
  insertMedium(lun = 0): void {
    this.units[lun]?.load();
  }

  /** A hand takes it out, whatever is under way. */
  removeMedium(lun = 0): void {
    this.units[lun]?.eject();
  }

  powerCycle(): void {
    for (const unit of this.units) this.lostBlocks += unit.powerCycle();
  }

  #beginNowhere(task: ScsiTask): boolean {
    task.status = ScsiStatus.good;
    task.senseBytes = 0;
    task.movedBytes = 0;
    task.direction = ScsiDirection.none;
    task.transferBytes = 0;
    const { cdb } = task;
    const opcode = cdb[0];
    if (opcode === ScsiOpcode.inquiry) task.transferBytes = (cdb[3] << 8) | cdb[4];
    else if (opcode === ScsiOpcode.requestSense) task.transferBytes = cdb[4];
    else if (opcode === ScsiOpcode.reportLuns)
      task.transferBytes = ((cdb[6] << 24) | (cdb[7] << 16) | (cdb[8] << 8) | cdb[9]) >>> 0;
    else return this.#refuse(task, SenseCode.logicalUnitNotSupported);
    task.direction = ScsiDirection.in;
    return false;
  }

  #refuse(task: ScsiTask, code: number): true {
    task.status = ScsiStatus.checkCondition;
    task.senseBytes = writeFixedSense(task.sense, { key: SenseKey.illegalRequest, code });
    return true;
  }

  #executeNowhere(task: ScsiTask): boolean {
    const { cdb } = task;
    let data: Uint8Array;
    if (cdb[0] === ScsiOpcode.inquiry) {
      if ((cdb[1] & 1) !== 0) return this.#refuse(task, SenseCode.logicalUnitNotSupported);
      const nobody = {
        vendor: "",
        product: "",
        revision: "",
        isRemovable: false,
        canQueue: false,
        canCopy: false,
      };
      data = encodeStandardInquiry({ qualifier: 3, deviceType: 0x1f, version: 6, standards: [], ...nobody });
    } else if (cdb[0] === ScsiOpcode.reportLuns) data = encodeReportLuns(this.units.map((unit) => unit.lun));
    else {
      data = new Uint8Array(18);
      writeFixedSense(data, { key: SenseKey.illegalRequest, code: SenseCode.logicalUnitNotSupported });
    }
    const count = Math.min(data.length, task.transferBytes, task.dataBytes);
    task.transferBytes = Math.min(task.transferBytes, data.length);
    task.data.set(data.subarray(0, count), task.dataOffset);
    task.movedBytes = count;
    return true;
  }
}
