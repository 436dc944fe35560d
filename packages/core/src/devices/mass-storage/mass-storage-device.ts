// A USB disk with two transports: Bulk-Only on alternate setting 0, USB Attached SCSI on 1, as most bridges have.

import { attachedScsiProtocol, encodePipeUsage, PipeUsage } from "../../codec/mass-storage/attached-scsi.ts";
import {
  BulkOnlyRequest,
  bulkOnlyProtocol,
  massStorageClass,
  scsiSubClass,
} from "../../codec/mass-storage/bulk-only.ts";
import {
  encodeBos,
  encodeConfiguration,
  type SettingPlan,
  TransferType,
  usb2Extension,
} from "../../codec/usb/descriptors.ts";
import { Recipient, RequestType, type Setup } from "../../codec/usb/setup.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import type { ScsiTargetPort, ScsiTask } from "../../ports/scsi-target.ts";
import { UsbDeviceModel } from "../usb-device-model.ts";
import { AttachedScsiEngine } from "./attached-scsi-engine.ts";
import { BulkOnlyEngine } from "./bulk-only-engine.ts";
import type { EngineDevice, TransportEngine } from "./engine.ts";

/** Pipes of alternate setting 0. */
export const bulkOnlyPipes = { in: 0x81, out: 0x02 } as const;
/** Pipes of alternate setting 1. */
export const attachedScsiPipes = { command: 0x04, status: 0x83, dataIn: 0x81, dataOut: 0x02 } as const;

export interface MassStorageOptions {
  readonly target: ScsiTargetPort;
  /** Default high. Streams exist from super on. */
  readonly speed?: UsbSpeed;
  /** Which settings the device has; default both: Bulk-Only as 0, UAS as 1. */
  readonly transports?: readonly ("bulk-only" | "uas")[];
  /** 2^n streams on UAS endpoints, and so many commands at once. 1 to 6; default 5. */
  readonly streamsLog2?: number;
  /** bLUN of the highest logical unit, 0 to 15. Default 0. */
  readonly maximumLun?: number;
  readonly idVendor?: number;
  readonly idProduct?: number;
  readonly serialNumber?: string;
  readonly product?: string;
  /** Wrong in every CSW: it says that nothing was moved; its tag is another one (public tables: IGNORE_RESIDUE, BULK_IGNORE_TAG). */
  readonly residueLies?: boolean;
  readonly tagLies?: boolean;
  /** `bus`: pulling the cable cuts the power of the medium. Default bus. */
  readonly power?: "bus" | "self";
}

/** Commands at once without streams. */
const depthWithoutStreams = 32;

/**
 * Carries SCSI commands for any target. It looks at data lengths only where its transport does: a CBW states one, a
 * command IU does not (posts.md P09).
 */
export class MassStorageDevice extends UsbDeviceModel {
  readonly target: ScsiTargetPort;
  readonly bulkOnly: BulkOnlyEngine;
  readonly attachedScsi: AttachedScsiEngine;
  readonly #maximumLun: number;
  readonly #isBusPowered: boolean;
  readonly #engines: readonly TransportEngine[];
  #engine: TransportEngine;

