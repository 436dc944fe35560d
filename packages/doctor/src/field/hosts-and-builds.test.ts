// USB in the host's words, builds, property lists, codes in every form, and text that went through a mail or a page.
// After issues of libusb, hidapi, OpenOCD and dfu-util, and public Info.plists with numbers as text.

import { test } from "node:test";
import { assertField, type FieldCase } from "../test/field-check.ts";
import { plist } from "../test/samples.ts";

const refusal =
  "kernel: DK: LampUserClient-0x1000015a3:UC failed userclient-access check, needed bundle ID net.sample.lamp.driver";
const dext = (
  more: Readonly<Record<string, string | number | boolean>>,
  top: Readonly<Record<string, string>> = {},
) =>
  plist({
    CFBundleIdentifier: "net.sample.lamp",
    CFBundlePackageType: "DEXT",
    ...top,
    IOKitPersonalities: {
      Lamp: { IOClass: "IOUserService", IOUserClass: "Lamp", IOProviderClass: "IOUSBHostInterface", ...more },
    },
  });
const claims = (key: string, value: string) =>
  `<?xml version="1.0"?><plist version="1.0"><dict><key>com.apple.developer.driverkit</key><true/><key>${key}</key>${value}</dict></plist>`;
const dk = "com.apple.developer.driverkit";

