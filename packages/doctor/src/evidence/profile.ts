// A provisioning profile: the readable copy, the DER that counts, and where the two differ (posts.md §4.7).

import { DecodeError } from "@drydock/core/base/errors";
import { type CmsCertificate, decodeSignedData } from "@drydock/core/codec/der/cms";
import { DerTag } from "@drydock/core/codec/der/der";
import {
  DerDate,
  type DerDictionary,
  type DerValue,
  decodeDerProfile,
  isDerDictionary,
} from "@drydock/core/codec/der/der-entitlements";
import {
  differingKeys,
  isDictionary,
  type Properties,
  type PropertyValue,
} from "@drydock/core/platform/properties";
import type { ProvisioningProfile } from "../facts/provisioning-profile.ts";

/** A property list with dates as ISO 8601 text. */
export type ParsePlist = (bytes: Uint8Array) => PropertyValue;

export interface ReadProfile {
  readonly profile: ProvisioningProfile;
  /** The profile as a property list, with the DER's values where there is a DER: what counts. */
  readonly effective: Properties;
  /** What in it could not be read; each is the end of a sentence about the file. */
  readonly problems: readonly string[];
}

/**
 * Reads a `.provisionprofile` or `.mobileprovision`: CMS around a property list, or the CMS of a DER-Encoded-Profile by
 * itself. Throws DecodeError for anything else; a broken DER inside is not fatal: `problems` says so, and the plist's
 * entitlements are used.
 */
export function readProfileFile(bytes: Uint8Array, parsePlist: ParsePlist): ReadProfile {
  const { content, certificates } = decodeSignedData(bytes);
  if (content === null) throw new DecodeError("provisioning profile", 0, "the envelope is empty");
  if (content[0] === DerTag.set) return profileOfDer(decodeDerProfile(content), certificates);
  const plist = parsePlist(content);
  if (!isDictionary(plist)) throw new DecodeError("provisioning profile", 0, "the content is no dictionary");
  return profileOfPlist(plist, certificates);
}

/** From the property list alone, as `security cms -D` prints it; the DER is inside. */
export function profileOfPlist(plist: Properties, certificates: readonly CmsCertificate[]): ReadProfile {
  const problems: string[] = [];
  let der: DerDictionary | null = null;
  const encoded = plist["DER-Encoded-Profile"];
  if (encoded instanceof Uint8Array) {
    try {
      const inner = decodeSignedData(encoded).content;
      if (inner !== null) der = decodeDerProfile(inner);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      problems.push(
        `has a DER-Encoded-Profile that cannot be read (${error.message}); the readable copy is used instead`,
      );
    }
  }
  return { profile: describe(plist, der, certificates), effective: effectiveList(plist, der), problems };
}

/** From the DER alone. */
export function profileOfDer(der: DerDictionary, certificates: readonly CmsCertificate[] = []): ReadProfile {
  return { profile: describe({}, der, certificates), effective: effectiveList({}, der), problems: [] };
}

function effectiveList(plist: Properties, der: DerDictionary | null): Properties {
  const trusted = der === null ? {} : plainDer(der);
  return { ...plist, ...(isDictionary(trusted) ? trusted : {}) };
}

function describe(
  plist: Properties,
  der: DerDictionary | null,
  certificates: readonly CmsCertificate[],
): ProvisioningProfile {
  const own = isDictionary(plist.Entitlements) ? plist.Entitlements : {};
  const derEntitlements =
    der === null || !isDerDictionary(der.Entitlements) ? null : plainDer(der.Entitlements);
  const allowlist = derEntitlements !== null && isDictionary(derEntitlements) ? derEntitlements : own;
  const hasDer = allowlist !== own;
  const field = (key: string): PropertyValue | undefined =>
    der !== null && key in der ? plainDer(der[key]) : plist[key];
  const devices = field("ProvisionedDevices");
  const isForAll = field("ProvisionsAllDevices") === true;
  const canDebug =
    allowlist["get-task-allow"] === true || allowlist["com.apple.security.get-task-allow"] === true;
  return {
    name: textOf(field("Name")),
    uuid: textOf(field("UUID")),
    teamIdentifiers: textsOf(field("TeamIdentifier")),
    applicationIdentifier: textOf(
      allowlist["com.apple.application-identifier"] ?? allowlist["application-identifier"],
    ),
    platforms: textsOf(field("Platform")),
    created: textOf(field("CreationDate")),
    expires: textOf(field("ExpirationDate")),
    // Ad hoc is for devices; a Mac's profile with a list of them is a development one, with or without get-task-allow.
    kind: Array.isArray(devices)
      ? canDebug || textsOf(field("Platform")).includes("OSX")
        ? "development"
        : "ad hoc"
      : isForAll
        ? "developer id or in-house"
        : "store",
    devices: Array.isArray(devices) ? textsOf(devices) : isForAll ? "all" : null,
    allowlist,
    allowlistSource: hasDer ? "DER" : "plist",
    plistEntitlements: own,
    editedKeys: hasDer && isDictionary(plist.Entitlements) ? differingKeys(own, allowlist) : [],
    signedBy: certificates.map(({ commonName }) => commonName),
    certificateHashes: Array.isArray(der?.DeveloperCertificates)
      ? (der.DeveloperCertificates as readonly DerValue[])
          .filter((entry): entry is Uint8Array => entry instanceof Uint8Array)
          .map((entry) => Array.from(entry, (byte) => byte.toString(16).padStart(2, "0")).join(""))
      : [],
  };
}

/** Dates as text, the rest as it is. */
export function plainDer(value: DerValue): PropertyValue {
  if (value instanceof DerDate) return value.iso;
  if (Array.isArray(value)) return value.map(plainDer);
  if (isDerDictionary(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plainDer(entry)]));
  }
  return value as PropertyValue;
}

function textOf(value: PropertyValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: PropertyValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/**
 * Why a profile cannot be used for this part on this Mac; null when it can. Each has its own sentence. `date` null: its
 * end is not judged.
 */
export function profileProblem(
  profile: ProvisioningProfile,
  part: { readonly bundleIdentifier: string; readonly teamIdentifier: string },
  machine: { readonly udid: string | null; readonly date: string | null },
): { readonly id: "expired" | "device-not-listed" | "wrong-app-id"; readonly reason: string } | null {
  if (machine.date !== null && profile.expires !== "" && profile.expires < machine.date) {
    return {
      id: "expired",
      reason: `the profile "${profile.name}" expired on ${profile.expires.slice(0, 10)}`,
    };
  }
  const wanted = `${part.teamIdentifier}.${part.bundleIdentifier}`;
  const has = profile.applicationIdentifier;
  if (has !== "" && has !== wanted && !(has.endsWith("*") && wanted.startsWith(has.slice(0, -1)))) {
    return {
      id: "wrong-app-id",
      reason: `the profile "${profile.name}" is for ${has}, the bundle is ${wanted}`,
    };
  }
  if (Array.isArray(profile.devices) && machine.udid !== null && !isListed(profile.devices, machine.udid)) {
    return {
      id: "device-not-listed",
      reason: `the profile "${profile.name}" lists ${profile.devices.length} devices, and ${machine.udid} is none of them`,
    };
  }
  return null;
}

/** In either letter case: tools print UDIDs both ways. */
function isListed(devices: readonly string[], udid: string): boolean {
  return devices.some((id) => id.toUpperCase() === udid.toUpperCase());
}
