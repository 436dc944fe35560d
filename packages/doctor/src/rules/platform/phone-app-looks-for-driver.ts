// DR01-2: an app for iPhone opens a driver's user client.

import type { Evidence } from "../../evidence/evidence.ts";
import { watch } from "../../evidence/watch.ts";
import type { Place } from "../../facts/evidence-source.ts";
import { listsOf } from "../../signing/entitlement-lists.ts";
import { mobileMachines, modelLine } from "../machines.ts";
import { stringsOf } from "../questions.ts";
import type { Rule } from "../rule.ts";
import { sources } from "../source-questions.ts";

const opens = watch(
  ["IOServiceOpen", "IOServiceGetMatching"],
  /\b(IOServiceOpen|IOServiceGetMatchingServices?)\s*\(/,
);
/** Xcode's build setting: which SDK. */
const sdkRoot = watch(
  ["SDKROOT", "SUPPORTED_PLATFORMS"],
  /\b(?:SDKROOT|SUPPORTED_PLATFORMS)\b\s*=\s*"?([^";\n]{1,120})"?/,
);
/** Xcode's build setting: 1 is iPhone, 2 is iPad. */
const family = watch(["TARGETED_DEVICE_FAMILY"], /\bTARGETED_DEVICE_FAMILY\b\s*=\s*"?([\d, ]{1,20})"?/);

export const phoneAppLooksForDriver: Rule = {
  id: "DR01-2",
  title: "An app for iPhone looks for a driver",
  severity: "error",
  certainty: "established",
  source: "Apple, DriverKit: macOS, and iPadOS 16 on iPads with an M chip; DTS answer in thread 802640",
  needs: ["source", "Info.plist", "crash report"],
  why: "IOServiceGetMatchingService and IOServiceOpen link on iOS, but there are no driver extensions on iPhone and no user clients that a third party may open. The call finds nothing, or is refused.",
  fix: [
    "Accessory of your own: External Accessory with an MFi accessory.",
    "Or a standard class that iPhone drives itself: CDC-NCM network, HID, mass storage, audio, MIDI.",
    "Or network or Bluetooth. On iPad with an M chip and on Mac a driver extension works: leave iPhone out of the target's devices.",
  ],
  who: "you",
  watches: [opens, family, sdkRoot, modelLine],
  judge(evidence) {
    // Source that is read as such gives its calls; of the rest the lines.
    const calls = [
      ...evidence.hits(opens).map(({ match, place }) => ({ name: match[1], place })),
      ...sources(evidence).flatMap((file) =>
        file.functions.flatMap((one) =>
          one.calls
            .filter(({ name }) => /^IOService(?:Open|GetMatchingServices?)$/.test(name))
            .map(({ name, node }) => ({ name, place: file.placeOf(node) })),
        ),
      ),
    ];
    const phone = phoneTarget(evidence);
    if (calls.length === 0 || phone === null) return [];
    return [
      {
        score: 76,
        claim: `${calls[0].name} is called in an app for iPhone, where no driver can be opened.`,
        because: [calls[0].place, phone],
        about: [calls[0].name],
      },
    ];
  },
};

/** What says that the app is for iPhone and for nothing else, or runs on one. */
function phoneTarget(evidence: Evidence): Place | null {
  for (const { value } of listsOf(evidence, "Info.plist")) {
    const devices = value.value.UIDeviceFamily;
    const isMac =
      "LSMinimumSystemVersion" in value.value ||
      value.value.DTPlatformName === "macosx" ||
      stringsOf(value.value.CFBundleSupportedPlatforms).includes("MacOSX");
    if (!isMac && Array.isArray(devices) && devices.length > 0 && devices.every((one) => Number(one) === 1))
      return value.placeOf("UIDeviceFamily");
  }
  // A device family means something for SDKs of iOS only; a template leaves it in projects for macOS too.
  const only = evidence
    .hits(family)
    .find(({ match, place }) => match[1].trim() === "1" && isForIos(evidence, place));
  if (only !== undefined) return only.place;
  if (evidence.hits(sdkRoot).some(({ match }) => /macosx/.test(match[1]))) return null;
  return mobileMachines(evidence).find(({ kind }) => kind === "iPhone")?.place ?? null;
}

/** By the settings of the same file: those of its own block of build settings first, otherwise any. */
function isForIos(evidence: Evidence, place: Place): boolean {
  const settings = evidence.hits(sdkRoot).filter((hit) => hit.place.file === place.file);
  if (settings.length === 0) return true;
  const nearest = settings.reduce((best, hit) =>
    Math.abs(hit.place.line - place.line) < Math.abs(best.place.line - place.line) ? hit : best,
  );
  return /iphoneos|iphonesimulator/.test(nearest.match[1]) && !/macosx|driverkit/.test(nearest.match[1]);
}
