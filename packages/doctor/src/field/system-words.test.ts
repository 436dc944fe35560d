// The kernel's, launchd's and sysextd's words, and the numbers of activations: each said as what it is.
// After xnu-11417 (IOUserServer, IOService), forum threads 814055 and 824746, and public projects with arm64 drivers.

import { test } from "node:test";
import { assertField, type FieldCase } from "../test/field-check.ts";

const at = (second: string, text: string) =>
  `2026-11-20 10:00:${second}00000+0100 0x1a2b     Default     0x0                  0      0    ${text}\n`;
const kernel = (second: string, text: string) => at(second, `kernel: ${text}`);
const activation = (number: number) =>
  `request failed: The operation couldn’t be completed. (OSSystemExtensionErrorDomain error ${number}.)\n`;

const cases: Readonly<Record<string, FieldCase>> = {
  "Start ok and a count of 0: nothing is wrong": {
    files: {
      l:
        kernel("00.1", "Driver net.sample.lamp has crashed 0 time(s)") +
        kernel("00.2", "DK: LampDriver-0x10000aa::start(IOUSBHostDevice-0x10000ab) ok"),
    },
    never: [/crashed/, /failed/],
    isRight: true,
  },
  "Start of a PCI driver failed, with its own line in decimal": {
    files: {
      l:
        kernel("00.1", "(net.sample.hba.dext) hba: ConfigureInterrupts failed -536870206") +
        kernel("00.2", "DK: HbaDriver-0x10000aa::start(IOPCIDevice-0x10000ab) fail"),
    },
    first: "FX-START-FAIL",
    must: [
      /Start of HbaDriver on IOPCIDevice failed/,
      /ConfigureInterrupts failed -536870206/,
      /kIOReturnBadArgument/,
    ],
    never: [/did not match/],
  },
  "Start failed and the driver said nothing": {
    files: { l: kernel("00.1", "DK: Pad-0x1::start(AppleUserHIDDevice-0x2) fail") },
    first: "FX-START-FAIL",
    must: [/the driver's own lines just before/],
  },
  "the process lacks its executable bit": {
    files: {
      l: at(
        "00.1",
        'kernelmanagerd: Error launching dext net.sample.lamp: Error Domain=NSPOSIXErrorDomain Code=13 "Permission denied"',
      ),
    },
    first: "FX-LAUNCH",
    must: [/net\.sample\.lamp could not be started: Permission denied/, /Matching worked, launching did not/],
    never: [/entitlement is missing/],
  },
  "another kind of processor": {
    files: {
      l:
        at(
          "00.1",
          'kernelmanagerd: Error launching dext net.sample.lamp: Error Domain=NSPOSIXErrorDomain Code=86 "Bad CPU type in executable"',
        ) + kernel("00.2", "DK: Lamp-0x1 failed to launch server"),
    },
    must: [/lipo -archs/, /arm64e/],
  },
  "a process that ends before Start": {
    files: { l: kernel("00.1", "DK: Lamp-0x10000aa server exit before start()") },
    first: "FX-LAUNCH",
    must: [/ended before Start was called/],
  },
  "a personality without a class": {
    files: { l: kernel("00.1", "DK: no IOUserClass defined for LampNub") },
    first: "FX-LAUNCH",
    must: [/no IOUserClass/],
  },
  "instantiate failed": {
    files: { l: kernel("00.1", "DK: Lamp-0x10000aa instantiate failed 0xe00002bc") },
    first: "FX-LAUNCH",
    must: [/could not make the object/],
  },
  "an open after Stop of a HID driver": {
    files: {
      l: kernel(
        "00.1",
        "DK: IOUserServer(net.sample.pad-0x1)- PadDriver-0x2 blocked attempt to open IOHIDInterface-0x3",
      ),
    },
    first: "FX-OPEN-LATE",
    must: [/after its termination had begun/, /callback or a queue still worked in Stop/],
    never: [/held by/],
  },
  "three crashes": {
    files: { l: kernel("00.1", "Driver net.sample.lamp has crashed 3 time(s)") },
    first: "FX-CRASH-COUNT",
    must: [/has crashed 3 times/],
  },
  "an extension that did not pass, collected by a filter": {
    files: {
      l:
        'me@desk ~ % log stream | grep "net.sample.lamp"\n' +
        at("00.1", "sysextd: validating extension with identifier net.sample.lamp") +
        at("00.2", "sysextd: uninstalling invalid extension net.sample.lamp"),
    },
    first: "FX-INVALID",
    must: [/Validation of the extension net\.sample\.lamp failed/, /codesign -dvvv/, /amfid/],
    never: [/lines without a sender are lost/],
  },
  "launchd ends a job for its signature": {
    files: {
      l: at(
        "00.1",
        "launchd: [system/net.sample.helper [512]:] exited due to SIGKILL | OS_REASON_CODESIGNING",
      ),
    },
    first: "FX-KILLED",
    must: [/code signature/, /codesign/],
  },
  "a page that was replaced": {
    files: {
      l: kernel(
        "00.1",
        "CODE SIGNING: process 512[lampd]: rejecting invalid page at address 0x100 from offset 0",
      ),
    },
    first: "FX-KILLED",
    must: [/lampd's code does not fit its signature/],
  },
  "a launch constraint in the log": {
    files: {
      l: kernel(
        "00.1",
        "AMFI: Launch Constraint Violation (enforcing), error info: c[4]p[1]m[1]e[0], launching proc[vc: 1 pid: 9]: /Applications/X.app/X",
      ),
    },
    first: "FX-CONSTRAINT",
    must: [/launch constraint was broken/],
    never: [/signature is invalid/, /profile is missing/],
  },
  "a tool in CI that is killed, with its entitlements": {
    files: {
      "ci.log": "./probe --list\nProcess completed with exit code 137.\n",
      "probe.entitlements":
        '<?xml version="1.0"?><plist version="1.0"><dict><key>com.apple.developer.driverkit.userclient-access</key><array><string>net.sample.lamp</string></array></dict></plist>',
    },
    first: "FX-KILLED",
    must: [
      /killed at launch because of the restricted entitlement/,
      /Wrap the tool in an app bundle that embeds a profile/,
    ],
    never: [/FAILS/],
  },
  "4: an id that is not in the app": {
    files: { t: activation(4) },
    must: [/no extension of that id/, /to be done by you/],
  },
  "10: only the administrator can": {
    files: { t: activation(10) },
    must: [/to be done by the administrator of the Mac/, /allow the team id/, /driver extensions/],
    never: [/Number 9 is/, /higher CFBundleVersion/],
  },
  "13: somebody has to authorise": {
    files: { t: 'Error Domain=OSSystemExtensionErrorDomain Code=13 "(null)"' },
    must: [/authorise/, /administrator/],
    never: [/Number 9 is/],
  },
  "in French": {
    files: { t: "(OSSystemExtensionErrorDomain erreur 8.)" },
    must: [/a code signature is invalid/],
  },
  "in German with a hyphen": {
    files: { t: "(OSSystemExtensionErrorDomain-Fehler 3.)" },
    must: [/not in \/Applications/],
  },
  "in Japanese": {
    files: { t: "(OSSystemExtensionErrorDomainエラー10)" },
    must: [/administrator of the Mac/],
  },
  "by Swift's name": {
    files: { t: "failed: OSSystemExtensionError.validationFailed" },
    must: [/did not pass validation/],
  },
  "the domain in a sentence about a version says nothing": {
    files: { t: "OSSystemExtensionErrorDomain on macOS 15" },
    isRight: true,
  },
  "a list that is cut, and developer mode": {
    files: {
      t: "% systemextensionsctl developer\nDeveloper mode is off\n% systemextensionsctl list\n3 extension(s)\n--- com.apple.system_extension.network_extension\nzsh: abort      systemextensionsctl list\n",
    },
    first: "FX-LIST-CUT",
    must: [/3 extensions promised, 0 shown/, /Developer mode is off/],
    never: [/systemextensionsctl list > extensions\.txt/, /no extension is installed/],
  },
};

for (const [name, one] of Object.entries(cases)) test(name, () => assertField(one));
