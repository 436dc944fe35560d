// The packet side of an AX88772: filters, both packet memories, receive headers and the checksum engines.

import { ByteRing } from "../../base/byte-ring.ts";
import { putU16le } from "../../base/bytes.ts";
import { AxChecksum, type AxChip, AxMedium, AxRxControl } from "../../codec/ax88772/ax88772.ts";
import type { AxWaterMarks } from "../../codec/ax88772/ax88772-eeprom.ts";
import {
  axLengthMask,
  axNewHeaderBytes,
  putAxHeader,
  readAxTransmit,
} from "../../codec/ax88772/ax88772-framing.ts";
import { multicastHash } from "../../codec/ethernet/crc32.ts";
import {
  EtherType,
  IpProtocol,
  isBroadcastAddress,
  isGroupAddress,
  isSameAddress,
  maximumTaggedFrameBytes,
  minimumFrameBytes,
  viewEthernet,
} from "../../codec/ethernet/ethernet.ts";
import { fillChecksums, onesSum, viewChecksums } from "../../codec/ethernet/internet-checksum.ts";
import { encodePause, longestPause, pauseOf } from "../../codec/ethernet/pause.ts";
import type { FrameTaker } from "../../ports/ethernet.ts";

/** Packet memory of the data sheet: 20 KiB for what is received, 8 KiB for what is sent. */
const receiveMemoryBytes = 20 * 1024;
const transmitMemoryBytes = 8 * 1024;
const receiveRingLog = 15;

/** Header bits of the B and C: §8 of what is known of them (flags 4000h and 8000h of a transmitted header, likely). */
const TransmitFlag = { pseudoIncluded: 0x08, noChecksum: 0x10 } as const;
const ReceiveFlag = { group: 0x8000, l4Error: 0x0100, l3Error: 0x0200, l4Shift: 10, l3Shift: 13 } as const;
const l4Types: Readonly<Record<number, number>> = {
  [IpProtocol.udp]: 1,
  [IpProtocol.icmp]: 2,
  [IpProtocol.igmp]: 3,
  [IpProtocol.tcp]: 4,
};
const tcpOverV6 = 5;

export interface AxMacCounts {
  receivedFrames: number;
  filteredFrames: number;
  /** No room in the packet memory: whole frames are dropped (likely). */
  overruns: number;
  sentFrames: number;
  badTransmitHeaders: number;
  /** PAUSE frames that it sent, those of time 0 among them. */
  sentPauses: number;
  /** PAUSE frames that it obeyed. */
  obeyedPauses: number;
}

/** Where the registers lie that decide about frames. The device writes them. */
export class AxMac {
  readonly nodeId = new Uint8Array(6);
  readonly hash = new Uint8Array(8);
  rxControl = 0;
  medium = 0;
  rxChecksum = 0;
  txChecksum = 0;
  /** The PHY has a link. */
  isLinked = false;
  readonly counts: AxMacCounts = {
    receivedFrames: 0,
    filteredFrames: 0,
    overruns: 0,
    sentFrames: 0,
    badTransmitHeaders: 0,
    sentPauses: 0,
    obeyedPauses: 0,
  };
  /** Of the next frames that are received, so many get a wrong complement: a fault of the wire between chip and host. */
  badHeadersToCome = 0;
  /** Of the EEPROM; without one it never asks for silence. */
  waterMarks: AxWaterMarks = { pauseBelowBytes: 0, goOnFromBytes: 0 };
  readonly #chip: AxChip;
  readonly #out: FrameTaker["frame"];
  readonly #pause: (quanta: number) => void;
  #hasAskedForSilence = false;
  readonly #received = new ByteRing(receiveRingLog);
  readonly #held = new Uint8Array(transmitMemoryBytes);
  #heldBytes = 0;
  readonly #unit = new Uint8Array(axNewHeaderBytes + 4 + maximumTaggedFrameBytes + 8);
  readonly #frame = new Uint8Array(maximumTaggedFrameBytes);

  /** `out`: the cable. `pause`: the far end asks for so many units of 512 bit times without a frame of ours. */
  constructor(chip: AxChip, out: FrameTaker["frame"], pause: (quanta: number) => void) {
    this.#chip = chip;
    this.#out = out;
    this.#pause = pause;
  }

