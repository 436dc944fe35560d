// A checked package as text: stage by stage with the lines each would print, then imports, platforms, findings.

import { systemOfDriverKit } from "@drydock/core/platform/driverkit-symbols";
import type { CheckReport, GateOfBinary, SignatureReport } from "../check.ts";
import { isOfPackage } from "../rules/package-rules.ts";
import { channels, type PartChannels } from "../signing/channels.ts";
import { formatPackageRehearsal, nameOf } from "./rehearsal-report.ts";

export function formatCheck(report: CheckReport): string {
  const lines: string[] = [];
  for (const { role, bundleIdentifier, teamIdentifier, signedBy, binaries } of report.parts) {
    const team = teamIdentifier === "" ? "" : `, team ${teamIdentifier}`;
    const signature =
      signedBy === null
        ? "no signature found"
        : signedBy === "ad hoc"
          ? "signed ad hoc"
          : `signed by ${signedBy}`;
    lines.push(
      `${nameOf({ role, bundleIdentifier })}${team}; ${signature}`,
      ...binaries.map((text) => `  ${text}`),
    );
  }
  lines.push("");
  if (report.parts.length === 0)
    for (const { file, text, who } of report.readings)
      lines.push(`${file}: ${text}${who === null ? "" : `; to be done by ${who}`}`, "");
  if (report.packages.length === 0)
    lines.push(
      report.parts.some(({ role }) => role === "dext")
        ? "Neither a signature nor entitlements of the driver are here: signing cannot be rehearsed."
        : "Nothing here is a driver, or opens or installs one: there is nothing to rehearse.",
      "",
    );
  for (const item of report.packages) lines.push(...formatPackageRehearsal(item, true), "");
  for (const gate of report.gates) lines.push(...formatGate(gate), "");
  for (const part of report.channels) lines.push(...formatChannels(part), "");
  for (const { bundleIdentifier, verdicts } of report.platforms) {
    if (verdicts.length === 0) continue;
    lines.push(
      `Platforms of ${bundleIdentifier === "" ? "the driver without a known bundle id" : `driver ${bundleIdentifier}`}`,
    );
    for (const { platform, outcome, reason } of verdicts)
      lines.push(`  ${platform.padEnd(17)} ${outcome.padEnd(9)} ${reason}`);
    lines.push("");
  }
  if (report.findings.length > 0) {
    lines.push("Findings");
    for (const { claim, rule, fix, who } of report.findings)
      lines.push(`  - ${claim} [${rule}]`, `    fix, by ${who}: ${fix[0]}`);
    lines.push("");
  }
  if (report.signatures !== null) lines.push(...formatSignatures(report.signatures));
  const expired = report.profiles.filter(({ isExpired }) => isExpired);
  if (expired.length > 0)
    lines.push(
      "Profiles that have ended",
      ...expired.map(
        ({ expires, file, name }) =>
          `  FAILS  ${file}: "${name}" ended on ${expires.slice(0, 10)}; generate it anew`,
      ),
      "",
    );
  if (report.hints.length > 0) {
    lines.push("Hints");
    for (const { claim, rule } of report.hints) lines.push(`  - ${claim} [${rule}]`);
    lines.push("");
  }
  const unread = report.files.filter(({ problems }) => problems.length > 0);
  const troubled = unread
    .filter(isOfPackage)
    .flatMap(({ name, problems }) => problems.map((text) => `  - ${name} ${text}`));
  const others = unread.filter((file) => !isOfPackage(file)).length;
  if (others > 0)
    lines.push(
      `${others === 1 ? "One other file was" : `${others} other files were`} not looked at (pictures, source and such); drydock diagnose reads source.`,
      "",
    );
  if (troubled.length > 0) lines.push("Not read, or not whole", ...troubled, "");
  lines.push(report.ok ? "Passed." : "Failed.");
  return `${lines.join("\n")}\n`;
}

const outcomeMarks = { fits: "fits  ", broken: "FAILS ", open: "open  " } as const;

/** Slices that say the same are told once. */
function formatSignatures({ code, notVerified, profiles }: SignatureReport): string[] {
  const told = [...code, ...profiles].filter(({ points }) => points.length > 0);
  if (told.length === 0) return [];
  const lines = ["Signatures"];
  for (const [file, ones] of Map.groupBy(told, (one) => one.file)) {
    lines.push(`  ${file}`);
    const points = ones.flatMap(({ architecture, points: own }) =>
      own.map(({ outcome, text, what }) => ({
        architecture,
        line: `${outcomeMarks[outcome]} ${what}: ${text}`,
      })),
    );
    for (const [line, same] of Map.groupBy(points, (point) => point.line)) {
      const slices = [...new Set(same.map(({ architecture }) => architecture))].filter((name) => name !== "");
      const isEvery = slices.length === new Set(ones.map(({ architecture }) => architecture)).size;
      lines.push(`    ${line}${slices.length === 0 || isEvery ? "" : ` (${slices.join(", ")})`}`);
    }
  }
  return [...lines, `  ${notVerified}`, ""];
}

/** How a profile names itself, in the words of the channels. */
const profileWords = {
  development: "development",
  "ad hoc": "ad hoc",
  "developer id or in-house": "Developer ID or in-house",
  store: "TestFlight or App Store",
} as const;

function formatChannels({
  bundleIdentifier,
  claims,
  isOld,
  profileFor,
  recordDays,
  recordOf,
  system,
}: PartChannels): string[] {
  const age = isOld ? `, ${recordDays} days old: look at the portal itself` : "";
  const lines = [
    `Channels of ${bundleIdentifier || "the part without a known bundle id"} on ${system} (the portal's record of ${recordOf}${age})`,
    profileFor === null
      ? "  no profile is among the evidence: for which channel it is built is open"
      : `  its profile is for ${profileWords[profileFor]}: every other channel needs another profile, and a new signature`,
  ];
  for (const channel of channels) {
    const by = Map.groupBy(claims, (claim) => claim.by[channel]);
    const words = [...by].map(([access, own]) =>
      own.length === claims.length ? access : `${access}: ${own.map(({ key }) => key).join(", ")}`,
    );
    lines.push(`  ${channel.padEnd(23)} ${words.join("; ")}`);
  }
  return lines;
}

function formatGate(gate: GateOfBinary): string[] {
  const built = `built with SDK ${gate.sdk ?? "unknown"} for ${gate.minimumOS ?? "unknown"} and later`;
  const head = `Imports of driver ${gate.bundleIdentifier} (${gate.architecture}, ${built}) on DriverKit ${gate.version}, ${gate.system}`;
  const lines = [head];
  if (gate.isTooNew)
    lines.push(`  FAILS  the binary asks for ${gate.minimumOS}: an older system does not load it at all`);
  for (const { wanted, since, source } of gate.missing)
    lines.push(
      `  FAILS  ${wanted.framework}: ${wanted.symbol} came with ${since} (${systemOfDriverKit(since)}; ${source})`,
    );
  if (gate.missing.length === 0)
    lines.push(
      `  ${gate.isTooNew ? "" : "pass   "}none of its imports (${gate.imports}) is known to be missing; of ${gate.imports - gate.judged} the framework's history is not known here`,
    );
  return lines;
}
