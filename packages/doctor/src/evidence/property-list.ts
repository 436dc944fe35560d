// Property lists by what is in them: entitlements, Info.plist, a registry dump (`ioreg -a`), a profile's copy.

import { isDictionary, type Properties, type PropertyValue } from "@drydock/core/platform/properties";
import type { Place } from "../facts/evidence-source.ts";
import { shownText } from "../facts/evidence-source.ts";
import type { EvidenceKind } from "../facts/read-file.ts";
import { isBinaryPlist, parseBinaryPlist } from "./plist-binary.ts";
import { parsePlainPlist, parsePrintedEntitlements } from "./plist-plain.ts";
import { type ParsedPlist, parsePlistXml } from "./plist-xml.ts";
import { profileOfPlist } from "./profile.ts";
import { addProfile } from "./profile-file.ts";
import type { BinaryReader, FactSink, TextDocument, TextReader } from "./reader.ts";
import { addRegistryPlist } from "./registry.ts";
import { addUsbItems } from "./usb-listing.ts";

const marker = /<plist\b|<dict\b\s*\/?>/g;

export const plistReader: TextReader = {
  kind: "property list",
  anchors: ["<plist", "<dict>"],
  read(document, sink) {
    let from = 0;
    for (let lists = 0; lists < 256; lists++) {
      marker.lastIndex = from;
      const match = marker.exec(document.text);
      if (match === null) return;
      const parsed = parsePlistXml(document, match.index);
      if (parsed === null || parsed.end <= match.index) return;
      from = parsed.end;
      addParsed(document, parsed, sink);
    }
  },
};

/** Where a dictionary of the plain forms may begin, or what codesign prints. */
const plainStart = /^[ \t]*(?:\{(?=\s*(?:["'\w$]|\/[/*]))|\[Dict\]\s*$)/gm;
const mostStarts = 64;

/** Old-style lists, JSON and printed lists, where they are an Info.plist or entitlements: many other texts have braces. */
export const plainPlistReader: TextReader = {
  kind: "property list",
  anchors: [
    ...["CFBundleIdentifier", "CFBundlePackageType", "IOKitPersonalities"],
    ...["com.apple.developer.", "com.apple.security.", "com.apple.application-identifier"],
  ],
  read(document, sink) {
    let from = 0;
    for (let starts = 0; starts < mostStarts; starts++) {
      plainStart.lastIndex = from;
      const match = plainStart.exec(document.text);
      if (match === null) return;
      const parsed = match[0].endsWith("{")
        ? parsePlainPlist(document, plainStart.lastIndex - 1)
        : parsePrintedEntitlements(document, document.lineAt(match.index));
      const role = isDictionary(parsed.value) ? roleOf(parsed.value) : null;
      const isList = role === "Info.plist" || role === "entitlements";
      if (isList) addParsed(document, parsed, sink);
      from = Math.max(isList ? parsed.end : 0, plainStart.lastIndex);
    }
  },
};

function addParsed(document: TextDocument, parsed: ParsedPlist, sink: FactSink): void {
  if (parsed.problem !== null)
    sink.problem(`has a property list that is not whole (${parsed.problem}); what is there was read`);
  const placeOf = (path: string) => document.place(parsed.lines.get(path) ?? parsed.lines.get("") ?? 1);
  addPropertyList(parsed.value, placeOf, parsed.hasComment, sink);
}

export const binaryPlistReader: BinaryReader = {
  kind: "property list",
  recognise: isBinaryPlist,
  read(file, sink) {
    const place = (path: string): Place => ({ file: file.name, line: 0, offset: 0, text: path });
    addPropertyList(parseBinaryPlist(file.bytes), place, false, sink);
  },
};

/** For readers that hold a list already (a profile's content, an entitlements blob). */
export function addPropertyList(
  value: PropertyValue,
  placeOf: (path: string) => Place,
  hasComment: boolean,
  sink: FactSink,
): void {
  if (Array.isArray(value)) {
    // `ioreg -a -c X` prints an array of entries.
    if (value.some((item) => isDictionary(item) && "IOObjectClass" in item)) {
      sink.kind("registry dump");
      value.forEach((item, index) => {
        if (isDictionary(item)) addRegistryPlist(item, String(index), placeOf, sink);
      });
    }
    // So does `system_profiler -xml`, one for each kind of hardware.
    value.forEach((item, index) => {
      if (isDictionary(item) && item._dataType === "SPUSBDataType")
        addUsbItems(item._items, `${index}/_items`, placeOf, sink);
    });
    return;
  }
  if (!isDictionary(value)) return;
  const role = roleOf(value);
  if (role === null) return;
  sink.kind(role);
  if (role === "registry dump") {
    addRegistryPlist(value, "", placeOf, sink);
    return;
  }
  const firstKey = Object.keys(value)[0] ?? "";
  const place = placeOf(firstKey);
  if (role === "provisioning profile") {
    addProfile(profileOfPlist(value, []), place, placeOf, sink);
    return;
  }
  sink.add("property-list", { ...place, text: shownText(place.text) }, { role, value, placeOf, hasComment });
}

function roleOf(value: Properties): EvidenceKind | null {
  const keys = Object.keys(value);
  if (keys.length === 0) return null;
  if ("IOObjectClass" in value || "IORegistryEntryChildren" in value) return "registry dump";
  if ("DER-Encoded-Profile" in value || ("Entitlements" in value && "TeamIdentifier" in value))
    return "provisioning profile";
  if (
    "IOKitPersonalities" in value ||
    "CFBundleIdentifier" in value ||
    "CFBundlePackageType" in value ||
    "UISupportedExternalAccessoryProtocols" in value
  )
    return "Info.plist";
  if (
    keys.some((key) =>
      /^(?:com\.apple\.(?:developer|security|private|application)|application-identifier|keychain-access-groups|get-task-allow)/.test(
        key,
      ),
    )
  )
    return "entitlements";
  return "property list";
}