  constructor(options: MassStorageOptions) {
    const speed = options.speed ?? UsbSpeed.high;
    const transports = options.transports ?? ["bulk-only", "uas"];
    const streamsLog2 = options.streamsLog2 ?? 5;
    if (streamsLog2 < 1 || streamsLog2 > 6) throw new RangeError("streamsLog2 is 1 to 6");
    const isSuper = speed >= UsbSpeed.super;
    super({
      speed,
      device: {
        bcdUSB: isSuper ? 0x0310 : 0x0210,
        bDeviceClass: 0,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        // USB 3.2 §9.6.1: an exponent at SuperSpeed.
        bMaxPacketSize0: isSuper ? 9 : 64,
        idVendor: options.idVendor ?? 0x1209,
        idProduct: options.idProduct ?? 0x0005,
        bcdDevice: 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 3,
        bNumConfigurations: 1,
      },
      configurations: [configuration(speed, transports, streamsLog2)],
      ...(speed === UsbSpeed.high
        ? { otherSpeedConfigurations: [configuration(UsbSpeed.full, transports, streamsLog2)] }
        : {}),
      strings: ["Drydock", options.product ?? "Portable disk", options.serialNumber ?? "0123456789AB"],
      bos: encodeBos(
        isSuper
          ? [
              usb2Extension(false),
              // USB 3.2 §9.6.2.2: full, high and SuperSpeed, whole function from full speed on.
              { capabilityType: 3, content: Uint8Array.of(0, 0x0e, 0, 1, 10, 0xff, 7) },
            ]
          : [usb2Extension(false)],
      ),
    });
    this.target = options.target;
    this.#maximumLun = options.maximumLun ?? 0;
    this.#isBusPowered = (options.power ?? "bus") === "bus";
    const device: EngineDevice = {
      target: options.target,
      packetBytes: bulkPacketBytes(speed),
      ready: (endpoint, stream) => this.ready(endpoint, stream),
      halt: (endpoint) => this.halt(endpoint),
      misused: (text) => this.misused(text),
    };
    this.bulkOnly = new BulkOnlyEngine(device, bulkOnlyPipes.in, bulkOnlyPipes.out, options);
    const depth = isSuper ? 2 ** streamsLog2 : depthWithoutStreams;
    this.attachedScsi = new AttachedScsiEngine(device, attachedScsiPipes, depth, isSuper);
    this.#engines = transports.map((kind) => (kind === "uas" ? this.attachedScsi : this.bulkOnly));
    this.#engine = this.#engines[0];
    options.target.connect({ finished: (task) => this.#finished(task) });
  }

  /** The transport in force. */
  get transport(): "bulk-only" | "uas" {
    return this.#engine === this.bulkOnly ? "bulk-only" : "uas";
  }

  /** The bridge drops its link and comes back, with everything forgotten but the medium (posts.md P08). */
  relink(): void {
    this.reconnect();
  }

  override unplug(): void {
    super.unplug();
    if (this.#isBusPowered) this.target.powerCycle();
  }

  override reset(): void {
    super.reset();
    this.target.resetTarget();
  }

  protected override powerOn(): void {
    for (const engine of this.#engines) engine.reset();
    this.#engine = this.#engines[0];
  }

  protected override settingBegan(_interfaceNumber: number, alternate: number): void {
    this.#engine.reset();
    this.#engine = this.#engines[alternate] ?? this.#engines[0];
    this.#engine.reset();
  }

  protected override haltCleared(endpoint: number): void {
    this.#engine.haltCleared(endpoint);
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    if (!this.#isClassRequest(setup)) return null;
    // §3.2: wLength is 1, wValue 0. A device with one unit may stall; this one answers.
    const isGetMaxLun =
      setup.bRequest === BulkOnlyRequest.getMaxLun && setup.wLength === 1 && setup.wValue === 0;
    return isGetMaxLun ? Uint8Array.of(this.#maximumLun) : null;
  }

  protected override performRequest(setup: Setup, _data: Uint8Array): boolean {
    const isReset = setup.bRequest === BulkOnlyRequest.reset && setup.wLength === 0 && setup.wValue === 0;
    if (!this.#isClassRequest(setup) || !isReset) return false;
    this.bulkOnly.resetRequest();
    return true;
  }

  protected override dataIn(
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): number {
    return this.#engine.in(endpoint, buffer, offset, length, stream);
  }

  protected override dataOut(
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): number {
    return this.#engine.out(endpoint, buffer, offset, length, stream);
  }

  /** Bulk-Only's requests exist while that transport is in force. */
  #isClassRequest(setup: Setup): boolean {
    return (
      (setup.bmRequestType & RequestType.mask) === RequestType.class &&
      (setup.bmRequestType & Recipient.mask) === Recipient.interface &&
      setup.wIndex === 0 &&
      this.configurationValue !== 0 &&
      this.#engine === this.bulkOnly
    );
  }

  #finished(task: ScsiTask): void {
    for (const engine of this.#engines) engine.finished(task);
  }
}

/** USB 2.0 §5.8.3, USB 3.2 §9.6.6. */
function bulkPacketBytes(speed: UsbSpeed): number {
  if (speed >= UsbSpeed.super) return 1024;
  return speed === UsbSpeed.high ? 512 : 64;
}

function configuration(
  speed: UsbSpeed,
  transports: readonly ("bulk-only" | "uas")[],
  streamsLog2: number,
): Uint8Array {
  const isSuper = speed >= UsbSpeed.super;
  const wMaxPacketSize = bulkPacketBytes(speed);
  const bulk = (bEndpointAddress: number, usage: PipeUsage | null) => ({
    bEndpointAddress,
    bmAttributes: TransferType.bulk,
    wMaxPacketSize,
    bInterval: 0,
    ...(isSuper
      ? {
          companion: {
            bMaxBurst: usage === PipeUsage.command ? 0 : 15,
            bmAttributes: usage === null || usage === PipeUsage.command ? 0 : streamsLog2,
            wBytesPerInterval: 0,
          },
        }
      : {}),
    ...(usage === null ? {} : { extra: [encodePipeUsage(usage)] }),
  });
  const settings = transports.map(
    (kind, alternate): SettingPlan => ({
      bInterfaceNumber: 0,
      bAlternateSetting: alternate,
      bInterfaceClass: massStorageClass,
      bInterfaceSubClass: scsiSubClass,
      bInterfaceProtocol: kind === "uas" ? attachedScsiProtocol : bulkOnlyProtocol,
      endpoints:
        kind === "uas"
          ? [
              bulk(attachedScsiPipes.command, PipeUsage.command),
              bulk(attachedScsiPipes.status, PipeUsage.status),
              bulk(attachedScsiPipes.dataIn, PipeUsage.dataIn),
              bulk(attachedScsiPipes.dataOut, PipeUsage.dataOut),
            ]
          : [bulk(bulkOnlyPipes.in, null), bulk(bulkOnlyPipes.out, null)],
    }),
  );
  // USB 2.0: units of 2 mA; SuperSpeed: of 8 mA.
  return encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: isSuper ? 112 : 250 },
    settings,
  );
}
