// What `drydock match` finds in evidence: nubs of dumps and captures, drivers of bundles, drivers that run already.

import { DecodeError } from "@drydock/core/base/errors";
import { parseReportDescriptor } from "@drydock/core/codec/hid-report/report-descriptor";
import { decodeStandardInquiry } from "@drydock/core/codec/scsi/inquiry";
import { viewConfiguration } from "@drydock/core/codec/usb/configuration-view";
import {
  type DeviceDescriptor,
  parseDeviceDescriptor,
  parseStringDescriptor,
} from "@drydock/core/codec/usb/descriptors";
import { classChainOf } from "@drydock/core/platform/class-chains";
import type { DriverOffer } from "@drydock/core/platform/driver-choice";
import type { RegistrySnapshot } from "@drydock/core/platform/evidence/registry-dump";
import { hidInterfaceEntitlement, hidUsageProperties } from "@drydock/core/platform/hid-nub";
import type { MatchSubject } from "@drydock/core/platform/match-verdict";
import {
  scsiUnitProperties,
  type UsbStrings,
  usbDeviceProperties,
  usbEntitlement,
  usbInterfaceProperties,
} from "@drydock/core/platform/nub-properties";
import { isDictionary, type Properties } from "@drydock/core/platform/properties";
import { collectEvidence } from "./evidence/collect.ts";
import type { Evidence } from "./evidence/evidence.ts";
import { entriesOf, snapshotOf } from "./evidence/registry-snapshot.ts";
import type { EvidenceSource } from "./facts/evidence-source.ts";
import type { RegistryEntry } from "./facts/registry-entry.ts";
import type { UsbTransfer } from "./facts/usb-transfer.ts";
import { evidenceParts } from "./signing/parts.ts";

/** Something that drivers may bind to. */
export interface Nub {
  /** How it is called: its path in a registry, or what it is of a device. */
  readonly place: string;
  readonly subject: MatchSubject;
  /** What stands on it in the dump that it comes from, and is not judged: no personality was there to judge. */
  readonly alsoThere: readonly string[];
}

export interface MatchEvidence {
  readonly nubs: readonly Nub[];
  /** Drivers that run in a dump with the personality that matched, as that says. */
  readonly running: readonly DriverOffer[];
  /** Drivers of bundles and of Info.plist files. */
  readonly offers: readonly DriverOffer[];
  /** What was read and why something was not, a line each. */
  readonly problems: readonly string[];
}

const noWatches: never[] = [];

export async function matchEvidence(sources: Iterable<EvidenceSource>): Promise<MatchEvidence> {
  const evidence = await collectEvidence(sources, noWatches);
  const entries = evidence.facts("registry-entry").map(({ value }) => value);
  const offers = offersOf(evidence);
  const running = runningOffers(entries);
  const wanted = new Set([
    ...nubClasses,
    ...offers.flatMap(providerClasses),
    ...running.flatMap(providerClasses),
  ]);
  return {
    nubs: [
      ...nubsOfEntries(entries, wanted),
      ...nubsOfListing(evidence.facts("usb-listing").map(({ value }) => value)),
      ...nubsOfTransfers(evidence.facts("transfer").map(({ value }) => value)),
    ],
    running,
    offers,
    problems: evidence.files.flatMap(({ name, problems }) => problems.map((text) => `${name} ${text}`)),
  };
}

/** Classes that devices are published as, whether somebody asks for them or not. */
const nubClasses = [
  "IOUSBHostDevice",
  "IOUSBHostInterface",
  "IOHIDInterface",
  "IOHIDDevice",
  "IOPCIDevice",
  "IOSCSIPeripheralDeviceNub",
];

function providerClasses({ personalities }: DriverOffer): string[] {
  return Object.values(personalities).flatMap(({ IOProviderClass }) =>
    typeof IOProviderClass === "string" ? [IOProviderClass] : [],
  );
}

function offersOf(evidence: Evidence): DriverOffer[] {
  return evidenceParts(evidence).flatMap((part): DriverOffer[] => {
    const all = part.infoPlist?.value.value.IOKitPersonalities;
    if (!isDictionary(all)) return [];
    const personalities = Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, Properties] => isDictionary(entry[1])),
    );
    // Kernel code names IOClass alone.
    const isDext = Object.values(personalities).some((one) => "IOUserClass" in one);
    return [
      {
        kind: isDext ? "dext" : "kext",
        identifier: part.bundleIdentifier || (part.infoPlist?.place.file ?? "a driver without an id"),
        personalities,
        entitlements: part.claims,
      },
    ];
  });
}

