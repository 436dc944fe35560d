// Import gate: what a driver's binary needs from DriverKit, against the oldest system it promises to run on (F08, P03).

import type { MachOSlice } from "@drydock/core/codec/macho/macho";
import { readableSymbol } from "@drydock/core/codec/macho/macho";
import {
  compareVersions,
  type DriverImport,
  driverKitOfSystem,
  type MissingImport,
  missingImports,
} from "@drydock/core/platform/driverkit-symbols";

/** "SCSIControllerDriverKit" of /System/DriverKit/.../SCSIControllerDriverKit.framework/SCSIControllerDriverKit. */
export function frameworkOf(path: string): string {
  return /([^/]+)\.framework\//.exec(path)?.[1] ?? (path.split("/").pop() ?? path).replace(/\.dylib$/, "");
}

/** What a slice imports, by framework and readable name: virtual tables, methods, class objects, functions. */
export function driverImports(slice: MachOSlice): DriverImport[] {
  return slice.imports.flatMap(({ symbol, dylib, isWeak }) => {
    const library = slice.dylibs[dylib];
    if (library === undefined) return [];
    return [
      {
        framework: frameworkOf(library.path),
        symbol: readableSymbol(symbol) ?? symbol.replace(/^_/, ""),
        isWeak: isWeak || library.isWeak,
      },
    ];
  });
}

export interface ImportGate {
  /** "24.0": of DriverKit. */
  readonly version: string;
  /** Symbols that this version lacks, in the order of the binary. */
  readonly missing: readonly MissingImport[];
  /** LC_BUILD_VERSION, null when the binary has none. */
  readonly minimumOS: string | null;
  readonly sdk: string | null;
  /** The binary itself says that it needs a newer system. */
  readonly isTooNew: boolean;
  /** Imports from frameworks that have dated entries; of the others nothing is known. */
  readonly judged: number;
  readonly imports: number;
}

/** `version`: of DriverKit, as {@link driverKitVersion} gives it. */
export function importGate(slice: MachOSlice, version: string): ImportGate {
  const imports = driverImports(slice);
  const minimumOS = slice.build?.minimumOS ?? null;
  return {
    version,
    missing: missingImports(imports, version),
    minimumOS,
    sdk: slice.build?.sdk ?? null,
    isTooNew:
      slice.build?.platform === "DriverKit" && minimumOS !== null && compareVersions(minimumOS, version) > 0,
    judged: imports.filter(({ framework }) => missingImports([{ framework, symbol: "*" }], "0").length > 0)
      .length,
    imports: imports.length,
  };
}

/** iPadOS 16 is the first with DriverKit, 22 its number; from 26 on all systems have one number (L for iPadOS). */
const driverKitOfIPad: readonly (readonly [system: number, driverKit: number])[] = [
  [16, 22],
  [17, 23],
  [18, 24],
  [26, 25],
  [27, 27],
];

/**
 * DriverKit's version on a system: "15.3" -> "24.3", "10.15" -> "19.0", "26" -> "25.0". Throws RangeError for a system
 * that has none.
 */
export function driverKitVersion(system: string, kind: "macOS" | "iPadOS"): string {
  if (!/^\d{1,2}(\.\d{1,2}){0,2}$/.test(system))
    throw new RangeError(`"${system}" is no version; write it like 15.0 or 10.15`);
  const [major, minor = "0"] = system.split(".");
  if (kind === "iPadOS") {
    const found = driverKitOfIPad.find(([number]) => number === Number(major));
    if (found !== undefined) return `${found[1]}.${minor}`;
    throw new RangeError(
      `iPadOS ${system} is not known to have DriverKit; known: ${driverKitOfIPad.map(([number]) => number).join(", ")}`,
    );
  }
  for (const { driverKit, system: name } of driverKitOfSystem) {
    const number = name.replace("macOS ", "");
    if (number === major) return `${driverKit}.${minor}`;
    if (number === `${major}.${minor}`) return `${driverKit}.0`;
  }
  throw new RangeError(
    `macOS ${system} is not known to have DriverKit; known: ${driverKitOfSystem.map(({ system: name }) => name.replace("macOS ", "")).join(", ")}`,
  );
}
