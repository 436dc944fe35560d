// IOUserSCSIPeripheralDeviceType00: the class driver for disks with a dext on top (SCSIPeripheralsDriverKit).

import { ContractViolation } from "../../base/errors.ts";
import { IOReturns } from "../../base/io-return.ts";
import type { Address } from "../../runtime/address-space.ts";
import { kIOMemoryDirectionIn, kIOMemoryDirectionOut } from "../../runtime/memory.ts";
import { IOService, kIOServicePowerCapabilityOff } from "../../runtime/service.ts";
import type { DirectAccessUnit } from "./direct-access-unit.ts";
import { IOSCSIPeripheralDeviceNub } from "./io-scsi-peripheral-device-nub.ts";
import {
  kSCSIDataTransfer_FromInitiatorToTarget,
  kSCSIDataTransfer_FromTargetToInitiator,
  kSCSIDataTransfer_NoDataTransfer,
  kSCSIServiceResponse_TASK_COMPLETE,
  kSCSITaskStatus_CHECK_CONDITION,
} from "./scsi-task.ts";

/** Parameters of UserSendCDB (driverkit-families.md §6; the order of the C structure is not verified). */
export interface SCSIType00OutParameters {
  fLogicalUnitNumber: number;
  /** Milliseconds. */
  fTimeoutDuration: number;
  /** 16 bytes. */
  fCommandDescriptorBlock: Uint8Array;
  fRequestedByteCountOfTransfer: number;
  /** kIOMemoryDirection*: 1 In, 2 Out. */
  fBufferDirection: number;
  /** kSCSIDataTransfer_*: 1 to the target, 2 from it. */
  fDataTransferDirection: number;
  /** 18, or 22 for ATA pass-through; more fails. */
  fSenseLengthRequested: number;
  /** Addresses in the dext's own space; 0 for none. */
  fDataBufferAddr: Address;
  fSenseBufferAddr: Address;
}

export interface SCSIType00InParameters {
  fCompletionStatus: number;
  fServiceResponse: number;
  fRealizedByteCountOfTransfer: number;
  fSenseDataValid: boolean;
}

/** The memory that a command's addresses mean. Each throws what its owner's faults are. */
export interface CommandMemory {
  read(address: Address, lengthBytes: number): Uint8Array;
  write(address: Address, bytes: Uint8Array): void;
}

const senseMaximum = 22;
/** Opcodes that need exclusive access: the vendor groups. */
const firstPrivilegedOpcode = 0xc0;
const familyClass = "IOUserSCSIPeripheralDeviceType00";

/** A block of parameters with nothing in it. */
export function newType00OutParameters(): SCSIType00OutParameters {
  return {
    fLogicalUnitNumber: 0,
    fTimeoutDuration: 0,
    fCommandDescriptorBlock: new Uint8Array(16),
    fRequestedByteCountOfTransfer: 0,
    fBufferDirection: 0,
    fDataTransferDirection: 0,
    fSenseLengthRequested: 0,
    fDataBufferAddr: 0 as Address,
    fSenseBufferAddr: 0 as Address,
  };
}

/**
 * A dext subclasses it. Its kernel half is the same class driver as without a dext; power transitions run that half's
 * commands before they are acknowledged, inside the 20 s of a hosted service (posts.md P15).
 */