/** What matched, where the system wrote it down: IOMatchedPersonality (driverkit-core.md §11.5). */
function runningOffers(entries: readonly RegistryEntry[]): DriverOffer[] {
  const found = new Map<string, DriverOffer>();
  for (const { properties, className } of entries) {
    const personality = properties.IOMatchedPersonality;
    if (!isDictionary(personality)) continue;
    const identifier = String(
      properties.CFBundleIdentifier ?? personality.CFBundleIdentifier ?? `a driver of class ${className}`,
    );
    const name = `running as ${String(personality.IOUserClass ?? personality.IOClass ?? className)}`;
    const kind = "IOUserClass" in personality ? "dext" : "kext";
    // It runs: its entitlements were asked, and are not in a dump.
    found.set(`${identifier} ${JSON.stringify(personality)}`, {
      kind,
      identifier,
      personalities: { [name]: personality },
      entitlements: null,
      isRunning: true,
    });
  }
  return [...found.values()];
}

function nubsOfEntries(entries: readonly RegistryEntry[], wanted: ReadonlySet<string>): Nub[] {
  const standingOn = Map.groupBy(entries, ({ parents }) => parents.at(-1));
  return entries.flatMap((entry): Nub[] => {
    const classChain = classChainOf(entry.className);
    if (!classChain.some((name) => wanted.has(name))) return [];
    return [
      {
        place: `${[...entry.parents, entry].map(({ name, location }) => `${name}${location === "" ? "" : `@${location}`}`).join("/")}`,
        subject: { classChain, name: entry.name, properties: entry.properties },
        alsoThere: (standingOn.get(entry) ?? [])
          .filter(
            ({ properties }) => "IOProviderClass" in properties && !("IOMatchedPersonality" in properties),
          )
          .map(({ className, properties }) => {
            const id = properties.CFBundleIdentifier;
            const score = properties.IOProbeScore;
            return `${className}${typeof id === "string" ? ` of ${id}` : ""}${typeof score === "number" ? `, IOProbeScore ${score}` : ""}`;
          }),
      },
    ];
  });
}

/** Devices of a listing that no registry says more of. */
function nubsOfListing(entries: readonly RegistryEntry[]): Nub[] {
  return nubsOfEntries(entries, new Set(["IOUSBHostDevice"])).map((nub) => ({
    ...nub,
    // What the kernel publishes of every USB device.
    subject: {
      ...nub.subject,
      properties: { IOServiceDEXTEntitlements: usbEntitlement, ...nub.subject.properties },
    },
    alsoThere: [
      "a listing of system_profiler has no classes, configurations and interfaces: a personality that asks for them, and one for IOUSBHostInterface, is not judged by it; ioreg -l -w0 says more",
    ],
  }));
}

/** The nubs of one USB device: itself, and the interfaces of each configuration. */
export function usbNubs(
  device: DeviceDescriptor,
  configurations: readonly Uint8Array[],
  strings: UsbStrings,
): Nub[] {
  const name = strings.product === "" ? "IOUSBHostDevice" : strings.product;
  const subject: MatchSubject = {
    classChain: classChainOf("IOUSBHostDevice"),
    name,
    properties: usbDeviceProperties(device, strings),
  };
  const interfaces = configurations.flatMap((bytes) => {
    const { configuration } = viewConfiguration(bytes);
    return configuration.interfaces.map(({ number, settings }): Nub => {
      const { bConfigurationValue } = configuration.descriptor;
      return {
        place: `${name}, configuration ${bConfigurationValue}, interface ${number}`,
        subject: {
          classChain: classChainOf("IOUSBHostInterface"),
          name: "IOUSBHostInterface",
          properties: usbInterfaceProperties(device, configuration.descriptor, settings[0].descriptor),
        },
        alsoThere: [],
      };
    });
  });
  return [{ place: name, subject, alsoThere: [] }, ...interfaces];
}

interface SeenDevice {
  readonly descriptors: Map<string, Uint8Array>;
  readonly reports: Uint8Array[];
  readonly inquiries: Uint8Array[];
  isInquiring: boolean;
}

const getDescriptor = 6;
const hidReportType = 0x22;

