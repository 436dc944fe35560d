// P08: the dext on the drive, with one method per vendor command; the apps, wrong and right, call it.

import { formatReturn, IOReturns } from "@drydock/core/base/io-return";
import {
  BridgeOpcode,
  type BridgeState,
  bridgeLengthAt,
  bridgeStateBytes,
  decodeBridgeState,
} from "@drydock/core/codec/mass-storage/relink-bridge";
import { senseCodeOf, senseWords } from "@drydock/core/dissect/storage-wire";
import {
  IOUserSCSIPeripheralDeviceType00,
  newType00OutParameters,
} from "@drydock/core/families/scsi/io-user-scsi-peripheral-device-type00";
import {
  kSCSIDataTransfer_FromInitiatorToTarget,
  kSCSIDataTransfer_FromTargetToInitiator,
  kSCSIServiceResponse_TASK_COMPLETE,
} from "@drydock/core/families/scsi/scsi-task";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { IOError } from "@drydock/core/runtime/io-error";
import { kIOMemoryDirectionIn, kIOMemoryDirectionOut } from "@drydock/core/runtime/memory";
import type { IOService } from "@drydock/core/runtime/service";

const senseBytes = 18;

/** What became of a command. */
export interface CommandEnd {
  /** GOOD, sense in words, "no status", "device gone". */
  readonly text: string;
  readonly isGood: boolean;
  /** kIOReturnNoDevice: the device left while the command was under way, or before. */
  readonly isGone: boolean;
  /** ASC and ASCQ, -1 without sense. */
  readonly senseCode: number;
  readonly data: Uint8Array;
}

export class UnlockDriver extends IOUserSCSIPeripheralDeviceType00 {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.registerService();
  }

  unlock(code: Uint8Array, timeoutMs: number): Promise<CommandEnd> {
    return this.#send("unlock", BridgeOpcode.unlock, timeoutMs, code, 0);
  }

  relink(timeoutMs: number): Promise<CommandEnd> {
    return this.#send("RelinkBridge", BridgeOpcode.relink, timeoutMs, null, 0);
  }

  testUnitReady(timeoutMs: number): Promise<CommandEnd> {
    return this.#send("TEST UNIT READY", 0x00, timeoutMs, null, 0);
  }

  /** The bridge's own word on the lock; a command end where it gives none. */
  async query(timeoutMs: number): Promise<BridgeState | CommandEnd> {
    const end = await this.#send("query", BridgeOpcode.query, timeoutMs, null, bridgeStateBytes);
    return end.isGood ? decodeBridgeState(end.data) : end;
  }

  async #send(
    name: string,
    opcode: number,
    timeoutMs: number,
    out: Uint8Array | null,
    inBytes: number,
  ): Promise<CommandEnd> {
    const { memory } = this.process;
    const bytes = out?.length ?? inBytes;
    const buffer = memory.allocate(Math.max(1, bytes), name, true);
    const sense = memory.allocate(senseBytes, "sense", true);
    if (out !== null) memory.write(buffer, out);
    const command = newType00OutParameters();
    command.fTimeoutDuration = timeoutMs;
    command.fCommandDescriptorBlock[0] = opcode;
    if (bytes > 0) {
      command.fCommandDescriptorBlock[bridgeLengthAt] = bytes;
      command.fRequestedByteCountOfTransfer = bytes;
      command.fBufferDirection = out === null ? kIOMemoryDirectionIn : kIOMemoryDirectionOut;
      command.fDataTransferDirection =
        out === null ? kSCSIDataTransfer_FromTargetToInitiator : kSCSIDataTransfer_FromInitiatorToTarget;
      command.fDataBufferAddr = buffer;
    }
    command.fSenseBufferAddr = sense;
    command.fSenseLengthRequested = senseBytes;
    try {
      const answer = await this.userSendCDB(command);
      const told = answer.fSenseDataValid ? memory.read(sense, senseBytes) : new Uint8Array(0);
      const isComplete = answer.fServiceResponse === kSCSIServiceResponse_TASK_COMPLETE;
      const isGood = isComplete && answer.fCompletionStatus === 0;
      const text = isGood ? "GOOD" : isComplete ? senseWords(told) : "no status";
      this.log(`UserSendCDB ${name}: kIOReturnSuccess, ${text}`);
      return {
        text,
        isGood,
        isGone: false,
        senseCode: senseCodeOf(told),
        data: memory.read(buffer, inBytes),
      };
    } catch (error) {
      if (!(error instanceof IOError)) throw error;
      this.log(`UserSendCDB ${name}: ${formatReturn(error.code)}`);
      const isGone = error.code === IOReturns.kIOReturnNoDevice;
      const text = isGone ? "device gone" : formatReturn(error.code);
      return { text, isGood: false, isGone, senseCode: -1, data: new Uint8Array(0) };
    } finally {
      memory.free(buffer);
      memory.free(sense);
    }
  }
}

export const unlockBundle: DriverBundle = {
  identifier: "org.drydock.case.p08",
  version: "1",
  teamIdentifier: "CASE000001",
  entitlements: {
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.family.scsicontroller": true,
  },
  personalities: {
    Disk: {
      CFBundleIdentifier: "org.drydock.case.p08",
      IOClass: "IOUserSCSIPeripheralDeviceType00",
      IOUserClass: "P08Driver",
      IOUserServerName: "org.drydock.case.p08",
      IOProviderClass: "IOSCSIPeripheralDeviceNub",
      "Peripheral Device Type": 0,
      IOProbeScore: 50_000,
    },
  },
  classes: { P08Driver: UnlockDriver },
};
