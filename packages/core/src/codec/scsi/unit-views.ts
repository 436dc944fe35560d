// Views of what a SCSI unit answers, for hosts: they judge nothing, never throw, and read what is absent as 0.

import { getU16be, getU32be, getU64be } from "../../base/bytes.ts";
import { getAscii } from "./inquiry.ts";
import { DeviceSpecific, ModePage } from "./mode-pages.ts";

/** INQUIRY data (SPC-4 §6.4.2), as much of it as came. */
export class InquiryView {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** 0 a unit is there, 1 none at the moment, 3 never one. */
  get qualifier(): number {
    return (this.#bytes[0] ?? 0) >> 5;
  }

  get peripheralType(): number {
    return (this.#bytes[0] ?? 0) & 0x1f;
  }

  get isRemovable(): boolean {
    return ((this.#bytes[1] ?? 0) & 0x80) !== 0;
  }

  /** ADDITIONAL LENGTH counts from the byte behind it: so many bytes the answer has as a whole. */
  get wholeBytes(): number {
    return (this.#bytes[4] ?? 0) + 5;
  }

  get vendor(): string {
    return this.#text(8, 8);
  }

  get product(): string {
    return this.#text(16, 16);
  }

  get revision(): string {
    return this.#text(32, 4);
  }

  #text(at: number, length: number): string {
    return this.#bytes.length >= at + length ? getAscii(this.#bytes, at, length).trim() : "";
  }
}

/** MODE SENSE(6) data for one page: the header and the page behind the block descriptors (SPC-4 §7.5.5). */
export class ModeDataView {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** MODE DATA LENGTH does not count itself. */
  get wholeBytes(): number {
    return (this.#bytes[0] ?? 0) + 1;
  }

  get isWriteProtected(): boolean {
    return ((this.#bytes[2] ?? 0) & DeviceSpecific.writeProtect) !== 0;
  }

  get hasForceUnitAccess(): boolean {
    return ((this.#bytes[2] ?? 0) & DeviceSpecific.dpoFua) !== 0;
  }

  /** The caching page with its header, to the end of the data; null when another page is there, or none. */
  get cachingPage(): CachingPageView | null {
    const page = this.#bytes.subarray(4 + (this.#bytes[3] ?? 0));
    return page.length >= 3 && (page[0] & 0x3f) === ModePage.caching ? new CachingPageView(page) : null;
  }
}

/** Page 08h (SBC-3 §6.4.5). */
export class CachingPageView {
  readonly #page: Uint8Array;

  constructor(page: Uint8Array) {
    this.#page = page;
  }

  get isWriteCacheEnabled(): boolean {
    return (this.#page[2] & 0x04) !== 0;
  }

  /** Parameters for MODE SELECT(6): an empty header and this page with WCE as wanted; PS is reserved there (SPC-4 §7.5.7). */
  withWriteCache(isEnabled: boolean): Uint8Array {
    const length = Math.min(this.#page.length, 2 + this.#page[1]);
    const parameters = new Uint8Array(4 + length);
    parameters.set(this.#page.subarray(0, length), 4);
    parameters[4] &= 0x3f;
    parameters[6] = isEnabled ? parameters[6] | 0x04 : parameters[6] & ~0x04;
    return parameters;
  }
}

/** A vital product data page as it came, header and all; an absent one is an empty array. */
export class VitalPageView {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Page 00h: the pages that it lists (SPC-4 §7.8.14). */
  get listed(): Uint8Array {
    if (this.#bytes.length < 4) return this.#bytes.subarray(0, 0);
    return this.#bytes.subarray(4, 4 + getU16be(this.#bytes, 2));
  }

  /** Page B0h (SBC-3 §6.5.3); blocks, 0: not told. */
  get maximumTransferBlocks(): number {
    return this.#bytes.length >= 12 ? getU32be(this.#bytes, 8) : 0;
  }

  get maximumUnmapBlocks(): number {
    return this.#hasLongLimits ? getU32be(this.#bytes, 20) : 0;
  }

  get maximumWriteSameBlocks(): number {
    return this.#hasLongLimits ? getU64be(this.#bytes, 36) : 0;
  }

  /** The page grew over the years: 44 bytes reach to the end of MAXIMUM WRITE SAME LENGTH. */
  get #hasLongLimits(): boolean {
    return this.#bytes.length >= 44;
  }

  /** Page B2h (SBC-3 §6.5.4): LBPU, LBPWS and LBPWS10. */
  get canUnmap(): boolean {
    return (this.#forms & 0x80) !== 0;
  }

  get canUnmapBySame16(): boolean {
    return (this.#forms & 0x40) !== 0;
  }

  get canUnmapBySame10(): boolean {
    return (this.#forms & 0x20) !== 0;
  }

  get #forms(): number {
    return this.#bytes.length >= 6 ? this.#bytes[5] : 0;
  }
}