/** What a capture shows of each device that was enumerated in it: descriptors, HID reports, INQUIRY data. */
function nubsOfTransfers(transfers: readonly UsbTransfer[]): Nub[] {
  const devices = new Map<number, SeenDevice>();
  for (const transfer of transfers) {
    const { data, device, setup } = transfer;
    const seen = devices.get(device) ?? {
      descriptors: new Map(),
      reports: [],
      inquiries: [],
      isInquiring: false,
    };
    devices.set(device, seen);
    if (setup !== null) takeControl(seen, setup, transfer);
    else if (isInquiry(data)) seen.isInquiring = true;
    else if (seen.isInquiring && (transfer.endpoint & 0x80) !== 0 && data.length >= 36) {
      seen.inquiries.push(data);
      seen.isInquiring = false;
    }
  }
  return [...devices.values()].flatMap((seen) => {
    try {
      return nubsOfSeen(seen);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return [];
    }
  });
}

function takeControl(seen: SeenDevice, setup: Uint8Array, { data, result }: UsbTransfer): void {
  if (result !== "ok" || setup[1] !== getDescriptor || (setup[0] & 0x80) === 0) return;
  if (setup[0] === 0x81 && setup[3] === hidReportType) seen.reports.push(data);
  if (setup[0] !== 0x80) return;
  const key = `${setup[3]} ${setup[2]}`;
  if (data.length > (seen.descriptors.get(key)?.length ?? 0)) seen.descriptors.set(key, data);
}

/** A command block for standard INQUIRY data: in a Bulk-Only wrapper (BOT §5.1), or in a Command IU (UAS §6.2.2). */
function isInquiry(data: Uint8Array): boolean {
  const at =
    data.length === 31 && data[0] === 0x55 && data[3] === 0x43
      ? 15
      : data.length >= 32 && data[0] === 1
        ? 16
        : -1;
  return at >= 0 && data[at] === 0x12 && (data[at + 1] & 1) === 0;
}

function nubsOfSeen({ descriptors, reports, inquiries }: SeenDevice): Nub[] {
  const own = descriptors.get("1 0");
  if (own === undefined || own.length < 18) return [];
  const device = parseDeviceDescriptor(own);
  const text = (index: number): string => {
    const bytes = descriptors.get(`3 ${index}`);
    return index === 0 || bytes === undefined ? "" : parseStringDescriptor(bytes);
  };
  const strings = {
    product: text(device.iProduct),
    vendor: text(device.iManufacturer),
    serial: text(device.iSerialNumber),
  };
  const configurations = [...descriptors]
    .filter(([key, bytes]) => key.startsWith("2 ") && bytes.length > 9)
    .map(([, bytes]) => bytes);
  const nubs = usbNubs(device, configurations, strings);
  const [{ place }] = nubs;
  return [
    ...nubs,
    ...reports.map((bytes): Nub => hidNub(device, strings, bytes, place)),
    ...inquiries.map((bytes): Nub => scsiNub(bytes, place)),
  ];
}

/** What a HID driver's device publishes for others to match on. Throws DecodeError for a report descriptor that is none. */
export function hidNub(
  device: DeviceDescriptor,
  strings: UsbStrings,
  report: Uint8Array,
  place: string,
): Nub {
  return {
    place: `${place}, HID interface`,
    subject: {
      classChain: classChainOf("IOHIDInterface"),
      name: "IOHIDInterface",
      properties: {
        IOServiceDEXTEntitlements: hidInterfaceEntitlement,
        Transport: "USB",
        VendorID: device.idVendor,
        ProductID: device.idProduct,
        VersionNumber: device.bcdDevice,
        ...(strings.vendor === "" ? {} : { Manufacturer: strings.vendor }),
        ...(strings.product === "" ? {} : { Product: strings.product }),
        ...(strings.serial === "" ? {} : { SerialNumber: strings.serial }),
        ...hidUsageProperties(parseReportDescriptor(report).collections),
        ReportDescriptor: report,
      },
    },
    alsoThere: [],
  };
}

/** Throws DecodeError. */
export function scsiNub(inquiry: Uint8Array, place: string): Nub {
  const { deviceType, isRemovable, product, revision, vendor } = decodeStandardInquiry(inquiry);
  return {
    place: `${place}, SCSI unit ${vendor} ${product}`,
    subject: {
      classChain: classChainOf("IOSCSILogicalUnitNub"),
      name: "IOSCSILogicalUnitNub",
      properties: scsiUnitProperties({ peripheralType: deviceType, vendor, product, revision, isRemovable }),
    },
    alsoThere: [],
  };
}

/** A dump as a tree; null: the evidence holds none. Several roots, as in fragments, stand under one without a name. */
export async function registryOf(sources: Iterable<EvidenceSource>): Promise<RegistrySnapshot | null> {
  const entries = entriesOf(await collectEvidence(sources, noWatches));
  return entries.length === 0 ? null : snapshotOf(entries, "");
}
