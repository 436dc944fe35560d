// P08: the dext on the drive, with one method per vendor command, which its user client calls for the apps.

import { formatReturn, IOReturns } from "@drydock/core/base/io-return";
import {
  BridgeOpcode,
  bridgeLengthAt,
  bridgeStateBytes,
} from "@drydock/core/codec/mass-storage/relink-bridge";
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
import type { IOUserClient } from "@drydock/core/runtime/user-client";
import { type CommandParts, commandEnd, failedCommand, senseBytes } from "./command-end.ts";
import { UnlockUserClient } from "./unlock-client.ts";

export const unlockIdentifier = "org.drydock.case.p08";

export class UnlockDriver extends IOUserSCSIPeripheralDeviceType00 {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.registerService();
  }

  override async newUserClient(_type: number): Promise<IOUserClient> {
    return this.create(this, "UserClientProperties") as IOUserClient;
  }

  unlock(code: Uint8Array, timeoutMs: number): Promise<CommandParts> {
    return this.#send("unlock", BridgeOpcode.unlock, timeoutMs, code, 0);
  }

  relink(timeoutMs: number): Promise<CommandParts> {
    return this.#send("RelinkBridge", BridgeOpcode.relink, timeoutMs, null, 0);
  }

  testUnitReady(timeoutMs: number): Promise<CommandParts> {
    return this.#send("TEST UNIT READY", 0x00, timeoutMs, null, 0);
  }

  /** The bridge's own word on the lock. */
  query(timeoutMs: number): Promise<CommandParts> {
    return this.#send("query", BridgeOpcode.query, timeoutMs, null, bridgeStateBytes);
  }

  async #send(
    name: string,
    opcode: number,
    timeoutMs: number,
    out: Uint8Array | null,
    inBytes: number,
  ): Promise<CommandParts> {
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
      const isComplete = answer.fServiceResponse === kSCSIServiceResponse_TASK_COMPLETE;
      const parts: CommandParts = {
        code: IOReturns.kIOReturnSuccess,
        isComplete,
        isGood: isComplete && answer.fCompletionStatus === 0,
        sense: answer.fSenseDataValid ? memory.read(sense, senseBytes) : new Uint8Array(0),
        data: memory.read(buffer, inBytes),
      };
      this.log(`UserSendCDB ${name}: kIOReturnSuccess, ${commandEnd(parts).text}`);
      return parts;
    } catch (error) {
      if (!(error instanceof IOError)) throw error;
      this.log(`UserSendCDB ${name}: ${formatReturn(error.code)}`);
      return failedCommand(error.code);
    } finally {
      memory.free(buffer);
      memory.free(sense);
    }
  }
}

export const unlockBundle: DriverBundle = {
  identifier: unlockIdentifier,
  version: "1",
  teamIdentifier: "CASE000001",
  entitlements: {
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.family.scsicontroller": true,
  },
  personalities: {
    Disk: {
      CFBundleIdentifier: unlockIdentifier,
      IOClass: "IOUserSCSIPeripheralDeviceType00",
      IOUserClass: "P08Driver",
      IOUserServerName: unlockIdentifier,
      IOProviderClass: "IOSCSIPeripheralDeviceNub",
      "Peripheral Device Type": 0,
      IOProbeScore: 50_000,
      UserClientProperties: { IOClass: "IOUserUserClient", IOUserClass: "P08UserClient" },
    },
  },
  classes: { P08Driver: UnlockDriver, P08UserClient: UnlockUserClient },
};
