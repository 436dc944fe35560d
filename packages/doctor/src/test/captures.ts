// The same refused request as each kind of USB capture has it, in a classic pcap file.

import { encodeUsbLinux } from "@drydock/core/codec/pcapng/usb-linux";

/** SET_LINE_CODING of a serial port: device 5, seven bytes, answered with STALL. */
const setup = [0x21, 0x20, 0, 0, 0, 0, 7, 0];
const line = [0x00, 0x96, 0, 0, 0, 0, 8];
const device = 5;

const two = (value: number): number[] => [value & 255, (value >> 8) & 255];
const four = (value: number): number[] => [...two(value & 0xffff), ...two(value >>> 16)];
const eight = (value: number): number[] => [...four(value), ...four(0)];

/** libpcap's savefile format: 24 bytes of header, 16 before each packet, little-endian. */
export function pcapOf(linkType: number, packets: readonly (readonly number[] | Uint8Array)[]): Uint8Array {
  const head = [
    ...four(0xa1b2c3d4),
    ...two(2),
    ...two(4),
    ...four(0),
    ...four(0),
    ...four(65535),
    ...four(linkType),
  ];
  return Uint8Array.from([
    ...head,
    ...packets.flatMap((packet, index) => [
      ...four(1),
      ...four(index),
      ...four(packet.length),
      ...four(packet.length),
      ...packet,
    ]),
  ]);
}

const linux = (event: "S" | "C", status: number) =>
  encodeUsbLinux(
    {
      id: 7,
      event,
      transfer: 2,
      endpoint: 0,
      device,
      bus: 1,
      timeNs: 0,
      status,
      urbLength: event === "S" ? 7 : 0,
      dataLength: event === "S" ? 7 : 0,
      setup: event === "S" ? Uint8Array.from(setup) : null,
    },
    Uint8Array.from(event === "S" ? line : []),
  );

/** usbmon's older header: the first 48 bytes of the newer one. */
const older = (packet: Uint8Array) => [...packet.subarray(0, 48), ...packet.subarray(64)];

/** USBPCAP_BUFFER_PACKET_HEADER, 27 bytes, and the stage of a control transfer. */
const windows = (isCompletion: boolean, stage: number, status: number, data: readonly number[]) => [
  ...two(28),
  ...eight(7),
  ...four(status),
  ...two(8),
  isCompletion ? 1 : 0,
  ...two(1),
  ...two(device),
  0,
  2,
  ...four(data.length),
  stage,
  ...data,
];

/** 32 bytes: version, length, kind, bytes, IOReturn, frames, id, location, speed, address, pipe, kind of endpoint. */
const mac = (isCompletion: boolean, length: number, status: number, data: readonly number[]) => [
  ...two(0x100),
  32,
  isCompletion ? 1 : 0,
  ...four(length),
  ...four(status),
  ...four(0),
  ...eight(7),
  ...four(0x01100000),
  2,
  device,
  0,
  0,
  ...data,
];

/** Link type -> a capture file with that one transfer. */
export const refusedRequest: Readonly<Record<number, Uint8Array>> = {
  220: pcapOf(220, [linux("S", -115), linux("C", -32)]),
  189: pcapOf(189, [older(linux("S", -115)), older(linux("C", -32))]),
  249: pcapOf(249, [windows(false, 0, 0, [...setup, ...line]), windows(true, 3, 0xc0000004, [])]),
  266: pcapOf(266, [mac(false, 15, 0, [...setup, ...line]), mac(true, 0, 0xe0005000, [])]),
  // Packets of the wire: tokens with address and CRC5, data with CRC16 (not looked at), handshakes.
  288: pcapOf(288, [
    [0x2d, device, 0],
    [0xc3, ...setup, 0, 0],
    [0xd2],
    [0xe1, device, 0],
    [0x4b, ...line, 0, 0],
    [0x1e],
  ]),
};
