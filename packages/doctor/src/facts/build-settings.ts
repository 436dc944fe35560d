// Build settings of an Xcode target, or of an .xcconfig: what Xcode puts in place of $(VARIABLES).

export interface BuildSettings {
  /** "Debug", "Release"; "" for an .xcconfig. */
  readonly configuration: string;
  /** Settings of a whole project or of an .xcconfig, which targets fall back on. */
  readonly isShared: boolean;
  readonly settings: Readonly<Record<string, string>>;
}
