// A driver extension as it is installed: identity, personalities, entitlements, classes.

import type { Properties } from "./properties.ts";
import type { ServiceClass } from "./service.ts";

/** What a .dext bundle says of itself, plus the classes that its executable holds. */
export interface DriverBundle {
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
  /** IOUserClass name -> class. */
  readonly classes: Readonly<Record<string, ServiceClass>>;
}

/** A bundle on a machine. */
export interface InstalledBundle {
  readonly bundle: DriverBundle;
  /** iPadOS: the switch in Settings. macOS: the approval in System Settings. */
  isEnabled: boolean;
  /** Attribution of its log lines; changes with each installation (posts.md T7). */
  readonly loadTag: number;
}
