// Where a dext's sources are: an Xcode project, a folder, or a list of files.

import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { isDictionary, type Properties, type PropertyValue } from "@drydock/core/platform/properties";
import { plistOfBytes } from "@drydock/doctor/evidence/plist-bytes";
import { isFile, readBytes, readText } from "./bounded-file.ts";
import { NoDextError } from "./no-dext-error.ts";
import { dextTargets, expandSettings, filesBelow, type XcodeTarget } from "./xcode-project.ts";

export interface DextSources {
  /** Of the product: "MyDriver". */
  readonly name: string;
  readonly folder: string;
  readonly interfaces: readonly string[];
  readonly sources: readonly string[];
  readonly headerFolders: readonly string[];
  readonly defines: readonly string[];
  /** Info.plist; empty when there is none. */
  readonly info: Properties;
  readonly entitlements: Properties;
  /** How they were found, in words, and what was strange. */
  readonly remarks: readonly string[];
}

const sourceKinds: readonly string[] = [".cpp", ".cc", ".cxx", ".c", ".mm"];

/**
 * `paths`: one .xcodeproj or folder, or files. `target` chooses where a project has several dexts. Throws NoDextError, and
 * the readers' own errors with the file's name.
 */
export function findDextSources(paths: readonly string[], target: string | null = null): DextSources {
  const absolute = paths.map((path) => resolve(path));
  for (const path of absolute) if (!existsSync(path)) throw new NoDextError(`${path} does not exist`);
  const [first] = absolute;
  if (absolute.length === 1 && statSync(first).isDirectory()) {
    const project = first.endsWith(".xcodeproj") ? first : projectIn(first);
    if (project !== null) {
      const found = fromProject(project, target);
      if (found !== null) return found;
      if (project === first) throw new NoDextError(`${first} has no target that is a driver extension`);
    }
    return fromFiles(first, filesBelow(first), target);
  }
  for (const path of absolute)
    if (!isFile(path)) throw new NoDextError(`${path} is no file; give one project or folder, or files`);
  return fromFiles(dirname(first), absolute, target);
}

/** The project of a folder, or the only one right below it. */
function projectIn(folder: string): string | null {
  const found = [...projectFiles(folder)];
  return found.length === 1 ? found[0] : null;
}

function* projectFiles(folder: string, depth = 0): Generator<string> {
  if (depth > 4) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const { name } = entry;
    const path = join(folder, name);
    if (name.startsWith(".") || name === "node_modules" || name === "build") continue;
    if (name.endsWith(".xcodeproj")) {
      if (
        isFile(join(path, "project.pbxproj")) &&
        /product-type\.driver-extension/.test(readText(join(path, "project.pbxproj")))
      )
        yield path;
    } else if (entry.isDirectory()) yield* projectFiles(path, depth + 1);
  }
}

function fromProject(project: string, wanted: string | null): DextSources | null {
  const targets = dextTargets(project);
  if (targets.length === 0) return null;
  const chosen = wanted === null ? targets : targets.filter(({ name }) => name === wanted);
  if (chosen.length === 0)
    throw new NoDextError(
      `${project} has no dext ${wanted}; it has: ${targets.map(({ name }) => name).join(", ")}`,
    );
  if (chosen.length > 1)
    throw new NoDextError(
      `${project} has ${chosen.length} dexts: ${chosen.map(({ name }) => name).join(", ")}; choose one with --target`,
    );
  return ofTarget(chosen[0], project);
}

function ofTarget(target: XcodeTarget, project: string): DextSources {
  const folder = dirname(project);
  const missing = target.sources.filter((path) => !isFile(path));
  const there = target.sources.filter(isFile);
  const kept = there.filter((path) => [".iig", ...sourceKinds].includes(extname(path)));
  return {
    name: target.settings.PRODUCT_NAME ?? target.name,
    folder,
    ...split(kept),
    // A project may search where nothing is.
    headerFolders: [...new Set([...kept.map(dirname), ...target.headerFolders])].filter(existsSync),
    defines: target.defines.map((each) => expandSettings(each, target.settings)),
    info: readPlist(target.infoPlist, target.settings),
    entitlements: readPlist(target.entitlements, target.settings),
    remarks: [
      `target ${target.name} of ${basename(project)}`,
      ...missing.map((path) => `${path} is named by the project and not there`),
    ],
  };
}

function fromFiles(folder: string, files: readonly string[], wanted: string | null): DextSources {
  const kept = files.filter((path) => [".iig", ...sourceKinds].includes(extname(path)));
  const iigs = kept.filter((path) => path.endsWith(".iig"));
  if (iigs.length === 0)
    throw new NoDextError(`${folder} holds no .iig file and no Xcode project with a driver extension`);
  const infos = files.filter((path) => /(?:^|[-_.])Info\.plist$/.test(basename(path)) && readsAsDext(path));
  const entitled = files.filter((path) => path.endsWith(".entitlements"));
  // Without a project a folder with an app beside the dext is told apart by where the .iig files lie.
  const place = commonFolder(iigs.map(dirname));
  const near = kept.filter((path) => path.startsWith(place) || iigs.includes(path));
  const name = wanted ?? basename(infos[0] === undefined ? place : dirname(infos[0]));
  const settings = {
    TARGET_NAME: name,
    PRODUCT_NAME: name,
    PRODUCT_MODULE_NAME: name,
    EXECUTABLE_NAME: name,
    PRODUCT_BUNDLE_IDENTIFIER: `org.example.${name}`,
    CURRENT_PROJECT_VERSION: "1",
    MARKETING_VERSION: "1.0",
  };
  const own = entitled.filter((path) => path.startsWith(place));
  return {
    name,
    folder,
    ...split(near),
    headerFolders: [...new Set(files.filter((path) => /\.(?:h|hpp|iig)$/.test(path)).map(dirname))],
    defines: [],
    info: readPlist(infos.find((path) => path.startsWith(place)) ?? infos[0] ?? null, settings),
    entitlements: readPlist(own[0] ?? (entitled.length === 1 ? entitled[0] : null), settings),
    remarks: [`${near.length} sources of ${place}`],
  };
}

function split(kept: readonly string[]): Pick<DextSources, "interfaces" | "sources"> {
  const interfaces = kept.filter((path) => path.endsWith(".iig"));
  const sources = kept.filter((path) => !path.endsWith(".iig") && !path.endsWith(".mm"));
  return { interfaces: [...new Set(interfaces)], sources: [...new Set(sources)] };
}

function commonFolder(folders: readonly string[]): string {
  let common = folders[0];
  while (!folders.every((folder) => folder === common || folder.startsWith(`${common}/`)))
    common = dirname(common);
  return common;
}

function readsAsDext(path: string): boolean {
  return /IOKitPersonalities|DEXT/.test(readText(path));
}

/** Property lists name build settings; empty when there is none. Throws with the path when it cannot be read. */
function readPlist(path: string | null, settings: Readonly<Record<string, string>>): Properties {
  if (path === null || !existsSync(path)) return {};
  let value: PropertyValue;
  try {
    value = plistOfBytes(readBytes(path));
  } catch (error) {
    if (error instanceof NoDextError) throw error;
    throw new NoDextError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const expand = (each: PropertyValue): PropertyValue => {
    if (typeof each === "string") return expandSettings(each, settings);
    if (Array.isArray(each)) return (each as readonly PropertyValue[]).map(expand);
    if (each instanceof Uint8Array || typeof each !== "object") return each;
    return Object.fromEntries(Object.entries(each as Properties).map(([key, inner]) => [key, expand(inner)]));
  };
  const expanded = expand(value);
  return isDictionary(expanded) ? expanded : {};
}
