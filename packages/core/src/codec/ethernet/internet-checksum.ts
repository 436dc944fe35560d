// The checksums inside IPv4, TCP, UDP and ICMP, as adapters check and fill them in. RFC 1071, 791, 793, 768, 8200.

import { getU16be, putU16be } from "../../base/bytes.ts";
import { EtherType, IpProtocol, viewEthernet } from "./ethernet.ts";

/** Ones-complement sum of big-endian words, folded to 16 bits; `sum` is what came before. */
export function onesSum(bytes: Uint8Array, offset: number, length: number, sum = 0): number {
  const end = offset + length;
  let total = sum;
  let at = offset;
  for (; at + 1 < end; at += 2) total += (bytes[at] << 8) | bytes[at + 1];
  if (at < end) total += bytes[at] << 8;
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return total;
}

/** What a checksum engine sees in a frame. */
export interface ChecksumView {
  readonly family: "ipv4" | "ipv6";
  /** True when the header's own sum is right; IPv6 has none and is always right. */
  readonly isHeaderRight: boolean;
  readonly protocol: number;
  /** Null: a fragment, a protocol without a sum over it, one that is cut, or UDP that has none. */
  readonly isPayloadRight: boolean | null;
}

interface Located extends ChecksumView {
  readonly headerAt: number;
  readonly headerLength: number;
  readonly payloadAt: number;
  readonly payloadLength: number;
  /** Where the payload's checksum lies; -1: nowhere. */
  readonly sumAt: number;
  readonly pseudo: number;
}

const sumOffsets: Readonly<Record<number, number>> = {
  [IpProtocol.icmp]: 2,
  [IpProtocol.igmp]: 2,
  [IpProtocol.tcp]: 16,
  [IpProtocol.udp]: 6,
  [IpProtocol.icmpV6]: 2,
};

function locate(bytes: Uint8Array, offset: number, length: number): Located | null {
  const view = viewEthernet(bytes, offset, length);
  if (view === null) return null;
  const at = view.payloadAt;
  const left = offset + length - at;
  if (view.type === EtherType.ipv4 && left >= 20 && bytes[at] >> 4 === 4) {
    const headerLength = (bytes[at] & 15) * 4;
    const totalLength = getU16be(bytes, at + 2);
    if (headerLength < 20 || totalLength < headerLength || totalLength > left) return null;
    const protocol = bytes[at + 9];
    const isFragment = (getU16be(bytes, at + 6) & 0x3fff) !== 0;
    const payloadLength = totalLength - headerLength;
    const hasPseudo = protocol === IpProtocol.tcp || protocol === IpProtocol.udp;
    const pseudo = hasPseudo ? onesSum(bytes, at + 12, 8, protocol + payloadLength) : 0;
    return finish("ipv4", onesSum(bytes, at, headerLength) === 0xffff, protocol, isFragment, {
      ...{ bytes, headerAt: at, headerLength, payloadAt: at + headerLength, payloadLength, pseudo },
    });
  }
  if (view.type === EtherType.ipv6 && left >= 40 && bytes[at] >> 4 === 6) {
    const payloadLength = getU16be(bytes, at + 4);
    if (payloadLength > left - 40) return null;
    const protocol = bytes[at + 6];
    const pseudo = onesSum(bytes, at + 8, 32, protocol + payloadLength);
    return finish("ipv6", true, protocol, false, {
      ...{ bytes, headerAt: at, headerLength: 40, payloadAt: at + 40, payloadLength, pseudo },
    });
  }
  return null;
}

function finish(
  family: "ipv4" | "ipv6",
  isHeaderRight: boolean,
  protocol: number,
  isFragment: boolean,
  place: Pick<Located, "headerAt" | "headerLength" | "payloadAt" | "payloadLength" | "pseudo"> & {
    readonly bytes: Uint8Array;
  },
): Located {
  const { bytes, ...where } = place;
  const within = sumOffsets[protocol];
  const isThere = within !== undefined && !isFragment && where.payloadLength >= within + 2;
  const sumAt = isThere ? where.payloadAt + within : -1;
  const isAbsent = protocol === IpProtocol.udp && sumAt >= 0 && getU16be(bytes, sumAt) === 0;
  const isPayloadRight =
    sumAt < 0 || isAbsent
      ? null
      : onesSum(bytes, where.payloadAt, where.payloadLength, where.pseudo) === 0xffff;
  return { family, isHeaderRight, protocol, isPayloadRight, sumAt, ...where };
}

/** Null: not IP, or lengths that do not fit. */
export function viewChecksums(bytes: Uint8Array, offset: number, length: number): ChecksumView | null {
  return locate(bytes, offset, length);
}

/** Fills in the sums in place, as a transmitting engine does; what it cannot find stays as it is. */
export function fillChecksums(
  bytes: Uint8Array,
  offset: number,
  length: number,
  wants: {
    readonly header: boolean;
    readonly payload: (family: "ipv4" | "ipv6", protocol: number) => boolean;
  },
): void {
  const found = locate(bytes, offset, length);
  if (found === null) return;
  if (wants.header && found.family === "ipv4") {
    putU16be(bytes, found.headerAt + 10, 0);
    putU16be(bytes, found.headerAt + 10, 0xffff - onesSum(bytes, found.headerAt, found.headerLength));
  }
  if (found.sumAt < 0 || !wants.payload(found.family, found.protocol)) return;
  putU16be(bytes, found.sumAt, 0);
  const sum = 0xffff - onesSum(bytes, found.payloadAt, found.payloadLength, found.pseudo);
  // RFC 768: a sum of zero is sent as all ones, as zero says that there is none.
  putU16be(bytes, found.sumAt, sum === 0 && found.protocol === IpProtocol.udp ? 0xffff : sum);
}
