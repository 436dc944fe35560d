// Codes of other parts of the system that people meet beside IOKit's: Mach, Security, shells, loaders, POSIX, kills.

import { endedProcessCodes } from "./ended-process-codes.ts";
import { kextCodes } from "./kext-codes.ts";
import { libusbWords } from "./libusb-words.ts";
import { type OtherCode, one } from "./other-code.ts";
import { unixCodes } from "./unix-codes.ts";

const amfiLog =
  "Read the lines of amfid and taskgated-helper in that second; codesign -dvvv --entitlements - and codesign --verify tell the rest.";
const keychain =
  "Unlock the keychain (security unlock-keychain), and let codesign use the key: security set-key-partition-list -S apple-tool:,apple:.";
const crash =
  "Look for the crash report in ~/Library/Logs/DiagnosticReports or /Library/Logs/DiagnosticReports.";

export const otherCodes: readonly OtherCode[] = [
  ...kextCodes,
  ...endedProcessCodes,
  ...unixCodes,
  ...libusbWords,
  // Mach messages: mach/message.h.
  one(
    "Mach",
    0x10000001,
    ["MACH_SEND_IN_PROGRESS"],
    "the message is still being sent",
    "Nothing: it is no end.",
  ),
  one(
    "Mach",
    0x10000002,
    ["MACH_SEND_INVALID_DATA"],
    "the message holds memory that cannot be read",
    "Check the buffers that the message points to.",
  ),
  one(
    "Mach",
    0x10000003,
    ["MACH_SEND_INVALID_DEST"],
    "the port is none: the service or the connection was not found, or is closed already",
    "Check that the service was found and opened before the call, and that the connection was not closed or the driver's process did not end.",
  ),
  one(
    "Mach",
    0x10000004,
    ["MACH_SEND_TIMED_OUT"],
    "the receiver's queue was full until the time was over",
    "The receiver hangs or is gone; look at its process.",
  ),
  one("Mach", 0x10000007, ["MACH_SEND_INTERRUPTED"], "the send was interrupted", "Send again."),
  one(
    "Mach",
    0x10000009,
    ["MACH_SEND_INVALID_REPLY"],
    "the reply port is none",
    "Check the reply port that was given.",
  ),
  one(
    "Mach",
    0x1000000a,
    ["MACH_SEND_INVALID_RIGHT"],
    "the message carries a right that the sender does not hold",
    "A port was given away or released before.",
  ),
  one(
    "Mach",
    0x10004002,
    ["MACH_RCV_INVALID_NAME"],
    "the port that is listened to is none",
    "It was released before the receive.",
  ),
  one(
    "Mach",
    0x10004003,
    ["MACH_RCV_TIMED_OUT"],
    "no message came within the time",
    "The sender hangs, or never had a reason to send.",
  ),
  one(
    "Mach",
    0x10004004,
    ["MACH_RCV_TOO_LARGE"],
    "the message is larger than the buffer",
    "Receive with a larger buffer.",
  ),
  one(
    "Mach",
    0x10004009,
    ["MACH_RCV_PORT_DIED"],
    "the port died while somebody waited on it: the other process ended",
    "Look for the other process's crash report.",
  ),
  // Security: SecBase.h, CSCommon.h.
  one(
    "Security",
    -2070,
    ["errSecInternalComponent"],
    "codesign could not use the key or the chain: the keychain is locked, codesign may not use the key, or an intermediate certificate of Apple is missing; entitlements play no part",
    `${keychain} Install Apple's current intermediate certificates (Worldwide Developer Relations).`,
  ),
  one(
    "Security",
    -25308,
    ["errSecInteractionNotAllowed"],
    "the keychain wants to ask somebody, and nobody can answer here (ssh, CI, launchd)",
    keychain,
  ),
  one(
    "Security",
    -25300,
    ["errSecItemNotFound"],
    "the item is not in the keychains that are searched",
    "security list-keychains; security find-identity -v -p codesigning.",
  ),
  one(
    "Security",
    -25299,
    ["errSecDuplicateItem"],
    "such an item is in the keychain already",
    "Take the old one out first.",
  ),
  one(
    "Security",
    -25293,
    ["errSecAuthFailed"],
    "the password or the right was refused",
    "Unlock the keychain with its own password.",
  ),
  // Launch Services: LaunchServices/LSInfo.h, as Apple documents its result codes.
  one(
    "LaunchServices",
    -10810,
    ["kLSUnknownErr"],
    "an app could not be started, for a reason that Launch Services does not know",
    crash,
  ),
  one(
    "LaunchServices",
    -10814,
    ["kLSApplicationNotFoundErr"],
    "no app is registered for this file, URL or bundle id",
    "Look whether the app lies where it should, and open it once from the Finder.",
  ),
  one(
    "LaunchServices",
    -10825,
    ["kLSIncompatibleSystemVersionErr"],
    "the app asks for another version of the system",
    "Compare LSMinimumSystemVersion of its Info.plist, and minos of its binary, with the system.",
  ),
  one(
    "LaunchServices",
    -10827,
    ["kLSNoExecutableErr"],
    "the app's bundle has no executable where its Info.plist names one",
    "Compare CFBundleExecutable with the file in Contents/MacOS.",
  ),
  one("Security", -128, ["errSecUserCanceled", "userCanceledErr"], "the user cancelled", "Ask again."),
  one(
    "Security",
    -67050,
    ["errSecCSReqFailed"],
    "the code does not fit the requirement that somebody asks of it",
    amfiLog,
  ),
  one(
    "Security",
    -67054,
    ["errSecCSBadResource"],
    "a sealed resource of the bundle is missing, added or changed",
    "Sign the bundle again after its last change; codesign --verify --deep -vvv names the file.",
  ),
  one(
    "Security",
    -67061,
    ["errSecCSSignatureFailed"],
    "the signature does not hold: code or signature was changed after signing",
    "Sign again, from the inside out.",
  ),
  one(
    "Security",
    -67062,
    ["errSecCSUnsigned"],
    "the code is not signed at all",
    "Sign it; what lies inside first.",
  ),
  one(
    "Security",
    -67671,
    ["amfid error -67671"],
    "the requirements for restricted entitlements were not met: no embedded profile authorises what the signature claims",
    amfiLog,
  ),
  one(
    "AppleMobileFileIntegrityError",
    -413,
    ["AppleMobileFileIntegrityError -413", "No matching profile found"],
    "no embedded profile authorises the restricted entitlements that the signature claims",
    "Decode the embedded profile (security cms -D -i embedded.provisionprofile), and compare its Entitlements with what codesign -d --entitlements - prints.",
  ),
  one(
    "AppleMobileFileIntegrityError",
    -423,
    ["AppleMobileFileIntegrityError -423"],
    "the file is signed ad hoc or by a chain that is not Apple's",
    "Sign with a development or Developer ID certificate.",
  ),
  // What a shell says.
  one(
    "exit",
    137,
    ["137", "exit code 137", "zsh: killed", "Killed: 9"],
    "the process was killed: 128 + SIGKILL. At launch that is the code signature or a restricted entitlement that no profile authorises (a bare executable cannot hold a profile), later mostly memory",
    "codesign -dvvv --entitlements - PROGRAM, and the lines of amfid in that second; a tool with a restricted entitlement has to be wrapped in an app bundle that embeds a profile.",
  ),
  one(
    "exit",
    139,
    ["139", "Segmentation fault: 11"],
    "the process touched memory that is not its own: 128 + SIGSEGV",
    crash,
  ),
  one(
    "exit",
    134,
    ["134", "Abort trap: 6", "zsh: abort"],
    "the process stopped itself: 128 + SIGABRT, an assertion or a missing library",
    crash,
  ),
  one(
    "exit",
    132,
    ["132", "Illegal instruction: 4"],
    "an instruction that this processor does not have, or a trap of Swift: 128 + SIGILL",
    crash,
  ),
  one(
    "exit",
    133,
    ["133", "Trace/BPT trap: 5", "zsh: trace trap"],
    "the process ran into a trap that a check put there: 128 + SIGTRAP",
    crash,
  ),
  one("exit", 138, ["138", "Bus error: 10"], "an access that the hardware refused: 128 + SIGBUS", crash),
  one(
    "exit",
    143,
    ["143", "Terminated: 15"],
    "somebody asked the process to end: 128 + SIGTERM",
    "Look for who: launchd, a timeout of CI, a person.",
  ),
  one("exit", 130, ["130"], "it was interrupted with control-C: 128 + SIGINT", "Nothing."),
  one(
    "exit",
    126,
    ["126"],
    "the file is there and cannot be executed: its x bits, or another processor",
    "chmod +x; lipo -archs FILE.",
  ),
  one(
    "exit",
    127,
    ["127", "command not found"],
    "there is no program of that name",
    "Look at PATH and at the spelling.",
  ),
  // Code signing as a reason of an end.
  one(
    "CODESIGNING",
    1,
    [
      "CODESIGNING 1",
      "Namespace CODESIGNING, Code 0x1",
      "Taskgated Invalid Signature",
      "Code Signature Invalid",
    ],
    "ended at launch by code signing, before any of its code ran: it was changed after signing, is not properly signed, or claims a restricted entitlement that no embedded profile allows",
    amfiLog,
  ),
  one(
    "CODESIGNING",
    2,
    ["CODESIGNING 2", "Namespace CODESIGNING, Code 0x2", "Invalid Page"],
    "a page of code does not fit the signature any more: the file was changed or replaced in place",
    "Install by writing a new file and renaming it; sign again.",
  ),
  one(
    "CODESIGNING",
    4,
    ["CODESIGNING 4", "Namespace CODESIGNING, Code 0x4", "Launch Constraint Violation"],
    "a launch constraint was broken: the signature is accepted, but the program may not be started by whom, or from where, it was",
    "Start it as its developer intends: by its app or by launchd.",
  ),
  one(
    "OS_REASON",
    null,
    ["OS_REASON_CODESIGNING"],
    "launchd says that the system ended the job for its code signature",
    amfiLog,
  ),
  one(
    "DYLD",
    1,
    ["DYLD 1", "Library missing", "Library not loaded"],
    "the dynamic linker did not find a library that somebody wants; Referenced from names who",
    "Look at Referenced from: it may be another product's library that is put into the process.",
  ),
  // Loaders, POSIX and launchd.
  one(
    "POSIX",
    1,
    ["NSPOSIXErrorDomain 1", "EPERM", "Operation not permitted"],
    "the system does not permit it: rights, sandbox, System Integrity Protection or a signature",
    "For a launch: the lines of amfid in that second.",
  ),
  one(
    "POSIX",
    2,
    ["NSPOSIXErrorDomain 2", "ENOENT", "No such file or directory"],
    "the file is not there: of a launch, the executable that CFBundleExecutable names",
    "Compare the name with the file in the bundle.",
  ),
  one(
    "POSIX",
    8,
    ["NSPOSIXErrorDomain 8", "ENOEXEC", "Exec format error"],
    "the executable has no slice that this Mac runs; a driver extension on Apple silicon has to be arm64e",
    "lipo -archs BINARY, or otool -hv BINARY.",
  ),
  one(
    "POSIX",
    13,
    ["NSPOSIXErrorDomain 13", "EACCES", "Permission denied"],
    "the file may not be used this way: of a launch, its executable bit is gone",
    "ls -l; chmod +x before signing.",
  ),
  one(
    "POSIX",
    16,
    ["EBUSY", "Resource busy", "NSPOSIXErrorDomain 16"],
    "somebody else uses it: a port is open, a disk is mounted",
    "lsof names the program; for USB ioreg -l -w0 shows the driver.",
  ),
  one(
    "POSIX",
    6,
    ["ENXIO", "Device not configured", "NSPOSIXErrorDomain 6"],
    "the device is gone, or was never set up",
    "Unplugged, or its driver ended: look at ioreg and at crash reports of the driver.",
  ),
  one(
    "POSIX",
    5,
    ["EIO", "Input/output error", "NSPOSIXErrorDomain 5"],
    "the transfer failed below the file",
    "Look at the driver's lines of the same second.",
  ),
  one(
    "POSIX",
    86,
    ["EBADARCH", "Bad CPU type in executable", "NSPOSIXErrorDomain 86"],
    "the executable is for another kind of processor",
    "lipo -archs BINARY.",
  ),
  one(
    "launchd",
    162,
    ["Launchd job spawn failed 162", "launchd 162"],
    "launchd could not start the job because its code signature or entitlements were refused",
    amfiLog,
  ),
  one(
    "launchd",
    163,
    ["Launchd job spawn failed 163", "launchd 163"],
    "launchd could not start the job because its code signature or entitlements were refused",
    amfiLog,
  ),
  // libusb.
  one(
    "libusb",
    -3,
    ["LIBUSB_ERROR_ACCESS"],
    "the device may not be opened: another client has it (kIOReturnExclusiveAccess), or rights are missing",
    "ioreg -l -w0 shows the driver below the interface; root, or an own driver extension that matches better.",
  ),
  one(
    "libusb",
    -6,
    ["LIBUSB_ERROR_BUSY"],
    "somebody else has claimed the interface",
    "Close the other program, or detach the kernel's driver as root.",
  ),
  one("libusb", -4, ["LIBUSB_ERROR_NO_DEVICE"], "the device is gone", "Unplugged, or it reset itself."),
  one(
    "libusb",
    -5,
    ["LIBUSB_ERROR_NOT_FOUND"],
    "there is no such device, interface or driver",
    "Compare the numbers with the descriptors.",
  ),
  one(
    "libusb",
    -7,
    ["LIBUSB_ERROR_TIMEOUT"],
    "the device did not finish in the time given",
    "A capture shows whether it answers with NAK.",
  ),
  one(
    "libusb",
    -9,
    ["LIBUSB_ERROR_PIPE"],
    "the endpoint answered STALL; on endpoint 0 the device refused this request",
    "Look at the request; on a pipe clear the halt.",
  ),
  one(
    "libusb",
    -12,
    ["LIBUSB_ERROR_NOT_SUPPORTED"],
    "this system does not do that",
    "On macOS detaching the kernel's driver needs root or com.apple.vm.device-access.",
  ),
  one(
    "libusb",
    -99,
    ["LIBUSB_ERROR_OTHER"],
    "libusb passes on an error that it has no name for",
    "The line before has the code of IOKit.",
  ),
];

