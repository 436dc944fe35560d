// A property list by its role, with the place of each key.

import type { Properties } from "@drydock/core/platform/properties";
import type { Place } from "./evidence-source.ts";
import type { EvidenceKind } from "./read-file.ts";

export interface PropertyListFact {
  readonly role: EvidenceKind;
  readonly value: Properties;
  /** Where a key is: "a/b/0". The list's own place for keys whose position is unknown (binary lists). */
  placeOf(path: string): Place;
  /** An XML comment is in it. */
  readonly hasComment: boolean;
  /** Of a source tree with an Xcode project: the target that is built with this list; texts that nobody tells are empty. */
  readonly target?: {
    readonly bundleIdentifier: string;
    readonly team: string;
    /** Whether it is built for iPads and iPhones alone. */
    readonly isForIpad: boolean;
  };
}
