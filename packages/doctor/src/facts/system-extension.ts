// One row of systemextensionsctl list.

export interface SystemExtension {
  readonly isEnabled: boolean;
  readonly isActive: boolean;
  /** "" for an extension without a team. */
  readonly team: string;
  readonly bundleIdentifier: string;
  readonly version: string;
  readonly name: string;
  /** "activated enabled", "terminated waiting to uninstall on reboot", ... */
  readonly state: string;
}