/** States of `systemextensionsctl list`. */
export const extensionStates: readonly {
  readonly state: RegExp;
  readonly means: string;
  readonly rule: string;
}[] = [
  {
    state: /^activated enabled$/,
    means: "it is switched on: the driver is started when its device is there",
    rule: "",
  },
  {
    state: /^activated waiting for user$/,
    means:
      "it waits for the user's approval: System Settings, General, Login Items & Extensions, Driver Extensions (before macOS 15: Privacy & Security); until then it does not run",
    rule: "FX-APPROVAL",
  },
  {
    state: /^activated (?:disabled|waiting to be enabled)$/,
    means: "it is installed and switched off: the user has to switch it on in System Settings",
    rule: "FX-APPROVAL",
  },
  {
    state: /^(?:terminated )?waiting to uninstall on reboot$/,
    means: "an old version that goes at the next restart, and may still run until then",
    rule: "FX-TWO-VERSIONS",
  },
  {
    state: /^terminating for uninstall$/,
    means: "it is being taken away; a driver that hangs in Stop keeps it there",
    rule: "NT-824746",
  },
  {
    state: /^terminating for upgrade(?: via delegate)?$/,
    means:
      "an old version makes way for a new one; the same version activated twice gets stuck here, and number 4 follows",
    rule: "NT-824746",
  },
  { state: /^uninstalled$/, means: "it has been taken away", rule: "" },
  {
    state: /^realizing$|^staging$|^validating$/,
    means: "the system is looking at the bundle before it asks the user",
    rule: "NT-824746",
  },
];
