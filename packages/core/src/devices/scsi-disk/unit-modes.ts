// Mode pages of a logical unit: current, default, saved and changeable values, and MODE SELECT's checks.
// SPC-4 r37 §6.10 to §6.12 and §7.5, SBC-3 r36 §6.4.

import { DecodeError } from "../../base/errors.ts";
import { bytesFromHex } from "../../base/text.ts";
import {
  DeviceSpecific,
  decodeBlockDescriptor,
  decodeModeHeader,
  decodeModePages,
  encodeBlockDescriptor,
  encodeCachingPage,
  encodeModeData,
  ModePage,
  type ModePageView,
  ModeSubpage,
} from "../../codec/scsi/mode-pages.ts";
import { SenseCode } from "../../codec/scsi/sense.ts";

interface PageValues {
  readonly page: number;
  readonly subpage: number;
  current: Uint8Array;
  saved: Uint8Array;
  readonly initial: Uint8Array;
  /** Set bits may be changed by MODE SELECT. */
  readonly changeable: Uint8Array;
}

/** What stopped a MODE SELECT: the sense code, and the byte of the parameter list (-1: none to name). */
export interface ModeRefusal {
  readonly code: number;
  readonly byte: number;
}

/** Page control field of MODE SENSE. */
const PageControl = { current: 0, changeable: 1, initial: 2, saved: 3 } as const;

function values(initial: Uint8Array, changeableText: string): PageValues {
  const changeable = new Uint8Array(initial.length);
  const hasSubpage = (initial[0] & 0x40) !== 0;
  changeable.set(initial.subarray(0, hasSubpage ? 4 : 2));
  for (const item of changeableText.split(" ")) {
    if (item === "") continue;
    const [at, bits] = item.split(":");
    changeable[Number(at)] = Number.parseInt(bits, 16);
  }
  const subpage = hasSubpage ? initial[1] : 0;
  return {
    page: initial[0] & 0x3f,
    subpage,
    current: initial.slice(),
    saved: initial.slice(),
    initial,
    changeable,
  };
}

export interface ModeOptions {
  readonly writeCacheEnabled: boolean;
  /** WCE and RCD can be set by MODE SELECT. */
  readonly canChangeCache: boolean;
}

export class UnitModes {
  readonly #pages: PageValues[];

