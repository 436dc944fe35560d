// What readers find in files: each kind of fact, its shape, and the files themselves.

import type { DescriptorSet } from "../descriptors/descriptor-set.ts";
import type { BuildSettings } from "../facts/build-settings.ts";
import type { CrashReport } from "../facts/crash-report.ts";
import type { Place } from "../facts/evidence-source.ts";
import type { Executable } from "../facts/executable.ts";
import type { PanicReport } from "../facts/panic-report.ts";
import type { PropertyListFact } from "../facts/property-list.ts";
import type { ProfileFact } from "../facts/provisioning-profile.ts";
import type { RegistryEntry } from "../facts/registry-entry.ts";
import type { ExtensionList, SystemExtension } from "../facts/system-extension.ts";
import type { ScsiCommandFact, UsbTransfer } from "../facts/usb-transfer.ts";
import type { SourceFile } from "../source/source-file.ts";

/** Name of a fact -> what it holds. A new reader adds its line here. */
export interface FactTypes {
  "build-settings": BuildSettings;
  crash: CrashReport;
  /** Descriptors of a USB device, from a listing, a file of bytes, or arrays of a source. */
  descriptors: DescriptorSet;
  executable: Executable;
  panic: PanicReport;
  profile: ProfileFact;
  "property-list": PropertyListFact;
  "registry-entry": RegistryEntry;
  "scsi-command": ScsiCommandFact;
  source: SourceFile;
  /** A comment in source that takes one rule's findings back, with its reason. */
  suppression: Suppression;
  "extension-list": ExtensionList;
  "system-extension": SystemExtension;
  transfer: UsbTransfer;
  /** A bus or a device of `system_profiler SPUSBDataType`, as an entry of a registry would be. */
  "usb-listing": RegistryEntry;
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
