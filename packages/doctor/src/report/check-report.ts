// A checked package as text: stage by stage with the lines each would print, then imports, platforms, findings.

import { systemOfDriverKit } from "@drydock/core/platform/driverkit-symbols";
import type { CheckReport, GateOfBinary } from "../check.ts";
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
    lines.push("Nothing here is a driver, or opens or installs one: there is nothing to rehearse.", "");
  for (const item of report.packages) lines.push(...formatPackageRehearsal(item, true), "");
  for (const gate of report.gates) lines.push(...formatGate(gate), "");
  for (const { bundleIdentifier, verdicts } of report.platforms) {
    if (verdicts.length === 0) continue;
    lines.push(`Platforms of driver ${bundleIdentifier}`);
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
  const troubled = report.files.flatMap(({ name, problems }) =>
    problems.map((text) => `  - ${name} ${text}`),
  );
  if (troubled.length > 0) lines.push("Not read, or not whole", ...troubled, "");
  lines.push(report.ok ? "Passed." : "Failed.");
  return `${lines.join("\n")}\n`;
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
