// What readers find in files: each kind of fact, its shape, and the files themselves.

import type { SourceFile } from "../source/source-file.ts";
import type { ScsiCommandFact, UsbTransfer } from "./capture.ts";
import type { CrashReport } from "./crash.ts";
import type { Place } from "./evidence-source.ts";
import type { SystemExtension } from "./extensions-list.ts";
import type { PanicReport } from "./panic.ts";
import type { ProfileFact } from "./profile-file.ts";
import type { PropertyListFact } from "./property-list.ts";
import type { RegistryEntry } from "./registry.ts";
import type { Executable } from "./signed-code.ts";

/** Kinds of file as a person knows them. */
export type EvidenceKind =
  | "archive"
  | "capture"
  | "code signature"
  | "crash report"
  | "documentation"
  | "entitlements"
  | "Info.plist"
  | "log"
  | "Mach-O"
  | "panic report"
  | "property list"
  | "provisioning profile"
  | "registry dump"
  | "source"
  | "system extensions list"
  | "text"
  | "unknown";

/** Name of a fact -> what it holds. A new reader adds its line here. */
export interface FactTypes {
  crash: CrashReport;
  executable: Executable;
  panic: PanicReport;
  profile: ProfileFact;
  "property-list": PropertyListFact;
  "registry-entry": RegistryEntry;
  "scsi-command": ScsiCommandFact;
  source: SourceFile;
  /** A comment in source that takes one rule's findings back, with its reason. */
  suppression: Suppression;
  "system-extension": SystemExtension;
  transfer: UsbTransfer;
}

export interface Suppression {
  /** "DR02-3" */
  readonly rule: string;
  readonly reason: string;
}

export type FactName = keyof FactTypes;

export interface Fact<Name extends FactName> {
  readonly place: Place;
  readonly value: FactTypes[Name];
}

export interface ReadFile {
  readonly name: string;
  readonly kinds: readonly EvidenceKind[];
  readonly sizeBytes: number;
  /** Each is one line that says what could not be read, and what to do. */
  readonly problems: readonly string[];
}
