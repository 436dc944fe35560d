// What readers find in files: each kind of fact, its shape, and the files themselves.

import type { Place } from "./evidence-source.ts";
import type { PanicReport } from "./panic.ts";

/** Kinds of file as a person knows them. */
export type EvidenceKind =
  | "archive"
  | "capture"
  | "code signature"
  | "crash report"
  | "entitlements"
  | "Info.plist"
  | "log"
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
  panic: PanicReport;
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
