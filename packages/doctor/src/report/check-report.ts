// A checked package as text: stage by stage with the lines each would print, then imports, platforms, findings.

import { systemOfDriverKit } from "@drydock/core/runtime/driverkit-symbols";
import type { CheckReport, GateOfBinary } from "../signing/check.ts";
import { formatClaimTable } from "../signing/claim-table.ts";
import type { PackagePart, PackageRehearsal } from "../signing/package-rehearsal.ts";
import { type Stage, stages } from "../signing/rehearsal.ts";

const marks = { true: "pass", false: "FAILS", null: "open" } as const;

/** Five stages of one package; what is not reached says so. `withClaims`: the three columns too (F06). */
export function formatPackageRehearsal(item: PackageRehearsal, withClaims: boolean): string[] {
  const names = [item.app, item.dext].filter((part) => part !== null).map(nameOf);
  const lines = [`Rehearsed on ${item.platform}: ${names.join(" with ")}`];
  const { verdicts, stoppedAt, warnings } = item.rehearsal;
  for (const stage of stages) {
    const own = verdicts.filter((verdict) => verdict.stage === stage);
    if (own.length === 0) lines.push(`  ${label(stage)} -      not reached`);
    for (const { ok, bundleIdentifier, reason, lines: printed, fix, who } of own) {
      const subject = bundleIdentifier === "" ? "" : `${bundleIdentifier}: `;
      lines.push(`  ${label(stage)} ${marks[`${ok}`].padEnd(6)} ${subject}${reason}`);
      for (const text of printed) lines.push(`${" ".repeat(23)}| ${text}`);
      if (fix !== "") lines.push(`${" ".repeat(23)}fix, by ${who}: ${fix}`);
    }
  }
  if (stoppedAt === null) lines.push("  No stage that could be judged fails.");
  for (const { rule, text } of warnings) lines.push(`  warning: ${text} [${rule}]`);
  for (const part of [item.app, item.dext]) {
    if (part === null) continue;
    for (const text of part.assumptions) lines.push(`  note: ${nameOf(part)}: ${text}`);
    if (withClaims && part.claims.length > 0)
      lines.push(
        "",
        `Claims of ${nameOf(part)} against ${part.profile === null ? "no profile" : `"${part.profile}"`}`,
        formatClaimTable(part.claims),
      );
  }
  return lines;
}

const label = (stage: Stage): string => stage.padEnd(13);
const roleNames = { app: "app", dext: "driver", tool: "tool" } as const;
const nameOf = ({ role, bundleIdentifier }: PackagePart): string =>
  bundleIdentifier === ""
    ? `${roleNames[role]} without a known bundle id`
    : `${roleNames[role]} ${bundleIdentifier}`;

export function formatCheck(report: CheckReport): string {
  const lines: string[] = [];
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
      `  ${gate.isTooNew ? "" : "pass   "}none of its ${gate.imports} imports is known to be missing; ${gate.imports - gate.judged} are of frameworks whose history is not known here`,
    );
  return lines;
}
