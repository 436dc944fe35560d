// Lists of entitlements among the evidence: files, signatures, allowlists; whose they are.

import { isDictionary, type Properties } from "@drydock/core/platform/properties";
import type { Evidence } from "../evidence/evidence.ts";
import type { Fact } from "../evidence/facts.ts";
import type { EvidenceKind } from "../facts/read-file.ts";

export function listsOf(evidence: Evidence, role: EvidenceKind): Fact<"property-list">[] {
  return evidence.facts("property-list").filter((fact) => fact.value.role === role);
}

export const driverKit = "com.apple.developer.driverkit";

/** The allowlist of a profile that was decoded to a property list. */
export function allowlistOf(profile: Fact<"property-list">): Properties {
  const list = profile.value.value.Entitlements;
  return isDictionary(list) ? list : {};
}

/** "TEAM.bundle.id" or "TEAM.*" of a profile or of entitlements; "" when it has none. */
export function applicationIdentifierOf(entitlements: Properties): string {
  const value = entitlements["com.apple.application-identifier"] ?? entitlements["application-identifier"];
  return typeof value === "string" ? value : "";
}

/** Whether an application identifier of a profile covers a bundle id. */
export function coversBundle(applicationIdentifier: string, bundleIdentifier: string): boolean {
  const wanted = applicationIdentifier.replace(/^[A-Z0-9]{10}\./, "");
  return wanted.endsWith("*")
    ? bundleIdentifier.startsWith(wanted.slice(0, -1))
    : wanted === bundleIdentifier;
}

/** Entitlements of a driver carry the base key; an app's may, too, but only an app activates extensions. */
export function isDextEntitlements(value: Properties): boolean {
  if ("com.apple.developer.system-extension.install" in value) return false;
  return Object.keys(value).some(
    (key) =>
      key === driverKit ||
      key.startsWith(`${driverKit}.transport.`) ||
      key.startsWith(`${driverKit}.family.`),
  );
}

/**
 * Whether two bundle ids are of one product as far as ids can tell: the same, one the beginning of the other, or at least
 * three parts in common. Ids that share a maker's name alone are not.
 */
export function areRelated(left: string, right: string): boolean {
  if (left === "" || right === "") return false;
  if (left === right || left.startsWith(`${right}.`) || right.startsWith(`${left}.`)) return true;
  const [ones, others] = [left.split("."), right.split(".")];
  return [0, 1, 2].every((index) => ones[index] !== undefined && ones[index] === others[index]);
}
