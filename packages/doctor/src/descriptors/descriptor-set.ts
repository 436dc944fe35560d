// Descriptors of one device, as a source gave them, and all faults in them.

import { DescriptorType, walkDescriptors } from "@drydock/core/codec/usb/descriptors";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { judgeConfiguration } from "./configuration-faults.ts";
import { judgeDevice, superSpeedVersion } from "./device-faults.ts";
import { type DescriptorFault, hex8 } from "./fault.ts";
import { judgeReport } from "./report-faults.ts";
import { settingsOf } from "./walked-settings.ts";

export interface GivenDescriptor {
  readonly role: "device" | "configuration" | "report";
  readonly bytes: Uint8Array;
  /** Offsets of descriptors whose content the source does not show. */
  readonly opaque?: ReadonlySet<number>;
  /** Of a report descriptor: the interface that it is of; left out: nobody says. */
  readonly interfaceNumber?: number;
  /** Line of the source that a byte comes from; null: it has none. */
  readonly lineOf?: (offset: number) => number | null;
}

export interface DescriptorSet {
  /** "device 5 of capture.pcapng"; "" for the only one. */
  readonly name: string;
  /** Null: nobody says it. */
  readonly speed: UsbSpeed | null;
  readonly given: readonly GivenDescriptor[];
}

export interface PlacedFault extends DescriptorFault {
  /** "configuration 0", "report descriptor of interface 1". */
  readonly where: string;
  readonly line: number | null;
  /** The bytes of the descriptor that the offset lies in, from its beginning: at most 16. */
  readonly bytes: string;
}

/** In the order of the source. */
export function judgeDescriptors({ given, speed }: DescriptorSet): PlacedFault[] {
  const device = given.find(({ role }) => role === "device");
  const configurations = given.filter(({ role }) => role === "configuration");
  const known = speed ?? speedOf(device?.bytes ?? null, configurations);
  const counts = { device: 0, configuration: 0, report: 0 };
  const many = (role: keyof typeof counts): boolean => given.filter((one) => one.role === role).length > 1;
  return given.flatMap((one) => {
    const number = counts[one.role]++;
    const where =
      one.role === "report"
        ? `report descriptor${one.interfaceNumber === undefined ? (many("report") ? ` ${number}` : "") : ` of interface ${one.interfaceNumber}`}`
        : `${one.role}${one.role === "configuration" || many(one.role) ? ` ${number}` : " descriptor"}`;
    const faults =
      one.role === "device"
        ? judgeDevice(
            one.bytes,
            known,
            configurations.length === 0 ? null : configurations.some(({ bytes }) => hasAssociation(bytes)),
          )
        : one.role === "configuration"
          ? [...judgeConfiguration(one.bytes, known, one.opaque), ...judgeReportLengths(one, given)]
          : judgeReport(one.bytes);
    return faults.map(
      (fault): PlacedFault => ({
        ...fault,
        where,
        line: one.lineOf?.(fault.offset) ?? null,
        bytes: bytesAround(one, fault.offset),
      }),
    );
  });
}

/**
 * What descriptors give away: SuperSpeed by its companions or by bcdUSB 3, high speed by bulk packets of 512. Null: full and high
 * speed say the same here.
 */
function speedOf(device: Uint8Array | null, configurations: readonly GivenDescriptor[]): UsbSpeed | null {
  if (device !== null && device.length >= 4 && (device[2] | (device[3] << 8)) >= superSpeedVersion)
    return UsbSpeed.super;
  const raws = configurations.flatMap(({ bytes }) => [...walkDescriptors(bytes)]);
  const endpoints = raws.filter(({ bytes, type }) => type === DescriptorType.endpoint && bytes.length >= 7);
  const companions = raws.filter(({ type }) => type === DescriptorType.superSpeedCompanion);
  if (device === null && companions.length > 0) return UsbSpeed.super;
  const sizes = endpoints
    .filter(({ bytes }) => (bytes[3] & 3) === 2)
    .map(({ bytes }) => (bytes[4] | (bytes[5] << 8)) & 0x7ff);
  if (sizes.length > 0 && sizes.every((size) => size === 512)) return UsbSpeed.high;
  return null;
}

function hasAssociation(configuration: Uint8Array): boolean {
  return [...walkDescriptors(configuration)].some(({ type }) => type === DescriptorType.interfaceAssociation);
}

/** The length that the HID descriptor promises against the report descriptor that was given for its interface. */
function judgeReportLengths(
  { bytes, opaque }: GivenDescriptor,
  given: readonly GivenDescriptor[],
): DescriptorFault[] {
  return settingsOf(bytes).flatMap(({ extra, interfaceClass, number }): DescriptorFault[] => {
    const hid = extra.find(({ type }) => type === 0x21);
    if (interfaceClass !== 3 || hid === undefined || hid.bytes.length < 9 || opaque?.has(hid.offset))
      return [];
    const report = given.find((one) => one.role === "report" && one.interfaceNumber === number);
    const promised = hid.bytes[7] | (hid.bytes[8] << 8);
    if (report === undefined || hid.bytes[6] !== 0x22 || report.bytes.length === promised) return [];
    return [
      {
        kind: "hid-report-length",
        offset: hid.offset + 7,
        text: `wDescriptorLength is ${promised}, the report descriptor of interface ${number} has ${report.bytes.length} bytes`,
      },
    ];
  });
}

const mostShown = 16;

function bytesAround({ bytes, role }: GivenDescriptor, offset: number): string {
  let start = 0;
  if (role === "configuration")
    for (const raw of walkDescriptors(bytes)) if (raw.offset <= offset) start = raw.offset;
  if (role === "report" || offset - start >= mostShown) start = offset;
  const length = role === "report" ? 5 : Math.max(bytes[start] ?? 0, 2);
  return [...bytes.subarray(start, start + Math.min(length, mostShown))]
    .map((byte) => hex8(byte).slice(2))
    .join(" ");
}
