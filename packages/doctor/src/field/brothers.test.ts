// More instances of the field's kinds: the same fault in another program's words, on another path, in another format.

import { test } from "node:test";
import { assertField, type FieldCase } from "../test/field-check.ts";
import { panicOf } from "../test/samples.ts";

const row = (text: string) =>
  `2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    ${text}\n`;

const cases: Readonly<Record<string, FieldCase>> = {
  // Kind 4: how it was collected is never above what failed.
  "a log filtered by sender, with a refusal in it": {
    files: {
      t: `log show --last 5m --predicate 'sender == "net.sample.lamp.driver.dext"'\n${row("kernel: DK: LampUC-0x1:UC failed userclient-access check, needed bundle ID net.sample.lamp.driver")}`,
    },
    first: "DR20-1",
  },
  "a log filtered by subsystem, with a launch that failed": {
    files: {
      t: `log stream --predicate 'subsystem == "net.sample.lamp.driver"'\n${row("kernel: DK: Lamp-0x1 failed to launch server")}`,
    },
    first: "FX-LAUNCH",
  },
  "a log filtered by process, with a Start that failed": {
    files: {
      t: `log show --predicate 'process == "net.sample.lamp.driver"'\n${row("kernel: DK: Lamp-0x1::start(IOPCIDevice-0x2) fail")}`,
    },
    first: "FX-START-FAIL",
  },
  "a log filtered by grep, with an activation that was refused": {
    files: {
      t: 'log show --last 10m | grep "net.sample.lamp"\ndidFailWithError: OSSystemExtensionErrorDomain Code=8 "(null)"\n',
    },
    first: "NT-814055",
  },
  // Kind 5.
  "Apple's own audio driver was opened": {
    files: {
      l: row(
        "kernel: DK: AppleUSBDA-0x1:UC failed userclient-access check, needed bundle ID com.apple.DriverKit-AppleUSBDA",
      ),
    },
    first: "DR20-1",
    must: [/Apple's own driver/],
    never: [/it needs one that names com\.apple/],
  },
  // Kind 6; the first two lines are xnu's and amfid's of an app that was signed ad hoc.
  "the kernel names the entitlements that nobody authorises": {
    files: {
      l: row(
        "kernel: mac_vnode_check_signature: /Library/SystemExtensions/A/net.sample.lamp.driver.dext/net.sample.lamp.driver: code signature validation failed fatally: When validating /Library/x: Code has restricted entitlements, but the validation of its code signature failed. Unsatisfied Entitlements: com.apple.developer.driverkit.transport.usb",
      ),
    },
    first: "DR04-1",
    must: [/net\.sample\.lamp\.driver claims com\.apple\.developer\.driverkit\.transport\.usb/],
  },
  "amfid does not know the signer": {
    files: {
      l: row(
        'amfid: /Applications/Lamp.app/Contents/MacOS/Lamp not valid: Error Domain=AppleMobileFileIntegrityError Code=-423 "The file is adhoc signed or signed by an unknown certificate chain"',
      ),
    },
    first: "FX-KILLED",
    must: [/signed ad hoc or by a chain/],
  },
  "a page of code, in the words of a newer report": {
    files: {
      c: "Process:               Lamp [3]\nPath:                  /Applications/Lamp.app/Contents/MacOS/Lamp\nIdentifier:            net.sample.lamp\n\nException Type:        EXC_BAD_ACCESS (SIGKILL (Code Signature Invalid))\nTermination Reason:    CODESIGNING 2 Invalid Page\n\nThread 0 Crashed:\n0   Lamp   0x000000010bb1a000 main + 0\n",
    },
    first: "FX-KILLED",
    must: [/a page of its code/],
  },
  // Kind 8.
  "a bridge of PCIe": {
    files: {
      p: panicOf(
        "apciec[0:pcic0-bridge]::handleInterrupt: Request address is greater than 32 bits linksts=0x99000001 pcielint=0x00020000",
      ),
    },
    first: "FX-PANIC",
    must: [/PCIe bridge/, /the device's maker/],
  },
  "the chip's own watchdog": {
    files: {
      p: panicOf("Unexpected SoC (system) watchdog reset occurred after panic diagnostics were completed"),
    },
    first: "FX-PANIC",
    must: [/chip's own watchdog/],
  },
  // Kind 12.
  "a port that cannot make a device, without its place": {
    files: { l: row("kernel: AppleUSBHostPort::createDevice: failed to create device (0xe00002ed)") },
    first: "FX-ENUMERATE",
  },
  "the older family has trouble": {
    files: {
      l: row(
        "kernel: USBF: 12.3 The IOUSBFamily is having trouble enumerating a USB device that has been plugged in. It will keep retrying.",
      ),
    },
    first: "FX-ENUMERATE",
  },
  "libusb on Linux has no rights": {
    files: { t: "Cannot open device 0483:df11: LIBUSB_ERROR_ACCESS\n" },
    first: "FX-HELD",
    must: [/on Linux the rights/],
    never: [/kIOReturnExclusiveAccess: another client/],
  },
  "a claimed interface on Linux": {
    files: { t: "usb.core.USBError: [Errno 16] Resource busy\n" },
    first: "FX-HELD",
    must: [/is taken/],
  },
  // Kind 14: what was read is told, whether or not a cause is known.
  "a shopping list": {
    files: { t: "milk\nbread\neggs\n" },
    isRight: true,
    must: [/I don't know the cause/, /t: text, with nothing in it that is a report or a list/],
  },
  "pictures beside a list of extensions": {
    files: {
      a: Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...new Array(200).fill(0)]),
      b: Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...new Array(200).fill(1)]),
      l: "1 extension(s)\n--- com.apple.system_extension.driver_extension\n*\t*\tAB12CD34EF\tnet.sample.lamp (1.0/1)\tLamp\t[activated enabled]\n",
    },
    isRight: true,
    must: [
      /list of system extensions, 1 promised, 1 shown: net\.sample\.lamp/,
      /a and 1 more: not read: binary/,
    ],
  },
  "a phone's panic, and none of a Mac's tools": {
    files: { p: panicOf("Debugger: something new", { product: "iPhone15,2" }) },
    must: [/iPhone's panic report, iPhone15,2/],
    never: [/ioreg|systemextensionsctl|log show/],
  },
  "entitlements alone": {
    files: {
      e: '<?xml version="1.0"?>\n<plist version="1.0"><dict><key>com.apple.developer.driverkit</key><true/><key>com.apple.developer.driverkit.family.serial</key><true/></dict></plist>\n',
    },
    must: [/e: entitlements of a driver: .*family\.serial/],
    never: [/FAILS|there is no profile/],
  },
  "a tree is one line, with its classes": {
    files: Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [
        `s${index}.iig`,
        `#include <DriverKit/IOService.iig>\nclass Part${index} : public IOService\n{\npublic:\n    virtual kern_return_t Start(IOService * provider) override;\n};\n`,
      ]),
    ),
    must: [/and 7 more: source, classes: Part0, Part1/],
  },
  // Kind 16.
  "an Xcode without the SDK": {
    files: { t: 'xcodebuild: error: SDK "driverkit21.4" cannot be located.\n' },
    first: "FX-NO-PROFILE",
    must: [/has no SDK "driverkit21\.4"/],
  },
  "a profile that has expired, by Xcode": {
    files: {
      t: "error: Provisioning profile \"Lamp Dev\" has expired. (in target 'Lamp' from project 'Lamp')\n",
    },
    first: "FX-NO-PROFILE",
    must: [/"Lamp Dev" has expired/],
  },
  "something beside Contents": {
    files: { t: "Lamp.dext: unsealed contents present in the bundle root\n" },
    first: "FX-CODESIGN",
    must: [/beside Contents/],
  },
  "the notary service and the hardened runtime": {
    files: { t: "The executable does not have the hardened runtime enabled.\n" },
    first: "FX-CODESIGN",
    must: [/options runtime/],
  },
  // Kind 17.
  "hex in words after its decimal, and they differ": {
    files: { t: "The call to IOServiceOpen returned -536870174 (which is 0xE00002C5)\n" },
    must: [/0xE00002C5, which does not fit that number/],
  },
};

for (const [name, one] of Object.entries(cases)) test(name, () => assertField(one));
