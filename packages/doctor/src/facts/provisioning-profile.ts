// A provisioning profile: what it allows, to whom, until when.

import type { Properties } from "@drydock/core/platform/properties";

export type ProfileKind = "development" | "ad hoc" | "developer id or in-house" | "store";

export interface ProvisioningProfile {
  readonly name: string;
  readonly uuid: string;
  readonly teamIdentifiers: readonly string[];
  /** "TEAM.bundle.id" or "TEAM.*"; empty when the profile has none. */
  readonly applicationIdentifier: string;
  readonly platforms: readonly string[];
  /** ISO 8601 in UTC; empty when absent. */
  readonly created: string;
  readonly expires: string;
  readonly kind: ProfileKind;
  /** Hardware UDIDs it is valid on; "all", or null when it is for the store. */
  readonly devices: readonly string[] | "all" | null;
  /** What current systems go by: the DER's entitlements when there is a DER, otherwise the plist's. */
  readonly allowlist: Properties;
  readonly allowlistSource: "DER" | "plist";
  readonly plistEntitlements: Properties;
  /** Keys of entitlements in which plist and DER say different things: somebody edited the readable copy. */
  readonly editedKeys: readonly string[];
  /** Who signed the outer envelope, as it says itself; not verified. Empty: nobody. */
  readonly signedBy: readonly string[];
  /** SHA-256 of each developer certificate, lower-case hex, when the DER has them. */
  readonly certificateHashes: readonly string[];
}

export interface ProfileFact {
  readonly profile: ProvisioningProfile;
  /** The file as it was signed; left out where only what it holds was given. */
  readonly cms?: Uint8Array;
}
