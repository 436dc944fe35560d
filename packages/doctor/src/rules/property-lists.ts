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

/** The kernel's class -> the kext that holds it. */
export const kernelBundles: Readonly<Record<string, string>> = {
  IOUserService: "com.apple.kpi.iokit",
  IOUserSerial: "com.apple.driver.driverkit.serial",
  IOUserUSBSerial: "com.apple.driver.driverkit.serial",
  IOUserSCSIParallelInterfaceController: "com.apple.iokit.IOSCSIParallelFamily",
  IOUserNetworkEthernet: "com.apple.iokit.IOUserNetworkingFamily",
  AppleUserHIDDevice: "com.apple.iokit.IOHIDFamily",
  AppleUserHIDEventDriver: "com.apple.iokit.IOHIDFamily",
  IOUserAudioDriver: "com.apple.iokit.IOAudio2Family",
};
