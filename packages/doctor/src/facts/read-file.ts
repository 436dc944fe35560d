// A file as the doctor knows it: its kinds, and what could not be read in it.

/** Kinds of file as a person knows them. */
export type EvidenceKind =
  | "archive"
  | "capture"
  | "code signature"
  | "crash report"
  | "documentation"
  | "entitlements"
  | "disk image"
  | "Info.plist"
  | "installer package"
  | "log"
  | "Mach-O"
  | "panic report"
  | "property list"
  | "provisioning profile"
  | "registry dump"
  | "source"
  | "system extensions list"
  | "text"
  | "USB descriptors"
  | "USB device listing"
  | "unknown";

export interface ReadFile {
  readonly name: string;
  readonly kinds: readonly EvidenceKind[];
  readonly sizeBytes: number;
  /** Each is one line that says what could not be read, and what to do. */
  readonly problems: readonly string[];
}
