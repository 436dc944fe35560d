// P09: a vendor command moves data over Bulk-Only and none over UAS, and two different faults look the same.

import { Random } from "@drydock/core/base/random";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { type WireCommand, whoNeverAsked } from "@drydock/core/dissect/storage-wire";
import {
  massStorageBundle,
  type TransportPolicy,
} from "@drydock/core/drivers/mass-storage/mass-storage-driver";
import { kSCSIServiceResponse_TASK_COMPLETE } from "@drydock/core/families/scsi/scsi-task";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { StorageRig } from "@drydock/core/rigs/storage-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import type { IOService } from "@drydock/core/runtime/service";
import { storageCommands } from "@drydock/core/trace/storage-trace";
import type { CaseOptions, CaseRun, DriverCase, Side } from "../driver-case.ts";
import { noDirectionBundle, silentUpdaterBundle } from "./bad-driver.ts";
import { firmwareImageOpcode, type LengthSource, VendorFirmware } from "./firmware.ts";
import { goodUpdaterBundle } from "./good-driver.ts";
import { type MoveResult, UpdaterDriver } from "./updater-driver.ts";

/** USB 2 and USB 3 as macOS treats them, and UAS where it would not be chosen. */
export const drivePaths = ["Bulk-Only", "UAS at high speed", "UAS at SuperSpeed"] as const;
export type DrivePath = (typeof drivePaths)[number];

const speedOf: Readonly<Record<DrivePath, UsbSpeed>> = {
  "Bulk-Only": UsbSpeed.high,
  "UAS at high speed": UsbSpeed.high,
  "UAS at SuperSpeed": UsbSpeed.super,
};
const policyOf: Readonly<Record<DrivePath, TransportPolicy>> = {
  "Bulk-Only": "by-speed",
  "UAS at high speed": "uas",
  "UAS at SuperSpeed": "by-speed",
};

/** Bytes of the image in the case itself. */
const imageBytes = 4096;

export interface DriveOptions extends CaseOptions {
  readonly path: DrivePath;
  readonly lengthFrom: LengthSource;
  /** Drivers of the kernel in place of those that the path stands for. */
  readonly transport?: readonly DriverBundle[];
}

export interface Drive {
  readonly rig: StorageRig;
  readonly firmware: VendorFirmware;
  /** The driver on it, in whatever language. */
  readonly updater: IOService;
}

/** What came of loading an image and of reading it back. */
export interface UpdateResult {
  readonly load: MoveResult;
  readonly readBack: MoveResult;
}

/** How a drive's updater is asked for the whole update. */
export type Update = (drive: Drive, image: Uint8Array) => Promise<UpdateResult>;

/** In the dext's own process, by its method. */
const updateByDriver: Update = ({ rig, updater }, image) => {
  if (!(updater instanceof UpdaterDriver)) throw new TypeError("the updater is of another language");
  return rig.machine.perform(() => updater.update(image), updater.process);
};

/** The drive with `updater` on it, up and ready. */
export async function openDrive(updater: DriverBundle, options: DriveOptions): Promise<Drive> {
  let firmware: VendorFirmware | null = null;
  const { seed, turn } = options;
  const rig = new StorageRig({
    seed,
    turn,
    profile: platformProfile("macos15"),
    traceStreams: true,
    device: { speed: speedOf[options.path] },
    target: (disk) => {
      firmware = new VendorFirmware(disk, options.lengthFrom);
      return firmware;
    },
    bundles: [...(options.transport ?? [massStorageBundle(policyOf[options.path])]), updater],
  });
  await rig.openMedia();
  const updaters = rig.machine.registry.byClass("P09Driver");
  if (updaters.length === 0 || firmware === null) throw new Error("the updater did not match");
  return { rig, firmware, updater: updaters[0] };
}

/** Loads an image of `bytes` and reads it back. */
export async function updateFirmware(
  drive: Drive,
  bytes: number,
  seed: number,
  update: Update = updateByDriver,
): Promise<UpdateResult & { readonly image: Uint8Array }> {
  const image = new Uint8Array(bytes);
  const random = new Random(seed);
  for (let index = 0; index < bytes; index++) image[index] = random.below(256);
  return { image, ...(await update(drive, image)) };
}

/** The vendor commands that the wire showed. */
export function vendorCommands(rig: StorageRig): WireCommand[] {
  return storageCommands(rig.usb.trace).filter((command) => command.cdb[0] === firmwareImageOpcode);
}

/** The case's own runs, on SuperSpeed: the post's pair, the other one that looks the same, and the right one. */
export async function runUpdate(
  variant: "silent" | "no direction" | "good",
  options: CaseOptions,
): Promise<CaseRun> {
  const bundles = { silent: silentUpdaterBundle, "no direction": noDirectionBundle, good: goodUpdaterBundle };
  return updateOver(bundles[variant], variant === "silent" ? "CBW" : "CDB", options);
}

/** An update at SuperSpeed, and what the wire says of data that did not move. */
export async function updateOver(
  updater: DriverBundle,
  lengthFrom: LengthSource,
  options: CaseOptions,
  update: Update = updateByDriver,
): Promise<CaseRun> {
  const drive = await openDrive(updater, { ...options, path: "UAS at SuperSpeed", lengthFrom });
  const { image, load, readBack } = await updateFirmware(drive, imageBytes, options.seed, update);
  // In a page, too: no Buffer.
  const succeeded =
    readBack.bytes.length === image.length && readBack.bytes.every((byte, index) => byte === image[index]);
  const reasons = vendorCommands(drive.rig).flatMap((command) => whoNeverAsked(command)?.sentence ?? []);
  const moved = [load, readBack]
    .map(({ answer }, index) => {
      const end =
        answer.fServiceResponse === kSCSIServiceResponse_TASK_COMPLETE
          ? `status ${answer.fCompletionStatus}`
          : "no status before the timeout";
      return `${answer.fRealizedByteCountOfTransfer} of ${imageBytes} bytes moved ${index === 0 ? "to" : "from"} the drive, ${end}`;
    })
    .join("; ");
  return {
    succeeded,
    result: reasons.length === 0 ? moved : `${moved}. ${reasons[0]}`,
    trace: drive.rig.usb.trace,
    log: drive.rig.machine.log.show(),
  };
}

const run = (side: Side, options: CaseOptions) => runUpdate(side === "bad" ? "silent" : "good", options);

export const sendCdbUasCase: DriverCase = {
  id: "P09",
  title: "should UserSendCDB work on UAS interfaces?",
  symptom:
    "The same vendor command moves its data on USB 2 (Bulk-Only); on USB 3 (UAS) the CDB is on the bus and no data follows.",
  cause:
    'A CBW carries the transfer length, a UAS command unit does not: a drive that takes the length from the transport never asks for data. A host that says "no data" looks the same.',
  describeRequests: [],
  run,
};
