// The driver of CDC ECM adapters: USB CDC 1.2 with its Ethernet subclass. One frame for each transfer.

import { cdcControlClass } from "../../codec/cdc/cdc.ts";
import { cdcEcmSubClass } from "../../codec/cdc-ecm/cdc-ecm.ts";
import { ethernetHeaderBytes, maximumTaggedFrameBytes } from "../../codec/ethernet/ethernet.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import type { IOService } from "../../runtime/service.ts";
import { CdcEthernetConfigurator, CdcEthernetDriver } from "../cdc-ethernet-driver.ts";

/** A read ends with its frame: room for whole packets beyond the largest one. */
const readBytes = 2048;
/**
 * Transfers under way each way. Each carries one frame, and a host controller or a device that looks at its work once a
 * (micro)frame moves no more than these at a time.
 */
const depth = 16;

export class CdcEcmDriver extends CdcEthernetDriver {
  #into: Uint8Array = new Uint8Array(0);
  #length = 0;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const { control, data, macAddress, running } = await this.openFunction(provider);
    await this.selectSetting(data, running);
    this.beginEthernet({
      ...{ macAddress, data, control, readBytes, writeBytes: readBytes },
      ...{ reads: depth, writes: depth },
    });
    this.assumeLink();
  }

  protected override beginWrite(into: Uint8Array): void {
    this.#into = into;
    this.#length = 0;
  }

  protected override addFrame(bytes: Uint8Array, offset: number, length: number): boolean {
    if (this.#length > 0) return false;
    this.#into.set(bytes.subarray(offset, offset + length));
    this.#length = length;
    return true;
  }

  /** ECM §3.3.1: the end of a frame is a short packet. */
  protected override endsWithZeroPacket(length: number): boolean {
    return length % this.packetBytes === 0;
  }

  protected override endWrite(): number {
    return this.#length;
  }

  protected override readReceived(bytes: Uint8Array, length: number): void {
    if (length >= ethernetHeaderBytes && length <= maximumTaggedFrameBytes)
      this.frameReceived(bytes, 0, length);
    else this.droppedFrames++;
  }

  protected override readsBroken(): void {}
}

export const cdcEcmBundle: DriverBundle = {
  kind: "kext",
  identifier: "com.apple.driver.usb.cdc.ecm",
  version: "1",
  teamIdentifier: "",
  entitlements: {},
  personalities: {
    Ethernet: {
      CFBundleIdentifier: "com.apple.driver.usb.cdc.ecm",
      IOClass: "CdcEcmDriver",
      IOProviderClass: "IOUSBHostInterface",
      bInterfaceClass: cdcControlClass,
      bInterfaceSubClass: cdcEcmSubClass,
    },
    // The id that Linux's Ethernet gadgets and QEMU's usb-net share: RNDIS in one configuration, ECM in another.
    Configurator: {
      CFBundleIdentifier: "com.apple.driver.usb.cdc.ecm",
      IOClass: "CdcEthernetConfigurator",
      IOProviderClass: "IOUSBHostDevice",
      idVendor: 0x0525,
      idProduct: 0xa4a2,
    },
  },
  classes: { CdcEcmDriver, CdcEthernetConfigurator },
};
