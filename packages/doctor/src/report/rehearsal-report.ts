// The stages of a signed package as text: in full for a check, in a few lines for a diagnosis.

import { formatClaimTable } from "../signing/claim-table.ts";
import type { PackagePart, PackageRehearsal } from "../signing/package-rehearsal.ts";
import { type Stage, stages } from "../signing/rehearsal.ts";
import { wrap } from "./wrap.ts";

const marks = { true: "pass", false: "FAILS", null: "open" } as const;

/** Five stages of one package; what is not reached says so. `withClaims`: the three columns too (F06). */
export function formatPackageRehearsal(item: PackageRehearsal, withClaims: boolean): string[] {
  const lines = [titleOf(item)];
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

function titleOf(item: PackageRehearsal): string {
  const names = [item.app, item.dext].filter((part) => part !== null).map(nameOf);
  return `Rehearsed on ${item.platform}: ${names.join(" with ")}`;
}

const label = (stage: Stage): string => stage.padEnd(13);
const roleNames = { app: "app", dext: "driver", tool: "tool" } as const;
export const nameOf = ({ role, bundleIdentifier }: Pick<PackagePart, "role" | "bundleIdentifier">): string =>
  bundleIdentifier === ""
    ? `${roleNames[role]} without a known bundle id`
    : `${roleNames[role]} ${bundleIdentifier}`;

/** What a tired person reads: one line of stages, the first failure with its reason and lines. */
export function formatRehearsalInShort(item: PackageRehearsal, width: number): string[] {
  const { verdicts } = item.rehearsal;
  const states = stages.map((stage) => {
    const own = verdicts.filter((verdict) => verdict.stage === stage);
    if (own.length === 0) return `${stage} -`;
    const worst = own.some(({ ok }) => ok === false)
      ? false
      : own.every(({ ok }) => ok === true)
        ? true
        : null;
    return `${stage} ${marks[`${worst}`]}`;
  });
  const lines = [titleOf(item), ...wrap(states.join(", "), width, "  ", "  ")];
  const failed = verdicts.find(({ ok }) => ok === false);
  if (failed !== undefined) {
    lines.push(...wrap(`${failed.bundleIdentifier}: ${failed.reason}`, width, "  ", "  "));
    for (const text of failed.lines) lines.push(...wrap(text, width, "  | ", "  |   "));
  }
  return lines;
}
