// Which families of drivers a system has, and which network adapters it drives.

import type { PlatformProfile } from "./platform-profile.ts";

/** Kernel classes of personalities that make a driver a member of a family. */
const familyOfClass: readonly (readonly [RegExp, string])[] = [
  [/^IOUserSerial|^IOUserUSBSerial/, "serial"],
  [/^IOUserNetwork|^IOSkywalk/, "network"],
  [/^IOUserSCSI/, "scsi"],
  [/^IOUserBlockStorage/, "block"],
  [/^IOUserAudio/, "audio"],
  [/^(?:AppleUserHID|IOUserHID)/, "hid"],
];

/** Null: a class that gives nothing to the system, as IOUserService. */
export function familyOfKernelClass(kernelClass: string): string | null {
  return familyOfClass.find(([pattern]) => pattern.test(kernelClass))?.[1] ?? null;
}

/**
 * Why a driver of that class cannot be one of the system's there; null when it can. Only the network family is judged by a
 * running machine: what becomes of the others on iPadOS is known from reports (posts.md P13), and their cases say it.
 */
export function whyNoFamily(profile: PlatformProfile, kernelClass: string): string | null {
  const family = familyOfKernelClass(kernelClass);
  if (family !== "network" || profile.families.includes(family)) return null;
  return `${profile.name} has no ${family} family for drivers (likely: its documentation does not list it)`;
}

/** What a system does with an adapter: drives it itself, lets a driver extension do so, lets an app have it, or nothing. */
export type AdapterSupport = "built in" | "dext" | "app only" | "no";

/** One cell of the matrix, with the day on which it was looked up and where. */
export interface AdapterEntry {
  readonly adapter: "cdc-ncm" | "cdc-ecm" | "ax88772c";
  readonly platform: "macos" | "ipados" | "iphone";
  readonly support: AdapterSupport;
  readonly mark: "established" | "likely";
  readonly asOf: string;
  readonly source: string;
}

const asOf = "2025-11-01";
const vendorText = "Apple, DriverKit documentation; DTS answer in thread 802640";
const reports = "reports of ESP-IDF 18079, TinyUSB 3445 and 3505";

/** Entries are never edited: a system that changes gets a later one, and the latest counts. */
export const adapterMatrix: readonly AdapterEntry[] = [
  { adapter: "cdc-ncm", platform: "macos", support: "built in", mark: "established", asOf, source: reports },
  { adapter: "cdc-ncm", platform: "ipados", support: "built in", mark: "established", asOf, source: reports },
  {
    adapter: "cdc-ncm",
    platform: "iphone",
    support: "built in",
    mark: "established",
    asOf,
    source: vendorText,
  },
  { adapter: "cdc-ecm", platform: "macos", support: "built in", mark: "established", asOf, source: reports },
  { adapter: "cdc-ecm", platform: "ipados", support: "built in", mark: "likely", asOf, source: reports },
  { adapter: "cdc-ecm", platform: "iphone", support: "built in", mark: "likely", asOf, source: reports },
  { adapter: "ax88772c", platform: "macos", support: "dext", mark: "established", asOf, source: vendorText },
  { adapter: "ax88772c", platform: "ipados", support: "app only", mark: "likely", asOf, source: vendorText },
  { adapter: "ax88772c", platform: "iphone", support: "no", mark: "established", asOf, source: vendorText },
];

/** The latest entry for an adapter on a profile's system; null: nothing is known of it. */
export function adapterSupport(
  adapter: string,
  profile: PlatformProfile,
  matrix: readonly AdapterEntry[] = adapterMatrix,
): AdapterEntry | null {
  const platform = profile.id.startsWith("macos") ? "macos" : profile.id;
  const found = matrix.filter((entry) => entry.adapter === adapter && entry.platform === platform);
  return found.reduce<AdapterEntry | null>(
    (latest, entry) => (latest === null || entry.asOf >= latest.asOf ? entry : latest),
    null,
  );
}
