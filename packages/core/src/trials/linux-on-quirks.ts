// What Linux 6.1 makes of each quirk over USB/IP, as it was seen: the page shows it, a system test sees it again.

/** As the test says it: the first that is true. */
export type LinuxOutcome =
  | "everything works"
  | "no disk within 12 s"
  | "no medium"
  | "a disk of one block"
  | "read-only"
  | "large requests: I/O error"
  | "flush: I/O error"
  | "last block: I/O error";

/** By quirk, what differs from "everything works": usb-storage (Bulk-Only), uas. */
const different: Readonly<Record<string, Readonly<Partial<Record<"bulk-only" | "uas", LinuxOutcome>>>>> = {
  "vpd-hangs": { uas: "no disk within 12 s" },
  "report-luns-hangs": { uas: "no disk within 12 s" },
  "read-capacity-16-hangs": { uas: "no disk within 12 s" },
  "read-capacity-16-zeros": { uas: "a disk of one block" },
  "capacity-one-too-many": { "bulk-only": "last block: I/O error", uas: "last block: I/O error" },
  "capacity-nonsense": { "bulk-only": "no medium", uas: "no medium" },
  "mode-sense-hangs": { "bulk-only": "no disk within 12 s", uas: "no disk within 12 s" },
  "write-protect-lies": { "bulk-only": "read-only", uas: "read-only" },
  "no-synchronize-cache": { "bulk-only": "flush: I/O error", uas: "flush: I/O error" },
  "transfers-of-64": { "bulk-only": "large requests: I/O error", uas: "large requests: I/O error" },
  "tag-lies": { "bulk-only": "no disk within 12 s" },
};

export function linuxOnQuirk(name: string, transport: "bulk-only" | "uas"): LinuxOutcome {
  return different[name]?.[transport] ?? "everything works";
}
