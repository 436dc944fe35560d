// Words as people write them after reading an error, each with what must be said; sources: posts.md and public issues.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { explainPhrase } from "./explain.ts";

const exclusive = /0xe00002c5 .*kIOReturnExclusiveAccess/;
const words: readonly (readonly [phrase: string, said: RegExp])[] = [
  ["kIOReturnExclusiveAccess", exclusive],
  ["0xE00002C5", exclusive],
  ["e00002c5", exclusive],
  ["3758097093", exclusive],
  ["-536870203", exclusive],
  ["kioreturnexclusiveaccess", exclusive],
  ["0xe00002e2", /kIOReturnNotPermitted[\s\S]*IOServiceOpen/],
  ["kIOReturnNotPermited", /did you mean kIOReturnNotPermitted/],
  ["0xe0005000", /kUSBHostReturnPipeStalled/],
  ["kUSBHostReturnPipeStalled", /ClearStall/],
  ["-536870212 (0xE00002EC)", /kIOReturnError[\s\S]*0xE00002EC, which does not fit/],
  [
    "-536870201 kIOReturnNotPermitted",
    /kIOReturnUnsupported[\s\S]*kIOReturnNotPermitted, which does not fit/,
  ],
  ["-546870203", /probably -536870203 was meant/],
  ["0xe00002ff", /no name of IOKit/],
  // Launch Services, which answers a test program that does not start.
  ["-10810", /kLSUnknownErr \(LaunchServices -10810\)/],
  ["kLSNoExecutableErr", /no executable where its Info\.plist names one/],
  ["MIG_SERVER_DIED", /dext process went away/],
  // Words of the neighbours: signals, errno, libusb, kernel calls, numbers with zeros or a sign of 64 bits before them.
  ["SIGBUS", /past the end of a mapped file/],
  ["signal 9", /killed and could not object/],
  ["POSIX 22", /an argument does not fit/],
  ["errno 61", /nobody listens/],
  ["EINVAL", /POSIX 22/],
  ["Inappropriate ioctl for device", /does not know this control/],
  ["NSPOSIXErrorDomain Code=60", /no answer came/],
  ["LIBUSB_ERROR_IO", /failed on the bus/],
  ["libusb -8", /babble/],
  ["kern_return 5", /KERN_FAILURE/],
  ["0x00000000e00002c5", /kIOReturnExclusiveAccess/],
  ["0xffffffffe00002c5", /kIOReturnExclusiveAccess/],
  ["0", /Operation succeeded/],
  ["KERN_INVALID_ADDRESS", /not mapped/],
  ["0x10000003", /MACH_SEND_INVALID_DEST.*port is none/],
  ["MACH_SEND_INVALID_DEST", /not found, or is closed/],
  [
    "OSSystemExtensionErrorDomain 10",
    /to be done by the administrator of the Mac|To be done by the administrator/,
  ],
  ["OSSystemExtensionErrorDomain error 4", /no extension of that id.*two entries/],
  ["OSSystemExtensionErrorDomain Code=9", /validation/],
  ["OSSystemExtensionErrorDomain-Fehler 3", /Applications/],
  ["OSSystemExtensionError.validationFailed", /\b9\b/],
  ["forbiddenBySystemPolicy", /administrator/],
  ["OSSystemExtensionErrorDomain", /13: somebody has to authorise/],
  ["OSSystemExtensionErrorDomain 77", /not one of the numbers/],
  ["errSecInternalComponent", /keychain is locked[\s\S]*intermediate certificate/],
  ["-2070", /errSecInternalComponent/],
  ["errSecInteractionNotAllowed", /nobody can answer/],
  ["KMErrorDomain 71", /arm64e/],
  ["KMErrorDomain Code=27", /approve/i],
  ["kext load failed: -603947007", /general error/],
  ["137", /128 \+ SIGKILL/],
  ["exit code 137", /restricted entitlement/],
  ["zsh: killed", /SIGKILL/],
  ["Abort trap: 6", /SIGABRT/],
  ["Segmentation fault: 11", /SIGSEGV/],
  ["NSPOSIXErrorDomain Code=8", /arm64e/],
  ["Exec format error", /slice/],
  ["POSIX 13", /executable bit/],
  ["CODESIGNING 1", /before any of its code ran/],
  ["Namespace CODESIGNING, Code 0x1", /not properly signed/],
  ["Code Signature Invalid", /code signing/],
  ["CODESIGNING 4", /launch constraint/],
  ["Launch Constraint Violation", /launch constraint/],
  ["OS_REASON_CODESIGNING", /code signature/],
  ["AppleMobileFileIntegrityError Code=-413", /no embedded profile/i],
  ["LIBUSB_ERROR_ACCESS", /another client has it/],
  ["LIBUSB_ERROR_PIPE", /STALL/],
  ["com.apple.developer.driverkit", /every driver needs it/],
  ["com.apple.developer.driverkit.transport.usb", /array of dictionaries/],
  ["transport.usb", /array of dictionaries/],
  ["com.apple.developer.driverkit.family.audio", /audio family/],
  ["com.apple.developer.driverkit.family.scsicontroller", /peripheral drivers need it too/],
  ["com.apple.developer.driverkit.userclient-access", /no development variant/],
  ["com.apple.developer.system-extension.install", /activate the extensions/],
  [
    "com.apple.developer.driverkit.usb.transport",
    /Did you mean com\.apple\.developer\.driverkit\.transport\.usb/,
  ],
  [
    "com.apple.developer.system-extension.request",
    /Did you mean com\.apple\.developer\.system-extension\.install/,
  ],
  [
    "com.apple.developer.driverkit.family.seriall",
    /Did you mean com\.apple\.developer\.driverkit\.family\.serial/,
  ],
  ["com.apple.vm.device-access", /virtual machines/],
  ["com.apple.security.device.usb", /App Sandbox/],
  ["activated waiting for user", /FX-APPROVAL/],
  ["[activated enabled]", /switched on/],
  ["terminated waiting to uninstall on reboot", /next restart/],
  ["terminating for upgrade via delegate", /same version activated twice/],
  ["DR20-1", /userclient-access/],
  ["fx-approval", /user's approval/],
  ["DK: PadUserClient-0x1:UC entitlements check failed", /DR20-2/],
  ["DK: Pad-0x100000abc failed to launch server", /launching did not/],
  ['"Pad" requires a provisioning profile.', /No profile is chosen for target Pad/],
  [
    "sysextd: uninstalling invalid extension org.example.pad",
    /Validation of the extension org\.example\.pad failed/,
  ],
  ["another process has device opened for exclusive access USBInterfaceOpen", /exclusive|another client/i],
  ["resource fork, Finder information, or similar detritus not allowed", /xattr -cr/],
];

for (const [phrase, said] of words)
  test(`explain: ${phrase}`, async () => {
    const text = await explainPhrase(phrase);
    assert.match(text ?? "nothing", said);
  });

test("a word that the kext loader has too says nothing of it inside of another phrase", async () => {
  for (const phrase of [
    "requires KPI com.apple.kpi.unsupported",
    "clang internal error",
    "link error in Xcode",
  ])
    assert.doesNotMatch((await explainPhrase(phrase)) ?? "", /kOSKext/, phrase);
  assert.match((await explainPhrase("(libkern/kext) link error")) ?? "", /kOSKextReturnLinkError/);
});

test("what nobody knows is said to be unknown, whatever it is", async () => {
  for (const phrase of ["", "   ", "blah blub", "grüße", "\u0000", "(((", "x".repeat(4000)])
    assert.equal(await explainPhrase(phrase), null, phrase.slice(0, 20));
});

/** What must be said of each row of explain-words.json, in its order. */
const saidOf: readonly RegExp[] = [
  /kIOReturnBadArgument/,
  /kIOReturnNotPermitted[\s\S]*userclient-access|IOServiceOpen/,
  /kIOReturnExclusiveAccess/,
  /kIOReturnUnsupported[\s\S]*NewUserClient/,
  /kIOReturnNoMemory/,
  /safe mode/,
  /NotLoadable[\s\S]*not approved/,
  /StartStopError[\s\S]*start routine/,
  /kernel collection could not be read[\s\S]*no kernel extension is at fault/,
  /errSecCSUnsigned/,
  /Developer ID for kernel extensions/,
  /revoked/,
  /another client has it/,
  /another client has it/,
  /another client has it/,
  /kIOReturnExclusiveAccess/,
  /com\.apple\.vm\.device-access/,
  /LIBUSB_ERROR_NOT_SUPPORTED/,
  /extended attributes/,
  /added, taken away or changed after/,
  /does not hold/,
  /intermediate certificate/,
  /Input Monitoring/,
  /kIOReturnNotPermitted/,
  /kIOReturnNotPermitted/,
  /Input Monitoring/,
  /kIOReturnNotPermitted[\s\S]*says kIOReturnNoDevice, which does not fit/,
  /Input Monitoring/,
  /Gatekeeper/,
  /list is not whole/,
  /symbol of the kernel/,
  /another client has it open/,
  /service was not found, or has gone/,
  /not for this kind of access/,
  /access is not allowed/,
  /not mapped/,
  /abort\(\)/,
  /guarded port/,
  /assertion/,
  /built for a newer system/,
  /did not find a library/,
  /code signing/,
  /watchdog/,
  /end of the disk/,
  /somebody else uses it/,
  /kIOUSBPipeStalled/,
  /0xe000404f/,
  /kIOUSBTransactionTimeout/,
  /Transaction timed out/,
  /kIOReturnNotResponding/,
  /stopped answering/,
  /cancelled before completion/,
  /kIOReturnAborted/,
  /never got a descriptor/,
  /no signature at all/,
  /requirement/,
  /sealed resource/,
  /no bundle as it should be/,
  /certificate with its private key/,
  /Did you mean com\.apple\.developer\.driverkit\.transport\.pci\?/,
  /apps of other teams/,
  /waits for the user's approval/,
  /next restart/,
  /switched off/,
  /code signature is invalid/,
  /unknown reason/,
  /userclient-access/,
  /process did not come up/,
];

test("words of public threads, listed before the code that answers them", async () => {
  const rows = JSON.parse(
    readFileSync(new URL("./test/explain-words.json", import.meta.url), "utf8"),
  ) as readonly (readonly [phrase: string, source: string])[];
  assert.equal(rows.length, saidOf.length);
  assert.ok(rows.length + words.length >= 120);
  for (const [index, [phrase]] of rows.entries())
    assert.match((await explainPhrase(phrase)) ?? "not known", saidOf[index], phrase);
});

test("a kind of device: where it works, through what, how sure, and on which day that was looked up", async () => {
  for (const [phrase, line] of [
    ["CDC-NCM", /iPhone with USB-C: built in \(established\)/],
    ["does FTDI work on iPhone?", /iPhone with USB-C: no \(established\): no driver extensions there/],
    ["MFi accessory", /iPhone with USB-C: app \(established\): EASession/],
    ["raw hid", /iPad with an M chip.*: unknown \(unknown\)/],
  ] as const) {
    const text = await explainPhrase(phrase);
    assert.match(text ?? "", line, phrase);
    assert.match(text ?? "", /Looked up on 20\d\d-\d\d-\d\d\. Source: /, phrase);
  }
  // A sentence that names a device on its way to something else is not about where devices work.
  assert.doesNotMatch(
    (await explainPhrase(
      "kernel: my keyboard driver failed to match IOHIDDevice with error nothing known",
    )) ?? "",
    /Looked up on/,
  );
});
