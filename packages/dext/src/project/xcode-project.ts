// What an Xcode project says of its driver extensions: sources, Info.plist, entitlements, settings that matter here.

import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { isFile, readText } from "./bounded-file.ts";
import { NoDextError } from "./no-dext-error.ts";
import { type OpenStepValue, parseOpenStep } from "./openstep-plist.ts";

export interface XcodeTarget {
  readonly name: string;
  readonly sources: readonly string[];
  readonly infoPlist: string | null;
  readonly entitlements: string | null;
  readonly defines: readonly string[];
  readonly headerFolders: readonly string[];
  /** Settings, for $(NAME) in property lists. */
  readonly settings: Readonly<Record<string, string>>;
}

type Table = { readonly [key: string]: OpenStepValue };
const isTable = (value: OpenStepValue | undefined): value is Table =>
  typeof value === "object" && !Array.isArray(value);
const text = (value: OpenStepValue | undefined): string => (typeof value === "string" ? value : "");
const list = (value: OpenStepValue | undefined): readonly string[] =>
  Array.isArray(value) ? value.map(text) : text(value) === "" ? [] : text(value).split(/\s+/);

const dextType = "com.apple.product-type.driver-extension";

/**
 * Targets of `project` (a folder .xcodeproj) that are driver extensions. Throws OpenStepError for what is no project file, and
 * NoDextError when there is none.
 */
export function dextTargets(project: string): XcodeTarget[] {
  const file = join(project, "project.pbxproj");
  if (!isFile(file)) throw new NoDextError(`${project} holds no project.pbxproj`);
  const root = parseOpenStep(readText(file));
  if (!isTable(root) || !isTable(root.objects)) return [];
  const objects = root.objects as Readonly<Record<string, Table>>;
  const at = (id: string): Table => objects[id] ?? {};
  const folder = dirname(project);
  const paths = filePaths(objects, text(root.rootObject), folder);
  const rootSettings = settingsOf(objects, text(at(text(root.rootObject)).buildConfigurationList));
  return Object.entries(objects)
    .filter(([, object]) => text(object.isa) === "PBXNativeTarget" && text(object.productType) === dextType)
    .map(([, target]) => {
      const own = { ...rootSettings, ...settingsOf(objects, text(target.buildConfigurationList)) };
      const settings: Record<string, string> = {
        ...Object.fromEntries(Object.entries(own).map(([key, value]) => [key, list(value).join(" ")])),
        TARGET_NAME: text(target.name),
        SRCROOT: folder,
        PROJECT_DIR: folder,
        PROJECT_NAME: basename(project, ".xcodeproj"),
      };
      const named = settings.PRODUCT_NAME ?? "";
      settings.PRODUCT_NAME = expandSettings(
        named === "" || named === "$(inherited)" ? "$(TARGET_NAME)" : named,
        settings,
      );
      settings.PRODUCT_MODULE_NAME ??= settings.PRODUCT_NAME;
      settings.EXECUTABLE_NAME ??= settings.PRODUCT_NAME;
      const phases = list(target.buildPhases).map(at);
      const files = phases
        .filter((phase) => ["PBXSourcesBuildPhase", "PBXHeadersBuildPhase"].includes(text(phase.isa)))
        .flatMap((phase) => list(phase.files))
        .map((id) => paths.get(text(at(id).fileRef)))
        .filter((path): path is string => path !== undefined);
      const synchronized = list(target.fileSystemSynchronizedGroups)
        .map((id) => paths.get(id))
        .filter((path): path is string => path !== undefined && existsSync(path))
        .flatMap(filesBelow);
      const place = (value: string | undefined): string | null =>
        value === undefined || value === "" ? null : resolve(folder, expandSettings(value, settings));
      return {
        name: text(target.name),
        sources: [...files, ...synchronized],
        infoPlist: place(settings.INFOPLIST_FILE),
        entitlements: place(settings.CODE_SIGN_ENTITLEMENTS),
        defines: list(own.GCC_PREPROCESSOR_DEFINITIONS).filter((each) => each !== "$(inherited)"),
        headerFolders: [...list(own.HEADER_SEARCH_PATHS), ...list(own.USER_HEADER_SEARCH_PATHS)]
          .filter((each) => each !== "$(inherited)" && each !== "")
          .map((each) => expandSettings(each.replace(/^"|"$/g, ""), settings))
          .map((each) => resolve(folder, each.replace(/\/\*\*$/, ""))),
        settings,
      };
    });
}

/** Settings that name themselves in a circle, or others over and over, end here. */
const deepestSetting = 8;
const mostSettings = 1000;
const longestSetting = 65536;

/** "$(NAME)", "${NAME}" and "$(NAME:modifier)"; what is not known, or stands for too much, stays. */
export function expandSettings(value: string, settings: Readonly<Record<string, string>>): string {
  return expand(value, settings, deepestSetting, { left: mostSettings });
}

function expand(
  value: string,
  settings: Readonly<Record<string, string>>,
  depth: number,
  budget: { left: number },
): string {
  return value.replace(/\$[({](\w+)(?::(\w+))?[)}]/g, (all, name: string, modifier: string | undefined) => {
    if (!Object.hasOwn(settings, name) || depth === 0 || budget.left-- <= 0) return all;
    const expanded = expand(settings[name], settings, depth - 1, budget);
    if (expanded.length > longestSetting) return all;
    if (modifier === "rfc1034identifier") return expanded.replace(/[^A-Za-z0-9.-]/g, "-");
    if (modifier === "c99extidentifier" || modifier === "identifier") return expanded.replace(/\W/g, "_");
    return expanded;
  });
}

/** Of the first configuration named Debug, else of the first. */
function settingsOf(objects: Readonly<Record<string, Table>>, listId: string): Record<string, OpenStepValue> {
  const configurations = list(objects[listId]?.buildConfigurations).map((id) => objects[id] ?? {});
  const chosen = configurations.find((each) => text(each.name) === "Debug") ?? configurations[0];
  return isTable(chosen?.buildSettings) ? { ...(chosen.buildSettings as Record<string, OpenStepValue>) } : {};
}

const deepestGroup = 64;

/** Where every file and group of the project lies: paths are told from group to group. */
function filePaths(
  objects: Readonly<Record<string, Table>>,
  rootId: string,
  folder: string,
): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (id: string, above: string, depth: number) => {
    const object = objects[id];
    if (object === undefined || found.has(id) || depth > deepestGroup) return;
    const path = text(object.path);
    const tree = text(object.sourceTree);
    const here =
      path === "" ? above : path.startsWith("/") ? path : join(tree === "SOURCE_ROOT" ? folder : above, path);
    found.set(id, here);
    for (const child of list(object.children)) visit(child, here, depth + 1);
  };
  visit(text(objects[rootId]?.mainGroup), folder, 0);
  return found;
}

/** Links to folders are not followed; what is neither a file nor a link to one is left out. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.test(entry.name) ? [] : filesBelow(path);
    return isFile(path) ? [path] : [];
  });
}

/** Folders in which no source of a driver lies: other people's frameworks and what was built. */
const skipped =
  /^(?:\.|node_modules$|build$|DerivedData$|Pods$)|\.(?:framework|sdk|xcodeproj|xcworkspace|app|dext|xcassets)$/;
