// Three columns: what the signature claims, what the profile allows, what the kernel goes by (F06).

import { type ClaimJudgement, judgeClaims } from "@drydock/core/platform/claims";
import { showProperty } from "@drydock/core/platform/match-verdict";
import type { Properties, PropertyValue } from "@drydock/core/platform/properties";
import type { ProvisioningProfile } from "../facts/provisioning-profile.ts";
import { signingKeys } from "./rehearsal.ts";

export interface ClaimRow {
  readonly key: string;
  /** Both with their types: `1356 (number)`. */
  readonly claim: string;
  readonly allowed: string;
  /** What the kernel does with it at run time. */
  readonly rule: string;
  /** "open": no profile was handed in. */
  readonly verdict: ClaimJudgement["verdict"] | "open";
  readonly reason: string;
}

const prefix = "com.apple.developer.driverkit";

/** One sentence per key; others are "presence". */
const kernelRules: Readonly<Record<string, string>> = {
  [prefix]: "must be there, or the server is refused",
  [`${prefix}.transport.usb`]: "a second matching dictionary that the device must fit",
  [`${prefix}.transport.pci`]: "numbers in base 16, compared in full without a mask",
  [signingKeys.access]: "read from the app; one element must equal the service's CFBundleIdentifier",
  [signingKeys.allowAny]: "read from the driver; presence admits, the value is not looked at",
  [signingKeys.communicates]: "iPadOS only, must be true",
};

/** A row per claimed key, then one per key that only the profile has. */
/** `isOpen`: no profile was handed in, which says nothing about whether there is one. */
export function claimTable(
  claims: Properties,
  profile: ProvisioningProfile | null,
  isOpen = false,
): ClaimRow[] {
  const rows = judgeClaims(claims, profile?.allowlist ?? null).map(
    ({ key, claim, allowed, verdict, reason }): ClaimRow => ({
      key,
      claim: typed(claim),
      allowed: allowed === undefined ? "-" : typed(allowed),
      rule: kernelRules[key] ?? "presence",
      verdict: isOpen && verdict === "absent" ? "open" : verdict,
      reason:
        isOpen && verdict === "absent"
          ? "no profile is among the evidence"
          : profile?.editedKeys.includes(key)
            ? `${reason}; the readable copy says ${typed(profile.plistEntitlements[key])}, which does not count`
            : reason,
    }),
  );
  for (const [key, value] of Object.entries(profile?.allowlist ?? {})) {
    if (key in claims) continue;
    rows.push({
      key,
      claim: "-",
      allowed: typed(value),
      rule: kernelRules[key] ?? "presence",
      verdict: "covered",
      reason: "allowed, not claimed: harmless",
    });
  }
  return rows;
}

export function typed(value: PropertyValue | undefined): string {
  if (value === undefined) return "-";
  if (typeof value === "number") return `${value} (number)`;
  if (typeof value === "boolean") return `${value} (boolean)`;
  if (typeof value === "string") return `${showProperty(value)} (string)`;
  if (Array.isArray(value)) return `[${value.map(typed).join(", ")}]`;
  if (value instanceof Uint8Array) return `${value.length} bytes (data)`;
  return `{${Object.entries(value)
    .map(([key, entry]) => `${key} = ${typed(entry)}`)
    .join(", ")}}`;
}

/** The table as text for a terminal. */
export function formatClaimTable(rows: readonly ClaimRow[]): string {
  return rows
    .map(({ key, claim, allowed, rule, verdict, reason }) =>
      [
        `${verdict === "covered" || verdict === "unrestricted" ? " " : "!"} ${key}`,
        `    claim    ${claim}`,
        `    profile  ${allowed}`,
        `    kernel   ${rule}`,
        `    ${verdict}: ${reason}`,
      ].join("\n"),
    )
    .join("\n");
}
