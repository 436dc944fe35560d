// Superclasses of the kernel classes that drivers match on: a dump names the class of an entry alone.

/** Class -> its superclasses, nearest first, without IOService (driverkit-core.md §11; public headers). */
const known: Readonly<Record<string, readonly string[]>> = {
  IOSCSILogicalUnitNub: ["IOSCSIPeripheralDeviceNub"],
  IOSCSIHierarchicalLogicalUnit: ["IOSCSIPeripheralDeviceNub"],
  IOSCSIParallelInterfaceDevice: ["IOSCSIProtocolServices"],
};

/** `className` and what it is too, as far as it is known. */
export function classChainOf(className: string): readonly string[] {
  return className === "IOService" ? [className] : [className, ...(known[className] ?? []), "IOService"];
}
