// Channels by which a package reaches people: what its profile is for, how each claim is had, as dated data.

import type { ProfileKind } from "../facts/provisioning-profile.ts";
import type { EvidencePart } from "./parts.ts";
import { type PortalRecord, portalOn, portalRecords } from "./portal.ts";

export const channels = ["development", "ad hoc", "TestFlight or App Store", "Developer ID"] as const;
export type Channel = (typeof channels)[number];

export type ChannelAccess =
  /** Ticked in the portal by the team itself. */
  | "self-service"
  /** Apple has to approve. */
  | "on request"
  /** The same, and reports say that Apple mostly refuses (likely). */
  | "on request, usually declined"
  /** The portal's record says nothing of it. */
  | "unknown"
  /** The channel is not there on that system. */
  | "no such channel";

export interface PartChannels {
  readonly bundleIdentifier: string;
  readonly system: "macOS" | "iPadOS";
  /** What the embedded profile is for; null: no profile is among the evidence. */
  readonly profileFor: ProfileKind | null;
  readonly claims: readonly { readonly key: string; readonly by: Readonly<Record<Channel, ChannelAccess>> }[];
  /** The first day of the portal's record, and how old it is; null: the day of the check is not known. */
  readonly recordOf: string;
  readonly recordDays: number | null;
  /** Older than half a year: the portal may say something else by now. */
  readonly isOld: boolean;
}

/** A record of the portal that is older says its age. */
const oldDays = 180;
const dayMs = 86_400_000;

/** Null: it claims nothing that has to do with drivers. */
export function channelsOf(
  part: EvidencePart,
  date: string | null,
  records: readonly PortalRecord[] = portalRecords,
): PartChannels | null {
  const keys = Object.keys(part.claims ?? {}).filter((key) =>
    /^com\.apple\.developer\.(?:driverkit|system-extension)/.test(key),
  );
  if (part.role === "tool" || keys.length === 0) return null;
  const profile = part.profile?.value.profile ?? null;
  const isMac = profile === null || profile.platforms.length === 0 || profile.platforms.includes("OSX");
  const system = isMac ? "macOS" : "iPadOS";
  const record = portalOn(date, records);
  const days = date === null ? null : Math.floor((Date.parse(date) - Date.parse(record.since)) / dayMs);
  return {
    bundleIdentifier: part.bundleIdentifier,
    system,
    profileFor: profile?.kind ?? null,
    claims: keys.map((key) => ({ key, by: accessOf(key, record, system) })),
    recordOf: record.since,
    recordDays: days,
    isOld: days !== null && days > oldDays,
  };
}

function accessOf(
  key: string,
  { capabilities }: PortalRecord,
  system: PartChannels["system"],
): Record<Channel, ChannelAccess> {
  const found = capabilities.filter(({ entitlement }) => entitlement === key);
  const own = found.filter(({ access }) => access === "self-service");
  const requests = found.filter(({ access }) => access === "request");
  const asked = requests.length > 0;
  const onRequest: ChannelAccess =
    asked && requests.every(({ usuallyDeclined }) => usuallyDeclined !== undefined)
      ? "on request, usually declined"
      : "on request";
  const ships = own.some(({ isDevelopmentVariant }) => !isDevelopmentVariant);
  const distribution: ChannelAccess = ships ? "self-service" : asked ? onRequest : "unknown";
  return {
    development: own.length > 0 ? "self-service" : asked ? onRequest : "unknown",
    // A Mac's profile with a list of devices is a development one.
    "ad hoc": system === "macOS" ? "no such channel" : distribution,
    "TestFlight or App Store": distribution,
    "Developer ID": system === "iPadOS" ? "no such channel" : distribution,
  };
}
