// The devices of P07: flash drives, a headset, a network gadget, a dock, and somebody who reads from each.

import type { Clock } from "@drydock/core/base/clock";
import type { Random } from "@drydock/core/base/random";
import { encodeConfiguration, type SettingPlan, TransferType } from "@drydock/core/codec/usb/descriptors";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { MassStorageDevice } from "@drydock/core/devices/mass-storage/mass-storage-device";
import { ScsiDiskDevice } from "@drydock/core/devices/scsi-disk/scsi-disk-device";
import { UsbDeviceModel } from "@drydock/core/devices/usb-device-model";
import type { IOUSBHostInterface } from "@drydock/core/families/usb/io-usb-host-interface";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { kIOMemoryDirectionIn } from "@drydock/core/runtime/memory";
import { IOService } from "@drydock/core/runtime/service";

export interface Identity {
  readonly idVendor: number;
  readonly idProduct: number;
  readonly product: string;
}

export const ids = {
  stick: { idVendor: 0x0781, idProduct: 0x5567, product: "Flash Drive" },
  attachedScsi: { idVendor: 0x152d, idProduct: 0x0578, product: "UAS Drive" },
  headset: { idVendor: 0x1209, idProduct: 0x0a01, product: "Headset" },
  gadget: { idVendor: 0x0525, idProduct: 0xa4a1, product: "Network Gadget" },
  dock: { idVendor: 0x1209, idProduct: 0x0a03, product: "Dock" },
} as const satisfies Record<string, Identity>;

/** A disk that nobody has on a list. */
export const unknownStick: Identity = { idVendor: 0x1234, idProduct: 0x5678, product: "Gift" };

export function flashDrive(
  parts: { readonly clock: Clock; readonly random: Random },
  identity: Identity,
  transport: "bulk-only" | "uas",
): MassStorageDevice {
  const target = new ScsiDiskDevice({ ...parts, units: [{ blockCount: 2048 }] });
  return new MassStorageDevice({ target, speed: UsbSpeed.high, transports: [transport], ...identity });
}

const inEndpoint = (bEndpointAddress: number) => ({
  bEndpointAddress,
  bmAttributes: TransferType.interrupt,
  wMaxPacketSize: 8,
  bInterval: 4,
});

const setting = (
  number: number,
  type: readonly [number, number, number],
  endpoint?: number,
): SettingPlan => ({
  bInterfaceNumber: number,
  bInterfaceClass: type[0],
  bInterfaceSubClass: type[1],
  bInterfaceProtocol: type[2],
  endpoints: endpoint === undefined ? [] : [inEndpoint(endpoint)],
});

/** Has the descriptors of its kind, and bytes for whoever asks an IN endpoint. */
export class TalkingDevice extends UsbDeviceModel {
  constructor(identity: Identity, settings: readonly SettingPlan[]) {
    super({
      speed: UsbSpeed.high,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 0xef,
        bDeviceSubClass: 2,
        bDeviceProtocol: 1,
        bMaxPacketSize0: 64,
        idVendor: identity.idVendor,
        idProduct: identity.idProduct,
        bcdDevice: 0x0100,
        iManufacturer: 0,
        iProduct: 1,
        iSerialNumber: 0,
        bNumConfigurations: 1,
      },
      configurations: [
        encodeConfiguration(
          { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
          settings,
        ),
      ],
      strings: [identity.product],
    });
  }

  protected override powerOn(): void {}

  protected override answerRequest(): null {
    return null;
  }

  protected override performRequest(): boolean {
    return false;
  }

  protected override dataIn(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, 8);
    buffer.fill(0x55, offset, offset + count);
    return count;
  }

  protected override dataOut(
    _endpoint: number,
    _buffer: Uint8Array,
    _offset: number,
    length: number,
  ): number {
    return length;
  }
}

/** Audio control and streaming, and the buttons as HID. */
export const headset = (): TalkingDevice =>
  new TalkingDevice(ids.headset, [setting(0, [1, 1, 0]), setting(1, [1, 2, 0]), setting(2, [3, 0, 0], 0x81)]);

/** CDC NCM: communication and data. */
export const networkGadget = (): TalkingDevice =>
  new TalkingDevice(ids.gadget, [setting(0, [2, 0x0d, 0], 0x81), setting(1, [0x0a, 0, 1], 0x82)]);

/** One device with a card reader, a network adapter and a keyboard in it. */
export const dock = (): TalkingDevice =>
  new TalkingDevice(ids.dock, [
    setting(0, [8, 6, 0x50], 0x81),
    setting(1, [2, 0x0d, 0], 0x82),
    setting(2, [3, 1, 1], 0x83),
  ]);

/** A keyboard that says it is somebody else. */
export const keyboardWithIds = (identity: Identity): TalkingDevice =>
  new TalkingDevice(identity, [setting(0, [3, 1, 1], 0x81)]);

/** Stands for the system's drivers of these kinds: opens what it is given and reads until the device is gone. */
class ReaderDriver extends IOService {
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const usb = provider as IOUSBHostInterface;
    await usb.open(this);
    const endpoint = Number(this.properties.Endpoint);
    const pipe = usb.copyPipe(endpoint);
    const buffer = usb.createIOBuffer(kIOMemoryDirectionIn, 8);
    for (let read = 0; read < 20; read++) await pipe.io(buffer, 8, 0);
    this.registerService();
  }
}

const readers: readonly [Identity, number, number][] = [
  [ids.headset, 2, 0x81],
  [ids.gadget, 0, 0x81],
  [ids.gadget, 1, 0x82],
  [ids.dock, 0, 0x81],
  [ids.dock, 1, 0x82],
  [ids.dock, 2, 0x83],
];

export const readerBundle: DriverBundle = {
  identifier: "org.drydock.case.p07.readers",
  version: "1",
  teamIdentifier: "CASE000007",
  entitlements: { "com.apple.developer.driverkit": true },
  personalities: Object.fromEntries(
    readers.map(([{ idVendor, idProduct, product }, bInterfaceNumber, Endpoint]) => [
      `${product} ${bInterfaceNumber}`,
      {
        IOUserClass: "ReaderDriver",
        IOProviderClass: "IOUSBHostInterface",
        idVendor,
        idProduct,
        bConfigurationValue: 1,
        bInterfaceNumber,
        Endpoint,
      },
    ]),
  ),
  classes: { ReaderDriver },
};
