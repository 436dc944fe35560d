// Which devices a page asked for, and which no page may have: filters and the blocklist of WebUSB.

import type { USBBlocklistEntry, USBDevice, USBDeviceFilter } from "../../ports/web-usb.ts";

/** §Device Enumeration, "is a valid filter": null when it is, otherwise what is missing. */
export function problemOfFilter(filter: USBDeviceFilter): string | null {
  const { vendorId, productId, classCode, subclassCode, protocolCode } = filter;
  if (productId !== undefined && vendorId === undefined) return "productId needs vendorId beside it";
  if (subclassCode !== undefined && classCode === undefined) return "subclassCode needs classCode beside it";
  if (protocolCode !== undefined && subclassCode === undefined)
    return "protocolCode needs subclassCode beside it";
  return null;
}

interface ClassTriple {
  readonly classCode: number;
  readonly subclassCode: number;
  readonly protocolCode: number;
}

function matchesClass(filter: USBDeviceFilter, found: ClassTriple): boolean {
  return (
    found.classCode === filter.classCode &&
    (filter.subclassCode === undefined || found.subclassCode === filter.subclassCode) &&
    (filter.protocolCode === undefined || found.protocolCode === filter.protocolCode)
  );
}

/** §Device Enumeration, "matches a device filter": a class may be the device's or that of any interface's setting. */
export function matchesFilter(device: USBDevice, filter: USBDeviceFilter): boolean {
  if (filter.vendorId !== undefined && device.vendorId !== filter.vendorId) return false;
  if (filter.productId !== undefined && device.productId !== filter.productId) return false;
  if (filter.serialNumber !== undefined && device.serialNumber !== filter.serialNumber) return false;
  if (filter.classCode === undefined) return true;
  for (const { interfaces } of device.configurations) {
    for (const { alternates } of interfaces) {
      for (const setting of alternates) {
        const found = {
          classCode: setting.interfaceClass,
          subclassCode: setting.interfaceSubclass,
          protocolCode: setting.interfaceProtocol,
        };
        if (matchesClass(filter, found)) return true;
      }
    }
  }
  return matchesClass(filter, {
    classCode: device.deviceClass,
    subclassCode: device.deviceSubclass,
    protocolCode: device.deviceProtocol,
  });
}

/** §The USB Blocklist: one entry a line, `vendor:product[:newest release]` in hexadecimal, `#` begins a comment. */
export function parseBlocklist(text: string): USBBlocklistEntry[] {
  const entries: USBBlocklistEntry[] = [];
  for (const line of text.split("\n")) {
    const components = line.split("#")[0].trim().split(":");
    if (components.length !== 2 && components.length !== 3) continue;
    const [idVendor, idProduct, bcdDevice = 0xffff] = components.map((part) => Number.parseInt(part, 16));
    if ([idVendor, idProduct, bcdDevice].some(Number.isNaN)) continue;
    entries.push({ idVendor, idProduct, bcdDevice });
  }
  return entries;
}

export function isBlocklisted(device: USBDevice, blocklist: readonly USBBlocklistEntry[]): boolean {
  const release =
    (device.deviceVersionMajor << 8) | (device.deviceVersionMinor << 4) | device.deviceVersionSubminor;
  return blocklist.some(
    ({ idVendor, idProduct, bcdDevice }) =>
      device.vendorId === idVendor && device.productId === idProduct && release <= bcdDevice,
  );
}

/** Security keys that browsers keep from pages: blocklist.txt of the WebUSB repository, state of September 2021. */
export const publicBlocklist: readonly USBBlocklistEntry[] = parseBlocklist(`
  096e:0850 # FIDO keys of several makers
  096e:0852
  096e:0853
  096e:0854
  096e:0856
  096e:0858
  096e:085a
  096e:085b
  096e:0880
  09c3:0023
  1050:0010 # YubiKey
  1050:0018
  1050:0030
  1050:0110
  1050:0111
  1050:0112
  1050:0113
  1050:0114
  1050:0115
  1050:0116
  1050:0120
  1050:0200
  1050:0211
  1050:0401
  1050:0402
  1050:0403
  1050:0404
  1050:0405
  1050:0406
  1050:0407
  1050:0410
  10c4:8acf
  18d1:5026
  1a44:00bb
  1d50:60fc
  1e0d:f1ae
  1e0d:f1d0
  1ea8:f025
  20a0:4287
  24dc:0101
  2581:f1d0
  2abe:1002
  2ccf:0880
`);
