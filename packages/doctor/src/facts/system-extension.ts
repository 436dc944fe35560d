// One row of systemextensionsctl list.

/** The head of a list: how many it promises, how many rows it shows. */
export interface ExtensionList {
  readonly promised: number;
  readonly shown: number;
  /** What the tool said when it gave up; "" when it did not. */
  readonly failure: string;
}

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
