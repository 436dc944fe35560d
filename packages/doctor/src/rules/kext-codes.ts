// What the loader of kernel extensions answers: OSKextReturn numbers, KMErrorDomain, signatures it refuses.

import { type OtherCode, one } from "./other-code.ts";

const log = "Read the line after it, or kmutil log: it has the reason.";
const vendor = "Get a version for this system from its vendor; most have moved to driver extensions.";

/** libkern/OSKextLib.h: err_system(0x37), sub 2; the words are what mach_error_string prints. */
const loader: readonly (readonly [
  number: number,
  name: string,
  words: string,
  means: string,
  fix: string,
])[] = [
  [0x01, "InternalError", "internal error", "a general error of the loader", log],
  [0x02, "NoMemory", "memory allocation failure", "the loader had no memory", "Restart the Mac."],
  [0x04, "NotPrivileged", "caller is not privileged", "the caller is not root", "sudo."],
  [
    0x06,
    "NotFound",
    "bundle/binary not found",
    "the bundle or its executable is not where it should be",
    log,
  ],
  [0x09, "Unsupported", "unsupported", "the loader does not do that on this system", vendor],
  [
    0x0b,
    "NotAKext",
    "not a kext bundle",
    "what was named is no kernel extension",
    "Look at the bundle: Contents/Info.plist with CFBundlePackageType KEXT.",
  ],
  [
    0x0c,
    "Validation",
    "validation failures",
    "the bundle is not as it should be",
    "kmutil log names the key.",
  ],
  [
    0x0d,
    "Authentication",
    "authentication failures",
    "owner, rights or signature were refused",
    "Its files belong to root:wheel and nobody else may write them; the signature needs a Developer ID for kernel extensions.",
  ],
  [
    0x0e,
    "Dependencies",
    "dependency resolution failures",
    "a library that it names in OSBundleLibraries is not there",
    log,
  ],
  [
    0x0f,
    "ArchNotFound",
    "requested architecture/executable not found",
    "it has no code for this Mac's processor",
    vendor,
  ],
  [
    0x10,
    "Cache",
    "cache/collection failure",
    "the kernel collection cannot be used",
    "Restart; then kmutil log.",
  ],
  [
    0x12,
    "BootLevel",
    "not loadable at this boot level",
    "the Mac runs in safe mode, where no kernel extension of another vendor is loaded",
    "Restart normally.",
  ],
  [
    0x13,
    "NotLoadable",
    "not loadable (reason unspecified)",
    "it may not be loaded: not approved, not staged, or refused by the security policy",
    "Approve it in System Settings, Privacy & Security, and restart; on Apple silicon lower the security policy in Recovery first.",
  ],
  [
    0x14,
    "LoadedVersionDiffers",
    "different version/uuid already loaded",
    "another version of it is loaded",
    "Restart the Mac.",
  ],
  [0x15, "DependencyLoadError", "dependency load failed", "something that it needs could not be loaded", log],
  [
    0x16,
    "LinkError",
    "link error",
    "it uses a symbol of the kernel that this system does not have or does not export",
    vendor,
  ],
  [
    0x17,
    "StartStopError",
    "kext (kmod) start/stop routine failed",
    "its own start routine ran and refused: it found something that it does not support, often a newer system",
    vendor,
  ],
  [0x18, "InUse", "kext is in use", "somebody still uses it, so it stays", "End its clients, or restart."],
  [
    0x1b,
    "SystemPolicy",
    "system policy prevents loading",
    "the user or the policy of the system did not allow it",
    "Approve it in System Settings, Privacy & Security, and restart.",
  ],
];

export const kextCodes: readonly OtherCode[] = [
  ...loader.map(([number, name, words, means, fix]) =>
    one(
      "kext loader",
      0xdc008000 + number,
      [`kOSKextReturn${name}`, words, ...(number === 1 ? ["kext load failed -603947007"] : [])],
      `${means} (loader of kernel extensions)`,
      fix,
    ),
  ),
  one(
    "KMErrorDomain",
    null,
    ["Incompatible architecture", "needed arch arm64e"],
    "the kernel extension has no code for this Mac's processor: Apple silicon wants an arm64e slice",
    "Get a version with one from its vendor, or a driver extension in its place.",
  ),
  one(
    "KMErrorDomain",
    null,
    ["Unable to get contents of boot kernel collection"],
    "the system's own kernel collection could not be read; no kernel extension is at fault",
    "Restart; if it stays, reinstall macOS over itself. On an external disk kernel extensions of other vendors are not loaded at all.",
  ),
  one(
    "KMErrorDomain",
    71,
    ["KMErrorDomain 71"],
    "the kernel or kernelmanagerd refused the request; the words after the number say why: no code for this processor (Incompatible architecture: arm64e is needed on Apple silicon), a start routine that failed, a collection that was not found",
    "Read the words in quotes after Code=71, or kmutil log.",
  ),
  one(
    "KMErrorDomain",
    27,
    ["KMErrorDomain 27"],
    "the kernel extension was not approved to load",
    "Approve it in System Settings, Privacy & Security, and restart; on Apple silicon lower the security policy in Recovery first.",
  ),
  one(
    "KMErrorDomain",
    28,
    ["KMErrorDomain 28"],
    "the kernel extension is not in the collection that is loaded yet",
    "Restart the Mac: the auxiliary collection is built and loaded then.",
  ),
  one(
    "KMErrorDomain",
    31,
    ["KMErrorDomain 31"],
    "something that the kernel extension needs was not found",
    "kmutil log names the library.",
  ),
  one(
    "Security",
    null,
    ["Untrusted kexts are not allowed"],
    "kernel extensions that are not signed with a Developer ID for kernel extensions are not loaded while the system's protection is on",
    "Get a signed version from its vendor. The lines before and after name the one that was refused.",
  ),
  one(
    "Security",
    -2147409652,
    ["CSSMERR_TP_CERT_REVOKED"],
    "the certificate of the signature was revoked",
    "Get a version with a new signature from its vendor.",
  ),
  one(
    "Security",
    -2147409654,
    ["CSSMERR_TP_CERT_EXPIRED"],
    "the certificate of the signature has expired",
    "Sign again with a certificate that is valid, and with a time stamp.",
  ),
];

/** "unsupported" and "link error" are anybody's words, and parts of names: those of the loader stand behind its mark. */
export function isLoadersWord(name: string, text: string): boolean {
  const lower = text.toLowerCase();
  const word = name.toLowerCase();
  if (/^kos/.test(word) || word.split(" ").length >= 3) return lower.includes(word);
  return lower === word || lower.includes(`(libkern/kext) ${word}`);
}