export class IOUserSCSIPeripheralDeviceType00 extends IOService {
  unit: DirectAccessUnit | null = null;
  /** Flags of the change whose commands run; null when none does. */
  #powerUnderWay: number | null = null;
  /** UserSuspendServices is in force. */
  #isSuspended = false;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOSCSIPeripheralDeviceNub))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start");
  }

  /** The kernel asks at enumeration: false refuses the unit. */
  async userDetermineDeviceCharacteristics(): Promise<boolean> {
    return true;
  }

  /**
   * Sends a command and blocks until it is over. kIOReturnUnsupported when the personality's IOClass is not the family's
   * class; kIOReturnNotPrivileged for opcodes C0h to FFh without exclusive access; kIOReturnBadArgument for more than 22
   * sense bytes, a missing buffer or CDB; kIOReturnNoDevice. A command that reached the unit is a success, whatever its
   * status: look at the response.
   *
   * Both directions must be set, in their two encodings. Where they contradict each other no data moves; whether Apple's
   * kernel tolerates that is not known (page: likely).
   *
   * `memory` is the dext's: by default its process's; a dext in C++ has its own.
   */
  async userSendCDB(
    command: SCSIType00OutParameters,
    memory: CommandMemory = this.process.memory,
  ): Promise<SCSIType00InParameters> {
    const call = "IOUserSCSIPeripheralDeviceType00.userSendCDB";
    const unit = this.#unit(call);
    const cdb = command.fCommandDescriptorBlock;
    if (cdb.length < 16) throw this.failure(IOReturns.kIOReturnBadArgument, call, "the CDB has not 16 bytes");
    if (cdb[0] >= firstPrivilegedOpcode && !this.#isSuspended) {
      throw this.failure(
        IOReturns.kIOReturnNotPrivileged,
        call,
        "vendor opcodes need exclusive access: UserSuspendServices first",
      );
    }
    if (command.fSenseLengthRequested > senseMaximum)
      throw this.failure(IOReturns.kIOReturnBadArgument, call, "more than 22 sense bytes");
    const bytes = command.fRequestedByteCountOfTransfer;
    const direction = this.#direction(command);
    const hasData = bytes > 0 && direction !== kSCSIDataTransfer_NoDataTransfer;
    if (hasData && command.fDataBufferAddr === 0)
      throw this.failure(IOReturns.kIOReturnBadArgument, call, "no data buffer");
    const task = unit.nub.protocol.newTask();
    task.lun = unit.nub.lun;
    task.cdb.set(cdb.subarray(0, 16));
    task.cdbBytes = cdbBytesOfGroup(cdb[0]);
    task.timeoutMs = command.fTimeoutDuration;
    if (hasData) {
      task.direction = direction;
      task.data =
        direction === kSCSIDataTransfer_FromInitiatorToTarget
          ? memory.read(command.fDataBufferAddr, bytes)
          : new Uint8Array(bytes);
      task.dataBytes = bytes;
    }
    await unit.nub.protocol.perform(task, "UserSendCDB");
    if (unit.nub.isInactive) throw this.failure(IOReturns.kIOReturnNoDevice, call);
    if (hasData && direction === kSCSIDataTransfer_FromTargetToInitiator && task.realizedBytes > 0)
      memory.write(command.fDataBufferAddr, task.data.subarray(0, Math.min(bytes, task.realizedBytes)));
    const isSense =
      task.serviceResponse === kSCSIServiceResponse_TASK_COMPLETE &&
      task.status === kSCSITaskStatus_CHECK_CONDITION &&
      command.fSenseBufferAddr !== 0 &&
      command.fSenseLengthRequested > 0 &&
      task.senseBytes > 0;
    if (isSense) {
      const length = Math.min(task.senseBytes, command.fSenseLengthRequested);
      memory.write(command.fSenseBufferAddr, task.sense.subarray(0, length));
    }
    return {
      fCompletionStatus: task.status,
      fServiceResponse: task.serviceResponse,
      fRealizedByteCountOfTransfer: task.realizedBytes,
      fSenseDataValid: isSense,
    };
  }

  /** Resets the device as its transport can. */
  async userResetDevice(): Promise<void> {
    await this.#unit("IOUserSCSIPeripheralDeviceType00.userResetDevice").nub.protocol.resetDevice();
  }

  /**
   * Exclusive access: the medium is withdrawn and the class driver is quiet until `userResumeServices`. kIOReturnBusy
   * while somebody has the medium open (volumes must be unmounted first; the code Apple answers is not documented).
   */
  async userSuspendServices(): Promise<void> {
    const call = "IOUserSCSIPeripheralDeviceType00.userSuspendServices";
    const unit = this.#unit(call);
    if (this.#isSuspended) return;
    if (unit.media?.isOpen) throw this.failure(IOReturns.kIOReturnBusy, call, "the medium is open");
    this.#isSuspended = true;
    unit.withdraw("suspended");
  }

  /** Ends exclusive access: the unit is brought up again, capacity and cache are read anew. Blocks. */
  async userResumeServices(): Promise<void> {
    const unit = this.#unit("IOUserSCSIPeripheralDeviceType00.userResumeServices");
    if (!this.#isSuspended) return;
    this.#isSuspended = false;
    await unit.bringUp();
  }

  /** Bytes of a block; kIOReturnNotReady without a medium. */
  userReportMediumBlockSize(): number {
    const call = "IOUserSCSIPeripheralDeviceType00.userReportMediumBlockSize";
    const { media } = this.#unit(call);
    if (media === null) throw this.failure(IOReturns.kIOReturnNotReady, call);
    return media.geometry.blockBytes;
  }

  /**
   * Super's part: the class driver flushes and stops the unit, or starts it, and only then is the change acknowledged.
   * Returns at once; the acknowledgement comes when the commands are done. A second call for one change is a violation
   * of rule `power-acknowledged-without-change`.
   */
  override async setPowerState(powerFlags: number): Promise<void> {
    const { unit } = this;
    if (unit === null || unit.nub.isInactive) {
      this.kernel.acknowledgePowerState(this, powerFlags);
      return;
    }
    if (this.#powerUnderWay === powerFlags) {
      throw new ContractViolation(
        "power-acknowledged-without-change",
        `${this.logName}: SetPowerState(0x${powerFlags.toString(16)}) of the superclass a second time for one change`,
      );
    }
    this.#powerUnderWay = powerFlags;
    unit.nub.process.spawn(`power of ${this.logName}`, async () => {
      if (powerFlags === kIOServicePowerCapabilityOff) await unit.powerDown();
      else await unit.powerUp();
      this.#powerUnderWay = null;
      if (!this.isInactive) this.kernel.acknowledgePowerState(this, powerFlags);
    });
  }

  override async stop(provider: IOService): Promise<void> {
    this.unit?.terminated();
    await super.stop(provider);
  }

  #unit(call: string): DirectAccessUnit {
    if (this.kernelClass !== familyClass) {
      throw this.failure(
        IOReturns.kIOReturnUnsupported,
        call,
        `the personality's IOClass is ${this.kernelClass}, not ${familyClass}`,
      );
    }
    if (this.unit === null || this.unit.nub.isInactive) throw this.failure(IOReturns.kIOReturnNoDevice, call);
    return this.unit;
  }

  #direction(command: SCSIType00OutParameters): number {
    const { fBufferDirection: buffer, fDataTransferDirection: transfer } = command;
    if (transfer === kSCSIDataTransfer_FromTargetToInitiator && buffer === kIOMemoryDirectionIn)
      return transfer;
    if (transfer === kSCSIDataTransfer_FromInitiatorToTarget && buffer === kIOMemoryDirectionOut)
      return transfer;
    if (transfer !== kSCSIDataTransfer_NoDataTransfer || buffer !== 0) {
      this.kernel.note(
        `${this.logName}: fBufferDirection ${buffer} and fDataTransferDirection ${transfer} do not agree: the command goes without data`,
      );
    }
    return kSCSIDataTransfer_NoDataTransfer;
  }
}

/** CDB bytes by group (SPC-4 §4.2.5.1); vendor groups carry all 16 (what Apple sends there is not known). */
function cdbBytesOfGroup(opcode: number): number {
  return [6, 10, 10, 16, 16, 12, 16, 16][opcode >> 5];
}