  get waitingBytes(): number {
    return this.#received.used;
  }

  /** Bytes of a transmit transfer that has not ended: the chip looks at none of them before it does. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get transmitRoom(): number {
    return transmitMemoryBytes - this.#heldBytes;
  }

  reset(): void {
    this.rxControl = 0;
    this.medium = 0;
    this.rxChecksum = 0;
    this.txChecksum = 0;
    this.hash.fill(0);
    this.clear();
  }

  /** Both packet memories are empty. */
  clear(): void {
    this.#received.clear();
    this.#heldBytes = 0;
    this.#hasAskedForSilence = false;
  }

  take(into: Uint8Array, offset: number, length: number): number {
    const count = this.#received.pull(into, offset, length);
    if (this.#hasAskedForSilence && this.#receiveRoom >= this.waterMarks.goOnFromBytes) this.#sendPause(0);
    return count;
  }

  get #receiveRoom(): number {
    return receiveMemoryBytes - this.#received.used;
  }

  /** Only while the driver has let it (Linux does as both ends have said that they can). */
  #sendPause(quanta: number): void {
    this.#hasAskedForSilence = quanta > 0;
    if (!this.isLinked || (this.medium & AxMedium.transmitFlow) === 0) return;
    this.counts.sentPauses++;
    this.#out(encodePause(this.nodeId, quanta), 0, minimumFrameBytes);
  }

  /** Bytes of a bulk OUT, for which there is room; `isEnd`: a short packet was the last. */
  give(buffer: Uint8Array, offset: number, length: number, isEnd: boolean): void {
    this.#held.set(buffer.subarray(offset, offset + length), this.#heldBytes);
    this.#heldBytes += length;
    if (!isEnd) return;
    const mask = this.#chip.hasChecksumEngine ? axLengthMask : 0xffff;
    const total = this.#heldBytes;
    this.#heldBytes = 0;
    readAxTransmit(this.#held, total, mask, this.#sink);
  }

  readonly #sink = {
    frame: (bytes: Uint8Array, offset: number, length: number, flags: number): void => {
      if (length > maximumTaggedFrameBytes) {
        this.counts.badTransmitHeaders++;
        return;
      }
      const frame = this.#frame;
      frame.set(bytes.subarray(offset, offset + length));
      const padded = Math.max(length, minimumFrameBytes);
      frame.fill(0, length, padded);
      this.#fillIn(frame, length, flags);
      if (!this.isLinked) return;
      this.counts.sentFrames++;
      this.#out(frame, 0, padded);
    },
    badHeader: (): void => {
      this.counts.badTransmitHeaders++;
    },
  };

  /** The transmit engine of the B and C. */
  #fillIn(frame: Uint8Array, length: number, flags: number): void {
    const wants = this.txChecksum;
    if (wants === 0 || !this.#chip.hasChecksumEngine || (flags & TransmitFlag.noChecksum) !== 0) return;
    fillChecksums(frame, 0, length, {
      header: (wants & AxChecksum.ipv4) !== 0,
      payload: (family, protocol) => {
        const shift = family === "ipv6" ? AxChecksum.txV6Shift - 1 : 0;
        if (protocol === IpProtocol.tcp) return (wants & (AxChecksum.txTcp << shift)) !== 0;
        if (protocol === IpProtocol.udp) return (wants & (AxChecksum.txUdp << shift)) !== 0;
        return protocol === IpProtocol.icmp && family === "ipv4" && (wants & AxChecksum.txIcmp) !== 0;
      },
    });
  }

  /** A frame from the cable. Answers whether it was kept. */
  receive(bytes: Uint8Array, offset: number, length: number): boolean {
    if (!this.isLinked || length < minimumFrameBytes - 46 || length > maximumTaggedFrameBytes) return false;
    if ((this.medium & AxMedium.receiveFlow) !== 0) {
      const quanta = pauseOf(bytes, offset, length, this.nodeId);
      if (quanta !== null) {
        this.counts.obeyedPauses++;
        this.#pause(quanta);
        return false;
      }
    }
    const isOn = (this.rxControl & AxRxControl.start) !== 0 && (this.medium & AxMedium.receive) !== 0;
    if (!isOn || !this.#passes(bytes, offset)) {
      this.counts.filteredFrames++;
      return false;
    }
    const total = this.#makeUnit(bytes, offset, length);
    const hasRoom = total <= this.#receiveRoom;
    if (hasRoom) {
      this.counts.receivedFrames++;
      this.#received.push(this.#unit, 0, total);
    } else this.counts.overruns++;
    // Again for each frame that comes all the same: the far end's patience may have ended.
    if (this.#receiveRoom < this.waterMarks.pauseBelowBytes) this.#sendPause(longestPause);
    return hasRoom;
  }

  #passes(bytes: Uint8Array, offset: number): boolean {
    const control = this.rxControl;
    if ((control & AxRxControl.promiscuous) !== 0) return true;
    if (isBroadcastAddress(bytes, offset)) return (control & AxRxControl.broadcast) !== 0;
    const isInHash = (): boolean => {
      const index = multicastHash(bytes, offset);
      return (this.hash[index >> 3] & (1 << (index & 7))) !== 0;
    };
    if (isGroupAddress(bytes, offset)) {
      if ((control & AxRxControl.allMulticast) !== 0) return true;
      return (control & AxRxControl.multicast) !== 0 && isInHash();
    }
    if (isSameAddress(bytes, offset, this.nodeId, 0)) return true;
    return (control & AxRxControl.arrayUnicast) !== 0 && isInHash();
  }

  /** Header, frame and padding in `#unit`; answers their length. */
  #makeUnit(bytes: Uint8Array, offset: number, length: number): number {
    const unit = this.#unit;
    // On the 772 and A these two bits are the burst size.
    const isNew =
      this.#chip.hasChecksumEngine && (this.rxControl & (AxRxControl.newHeader | AxRxControl.alignIp)) !== 0;
    let at = 4;
    let alignment = 2;
    if (isNew) {
      putU16le(unit, 0, length | (isGroupAddress(bytes, offset) ? ReceiveFlag.group : 0));
      putU16le(unit, 2, ~length & axLengthMask);
      putU16le(unit, 4, this.#findings(bytes, offset, length));
      at = axNewHeaderBytes;
      alignment = 4;
      if ((this.rxControl & AxRxControl.withSum) !== 0) {
        putU16le(unit, at, onesSum(bytes, offset + 14, length - 14));
        putU16le(unit, at + 2, 0);
        at += 4;
      }
    } else {
      putAxHeader(unit, 0, length);
      if (this.#chip.hasChecksumEngine && isGroupAddress(bytes, offset)) unit[1] |= ReceiveFlag.group >> 8;
    }
    if (this.badHeadersToCome > 0) {
      this.badHeadersToCome--;
      unit[2] ^= 0xff;
    }
    unit.set(bytes.subarray(offset, offset + length), at);
    const end = at + length;
    const total = Math.ceil(end / alignment) * alignment;
    unit.fill(0, end, total);
    return total;
  }

  /** The new header's third word: what the receive engine found. */
  #findings(bytes: Uint8Array, offset: number, length: number): number {
    let word = 0;
    const view = viewEthernet(bytes, offset, length);
    if (view?.vlan) word |= view.vlan.priority << 4;
    const sums = viewChecksums(bytes, offset, length);
    if (sums === null) return word;
    const isV6 = view?.type === EtherType.ipv6;
    word |= (isV6 ? 2 : 1) << ReceiveFlag.l3Shift;
    const l4 = isV6 && sums.protocol === IpProtocol.tcp ? tcpOverV6 : (l4Types[sums.protocol] ?? 0);
    word |= l4 << ReceiveFlag.l4Shift;
    if (!isV6 && !sums.isHeaderRight && (this.rxChecksum & AxChecksum.ipv4) !== 0)
      word |= ReceiveFlag.l3Error;
    const checks: Readonly<Record<number, number>> = isV6
      ? { [IpProtocol.tcp]: AxChecksum.rxTcpV6, [IpProtocol.udp]: AxChecksum.rxUdpV6 }
      : {
          [IpProtocol.tcp]: AxChecksum.rxTcp,
          [IpProtocol.udp]: AxChecksum.rxUdp,
          [IpProtocol.icmp]: AxChecksum.rxIcmp,
        };
    if (sums.isPayloadRight === false && (this.rxChecksum & (checks[sums.protocol] ?? 0)) !== 0)
      word |= ReceiveFlag.l4Error;
    return word;
  }
}
