// A CDC NCM adapter: frames travel in blocks, many at a time. NCM 1.0 as its chapters 3 to 7 have it.

import { getU16le, getU32le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import {
  cdcNcmSubClass,
  encodeNcmFunction,
  encodeNtbParameters,
  NcmCapability,
  NcmRequest,
  type NtbBits,
  NtbFormat,
  type NtbParameters,
  ncmDataProtocol,
  smallestNtb,
} from "../../codec/cdc-ncm/cdc-ncm.ts";
import { NtbReader, NtbWriter } from "../../codec/cdc-ncm/ntb.ts";
import { maximumTaggedFrameBytes } from "../../codec/ethernet/ethernet.ts";
import type { Setup } from "../../codec/usb/setup.ts";
import {
  CdcEthernetModel,
  type CdcEthernetOptions,
  cdcEthernetControl,
  cdcEthernetData,
} from "../cdc-ethernet-model.ts";

/** Blocks that wait for the host. */
const blocks = 8;

export interface CdcNcmOptions extends CdcEthernetOptions {
  /** Differences from 16 KiB both ways, both formats, alignment 4, remainder 0, no limit of datagrams. */
  readonly parameters?: Partial<NtbParameters>;
  /** bmNetworkCapabilities; default packet filter, maximum datagram size, CRC mode. */
  readonly capabilities?: number;
}

const defaultParameters: NtbParameters = {
  formats: NtbFormat.ntb16 | NtbFormat.ntb32,
  inMaxSize: 16384,
  inDivisor: 4,
  inRemainder: 0,
  inAlignment: 4,
  outMaxSize: 16384,
  outDivisor: 4,
  outRemainder: 0,
  outAlignment: 4,
  outMaxDatagrams: 0,
};

export class CdcNcmDevice extends CdcEthernetModel {
  readonly #parameters: NtbParameters;
  readonly #capabilities: number;
  #bits: NtbBits = 16;
  #withCrc = false;
  #inputSize: number;
  #maximumDatagrams = 0;
  #datagramBytes = 1514;
  #writer: NtbWriter;
  readonly #reader = new NtbReader(maximumTaggedFrameBytes);
  readonly #blocks: { readonly bytes: Uint8Array; length: number }[] = [];
  /** Blocks from `#first` on wait; the last of them may still be open for datagrams. */
  #first = 0;
  #count = 0;
  #isOpen = false;

  constructor(options: CdcNcmOptions = {}) {
    const capabilities =
      options.capabilities ??
      NcmCapability.packetFilter | NcmCapability.maxDatagramSize | NcmCapability.crcMode;
    super(options, {
      subClass: cdcNcmSubClass,
      dataProtocol: ncmDataProtocol,
      product: "CDC NCM adapter",
      functionDescriptors: (ethernet) =>
        encodeNcmFunction(cdcEthernetControl, cdcEthernetData, ethernet, capabilities),
      hasPacketFilter: (capabilities & NcmCapability.packetFilter) !== 0,
      outUnitBytes: options.parameters?.outMaxSize ?? defaultParameters.outMaxSize,
    });
    this.#capabilities = capabilities;
    this.#parameters = { ...defaultParameters, ...options.parameters };
    this.#inputSize = this.#parameters.inMaxSize;
    for (let index = 0; index < blocks; index++)
      this.#blocks.push({ bytes: new Uint8Array(this.#parameters.inMaxSize), length: 0 });
    this.#writer = this.#newWriter();
  }

  /** What the host has chosen. */
  observe(): { readonly bits: NtbBits; readonly withCrc: boolean; readonly inputSize: number } {
    return { bits: this.#bits, withCrc: this.#withCrc, inputSize: this.#inputSize };
  }

  #newWriter(): NtbWriter {
    const is = this.#parameters;
    return new NtbWriter({
      bits: this.#bits,
      withCrc: this.#withCrc,
      maximum: this.#inputSize,
      maximumDatagrams: this.#maximumDatagrams,
      divisor: is.inDivisor,
      remainder: is.inRemainder,
      alignment: is.inAlignment,
    });
  }

  protected override queueFrame(bytes: Uint8Array, offset: number, length: number): boolean {
    if (length > this.#datagramBytes + 4) return false;
    if (this.#isOpen && this.#writer.add(bytes, offset, length)) return true;
    if (this.#isOpen) this.#close();
    if (this.#count === blocks) return false;
    this.#writer.begin(this.#blocks[(this.#first + this.#count) % blocks].bytes);
    this.#writer.add(bytes, offset, length);
    this.#isOpen = true;
    if (this.#count++ === 0) this.unitWaits();
    return true;
  }

  #close(): void {
    this.#isOpen = false;
    this.#blocks[(this.#first + this.#count - 1) % blocks].length = this.#writer.finish();
  }

  /** Selecting setting 0 puts format, input size and CRC mode back (§7.2). */
  protected override unitsReset(): void {
    this.#first = 0;
    this.#count = 0;
    this.#isOpen = false;
    if (this.isRunning) {
      this.#writer = this.#newWriter();
      return;
    }
    this.#bits = 16;
    this.#withCrc = false;
    this.#inputSize = this.#parameters.inMaxSize;
    this.#maximumDatagrams = 0;
  }

  protected override nextUnit(): Uint8Array | null {
    if (this.#count === 0) return null;
    if (this.#isOpen && this.#count === 1) this.#close();
    return this.#blocks[this.#first].bytes;
  }

  protected override nextUnitBytes(): number {
    return this.#blocks[this.#first].length;
  }

  protected override unitTaken(): void {
    this.#first = (this.#first + 1) % blocks;
    this.#count--;
  }

  protected override inUnitBytes(): number {
    return this.#inputSize;
  }

  protected override takeUnit(bytes: Uint8Array, length: number): void {
    if (length === 0) return;
    try {
      this.#reader.read(bytes, length, this.#taken);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.counts.badTransfers++;
    }
  }

  readonly #taken = (bytes: Uint8Array, offset: number, length: number): void =>
    this.send(bytes, offset, length);

  protected override answerOwn(setup: Setup): Uint8Array | null {
    switch (setup.bRequest) {
      case NcmRequest.getNtbParameters:
        return encodeNtbParameters(this.#parameters);
      case NcmRequest.getNetAddress:
        return this.#has(NcmCapability.netAddress) ? this.macAddress.slice() : null;
      case NcmRequest.getNtbFormat:
        return Uint8Array.of(this.#bits === 32 ? 1 : 0, 0);
      case NcmRequest.getNtbInputSize: {
        const bytes = new Uint8Array(this.#has(NcmCapability.inputSize8) ? 8 : 4);
        putU32le(bytes, 0, this.#inputSize);
        if (bytes.length === 8) bytes.set([this.#maximumDatagrams & 0xff, this.#maximumDatagrams >> 8], 4);
        return bytes;
      }
      case NcmRequest.getMaxDatagramSize:
        if (!this.#has(NcmCapability.maxDatagramSize)) return null;
        return Uint8Array.of(this.#datagramBytes & 0xff, this.#datagramBytes >> 8);
      case NcmRequest.getCrcMode:
        return this.#has(NcmCapability.crcMode) ? Uint8Array.of(this.#withCrc ? 1 : 0, 0) : null;
      default:
        return null;
    }
  }

  /** What changes the blocks' shape is refused while the pipes are there (§6.2.5, 6.2.7, 6.2.11). */
  protected override performOwn(setup: Setup, data: Uint8Array): boolean {
    const { wValue } = setup;
    switch (setup.bRequest) {
      case NcmRequest.setNetAddress:
        if (!this.#has(NcmCapability.netAddress) || data.length !== 6) return false;
        this.macAddress.set(data);
        return true;
      case NcmRequest.setNtbFormat:
        if (this.isRunning || wValue > 1) return false;
        if (wValue === 1 && (this.#parameters.formats & NtbFormat.ntb32) === 0) return false;
        this.#bits = wValue === 1 ? 32 : 16;
        return true;
      case NcmRequest.setNtbInputSize: {
        if (this.isRunning || data.length < 4) return false;
        const size = getU32le(data, 0);
        if (size < smallestNtb || size > this.#parameters.inMaxSize) return false;
        this.#inputSize = size;
        this.#maximumDatagrams =
          data.length >= 6 && this.#has(NcmCapability.inputSize8) ? getU16le(data, 4) : 0;
        return true;
      }
      case NcmRequest.setMaxDatagramSize: {
        if (!this.#has(NcmCapability.maxDatagramSize) || data.length !== 2) return false;
        const size = getU16le(data, 0);
        if (size < 1514 || size > maximumTaggedFrameBytes) return false;
        this.#datagramBytes = size;
        return true;
      }
      case NcmRequest.setCrcMode:
        if (this.isRunning || !this.#has(NcmCapability.crcMode) || wValue > 1) return false;
        this.#withCrc = wValue === 1;
        return true;
      default:
        return false;
    }
  }

  #has(capability: number): boolean {
    return (this.#capabilities & capability) !== 0;
  }
}
