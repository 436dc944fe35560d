// DR03-1: the driver needs a symbol that this system's DriverKit does not have.

import { compareVersions, missingImports, systemOfDriverKit } from "@drydock/core/platform/driverkit-symbols";
import { driverImports, driverKitVersion, frameworkOf, importGate } from "../../signing/import-gate.ts";
import { evidenceParts } from "../../signing/parts.ts";
import type { Finding, Rule } from "../rule.ts";

const symbolLine = /Symbol not found: ?'?([^\s'()]{2,400})/;
const libraryLine = /Expected in: ?'?(?:<[0-9A-Fa-f-]{36}> )?([^\s'()]{2,400}DriverKit[^\s'()]{0,200})/;

export const symbolMissing: Rule = {
  id: "DR03-1",
  title: "The driver needs a symbol that this system's DriverKit does not have",
  severity: "error",
  certainty: "likely",
  source: "macOS 15.4 release notes; reasoning from class descriptions",
  needs: ["crash report", "Mach-O"],
  why: "A driver's class description and virtual table name every method that its superclass has in the SDK, used or not, and these are strong imports. A system older than the SDK cannot satisfy them, and the dynamic linker ends the driver before its first instruction. Availability marks do not help: no call of yours is to blame.",
  fix: [
    "Build with the oldest SDK that has what you need: the Xcode that came with it, not an SDK copied into another Xcode.",
    "Keep one driver per band of systems, with bundle ids and versions of their own, and let the app activate the right one.",
    "Compare imports before you ship: drydock check MyDriver.dext --min-os 15.0.",
  ],
  who: "you",
  judge(evidence) {
    return evidence.facts("crash").flatMap(({ value, place }): Finding[] => {
      const text = [value.termination, ...value.information].join("\n");
      const symbol = symbolLine.exec(text)?.[1];
      const library = libraryLine.exec(text)?.[1];
      // A library that another product pushes into the process is told apart by FX-FOREIGN-LIBRARY.
      const by = /Referenced from: ?'?(?:<[0-9A-Fa-f-]{36}> )?([^\s'()]{2,400})/.exec(text)?.[1];
      if (by !== undefined && /^\/(?:usr\/local|opt|Library\/(?!SystemExtensions))\//.test(by)) return [];
      if (symbol === undefined || (library === undefined && !value.isDext)) return [];
      const framework = library === undefined ? null : frameworkOf(library);
      const dated = framework === null ? [] : missingImports([{ framework, symbol }], "0");
      const since = dated[0]?.since;
      const host = hostVersion(value.osVersion);
      const own = evidenceParts(evidence).find(
        ({ role, bundleIdentifier }) =>
          role === "dext" &&
          (bundleIdentifier === value.bundleIdentifier || bundleIdentifier === value.process),
      );
      const slice = own?.executables.find((executable) => executable.value.slice !== null)?.value.slice;
      const built =
        slice?.build == null
          ? ""
          : ` It was built with SDK ${slice.build.sdk} for ${slice.build.minimumOS} and later${slice.build.platform === "DriverKit" && host !== null ? `; ${importGate(slice, host).missing.length} of its ${driverImports(slice).length} imports are newer than this system` : ""}.`;
      return [
        {
          score: since !== undefined && host !== null && compareVersions(since, host) > 0 ? 97 : 92,
          claim: `${value.process} cannot be loaded on ${value.osVersion || "this system"}: ${framework ?? "DriverKit"} there has no ${symbol}${since === undefined ? "" : `, which came with ${systemOfDriverKit(since)}`}.${built}`,
          because: [place, ...(own?.executables[0] === undefined ? [] : [own.executables[0].place])],
          about: [value.process],
          missing: slice == null ? ["the driver's executable: its SDK, minimum system and imports"] : [],
        },
      ];
    });
  },
};

/** "macOS 15.3 (24D60)" -> "24.3"; null for what has no DriverKit or is not known. */
function hostVersion(osVersion: string): string | null {
  const match = /^(macOS|iPhone OS) (\d{1,2}(?:\.\d{1,2})?)/.exec(osVersion);
  if (match === null) return null;
  try {
    return driverKitVersion(match[2], match[1] === "macOS" ? "macOS" : "iPadOS");
  } catch {
    return null;
  }
}
