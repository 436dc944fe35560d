// What the developer portal hands out, as dated data: which capability, how one gets it, what it puts into a profile.

/** How an account comes by a capability. */
export type PortalAccess = "self-service" | "request";

export interface PortalCapability {
  /** The words of the portal. */
  readonly name: string;
  readonly entitlement: string;
  readonly access: PortalAccess;
  /** Valid for development-signed builds only. */
  readonly isDevelopmentVariant: boolean;
  /** The form of the value in the profile. */
  readonly value:
    | "true"
    | "wildcard dictionaries"
    | "approved dictionaries"
    | "approved list of driver bundle ids";
  /** App IDs it belongs on. */
  readonly holder: "driver" | "app";
  /** Requests for it are usually declined: the month of the reports (likely), and what to ask for in its place. */
  readonly usuallyDeclined?: { readonly since: string; readonly instead: string };
}

/** One record of the portal. A newer one is added in front; verdicts follow the one in force at their date. */
export interface PortalRecord {
  /** First day for which it is known to hold. */
  readonly since: string;
  /** E established by independent records of the live portal; it changes without notice. */
  readonly source: string;
  readonly capabilities: readonly PortalCapability[];
}

const prefix = "com.apple.developer.driverkit";
const development = (
  name: string,
  entitlement: string,
  value: PortalCapability["value"] = "true",
): PortalCapability => ({
  name: `${name} (development)`,
  entitlement: `${prefix}${entitlement}`,
  access: "self-service",
  isDevelopmentVariant: true,
  value,
  holder: "driver",
});
const request = (
  name: string,
  entitlement: string,
  value: PortalCapability["value"],
  holder: PortalCapability["holder"] = "driver",
): PortalCapability => ({
  name,
  entitlement: `${prefix}${entitlement}`,
  access: "request",
  isDevelopmentVariant: false,
  value,
  holder,
});

const capabilitiesOf2025: readonly PortalCapability[] = [
  development("DriverKit", ""),
  development("DriverKit Allow Any UserClient", ".allow-any-userclient-access"),
  development("DriverKit USB Transport", ".transport.usb", "wildcard dictionaries"),
  development("DriverKit PCI", ".transport.pci", "wildcard dictionaries"),
  development("DriverKit Transport HID", ".transport.hid"),
  development("DriverKit Family Audio", ".family.audio"),
  development("DriverKit Family HID Device", ".family.hid.device"),
  development("DriverKit Family HID EventService", ".family.hid.eventservice"),
  development("DriverKit Family MIDI", ".family.midi"),
  development("DriverKit Family Networking", ".family.networking"),
  development("DriverKit Family SCSIController", ".family.scsicontroller"),
  development("DriverKit Family Serial", ".family.serial"),
  {
    ...development("DriverKit Allow Third Party UserClients", ".allow-third-party-userclients"),
    name: "DriverKit Allow Third Party UserClients",
    isDevelopmentVariant: false,
  },
  {
    ...development("DriverKit Communicates with Drivers", ".communicates-with-drivers"),
    name: "DriverKit Communicates with Drivers",
    isDevelopmentVariant: false,
    holder: "app",
  },
  {
    ...development("System Extension", ""),
    name: "System Extension",
    entitlement: "com.apple.developer.system-extension.install",
    isDevelopmentVariant: false,
    holder: "app",
  },
  request("DriverKit UserClient Access", ".userclient-access", "approved list of driver bundle ids", "app"),
  request("DriverKit USB Transport - VendorID", ".transport.usb", "approved dictionaries"),
  request("DriverKit USB Transport - VendorID and ProductID", ".transport.usb", "approved dictionaries"),
  request("DriverKit PCI (Primary Match)", ".transport.pci", "approved dictionaries"),
];

/** By name: what takes the place of a request that is usually declined. */
const declinedIn2026: Readonly<Record<string, string>> = {
  "DriverKit UserClient Access":
    "for development allow-any-userclient-access on the driver does without it; a request names the driver's bundle id and says why the app has to open it",
  "DriverKit USB Transport - VendorID": "ask for vendor and product ids together",
};

export const portalRecords: readonly PortalRecord[] = [
  {
    since: "2026-02-01",
    source: "posts.md §6 (L: reports of that month)",
    capabilities: capabilitiesOf2025.map((entry) =>
      entry.name in declinedIn2026
        ? { ...entry, usuallyDeclined: { since: "2026-02", instead: declinedIn2026[entry.name] } }
        : entry,
    ),
  },
  {
    since: "2025-01-01",
    source: "posts.md T3 (E for the time of its records)",
    capabilities: capabilitiesOf2025,
  },
];

/** The record in force on a day (ISO date); the oldest for days before all records, the newest when no day is known. */
export function portalOn(
  date: string | null,
  records: readonly PortalRecord[] = portalRecords,
): PortalRecord {
  if (date === null) return records[0];
  return records.find(({ since }) => since <= date) ?? (records.at(-1) as PortalRecord);
}

/** How an entitlement is to be had, in one or two sentences; null when the portal says nothing of it. */
export function portalAdvice(
  entitlement: string,
  date: string | null,
  records = portalRecords,
): string | null {
  const found = portalOn(date, records).capabilities.filter((entry) => entry.entitlement === entitlement);
  if (found.length === 0) return null;
  const own = found.find(({ access }) => access === "self-service");
  const asked = found.filter(({ access }) => access === "request");
  const parts: string[] = [];
  if (own !== undefined) {
    parts.push(`Tick "${own.name}" under Capabilities of the ${own.holder}'s App ID (no approval needed).`);
  }
  if (asked.length > 0) {
    const names = asked.map(({ name }) => `"${name}"`).join(" or ");
    parts.push(
      own === undefined
        ? `It has no development variant: request ${names} from Apple for the ${asked[0].holder}'s App ID.`
        : `For distribution request ${names} from Apple.`,
    );
  }
  for (const { name, usuallyDeclined } of asked)
    if (usuallyDeclined !== undefined)
      parts.push(
        `A request for "${name}" is usually declined (likely; ${usuallyDeclined.since}): ${usuallyDeclined.instead}.`,
      );
  parts.push("Then generate the profile anew: an old one does not change.");
  return parts.join(" ");
}
