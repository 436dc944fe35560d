// Entitlements that drivers and their programs need: what each allows, which value it takes, who gets it.

export interface KnownEntitlement {
  readonly key: string;
  readonly allows: string;
  /** "true", "an array of dictionaries, such as ...". */
  readonly value: string;
  readonly form: "boolean" | "dictionaries" | "strings" | "string";
  readonly holder: "driver" | "app" | "either";
  readonly how: string;
}

const dk = "com.apple.developer.driverkit";
const selfService =
  "under Capabilities of the App ID for development, without approval; for distribution on request to Apple";
const family = (name: string, what: string, note = ""): KnownEntitlement => ({
  key: `${dk}.family.${name}`,
  allows: `a driver may join the ${what} family${note}`,
  value: "true",
  form: "boolean",
  holder: "driver",
  how: selfService,
});
const plain = (
  key: string,
  allows: string,
  holder: KnownEntitlement["holder"],
  how: string,
): KnownEntitlement => ({ key, allows, value: "true", form: "boolean", holder, how });

export const knownEntitlements: readonly KnownEntitlement[] = [
  plain(dk, "a process may be a driver extension at all; every driver needs it", "driver", selfService),
  {
    key: `${dk}.transport.usb`,
    allows: "a driver may attach to USB devices and interfaces that fit its value",
    value:
      "an array of dictionaries, such as [{idVendor = 4617}] or [{idVendor = 4617, idProduct = 7}]; in development profiles the wildcard",
    form: "dictionaries",
    holder: "driver",
    how: `${selfService}; Apple grants the ids of the maker itself`,
  },
  {
    key: `${dk}.transport.pci`,
    allows: "a driver may attach to PCI devices that fit its value",
    value:
      'an array of dictionaries with a match in base 16, such as [{IOPCIPrimaryMatch = "0x12341b36&0xffffffff"}]',
    form: "dictionaries",
    holder: "driver",
    how: selfService,
  },
  plain(
    `${dk}.transport.hid`,
    "a driver may attach to HID devices and their interfaces",
    "driver",
    selfService,
  ),
  family("audio", "audio"),
  family("hid.device", "HID device"),
  family("hid.eventservice", "HID event service"),
  family("midi", "MIDI"),
  family("networking", "networking"),
  family("scsicontroller", "SCSI controller", "; SCSI peripheral drivers need it too"),
  family("serial", "serial"),
  family("block-storage-device", "block storage device"),
  plain(
    `${dk}.allow-any-userclient-access`,
    "every program may open this driver's user client; the value is not looked at, the key is enough",
    "driver",
    "under Capabilities for development; for distribution on request",
  ),
  plain(
    `${dk}.allow-third-party-userclients`,
    "on iPadOS apps of other teams may open this driver",
    "driver",
    "under Capabilities of the driver's App ID",
  ),
  plain(
    `${dk}.communicates-with-drivers`,
    "on iPadOS the app may open drivers; it does nothing on macOS",
    "app",
    "under Capabilities of the app's App ID",
  ),
  {
    key: `${dk}.userclient-access`,
    allows: "the app may open the user clients of the drivers whose bundle ids it lists",
    value: "an array of bundle ids of drivers",
    form: "strings",
    holder: "app",
    how: "on request to Apple only; it has no development variant",
  },
  plain(
    `${dk}.builtin`,
    "a driver may attach to a PCI device that counts as built in",
    "driver",
    "a string in the value of transport.pci; Apple's own drivers",
  ),
  plain(
    "com.apple.developer.system-extension.install",
    "the app may ask the system to activate the extensions in its bundle",
    "app",
    "under Capabilities (System Extension), without approval",
  ),
  plain(
    "com.apple.developer.system-extension.uninstall",
    "the app may take away system extensions of others",
    "app",
    "on request to Apple",
  ),
  plain(
    "com.apple.developer.system-extension.redistributable",
    "the extension may be given on by others than its maker",
    "either",
    "under Capabilities",
  ),
  plain(
    "com.apple.developer.usb.host-controller-interface",
    "a program may publish a USB host controller of its own (IOUSBHostControllerInterface)",
    "app",
    "on request to Apple",
  ),
  plain(
    "com.apple.vm.device-access",
    "a program may take USB devices away from their drivers (capture)",
    "app",
    "Apple gives it to makers of virtual machines",
  ),
  plain(
    "com.apple.developer.hid.virtual.device",
    "a program may make virtual HID devices (IOHIDUserDevice)",
    "app",
    "on request to Apple",
  ),
  plain(
    "com.apple.security.device.usb",
    "a sandboxed program may use USB devices; it means nothing outside the App Sandbox",
    "app",
    "under App Sandbox in Xcode; no approval",
  ),
  plain(
    "com.apple.security.app-sandbox",
    "the program runs in the App Sandbox",
    "either",
    "in Xcode; no approval",
  ),
  plain(
    "com.apple.security.device.bluetooth",
    "a sandboxed program may use Bluetooth",
    "app",
    "under App Sandbox in Xcode",
  ),
  plain(
    "com.apple.security.device.serial",
    "a sandboxed program may use serial devices",
    "app",
    "under App Sandbox in Xcode",
  ),
  {
    key: "com.apple.security.temporary-exception.iokit-user-client-class",
    allows:
      "a sandboxed program may open user clients of the classes it lists (for drivers: IOUserUserClient)",
    value: "an array of class names",
    form: "strings",
    holder: "app",
    how: "in the entitlements file; the App Store asks why",
  },
  plain(
    "com.apple.security.get-task-allow",
    "debuggers may attach; development builds only",
    "either",
    "Xcode adds it to development builds",
  ),
  plain(
    "com.apple.security.cs.disable-library-validation",
    "libraries of other teams may be loaded",
    "either",
    "in Xcode, Hardened Runtime; no approval",
  ),
];

/** Keys that people shipped and that do not exist -> what was meant; null: nothing is. */
export const wrongEntitlements: Readonly<Record<string, string | null>> = {
  [`${dk}.usb.transport`]: `${dk}.transport.usb`,
  [`${dk}.pci.transport`]: `${dk}.transport.pci`,
  [`${dk}.hid.device`]: `${dk}.family.hid.device`,
  [`${dk}.hid.eventservice`]: `${dk}.family.hid.eventservice`,
  "com.apple.developer.system-extension.request": "com.apple.developer.system-extension.install",
  "com.apple.security.iokit-user-client-class":
    "com.apple.security.temporary-exception.iokit-user-client-class",
  [`${dk}.family.scsi-controller`]: `${dk}.family.scsicontroller`,
  [`${dk}.family.scsi`]: `${dk}.family.scsicontroller`,
  [`${dk}.family.scsiperipherals`]: `${dk}.family.scsicontroller`,
  [`${dk}.family.scsi-peripherals`]: `${dk}.family.scsicontroller`,
};

export function entitlementOf(key: string): KnownEntitlement | null {
  return knownEntitlements.find((one) => one.key.toLowerCase() === key.toLowerCase()) ?? null;
}
