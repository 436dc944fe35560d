// P09: what the updaters share: exclusive access, one vendor command each way, exact reports.

import { formatReturn } from "@drydock/core/base/io-return";
import {
  IOUserSCSIPeripheralDeviceType00,
  newType00OutParameters,
  type SCSIType00InParameters,
  type SCSIType00OutParameters,
} from "@drydock/core/families/scsi/io-user-scsi-peripheral-device-type00";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { IOError } from "@drydock/core/runtime/io-error";
import type { IOService, ServiceClass } from "@drydock/core/runtime/service";
import { firmwareImageOpcode, imageFromDevice, imageToDevice } from "./firmware.ts";

/** What came of one command. */
export interface MoveResult {
  readonly answer: SCSIType00InParameters;
  /** What is in the buffer afterwards. */
  readonly bytes: Uint8Array;
}

const timeoutMs = 5_000;

export abstract class UpdaterDriver extends IOUserSCSIPeripheralDeviceType00 {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.registerService();
  }

  /** Completes the parameters: direction, length in the CDB. `isOut`: to the drive. */
  protected abstract fill(command: SCSIType00OutParameters, isOut: boolean, lengthBytes: number): void;

  /** Loads `image` into the drive and reads it back: the whole update, with the medium taken away meanwhile. */
  async update(image: Uint8Array): Promise<{ readonly load: MoveResult; readonly readBack: MoveResult }> {
    await this.userSuspendServices();
    try {
      const load = await this.#move(true, image);
      return { load, readBack: await this.#move(false, new Uint8Array(image.length)) };
    } finally {
      await this.userResumeServices();
    }
  }

  async #move(isOut: boolean, bytes: Uint8Array): Promise<MoveResult> {
    const { memory } = this.process;
    const buffer = memory.allocate(bytes.length, "firmware image");
    memory.write(buffer, bytes);
    const command = newType00OutParameters();
    command.fTimeoutDuration = timeoutMs;
    command.fCommandDescriptorBlock[0] = firmwareImageOpcode;
    command.fCommandDescriptorBlock[1] = isOut ? imageToDevice : imageFromDevice;
    command.fRequestedByteCountOfTransfer = bytes.length;
    command.fDataBufferAddr = buffer;
    this.fill(command, isOut, bytes.length);
    const name = isOut ? "load image" : "read image";
    try {
      const answer = await this.userSendCDB(command);
      this.log(
        `UserSendCDB ${name}: kIOReturnSuccess, service response ${answer.fServiceResponse}, status ${answer.fCompletionStatus}, realized ${answer.fRealizedByteCountOfTransfer} of ${bytes.length} bytes`,
      );
      return { answer, bytes: memory.read(buffer, bytes.length) };
    } catch (error) {
      if (error instanceof IOError) this.log(`UserSendCDB ${name}: ${formatReturn(error.code)}`);
      throw error;
    } finally {
      memory.free(buffer);
    }
  }
}

/** One personality for both nubs: IOSCSIPeripheralDeviceNub is what both are. */
export function updaterBundle(name: string, cls: ServiceClass): DriverBundle {
  const identifier = `org.drydock.case.p09.${name}`;
  return {
    identifier,
    version: "1",
    teamIdentifier: "CASE000001",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.family.scsicontroller": true,
    },
    personalities: {
      Disk: {
        CFBundleIdentifier: identifier,
        IOClass: "IOUserSCSIPeripheralDeviceType00",
        IOUserClass: "P09Driver",
        IOUserServerName: identifier,
        IOProviderClass: "IOSCSIPeripheralDeviceNub",
        "Peripheral Device Type": 0,
        IOProbeScore: 50_000,
      },
    },
    classes: { P09Driver: cls },
  };
}
