// The driver of CDC NCM adapters: blocks of datagrams both ways. NCM 1.0 chapters 3, 6 and 7.

import { DecodeError } from "../../base/errors.ts";
import { IOReturns } from "../../base/io-return.ts";
import { cdcControlClass } from "../../codec/cdc/cdc.ts";
import {
  cdcNcmSubClass,
  decodeNtbParameters,
  lawfulAlignment,
  NcmCapability,
  NcmRequest,
  NtbFormat,
  type NtbParameters,
  ntbParametersBytes,
  viewNcmCapabilities,
} from "../../codec/cdc-ncm/cdc-ncm.ts";
import { NtbReader, NtbWriter } from "../../codec/cdc-ncm/ntb.ts";
import { maximumTaggedFrameBytes } from "../../codec/ethernet/ethernet.ts";
import type { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import { kIOMemoryDirectionIn, kIOMemoryDirectionOut } from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";
import { CdcEthernetDriver } from "../cdc-ethernet-driver.ts";

const classIn = 0xa1;
const classOut = 0x21;
const requestTimeoutMs = 1000;
/** Larger blocks are not asked for: a device may offer gigabytes. */
const largestBlock = 65_536;

export class CdcNcmDriver extends CdcEthernetDriver {
  #writer: NtbWriter | null = null;
  readonly #reader = new NtbReader(maximumTaggedFrameBytes);
  /** Blocks that could not be read. */
  badBlocks = 0;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const { control, data, functional, macAddress, running } = await this.openFunction(provider);
    const capabilities = viewNcmCapabilities(functional) ?? 0;
    const parameters = await this.#readParameters(control);
    const inBytes = Math.min(parameters.inMaxSize, largestBlock);
    const outBytes = Math.min(parameters.outMaxSize, largestBlock);
    // §7.2: all of this while the data interface is in setting 0, where the device has just come up or is put now.
    await this.selectSetting(data, 0);
    if ((capabilities & NcmCapability.crcMode) !== 0)
      await this.#out(control, NcmRequest.setCrcMode, 0, null);
    if ((parameters.formats & NtbFormat.ntb32) !== 0)
      await this.#out(control, NcmRequest.setNtbFormat, 0, null);
    if (inBytes !== parameters.inMaxSize) {
      const size = new Uint8Array((capabilities & NcmCapability.inputSize8) !== 0 ? 8 : 4);
      new DataView(size.buffer).setUint32(0, inBytes, true);
      await this.#out(control, NcmRequest.setNtbInputSize, 0, size);
    }
    await this.selectSetting(data, running);
    const { outAlignment, outDivisor, outMaxDatagrams, outRemainder } = parameters;
    this.#writer = new NtbWriter({
      bits: 16,
      withCrc: false,
      // Lengths and places of the 16-bit format end below 64 KiB.
      maximum: Math.min(outBytes, largestBlock - 1),
      maximumDatagrams: outMaxDatagrams,
      ...lawfulAlignment(outDivisor, outRemainder, outAlignment, outBytes),
    });
    this.beginEthernet({
      ...{ macAddress, data, control },
      readBytes: inBytes,
      writeBytes: outBytes,
      packets: 1024,
      capacity: 512,
    });
    this.assumeLink();
  }

  async #readParameters(control: IOUSBHostInterface): Promise<NtbParameters> {
    const buffer = control.createIOBuffer(kIOMemoryDirectionIn, ntbParametersBytes);
    try {
      const count = await control.deviceRequest(
        ...([classIn, NcmRequest.getNtbParameters, 0, control.number] as const),
        ntbParametersBytes,
        buffer,
        requestTimeoutMs,
      );
      return decodeNtbParameters(buffer.bytes.subarray(0, count));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", error.message);
    } finally {
      buffer.release();
    }
  }

  async #out(
    control: IOUSBHostInterface,
    bRequest: number,
    wValue: number,
    data: Uint8Array | null,
  ): Promise<void> {
    const length = data?.length ?? 0;
    const buffer = data === null ? null : control.createIOBuffer(kIOMemoryDirectionOut, length);
    try {
      if (data !== null) buffer?.bytes.set(data);
      await control.deviceRequest(
        ...([classOut, bRequest, wValue, control.number] as const),
        length,
        buffer,
        requestTimeoutMs,
      );
    } finally {
      buffer?.release();
    }
  }

  protected override beginWrite(into: Uint8Array): void {
    this.#writer?.begin(into);
  }

  protected override addFrame(bytes: Uint8Array, offset: number, length: number): boolean {
    return this.#writer?.add(bytes, offset, length) ?? true;
  }

  protected override endWrite(): number {
    return this.#writer?.finish(this.packetBytes) ?? 0;
  }

  protected override readReceived(bytes: Uint8Array, length: number): void {
    try {
      this.#reader.read(bytes, length, this.#taken);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.badBlocks++;
    }
  }

  readonly #taken = (bytes: Uint8Array, offset: number, length: number): void =>
    this.frameReceived(bytes, offset, length);

  protected override readsBroken(): void {}
}

export const cdcNcmBundle: DriverBundle = {
  kind: "kext",
  identifier: "com.apple.driver.usb.cdc.ncm",
  version: "1",
  teamIdentifier: "",
  entitlements: {},
  personalities: {
    Ethernet: {
      CFBundleIdentifier: "com.apple.driver.usb.cdc.ncm",
      IOClass: "CdcNcmDriver",
      IOProviderClass: "IOUSBHostInterface",
      bInterfaceClass: cdcControlClass,
      bInterfaceSubClass: cdcNcmSubClass,
    },
  },
  classes: { CdcNcmDriver },
};
