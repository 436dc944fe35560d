// A driver extension as it is installed: identity, personalities, entitlements, classes.

import type { DriverImport } from "../platform/driverkit-symbols.ts";
import type { Properties } from "../platform/properties.ts";
import type { ServiceClass } from "./service.ts";

/** What a .dext bundle says of itself, plus the classes that its executable holds. */
export interface DriverBundle {
  /**
   * `dext` (default): a driver extension with a server process of its own. `kext`: code of the kernel, as Apple's own
   * transport and class drivers are; no entitlement is asked for, and what it throws panics.
   */
  readonly kind?: "dext" | "kext";
  /** CFBundleIdentifier. */
  readonly identifier: string;
  /** CFBundleVersion; the same version again is "already active". */
  readonly version: string;
  readonly teamIdentifier: string;
  /** IOKitPersonalities, by name. */
  readonly personalities: Readonly<Record<string, Properties>>;
  /** Entitlements of the signature. */
  readonly entitlements: Properties;
  /** Entitlements of the embedded profile; null: it has none. Left out: nobody asks (a rig without signing). */
  readonly profileEntitlements?: Properties | null;
  /** What the executable needs from the system's frameworks; left out: nothing that could be missing. */
  readonly imports?: readonly DriverImport[];
  /** IOUserClass name -> class. */
  readonly classes: Readonly<Record<string, ServiceClass>>;
}

/** Where an installed dext's executable lies. */
export function dextPath(identifier: string): string {
  return `/Library/SystemExtensions/5F6E7B1C-0D2A-4C11-9B1E-3A54D0C0FFEE/${identifier}.dext/${identifier}`;
}

/** A bundle on a machine. */
export interface InstalledBundle {
  readonly bundle: DriverBundle;
  /** iPadOS: the switch in Settings. macOS: the approval in System Settings. */
  isEnabled: boolean;
  /** Attribution of its log lines; changes with each installation (posts.md T7). */
  readonly loadTag: number;
}
