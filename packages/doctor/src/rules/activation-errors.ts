// The thirteen numbers of OSSystemExtensionErrorDomain: reason, what to do, who does it.

import type { Actor } from "./rule.ts";

export interface ActivationError {
  readonly number: number;
  /** Swift's name of the case. */
  readonly name: string;
  readonly because: string;
  readonly why: string;
  readonly fix: readonly string[];
  readonly who: Actor;
  readonly missing: readonly string[];
}

const lines = "the lines of sysextd, amfid and taskgated-helper just before";
export const activationErrors: readonly ActivationError[] = [
  {
    number: 1,
    name: "unknown",
    because: "of an unknown reason",
    why: "The system gives no reason. Its own lines in the second before do.",
    fix: [
      "Read the lines of sysextd in the second before the error: log show --last 5m --predicate 'process == \"sysextd\"'.",
      "Restart the Mac and try once more; an earlier version may still be ending.",
    ],
    who: "you",
    missing: [lines],
  },
  {
    number: 2,
    name: "missingEntitlement",
    because: "the app lacks com.apple.developer.system-extension.install",
    why: "Only an app that holds the entitlement may ask for an activation, and it has to be in the app's signature and profile.",
    fix: [
      "Add the System Extension capability to the app's target, and sign again.",
      "codesign -d --entitlements - --xml APP shows whether it is there.",
    ],
    who: "you",
    missing: [],
  },
  {
    number: 3,
    name: "unsupportedParentBundleLocation",
    because: "the app is not in /Applications",
    why: "Extensions are activated from apps in /Applications only, not from Downloads, a disk image or a build folder.",
    fix: [
      "Move the app to /Applications and start it there.",
      "On a test machine: systemextensionsctl developer on (System Integrity Protection off).",
    ],
    who: "you",
    missing: [],
  },
  {
    number: 4,
    name: "extensionNotFound",
    because: "the app's bundle holds no extension of that id, or the system's list has two entries of it",
    why: 'The id in the request is compared with CFBundleIdentifier of each bundle in Contents/Library/SystemExtensions, letter by letter. The same version activated twice leaves an entry that is stuck in "terminating for upgrade via delegate", and then this number comes too.',
    fix: [
      "Compare the id of the request with CFBundleIdentifier of the .dext inside the app, and the folder's name with it.",
      "See in systemextensionsctl list whether there are two entries of the id; restart the Mac, and raise CFBundleVersion with each build.",
    ],
    who: "you",
    missing: ["systemextensionsctl list"],
  },
  {
    number: 5,
    name: "extensionMissingIdentifier",
    because: "the extension has no bundle id",
    why: "CFBundleIdentifier is missing in the extension's Info.plist, or is a variable that was not expanded.",
    fix: [
      "Set CFBundleIdentifier (PRODUCT_BUNDLE_IDENTIFIER) of the extension's target, and look at the built Info.plist.",
    ],
    who: "you",
    missing: [],
  },
  {
    number: 6,
    name: "duplicateExtensionIdentifer",
    because: "another extension has the same id",
    why: "Two bundles inside the app, or two apps, have extensions with one CFBundleIdentifier.",
    fix: ["Give each extension an id of its own; remove the other app or the second copy inside the bundle."],
    who: "you",
    missing: [],
  },
  {
    number: 7,
    name: "unknownExtensionCategory",
    because: "the extension's category is unknown",
    why: "The system tells the kind of an extension from its Info.plist: for a driver CFBundlePackageType DEXT with IOKitPersonalities, in a bundle that ends in .dext.",
    fix: ["Check CFBundlePackageType (DEXT), IOKitPersonalities and the bundle's suffix .dext."],
    who: "you",
    missing: [],
  },
  {
    number: 8,
    name: "codeSignatureInvalid",
    because: "a code signature is invalid",
    why: "The signature of the app or of the extension does not hold: changed after signing, signed in the wrong order, or with a certificate that is not valid here.",
    fix: [
      "codesign --verify --deep --strict -vv APP names the part.",
      "Sign from the inside out: first the .dext, then the app.",
    ],
    who: "you",
    missing: [lines],
  },
  {
    number: 9,
    name: "validationFailed",
    because: "the extension's bundle did not pass validation",
    why: "Number 9 is the validation of the extension's bundle: keys of the Info.plist, signature, entitlements without a profile, or a version that is not newer; the lines of sysextd and of code signing just before name the one.",
    fix: [
      "Read the lines of sysextd, amfid and taskgated-helper in the second before the error.",
      "Check what they name, build again with a higher CFBundleVersion, and activate from /Applications.",
    ],
    who: "you",
    missing: [lines],
  },
  {
    number: 10,
    name: "forbiddenBySystemPolicy",
    because: "the system's policy (a profile of device management) forbids it",
    why: "A configuration profile of the Mac's management says which teams and bundles may have system extensions, and this one is not among them, or users may not approve any. The user can do nothing, and no other build helps.",
    fix: [
      "In the payload System Extensions of the management profile allow the team id, or the team id with the bundle id, and the type driver extensions.",
      "profiles show -type configuration, or System Settings, General, Device Management, shows the profile at work.",
    ],
    who: "the administrator of the Mac",
    missing: [],
  },
  {
    number: 11,
    name: "requestCanceled",
    because: "the request was cancelled",
    why: "The app or the user cancelled the request before it was done.",
    fix: ["Ask again, and approve the extension in System Settings when it asks."],
    who: "you",
    missing: [],
  },
  {
    number: 12,
    name: "requestSuperseded",
    because: "a later request took its place",
    why: "The app submitted another request for the same extension before this one was done. The later one counts.",
    fix: [
      "Nothing, if the later request succeeded; submit one request at a time, and wait for the delegate.",
    ],
    who: "the developer of the program",
    missing: [],
  },
  {
    number: 13,
    name: "authorizationRequired",
    because: "somebody has to authorise it first",
    why: "Activation or removal needs an administrator's name and password, and nobody was there to give it.",
    fix: [
      "Run it in the session of a user who can authorise as an administrator, not over ssh or at the login window.",
    ],
    who: "the administrator of the Mac",
    missing: [],
  },
];

export function activationError(number: number): ActivationError | null {
  return activationErrors.find((one) => one.number === number) ?? null;
}

/** From Swift's or Objective-C's name of a case, or a number as text. */
export function activationNumberOf(text: string): number | null {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  const word = text
    .replace(/^OSSystemExtensionError/, "")
    .toLowerCase()
    .replace("cancelled", "canceled");
  return (
    activationErrors.find(
      ({ name }) =>
        name.toLowerCase() === word || name.toLowerCase().replace("identifer", "identifier") === word,
    )?.number ?? null
  );
}
