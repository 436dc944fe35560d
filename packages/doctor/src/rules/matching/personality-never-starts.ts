// FX-PERSONALITY: a personality names classes that the kernel does not have, or lacks the key that makes it a driver's.

import { unlistedUsbKeys } from "@drydock/core/platform/matching";
import { isDictionary } from "@drydock/core/platform/properties";
import { absent } from "../../facts/statement.ts";
import { userSpaceClasses } from "../property-lists.ts";
import { type Personality, personalities } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";

export const personalityNeverStarts: Rule = {
  id: "FX-PERSONALITY",
  title: "A personality names what the kernel does not have",
  severity: "error",
  certainty: "established",
  source:
    "xnu-11417 IOService::probeCandidates and OSMetaClass; Apple, Information Property List: IOKitPersonalities; QA1076 for USB",
  needs: ["Info.plist"],
  why: "The kernel makes an object of IOClass and looks for providers of IOProviderClass, so both are classes of the kernel; the driver's own class is IOUserClass. IOUserServerName is what makes a personality one of a driver extension. Where one of them is wrong nothing starts, and little is logged.",
  fix: [
    "Name the kernel's class in IOClass and your own in IOUserClass, give IOUserServerName the driver's bundle id, and look for the personality in ioreg -l -w0 -c IOUserServer after the next activation.",
  ],
  who: "you",
  judge(evidence) {
    return personalities(evidence)
      .filter(({ value, list }) => "IOUserClass" in value && list.value.value.CFBundlePackageType !== "KEXT")
      .flatMap((one) => [...kernelClasses(one), ...serverName(one), ...identifier(one), ...usbKeys(one)]);
  },
};

function kernelClasses({ name, placeOf, value }: Personality): Finding[] {
  return ["IOClass", "IOProviderClass"].flatMap((key): Finding[] => {
    const given = value[key];
    const known = typeof given === "string" ? userSpaceClasses.get(given) : undefined;
    if (known === undefined) return [];
    const isProvider = key === "IOProviderClass";
    const kind = known.isSure
      ? "a class of DriverKit, not of the kernel"
      : "as far as is known a class of a driver, not of the kernel";
    return [
      {
        score: known.isSure ? 84 : 46,
        claim: isProvider
          ? `IOProviderClass of the personality "${name}" is ${given}, ${kind}: nothing in the registry is of that class, so the driver is never tried.`
          : `IOClass of the personality "${name}" is ${given}, ${kind}: the kernel cannot make one.`,
        because: [placeOf(key)],
        about: [name, key],
        fix: [
          isProvider
            ? "Name what the driver stands on: IOUserResources for one without hardware, IOUSBHostInterface, IOHIDInterface, IOPCIDevice."
            : `Write ${known.kernelClass} for IOClass, and the class of your own for IOUserClass.`,
        ],
      },
    ];
  });
}

/** Said of whole lists only: an excerpt proves nothing absent. */
function serverName({ list, name, placeOf, value }: Personality): Finding[] {
  const whole = list.value.value;
  if ("IOUserServerName" in value || !("CFBundleExecutable" in whole && "CFBundleIdentifier" in whole))
    return [];
  return [
    {
      score: 80,
      claim: `The personality "${name}" has no IOUserServerName, so it is not one of a driver extension: the kernel looks for ${typeof value.IOClass === "string" ? value.IOClass : "its IOClass"} in itself and starts no process.`,
      because: [placeOf("")],
      about: [name],
      states: absent("list", "a personality names its process"),
      fix: ["Add IOUserServerName with the driver's bundle id to the personality."],
    },
  ];
}

function identifier({ list, name, placeOf, value }: Personality): Finding[] {
  const whole = list.value.value;
  const opens = Object.values(value).some(
    (entry) => isDictionary(entry) && entry.IOClass === "IOUserUserClient",
  );
  if ("CFBundleIdentifier" in value || !("IOUserServerName" in value) || !("CFBundleExecutable" in whole))
    return [];
  return [
    {
      // Without a dictionary for user clients NewUserClient may still make one by another name.
      score: opens ? 40 : 30,
      claim: `The personality "${name}" has no CFBundleIdentifier: Apple asks for it in every personality, and it is what an app's userclient-access is compared with${opens ? "" : ", once an app opens the driver"}.`,
      because: [placeOf("")],
      about: [name],
      states: absent("list", "a personality names its bundle"),
      fix: ["Add CFBundleIdentifier with $(PRODUCT_BUNDLE_IDENTIFIER) to the personality."],
    },
  ];
}

/** Of whole lists too: an excerpt may leave keys out. */
function usbKeys({ list, name, placeOf, value }: Personality): Finding[] {
  const set = "CFBundleExecutable" in list.value.value ? unlistedUsbKeys(value) : null;
  return set === null
    ? []
    : [
        {
          score: 46,
          claim: `The personality "${name}" matches by ${set.join(" + ")}, which is none of the combinations that Apple's table of USB matching lists: it may never match.`,
          because: [placeOf(set[0])],
          about: [name],
          fix: [
            "Interfaces: idVendor + idProduct + bInterfaceNumber + bConfigurationValue, or a class with its subclass and protocol. Devices: idVendor + idProduct. Beside the ids only class, subclass and protocol; they must fit, and add nothing.",
          ],
        },
      ];
}