  constructor(options: ModeOptions) {
    const caching = encodeCachingPage({
      writeCacheEnabled: options.writeCacheEnabled,
      readCacheDisabled: false,
    });
    this.#pages = [
      // AWRE and ARRE: bad blocks that are written get a spare. 8 read and 8 write retries, no time limit.
      values(bytesFromHex("01 0a c0 08 00 00 00 00 08 00 00 00"), ""),
      values(bytesFromHex("02 0e 00 00 00 00 00 00 00 00 00 00 00 00 00 00"), ""),
      values(caching, options.canChangeCache ? "2:05" : ""),
      // Unrestricted reordering; D_SENSE and SWP can be changed.
      values(bytesFromHex("0a 0a 00 10 00 00 00 00 00 00 00 00"), "2:04 4:08"),
      values(
        bytesFromHex(
          "4a 01 00 1c 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
        ),
        "",
      ),
      values(bytesFromHex("1a 0a 00 00 00 00 00 00 00 00 00 00"), ""),
      // MRIE 6: exceptions are reported when REQUEST SENSE asks.
      values(bytesFromHex("1c 0a 00 06 00 00 00 00 00 00 00 00"), ""),
    ];
  }

  #page(page: number): Uint8Array {
    return (this.#pages.find((entry) => entry.page === page && entry.subpage === 0) as PageValues).current;
  }

  get writeCacheEnabled(): boolean {
    return (this.#page(ModePage.caching)[2] & 0x04) !== 0;
  }

  /** D_SENSE: sense data in descriptor format. */
  get descriptorSense(): boolean {
    return (this.#page(ModePage.control)[2] & 0x04) !== 0;
  }

  /** SWP: the initiator asked for write protection. */
  get softwareWriteProtect(): boolean {
    return (this.#page(ModePage.control)[4] & 0x08) !== 0;
  }

  /** A reset or power-on: saved values come back. */
  restore(): void {
    for (const entry of this.#pages) entry.current = entry.saved.slice();
  }

  /** Data of MODE SENSE, or null for a page that is not here. */
  sense(
    request: { page: number; subpage: number; control: number; isTen: boolean; isLong: boolean },
    isWriteProtected: boolean,
    geometry: { blockCount: number; blockBytes: number } | null,
  ): Uint8Array | null {
    const { page, subpage, control } = request;
    const chosen = this.#pages.filter(
      (entry) =>
        (page === ModePage.all || entry.page === page) &&
        (subpage === ModeSubpage.all || entry.subpage === subpage),
    );
    if (chosen.length === 0) return null;
    const isLong = request.isTen && request.isLong;
    const descriptor =
      geometry === null
        ? new Uint8Array(0)
        : encodeBlockDescriptor(geometry.blockCount, geometry.blockBytes, isLong);
    const specific = DeviceSpecific.dpoFua | (isWriteProtected ? DeviceSpecific.writeProtect : 0);
    const pages = chosen.map((entry) => {
      const bytes = (
        control === PageControl.current
          ? entry.current
          : control === PageControl.changeable
            ? entry.changeable
            : control === PageControl.initial
              ? entry.initial
              : entry.saved
      ).slice();
      // PS: the page can be saved.
      bytes[0] |= 0x80;
      return bytes;
    });
    return encodeModeData(request.isTen, specific, descriptor, pages, isLong && geometry !== null);
  }

  /** Checks the whole list first; nothing changes when anything is wrong. Null: done. `changed` says if anything did. */
  select(
    list: Uint8Array,
    isTen: boolean,
    isSaved: boolean,
    geometry: { blockCount: number; blockBytes: number },
  ): { refusal: ModeRefusal | null; changed: boolean } {
    const refuse = (code: number, byte: number) => ({ refusal: { code, byte }, changed: false });
    if (list.length === 0) return { refusal: null, changed: false };
    let pages: ModePageView[];
    try {
      const header = decodeModeHeader(list, isTen);
      const pagesAt = header.headerBytes + header.blockDescriptorBytes;
      if (header.blockDescriptorBytes > 0) {
        const wanted = header.hasLongDescriptors ? 16 : 8;
        const lengthAt = isTen ? 6 : 3;
        if (header.blockDescriptorBytes !== wanted)
          return refuse(SenseCode.invalidFieldInParameterList, lengthAt);
        if (pagesAt > list.length) return refuse(SenseCode.parameterListLengthError, -1);
        const block = decodeBlockDescriptor(list, header.headerBytes, header.hasLongDescriptors);
        const isAll = block.blockCount >= 0xffffffff && geometry.blockCount >= 0xffffffff;
        if (block.blockBytes !== geometry.blockBytes)
          return refuse(SenseCode.invalidFieldInParameterList, header.headerBytes + (wanted === 16 ? 12 : 5));
        if (block.blockCount !== 0 && block.blockCount !== geometry.blockCount && !isAll)
          return refuse(SenseCode.invalidFieldInParameterList, header.headerBytes);
      }
      pages = decodeModePages(list, pagesAt);
    } catch (error) {
      if (error instanceof DecodeError) return refuse(SenseCode.parameterListLengthError, -1);
      throw error;
    }
    const next: [PageValues, Uint8Array][] = [];
    for (const view of pages) {
      const entry = this.#pages.find((held) => held.page === view.page && held.subpage === view.subpage);
      if (entry === undefined) return refuse(SenseCode.invalidFieldInParameterList, view.offset);
      if (view.bytes.length !== entry.current.length)
        return refuse(SenseCode.invalidFieldInParameterList, view.offset + 1);
      const bytes = view.bytes.slice();
      // PS is reserved in MODE SELECT; those who send back what they read are forgiven, as disks do.
      bytes[0] &= 0x7f;
      for (let at = 2; at < bytes.length; at++)
        if (((bytes[at] ^ entry.current[at]) & ~entry.changeable[at]) !== 0)
          return refuse(SenseCode.invalidFieldInParameterList, view.offset + at);
      next.push([entry, bytes]);
    }
    let changed = false;
    for (const [entry, bytes] of next) {
      for (let at = 2; at < bytes.length; at++) changed ||= bytes[at] !== entry.current[at];
      entry.current = bytes;
      if (isSaved) entry.saved = bytes.slice();
    }
    return { refusal: null, changed };
  }
}
