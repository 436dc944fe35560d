// A signed app or driver extension as files (posts.md §4.7 to 4.9).

import { encodeUtf8 } from "../../base/text.ts";
import type { SignaturePlan } from "../../codec/code-signature/encode.ts";
import { encodeUnsignedData } from "../../codec/der/cms.ts";
import {
  DerDate,
  type DerDictionary,
  encodeDerEntitlements,
  encodeDerProfile,
} from "../../codec/der/der-entitlements.ts";
import { encodeMachO } from "../../codec/macho/encode.ts";
import type { Properties } from "../properties.ts";
import { formatPlist } from "./plist-text.ts";

/** A file of a bundle; `name` is its path below the folder that holds the bundle. */
export interface BundleFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ProfilePlan {
  readonly name: string;
  readonly uuid: string;
  readonly teamIdentifier: string;
  /** "TEAM.bundle.id" or "TEAM.*". */
  readonly applicationIdentifier: string;
  /** "OSX", or "iOS" for iPadOS. */
  readonly platform: "OSX" | "iOS";
  /** UTC, "2026-09-01T00:00:00Z", from 1950 to 2049. */
  readonly created: string;
  readonly expires: string;
  /** UDIDs; "all": Developer ID; null: store. */
  readonly devices: readonly string[] | "all" | null;
  readonly entitlements: Properties;
  /** What the readable copy says, when somebody edited it; left out, it says the same as the DER. */
  readonly readableEntitlements?: Properties;
}

/** Wraps content in CMS SignedData. */
export type Envelope = (content: Uint8Array) => Uint8Array;

/**
 * A profile file: CMS around a property list, in it DER-Encoded-Profile, which is CMS around the DER. The envelope left
 * out has no signer; a test that wants one gives it.
 */
export function writeProfile(plan: ProfilePlan, envelope: Envelope = encodeUnsignedData): Uint8Array {
  const idKey = plan.platform === "iOS" ? "application-identifier" : "com.apple.application-identifier";
  const debugKey = plan.platform === "iOS" ? "get-task-allow" : "com.apple.security.get-task-allow";
  const identity = {
    [idKey]: plan.applicationIdentifier,
    "com.apple.developer.team-identifier": plan.teamIdentifier,
    // A list of devices and the right to be debugged make it a development profile (posts.md §4.7).
    ...(Array.isArray(plan.devices) ? { [debugKey]: true } : {}),
  };
  const fields = {
    AppIDName: "Drydock sample",
    ApplicationIdentifierPrefix: [plan.teamIdentifier],
    IsXcodeManaged: false,
    Name: plan.name,
    Platform: [plan.platform],
    ...(plan.devices === "all" ? { ProvisionsAllDevices: true } : {}),
    ...(Array.isArray(plan.devices) ? { ProvisionedDevices: [...plan.devices] } : {}),
    TeamIdentifier: [plan.teamIdentifier],
    TeamName: "Drydock sample",
    TimeToLive: 365,
    UUID: plan.uuid,
    Version: 1,
  };
  const der: DerDictionary = {
    ...fields,
    CreationDate: derDate(plan.created),
    ExpirationDate: derDate(plan.expires),
    Entitlements: { ...identity, ...plan.entitlements } as DerDictionary,
  };
  const readable = formatPlist({
    ...fields,
    CreationDate: plan.created,
    ExpirationDate: plan.expires,
    "DER-Encoded-Profile": envelope(encodeDerProfile(der)),
    Entitlements: { ...identity, ...(plan.readableEntitlements ?? plan.entitlements) },
  });
  const dates = /(<key>(?:Creation|Expiration)Date<\/key>\n\t)<string>([^<]*)<\/string>/g;
  return envelope(encodeUtf8(readable.replace(dates, "$1<date>$2</date>")));
}

/** "2026-09-01T00:00:00Z" -> "260901000000Z", UTCTime. */
function derDate(iso: string): DerDate {
  return new DerDate(`${iso.replace(/[-:T]/g, "").slice(2)}`);
}

export interface BundlePlan {
  /** Path of the bundle's folder. */
  readonly folder: string;
  /** An app has its files in Contents, a driver extension at its top. */
  readonly kind: "app" | "dext";
  readonly identifier: string;
  readonly teamIdentifier: string;
  /** More keys of the Info.plist: personalities, DTSDKName. */
  readonly info: Properties;
  /** Null: no executable, as when a target has no compiled source. */
  readonly executable: {
    readonly minimumOS: string;
    readonly sdk: string;
    readonly dylibs: readonly string[];
    readonly imports: readonly {
      readonly symbol: string;
      readonly dylib: number;
      readonly isWeak?: boolean;
    }[];
  } | null;
  /** Entitlements of the signature. */
  readonly entitlements: Properties;
  /** The signature's readable copy, when it differs from its DER; left out: the same, as XML. */
  readonly readableEntitlements?: string;
  readonly profile: Uint8Array | null;
  /** The seal of the files that the bundle holds beside (CodeResources), signed for with the Info.plist; left out: neither is. */
  readonly seal?: Uint8Array;
  /** Expression of the designated requirement, compiled. */
  readonly designated?: Uint8Array;
  /** Signs the CodeDirectory; left out: ad hoc. */
  readonly cms?: SignaturePlan["cms"];
  /** Core has no hash of its own. */
  readonly sha256: (bytes: Uint8Array) => Uint8Array;
}

const platformNumber = { app: 1, dext: 10 } as const;

/** The bundle's files, each in its place. Without `cms` the signature is ad hoc. */
export function writeBundle(plan: BundlePlan): BundleFile[] {
  const isApp = plan.kind === "app";
  const inside = isApp ? `${plan.folder}/Contents` : plan.folder;
  const executableName = isApp ? (plan.identifier.split(".").pop() ?? plan.identifier) : plan.identifier;
  const info = formatPlist({
    CFBundleExecutable: executableName,
    CFBundleIdentifier: plan.identifier,
    CFBundleName: executableName,
    CFBundlePackageType: isApp ? "APPL" : "DEXT",
    CFBundleShortVersionString: "1.0",
    CFBundleVersion: "1",
    ...plan.info,
  });
  const files: BundleFile[] = [{ name: `${inside}/Info.plist`, bytes: encodeUtf8(info) }];
  if (plan.seal !== undefined)
    files.push({ name: `${inside}/_CodeSignature/CodeResources`, bytes: plan.seal });
  if (plan.executable !== null) {
    files.push({
      name: isApp ? `${inside}/MacOS/${executableName}` : `${inside}/${executableName}`,
      bytes: encodeMachO({
        ...plan.executable,
        platform: platformNumber[plan.kind],
        signature: {
          identifier: plan.identifier,
          teamIdentifier: plan.teamIdentifier,
          entitlementsXml: encodeUtf8(plan.readableEntitlements ?? formatPlist(plan.entitlements)),
          entitlementsDer: encodeDerEntitlements(plan.entitlements as DerDictionary),
          ...(plan.seal && { infoPlist: encodeUtf8(info), resources: plan.seal }),
          ...(plan.designated && { designated: plan.designated }),
          flags: plan.cms === undefined ? 2 : 0,
          ...(plan.cms && { cms: plan.cms }),
          sha256: plan.sha256,
        },
      }),
    });
  }
  if (plan.profile !== null) files.push({ name: `${inside}/embedded.provisionprofile`, bytes: plan.profile });
  return files;
}
