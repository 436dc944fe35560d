// Ethernet frames as they lie in memory: from the destination address on, without FCS. IEEE 802.3-2018 clauses 3 and 4.

import { getU16be } from "../../base/bytes.ts";
import { hex } from "../../base/text.ts";

/** Destination, source, type. */
export const ethernetHeaderBytes = 14;
export const macAddressBytes = 6;
/** §3.2.7 without the four bytes of FCS: what a MAC pads to. */
export const minimumFrameBytes = 60;
/** Header and 1500 bytes. */
export const maximumFrameBytes = 1514;
/** With a tag of 802.1Q: what adapters still pass. */
export const maximumTaggedFrameBytes = 1518;

export const EtherType = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd } as const;
export const IpProtocol = { icmp: 1, igmp: 2, tcp: 6, udp: 17, icmpV6: 58 } as const;

const typeNames: Readonly<Record<number, string>> = {
  [EtherType.ipv4]: "IPv4",
  [EtherType.arp]: "ARP",
  [EtherType.vlan]: "VLAN",
  [EtherType.ipv6]: "IPv6",
  34958: "EAPOL",
  35020: "LLDP",
};
const protocolNames: Readonly<Record<number, string>> = {
  [IpProtocol.icmp]: "ICMP",
  [IpProtocol.igmp]: "IGMP",
  [IpProtocol.tcp]: "TCP",
  [IpProtocol.udp]: "UDP",
  [IpProtocol.icmpV6]: "ICMPv6",
};

/** The group bit: the first bit on the wire (§3.2.3.1). Broadcast is one of them. */
export function isGroupAddress(bytes: Uint8Array, offset = 0): boolean {
  return (bytes[offset] & 1) !== 0;
}

export function isBroadcastAddress(bytes: Uint8Array, offset = 0): boolean {
  for (let index = 0; index < macAddressBytes; index++) if (bytes[offset + index] !== 0xff) return false;
  return true;
}

/** Not a group, and not all zeros: what an interface may have. */
export function isStationAddress(bytes: Uint8Array, offset = 0): boolean {
  if (isGroupAddress(bytes, offset)) return false;
  for (let index = 0; index < macAddressBytes; index++) if (bytes[offset + index] !== 0) return true;
  return false;
}

export function isSameAddress(left: Uint8Array, leftAt: number, right: Uint8Array, rightAt: number): boolean {
  for (let index = 0; index < macAddressBytes; index++)
    if (left[leftAt + index] !== right[rightAt + index]) return false;
  return true;
}

/** "02:00:5e:10:00:01". */
export function formatMac(bytes: Uint8Array, offset = 0): string {
  const parts: string[] = [];
  for (let index = 0; index < macAddressBytes; index++) parts.push(hex(bytes[offset + index], 2));
  return parts.join(":");
}

/** Six bytes; null for what is no address: two hexadecimal digits six times, with colons, hyphens or nothing between. */
export function parseMac(text: string): Uint8Array | null {
  const match = /^([0-9a-f]{2})([:-]?)([0-9a-f]{2})(?:\2[0-9a-f]{2}){4}$/i.exec(text.trim());
  if (match === null) return null;
  const digits = text.trim().replace(/[:-]/g, "");
  return Uint8Array.from({ length: macAddressBytes }, (_, index) =>
    Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16),
  );
}

/** A frame's parts. Judges nothing; `length` bytes from `offset`, at least 14. */
export interface EthernetView {
  readonly destinationAt: number;
  readonly sourceAt: number;
  /** The type behind a VLAN tag where there is one (802.1Q §9.6). */
  readonly type: number;
  /** VLAN identifier and priority; null without a tag. */
  readonly vlan: { readonly id: number; readonly priority: number } | null;
  readonly payloadAt: number;
}

/** Null for fewer than 14 bytes, or a tag without the type behind it. */
export function viewEthernet(bytes: Uint8Array, offset: number, length: number): EthernetView | null {
  if (length < ethernetHeaderBytes) return null;
  const type = getU16be(bytes, offset + 12);
  const base = { destinationAt: offset, sourceAt: offset + macAddressBytes };
  if (type !== EtherType.vlan) return { ...base, type, vlan: null, payloadAt: offset + ethernetHeaderBytes };
  if (length < ethernetHeaderBytes + 4) return null;
  const tag = getU16be(bytes, offset + 14);
  return {
    ...base,
    type: getU16be(bytes, offset + 16),
    vlan: { id: tag & 0xfff, priority: tag >> 13 },
    payloadAt: offset + ethernetHeaderBytes + 4,
  };
}

/** One line for people: "02:..:01 > ff:..:ff ARP, 60 bytes". Takes any bytes. */
export function describeFrame(bytes: Uint8Array, offset = 0, length = bytes.length - offset): string {
  const view = viewEthernet(bytes, offset, length);
  if (view === null) return `a frame of ${length} bytes, too short for a header`;
  const { type, vlan, payloadAt } = view;
  const left = offset + length - payloadAt;
  let what = typeNames[type] ?? (type < 0x0600 ? `802.3 length ${type}` : `type 0x${hex(type, 4)}`);
  const protocolAt = type === EtherType.ipv4 ? 9 : type === EtherType.ipv6 ? 6 : -1;
  if (protocolAt >= 0 && left > protocolAt) {
    const protocol = bytes[payloadAt + protocolAt];
    what += ` ${protocolNames[protocol] ?? `protocol ${protocol}`}`;
  }
  if (type === EtherType.arp && left >= 8) what += bytes[payloadAt + 7] === 1 ? " request" : " reply";
  const tag = vlan === null ? "" : ` vlan ${vlan.id}`;
  return `${formatMac(bytes, view.sourceAt)} > ${formatMac(bytes, view.destinationAt)}${tag} ${what}, ${length} bytes`;
}