const cases: Readonly<Record<string, FieldCase>> = {
  "a port that gives up, told once": {
    files: {
      d: "AppleUSB30XHCITypeCPort@01100000: AppleUSBHostPort::disconnect: persistent enumeration failures\n".repeat(
        3,
      ),
    },
    first: "FX-ENUMERATE",
    must: [/01100000 does not get through enumeration/],
    never: [/entitlement/],
  },
  "the same on Linux": {
    files: {
      d: "usb usb1-port2: unable to enumerate USB device\nusb 1-2: device not accepting address 9, error -71\n",
    },
    first: "FX-ENUMERATE",
  },
  "too much current": {
    files: { d: "AppleUSB20HubPort@14120000: over-current condition detected" },
    must: [/too much current/],
  },
  "pyusb may not open": {
    files: { t: "usb.core.USBError: [Errno 13] Access denied (insufficient permissions)" },
    first: "FX-HELD",
    must: [/another client/],
  },
  "a device that is held": {
    files: {
      t: "libusb: error [darwin_open] USBDeviceOpen: another process has device opened for exclusive access",
    },
    first: "FX-HELD",
    must: [/kIOReturnExclusiveAccess of USBDeviceOpen/, /com\.apple\.vm\.device-access/],
  },
  "an alternate setting in DriverKit": {
    files: { t: "SelectAlternateSetting(0) -> kUSBHostReturnPipeStalled" },
    first: "FX-SET-INTERFACE",
    never: [/memcpy/],
  },
  "a bulk pipe that was stalled after a time-out": {
    files: { t: "read: status 0xe00002d6\nread: AsyncIO failed 0xe0005000\n" },
    first: "FX-HALTED",
    must: [/ClearStall, then submit again/, /0xe00002d6/],
    never: [/DR02-1/, /SETUP bytes/],
  },
  "hidapi may not open a keyboard": {
    files: {
      t: "hid_open_path: failed to open IOHIDDevice from mach entry: (0xE00002E2) (iokit/common) not permitted",
    },
    first: "FX-HID-OPEN",
    must: [/Input Monitoring/],
    never: [/userclient-access/, /NewUserClient/],
  },
  "the manager of HID devices": {
    files: { t: "IOHIDManagerOpen returned -536870174" },
    first: "FX-HID-OPEN",
    never: [/NewUserClient/],
  },
  "a harmless message, twice": {
    files: {
      t: "system_profiler[9:1] SPUSBDevice: IOCreatePlugInInterfaceForService failed 0xe00002be\n".repeat(2),
    },
    never: [/ran out/],
    isRight: true,
  },
  "Apple's own CDC driver was opened": {
    files: {
      t: "kernel: DK: AppleUSBCDCACMData-0x1:UC failed userclient-access check, needed bundle ID com.apple.DriverKit-AppleUSBCDC\n",
    },
    must: [/Apple's own driver/, /CFBundleIdentifier property/],
    never: [/For shipping: request/, /put com\.apple\.developer\.driverkit\.allow-any/],
  },
  "codesign over ssh": {
    files: { t: "lamp.dext: User interaction is not allowed.\n" },
    must: [/may not ask for the keychain's password/],
    never: [/profile is/],
  },
  "attributes of Finder": {
    files: { t: "Lamp.app: resource fork, Finder information, or similar detritus not allowed" },
    must: [/xattr -cr/],
  },
  "no profile for an App ID": {
    files: { t: "error: No profiles for 'net.sample.lamp' were found: Xcode couldn't find any" },
    must: [/No profile was found for net\.sample\.lamp/],
  },
  "a kext that was not approved": {
    files: {
      t: 'Error Domain=KMErrorDomain Code=27 "Extension with identifiers net.sample.k not approved to load."',
    },
    must: [/has not approved it/],
  },
  "an interface number as text": {
    files: { i: dext({ bInterfaceNumber: "1", idVendor: 4660 }) },
    first: "FX-PLIST",
    must: [/bInterfaceNumber .* must be an integer \(1\)/],
  },
  "a class in hexadecimal text": {
    files: { i: dext({ bInterfaceClass: "0xff" }) },
    must: [/an integer \(255\)/],
  },
  "a tunnel key as text": {
    files: { i: dext({ IOPCITunnelCompatible: "YES" }) },
    must: [/must be true or false/],
  },
  "a key in another letter case": { files: { i: dext({ IdVendor: 4660 }) }, must: [/meant is idVendor/] },
  "a match at the top of the list": {
    files: { i: dext({}, { IOPCIPrimaryMatch: "0x12341b36" }) },
    must: [/IOPCIPrimaryMatch stands at the top of the Info\.plist/],
  },
  "two words of an entitlement swapped": {
    files: { e: claims(`${dk}.pci.transport`, "<array/>") },
    must: [
      /pci\.transport is no known entitlement; meant is com\.apple\.developer\.driverkit\.transport\.pci/,
    ],
  },
  "a family of SCSI in another spelling": {
    files: { e: claims(`${dk}.family.scsiperipherals`, "<true/>") },
    must: [/meant is com\.apple\.developer\.driverkit\.family\.scsicontroller/],
  },
  "PCI transport is true": {
    files: { e: claims(`${dk}.transport.pci`, "<true/>") },
    must: [/must be an array of dictionaries/],
    never: [/in order/],
  },
  "a vendor id as text in an entitlement": {
    files: {
      e: claims(
        `${dk}.transport.usb`,
        "<array><dict><key>idVendor</key><string>4660</string></dict></array>",
      ),
    },
    must: [/integers/],
  },
  "a family as a string": {
    files: { e: claims(`${dk}.family.serial`, "<string>true</string>") },
    must: [/must be true, and is the string/],
  },
  "unsigned, from Swift": {
    files: { t: "IOServiceOpen -> 3758097095" },
    must: [/0xe00002c7/, /IOServiceOpen answered kIOReturnUnsupported/],
  },
  "hex that does not fit its decimal": {
    files: { t: "IOServiceOpen\n-536870174 (0xE00002E3)\n" },
    must: [/kIOReturnNotPermitted/, /does not fit/],
    never: [/which call answered/],
  },
  "a name that does not fit its hex": {
    files: { t: "open failed: 0xe00002c5 kIOReturnNotPermitted" },
    must: [/kIOReturnExclusiveAccess/, /kIOReturnNotPermitted, which does not fit/],
  },
  "a digit too many": {
    files: { t: "failed with error -5368702033" },
    must: [/probably -536870203/],
    isRight: true,
  },
  "wrapped and quoted by a mail": {
    files: {
      m: `> > 2026-03-04 10:11:12.131415+0100 0x3c8      Default     0x0\n> > 0      0    ${refusal.slice(0, refusal.indexOf(" failed"))}\n> > ${refusal.slice(refusal.indexOf("failed"))}\n`,
    },
    first: "DR20-1",
    must: [/names net\.sample\.lamp\.driver/],
  },
  "in a page with tags and entities": {
    files: { h: `<pre><span class="x">${refusal}</span></pre>` },
    must: [/names net\.sample\.lamp\.driver\./],
    never: [/<\/?span/],
  },
  "in bold of a chat": {
    files: { h: refusal.replace("net.sample", "**net.sample").concat("**") },
    must: [/names net\.sample\.lamp\.driver\./],
  },
  "with typographer's quotes": {
    files: { t: "error: “Lamp” requires a provisioning profile." },
    must: [/No profile is chosen for target Lamp/],
  },
  "with a terminal's colours": {
    files: { t: `\x1b[31m${refusal}\x1b[0m` },
    must: [/names net\.sample\.lamp\.driver\./],
  },
};

for (const [name, one] of Object.entries(cases)) test(name, () => assertField(one));
