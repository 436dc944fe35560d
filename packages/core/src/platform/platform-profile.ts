// What each operating system lets a driver do, as data. Marks: E established, L likely, U unknown.

export interface PlatformProfile {
  /** How people type it: macos15, macos15-intel, macos26, macos27, ipados, iphone, open. */
  readonly id: string;
  readonly name: string;
  /** As crash reports print it: "macOS 15.7.1 (24G231)". */
  readonly osVersion: string;
  readonly osTrain: string;
  readonly osBuild: string;
  readonly darwinVersion: string;
  readonly modelCode: string;
  /** Version of the DriverKit frameworks: 24.6 with macOS 15.6 and 15.7 (L: the last digit). */
  readonly driverKitVersion: string;
  /** False: no driver extensions at all (iPhone: E, P10). */
  readonly driverKit: boolean;
  /** Which rules decide about user clients: `none` admits everybody (our own, for teaching). */
  readonly userClientRules: "macos" | "ipados" | "none";
  /** Whether entitlements are checked when a driver attaches (T2). */
  readonly checksEntitlements: boolean;
  /** The line that names the needed bundle id exists from macOS 13 kernels on (E, T1). */
  readonly printsNeededBundleId: boolean;
  /** The user switches each driver on in Settings (iPadOS: E, P13). */
  readonly needsEnableSwitch: boolean;
  /** Whether Endpoint Security tells which device an IOServiceOpen is about (from macOS 26 on: E, P07). */
  readonly openEventsNameTheDevice: boolean;
  /** A late power acknowledgement of a hosted service panics (macOS release kernels: E; others panic by default: E). */
  readonly panicsOnPowerTimeout: boolean;
  /** A processor's load from a BAR whose link is dead: a panic on Apple silicon (E, P14), all ones on Intel (E: PCI). */
  readonly panicsOnDeadLinkLoad: boolean;
  /** Refused accesses of a PCI device show in a property of its nub (macOS 26: E, T6; macOS 15 has nothing: E). */
  readonly recordsDmaFaults: boolean;
  /** Bytes of a page of I/O memory: 16 KiB on Apple silicon (E), 4 KiB with VT-d (E). */
  readonly ioPageBytes: number;
  /** Registry properties that the sandbox hides from applications, by kernel class (iPadOS: E for IOTTYSuffix, L for the others). */
  readonly hiddenProperties: Readonly<Record<string, readonly string[]>>;
  /**
   * Families whose classes drivers may use there. iPadOS: USB, PCI and audio are what the documentation lists (P10, L for
   * the absence of the others; E for SerialDriverKit, P13).
   */
  readonly families: readonly string[];
  /**
   * Null: what stands here is recorded, with the marks above. Else only `recorded` is: everything else stands as that other
   * system has it, is unknown (U) of this one, and whoever shows a verdict by it says so ({@link nameWithUnknowns}).
   */
  readonly unknownBut: { readonly standsAs: string; readonly recorded: readonly string[] } | null;
}

const everyFamily = ["usb", "pci", "hid", "serial", "network", "scsi", "block", "audio"];

const macOS15: PlatformProfile = {
  id: "macos15",
  name: "macOS 15",
  osVersion: "macOS 15.7.1 (24G231)",
  osTrain: "macOS 15.7.1",
  osBuild: "24G231",
  darwinVersion: "Darwin Kernel Version 24.6.0",
  modelCode: "Mac14,2",
  driverKitVersion: "24.6",
  driverKit: true,
  userClientRules: "macos",
  checksEntitlements: true,
  printsNeededBundleId: true,
  needsEnableSwitch: false,
  openEventsNameTheDevice: false,
  panicsOnPowerTimeout: true,
  panicsOnDeadLinkLoad: true,
  recordsDmaFaults: false,
  ioPageBytes: 16_384,
  hiddenProperties: {},
  families: everyFamily,
  unknownBut: null,
};

const macOS26: PlatformProfile = {
  ...macOS15,
  id: "macos26",
  name: "macOS 26",
  osVersion: "macOS 26.0 (25A354)",
  osTrain: "macOS 26.0",
  osBuild: "25A354",
  darwinVersion: "Darwin Kernel Version 25.0.0",
  openEventsNameTheDevice: true,
  recordsDmaFaults: true,
  driverKitVersion: "25.0",
};

export const platformProfiles: Readonly<Record<string, PlatformProfile>> = {
  macos15: macOS15,
  "macos15-intel": {
    ...macOS15,
    id: "macos15-intel",
    name: "macOS 15 on Intel",
    modelCode: "MacBookPro16,1",
    panicsOnDeadLinkLoad: false,
    ioPageBytes: 4096,
  },
  macos26: macOS26,
  macos27: {
    ...macOS26,
    id: "macos27",
    name: "macOS 27",
    osVersion: "macOS 27.0 (unknown)",
    osTrain: "macOS 27.0",
    osBuild: "unknown",
    darwinVersion: "Darwin Kernel Version unknown",
    driverKitVersion: "27.0",
    unknownBut: {
      standsAs: macOS26.name,
      // Apple, documentation of PackageDescription (Swift 6.4), SupportedPlatform.DriverKitVersion.v27.
      recorded: ["it has DriverKit 27.0"],
    },
  },
  ipados: {
    ...macOS15,
    id: "ipados",
    name: "iPadOS 18",
    osVersion: "iPhone OS 18.6 (22G86)",
    osTrain: "iPhone OS 18.6",
    osBuild: "22G86",
    modelCode: "iPad13,8",
    userClientRules: "ipados",
    needsEnableSwitch: true,
    hiddenProperties: {
      IOUserSerial: ["IOTTYSuffix", "IOTTYBaseName"],
      IOSerialBSDClient: ["IOCalloutDevice", "IODialinDevice"],
    },
    families: ["usb", "pci", "audio"],
  },
  iphone: {
    ...macOS15,
    id: "iphone",
    name: "iPhone (iOS 18)",
    osVersion: "iPhone OS 18.6 (22G86)",
    osTrain: "iPhone OS 18.6",
    osBuild: "22G86",
    modelCode: "iPhone16,2",
    driverKit: false,
    userClientRules: "ipados",
    families: [],
  },
  open: {
    ...macOS15,
    id: "open",
    name: "open (no Apple rule applies)",
    userClientRules: "none",
    checksEntitlements: false,
    panicsOnPowerTimeout: false,
  },
};

/** "macOS 27 (as macOS 26; only that it has DriverKit 27.0 is recorded)". */
export function nameWithUnknowns({ name, unknownBut }: PlatformProfile): string {
  return unknownBut === null
    ? name
    : `${name} (as ${unknownBut.standsAs}: of ${name} only that ${unknownBut.recorded.join(" and that ")} is recorded, the rest is unknown)`;
}

/** By id; the error lists what there is. */
export function platformProfile(id: string): PlatformProfile {
  const profile = platformProfiles[id];
  if (profile === undefined) {
    throw new RangeError(`no platform "${id}"; there are: ${Object.keys(platformProfiles).join(", ")}`);
  }
  return profile;
}
