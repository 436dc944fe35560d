// $(VARIABLES) of a source tree, as far as its Xcode project tells what they stand for.

import { isDictionary, type Properties, type PropertyValue } from "@drydock/core/platform/properties";
import type { BuildSettings } from "../facts/build-settings.ts";
import type { PropertyListFact } from "../facts/property-list.ts";
import type { Fact } from "./facts.ts";

/** Settings of one target, those of its project and of .xcconfig files beneath them. */
type TargetSettings = Readonly<Record<string, string>>;

const deepest = 12;

/** Which setting of a target names the file. */
const settingOf: Readonly<Record<string, string>> = {
  "Info.plist": "INFOPLIST_FILE",
  entitlements: "CODE_SIGN_ENTITLEMENTS",
};

/** A list as Xcode would hand it on: with what the project says in place of its variables. */
export function withProject(
  { place, value: list }: Fact<"property-list">,
  all: readonly BuildSettings[],
): Fact<"property-list"> {
  const setting = settingOf[list.role];
  if (setting === undefined) return { place, value: list };
  const target = targetOf(all, setting, place.file);
  const settings = target ?? withoutNames(sharedOf(all, null));
  const text = (key: string) => {
    const found = expanded(`$(${key})`, settings);
    return found.includes("$(") ? "" : found;
  };
  const value: PropertyListFact = {
    ...list,
    value: expandedList(list.value, settings),
    target: {
      bundleIdentifier: text("PRODUCT_BUNDLE_IDENTIFIER"),
      team: text("DEVELOPMENT_TEAM"),
      isForIpad: target !== null && isForIpad(target),
    },
  };
  return { place, value };
}

/** The settings of the target that builds with a file; null: no project names it, or targets that differ do. */
function targetOf(all: readonly BuildSettings[], setting: string, file: string): TargetSettings | null {
  const own = all.filter(
    ({ settings }) => settings[setting] !== undefined && isFile(settings[setting], file),
  );
  const ids = new Set(own.map(({ settings }) => settings.PRODUCT_BUNDLE_IDENTIFIER ?? ""));
  if (own.length === 0 || ids.size > 1) return null;
  const [first] = own;
  return { ...sharedOf(all, first.configuration), ...first.settings };
}

/** What .xcconfig files and whole projects say, where they agree. */
function sharedOf(all: readonly BuildSettings[], configuration: string | null): TargetSettings {
  const shared: Record<string, string> = Object.create(null);
  const differing = new Set<string>();
  for (const value of all) {
    if (!value.isShared) continue;
    if (configuration !== null && value.configuration !== "" && value.configuration !== configuration)
      continue;
    for (const [key, text] of Object.entries(value.settings))
      if (key in shared && shared[key] !== text) differing.add(key);
      else shared[key] = text;
  }
  for (const key of differing) delete shared[key];
  return shared;
}

/** By the SDK; "auto" builds for what SUPPORTED_PLATFORMS lists. */
function isForIpad({ SDKROOT = "", SUPPORTED_PLATFORMS = "" }: TargetSettings): boolean {
  const platforms = SDKROOT === "auto" || SDKROOT === "" ? SUPPORTED_PLATFORMS : SDKROOT;
  return /\biphoneos/.test(platforms) && !/\bmacosx/.test(platforms);
}

/** What is one target's alone is no other's, whoever shares the file that says it. */
function withoutNames(shared: TargetSettings): TargetSettings {
  return Object.fromEntries(
    Object.entries(shared).filter(([key]) => !/^(?:PRODUCT|EXECUTABLE|TARGET)_/.test(key)),
  );
}

/** "$(SRCROOT)/App/Info.plist" and "App/Info.plist" both are tree/App/Info.plist. */
function isFile(named: string, file: string): boolean {
  const path = named.replace(/^(?:\$[({](?:SRCROOT|PROJECT_DIR)[)}]\/)?(?:\.\/)?/, "");
  return path !== "" && !path.includes("$") && (file === path || file.endsWith(`/${path}`));
}

/** The same text with its variables; those that nobody tells stay as they are. */
function expanded(text: string, settings: TargetSettings, depth = 0): string {
  if (depth > deepest || !text.includes("$")) return text;
  const longest = 4000;
  return text
    .replace(/\$[({]([\w.]{1,200})((?::[\w=.-]{1,200})*)[)}]/g, (whole, name: string, modifiers: string) => {
      const value = variable(name, settings, depth);
      return value === null ? whole : modified(value, modifiers);
    })
    .slice(0, longest);
}

function variable(name: string, settings: TargetSettings, depth: number): string | null {
  const team = settings.DEVELOPMENT_TEAM;
  // Xcode's own names: both prefixes are the team's id with a dot in front of a bundle id.
  if (name === "TeamIdentifierPrefix" || name === "AppIdentifierPrefix")
    return team === undefined || team === "" ? null : `${expanded(team, settings, depth + 1)}.`;
  const given = settings[name === "CFBundleIdentifier" ? "PRODUCT_BUNDLE_IDENTIFIER" : name];
  if (given === undefined || given === "$(inherited)") return null;
  const value = expanded(given, settings, depth + 1);
  return value.includes("$(") || value.includes("${") ? null : value;
}

/** $(PRODUCT_NAME:rfc1034identifier): what a bundle id may not have becomes a hyphen. */
function modified(value: string, modifiers: string): string {
  if (modifiers.includes("rfc1034identifier")) return value.replace(/[^A-Za-z0-9.-]/g, "-");
  if (modifiers.includes("c99extidentifier") || modifiers.includes("identifier"))
    return value.replace(/\W/g, "_");
  if (modifiers.includes("lower")) return value.toLowerCase();
  return value;
}

/** Every text in a list. */
function expandedList(value: Properties, settings: TargetSettings): Properties {
  return expandedValue(value, settings, 0) as Properties;
}

function expandedValue(value: PropertyValue, settings: TargetSettings, depth: number): PropertyValue {
  if (typeof value === "string") return expanded(value, settings);
  if (depth > 64) return value;
  if (Array.isArray(value)) return value.map((item) => expandedValue(item, settings, depth + 1));
  if (!isDictionary(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, expandedValue(item, settings, depth + 1)]),
  );
}
