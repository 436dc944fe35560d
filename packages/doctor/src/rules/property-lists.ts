// What a linter of property lists needs: the keys that DriverKit's matching and launching know, and their types.

/** Keys whose value is compared as a number. Text never equals a number. */
export const numberKeys: ReadonlySet<string> = new Set([
  ...["idVendor", "idProduct", "idProductMask", "bcdDevice", "bConfigurationValue", "bInterfaceNumber"],
  ...[
    "bDeviceClass",
    "bDeviceSubClass",
    "bDeviceProtocol",
    "bInterfaceClass",
    "bInterfaceSubClass",
    "bInterfaceProtocol",
  ],
  ...[
    "bAlternateSetting",
    "locationID",
    "IOProbeScore",
    "PrimaryUsage",
    "PrimaryUsagePage",
    "DeviceUsage",
    "DeviceUsagePage",
  ],
  ...["VendorID", "ProductID", "VersionNumber", "Peripheral Device Type"],
]);

/** Keys that a list holds as an array of numbers. */
export const numberListKeys: ReadonlySet<string> = new Set(["idProductArray"]);

export const booleanKeys: ReadonlySet<string> = new Set([
  ...["IOPCITunnelCompatible", "IOPCIPauseCompatible", "IOUserServerOneProcess", "IOMatchDefer"],
]);

/** PCI matches are text in base 16. */
export const textKeys: ReadonlySet<string> = new Set([
  ...[
    "IOPCIMatch",
    "IOPCIPrimaryMatch",
    "IOPCISecondaryMatch",
    "IOPCIClassMatch",
    "IOClass",
    "IOUserClass",
    "IOProviderClass",
  ],
  ...[
    "IOUserServerName",
    "CFBundleIdentifier",
    "CFBundleIdentifierKernel",
    "IOMatchCategory",
    "IOResourceMatch",
  ],
  ...["Vendor Identification", "Product Identification", "Product Revision Level"],
]);

/** Keys of a personality, for names that are nearly one of them. */
export const personalityKeys: readonly string[] = [
  ...numberKeys,
  ...numberListKeys,
  ...booleanKeys,
  ...textKeys,
  ...[
    "IOPropertyMatch",
    "IOParentMatch",
    "IONameMatch",
    "UserClientProperties",
    "DeviceUsagePairs",
    "Transport",
    "IOUserClientClass",
  ],
  ...["IOProviderMergeProperties", "IOServiceDEXTEntitlements", "Physical Interconnect"],
];

/** Keys that are read from the service, so from the personality, and never from the top of the list. */
export const serviceKeys: ReadonlySet<string> = new Set([
  ...[
    "UserClientProperties",
    "IOProviderClass",
    "IOUserClass",
    "IOClass",
    "IOUserServerName",
    "IOProbeScore",
    "IOMatchCategory",
  ],
  ...[
    "IOPropertyMatch",
    "IOResourceMatch",
    "IOPCIMatch",
    "IOPCIPrimaryMatch",
    "IOPCITunnelCompatible",
    "idVendor",
    "idProduct",
  ],
  ...["CFBundleIdentifierKernel", "IOUserClientClass"],
]);

/**
 * The kernel's class -> the kexts that samples and working drivers name for it (driverkit-families.md §10). HID's classes are
 * left out: drivers that work name com.apple.kpi.iokit for them, or nothing.
 */
export const kernelBundles: Readonly<Record<string, readonly string[]>> = {
  IOUserService: ["com.apple.kpi.iokit"],
  IOUserSerial: ["com.apple.driver.driverkit.serial"],
  IOUserUSBSerial: ["com.apple.driver.driverkit.serial"],
  IOUserSCSIParallelInterfaceController: ["com.apple.iokit.IOSCSIParallelFamily"],
  IOUserSCSIPeripheralDeviceType00: ["com.apple.iokit.IOSCSIBlockCommandsDevice"],
  IOUserSCSIPeripheralDeviceType05: ["com.apple.iokit.IOSCSIMultimediaCommandsDevice"],
  IOUserSCSIPeripheralDeviceType07: ["com.apple.iokit.IOSCSIBlockCommandsDevice"],
  IOUserNetworkEthernet: ["com.apple.iokit.IONetworkFamily", "com.apple.iokit.IOSkywalkFamily"],
  IOUserBlockStorageDevice: ["com.apple.iokit.IOStorageFamily"],
};

/** Classes that exist in a driver's process only -> the kernel's class that stands for them; the second: how sure. */
export const userSpaceClasses: ReadonlyMap<
  string,
  { readonly kernelClass: string; readonly isSure: boolean }
> = new Map(
  [
    ["IOUserHIDDevice", "AppleUserHIDDevice"],
    ["IOUserUSBHostHIDDevice", "AppleUserHIDDevice"],
    ["IOUserHIDEventDriver", "AppleUserHIDEventDriver"],
    ["IOUserHIDEventService", "AppleUserHIDEventService"],
    ["IOUserAudioDriver", "IOUserService"],
    ["IOUserAudioDevice", "IOUserService"],
    ["IOUserMIDIDriver", "IOUserService"],
    ["AppleUserUSBHostHIDDevice", "AppleUserHIDDevice"],
  ].map(([name, kernelClass]) => [name, { kernelClass, isSure: name.startsWith("IO") }]),
);

const driverKit = "com.apple.developer.driverkit";

/** What a provider asks of the driver that stands on it (driverkit-core.md §12). */
export const neededByProvider: Readonly<Record<string, string | undefined>> = {
  IOUSBHostDevice: `${driverKit}.transport.usb`,
  IOUSBHostInterface: `${driverKit}.transport.usb`,
  IOPCIDevice: `${driverKit}.transport.pci`,
  IOHIDInterface: `${driverKit}.transport.hid`,
};

/** What the kernel's class asks of the driver behind it. */
export const neededByFamily: Readonly<Record<string, string | undefined>> = {
  IOUserSerial: `${driverKit}.family.serial`,
  IOUserNetworkEthernet: `${driverKit}.family.networking`,
  IOUserSCSIParallelInterfaceController: `${driverKit}.family.scsicontroller`,
  AppleUserHIDDevice: `${driverKit}.family.hid.device`,
  AppleUserHIDEventService: `${driverKit}.family.hid.eventservice`,
};
