// Which DriverKit has which symbol: what a loader finds, and what an older system will miss (posts.md P03, F08).

/** One thing that a driver's executable needs from a framework, used or not. */
export interface DriverImport {
  /** "SCSIControllerDriverKit". */
  readonly framework: string;
  /** "Class::Method" (a vtable slot), "vtable for Class", or a C function's name. */
  readonly symbol: string;
  /** A weak import may be missing. */
  readonly isWeak?: boolean;
}

/** SDK and system have one number: 24.4 came with macOS 15.4. */
export const driverKitOfSystem: readonly { readonly driverKit: number; readonly system: string }[] = [
  { driverKit: 19, system: "macOS 10.15" },
  { driverKit: 20, system: "macOS 11" },
  { driverKit: 21, system: "macOS 12" },
  { driverKit: 22, system: "macOS 13" },
  { driverKit: 23, system: "macOS 14" },
  { driverKit: 24, system: "macOS 15" },
  { driverKit: 25, system: "macOS 26" },
  // The number is Apple's (PackageDescription, DriverKitVersion.v27); that it is macOS 27's is likely.
  { driverKit: 27, system: "macOS 27" },
];

/** When a framework, a class or a method first appeared. Names that are not here are of unknown age, not absent. */
interface Introduction {
  readonly framework: string;
  /** "*": the framework itself. "Class": the class and all its methods. "Class::Method". */
  readonly symbol: string;
  readonly since: string;
  /** E established (header, release notes, documentation), L likely. */
  readonly mark: "E" | "L";
  readonly source: string;
}

const scsi = "SCSIControllerDriverKit";
const controller = "IOUserSCSIParallelInterfaceController";
const notes154 = "macOS 15.4 release notes; posts.md P03";

/** As of 2026-11-22. */
export const driverKitIntroductions: readonly Introduction[] = [
  { framework: "USBDriverKit", symbol: "*", since: "19.0", mark: "E", source: "driverkit-families.md §1" },
  { framework: scsi, symbol: "*", since: "20.0", mark: "E", source: "driverkit-families.md §5" },
  { framework: "AudioDriverKit", symbol: "*", since: "21.0", mark: "E", source: "driverkit-families.md §9" },
  {
    framework: "SCSIPeripheralsDriverKit",
    symbol: "*",
    since: "22.0",
    mark: "E",
    source: "driverkit-families.md §6",
  },
  {
    framework: scsi,
    symbol: `${controller}::UserMapBundledParallelTaskCommandAndResponseBuffers`,
    since: "24.4",
    mark: "E",
    source: notes154,
  },
  {
    framework: scsi,
    symbol: `${controller}::BundledParallelTaskCompletion`,
    since: "24.4",
    mark: "E",
    source: notes154,
  },
  {
    framework: scsi,
    symbol: `${controller}::UserProcessBundledParallelTasks`,
    since: "24.4",
    mark: "E",
    source: notes154,
  },
  {
    framework: scsi,
    symbol: `${controller}::UserCompleteBundledParallelTask`,
    since: "24.4",
    mark: "E",
    source: notes154,
  },
];

/** A wanted symbol that a version lacks. */
export interface MissingImport {
  readonly wanted: DriverImport;
  readonly since: string;
  readonly mark: "E" | "L";
  readonly source: string;
}

/** What of `imports` DriverKit `version` ("24.3") does not have. Weak imports are never missing. */
export function missingImports(
  imports: readonly DriverImport[],
  version: string,
  table: readonly Introduction[] = driverKitIntroductions,
): MissingImport[] {
  return imports.flatMap((wanted) => {
    if (wanted.isWeak === true) return [];
    const found = introductionOf(wanted, table);
    if (found === null || compareVersions(found.since, version) <= 0) return [];
    return [{ wanted, since: found.since, mark: found.mark, source: found.source }];
  });
}

/** Method before class before framework. A slot's dispatch thunks ("Method_Invoke", "Method_Impl") age with it. */
function introductionOf(wanted: DriverImport, table: readonly Introduction[]): Introduction | null {
  const own = table.filter((entry) => entry.framework === wanted.framework);
  const symbol = wanted.symbol.replace(/^vtable for /, "").replace(/_(Invoke|Impl|Dispatch)$/, "");
  const exact = own.find((entry) => entry.symbol === symbol);
  const byClass = own.find((entry) => entry.symbol === symbol.split("::")[0]);
  return exact ?? byClass ?? own.find((entry) => entry.symbol === "*") ?? null;
}

/**
 * The slots of a superclass that a subclass built with SDK `sdk` refers to, whether it uses them or not: that is how a
 * newer SDK makes an unchanged driver depend on a newer system (posts.md P03, likely).
 */
export function slotsOfSubclass(superclass: string, sdk: string): DriverImport[] {
  return driverKitIntroductions
    .filter(({ symbol, since }) => symbol.startsWith(`${superclass}::`) && compareVersions(since, sdk) <= 0)
    .map(({ framework, symbol }) => ({ framework, symbol }));
}

/** Below zero, zero or above, as versions compare: 24.10 is after 24.4. Missing parts are zeros. */
export function compareVersions(left: string, right: string): number {
  const [one, other] = [left, right].map((text) =>
    text.split(".").map((part) => Number.parseInt(part, 10) || 0),
  );
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** "24.4" -> "macOS 15.4"; the number itself when it is newer than what is known. */
export function systemOfDriverKit(version: string): string {
  const [major, minor = "0"] = version.split(".");
  const found = driverKitOfSystem.find(({ driverKit }) => driverKit === Number(major));
  return found === undefined
    ? `DriverKit ${version}`
    : minor === "0"
      ? found.system
      : `${found.system}.${minor}`;
}
