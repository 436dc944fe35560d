// The power rehearsal (posts.md F13): what each transition cost of its budget, and what a Mac would have made of it.

import type { DirectAccessUnit } from "../families/scsi/direct-access-unit.ts";
import type { Machine } from "../runtime/machine.ts";
import type { PowerChangeReport } from "../runtime/power-tree.ts";

const seconds = (ns: number): string => `${(ns / 1e9).toFixed(3)} s`;

function verdict(change: PowerChangeReport, panic: string | null): string {
  if (change.tookNs !== null) {
    const used = Math.round((change.tookNs / change.budgetNs) * 100);
    const how =
      change.acknowledgedBy === "error" ? "an error, which counts as an acknowledgement" : "in time";
    return `${seconds(change.tookNs)} of ${seconds(change.budgetNs)} (${used} %): ${how}`;
  }
  const outcome = panic ?? "a line in the log, and the kernel goes on as if it had been acknowledged";
  return `never acknowledged within ${seconds(change.budgetNs)}: ${outcome}`;
}

/** One line per finished or expired transition, then one per command that the class driver spent the time on. */
export function powerRehearsal(machine: Machine, units: readonly DirectAccessUnit[] = []): string[] {
  const panic = machine.failure?.kind === "panic" ? `a Mac panics: ${machine.failure.text}` : null;
  const lines = machine.power.reports.map(
    (change) => `${change.service} ${change.from} -> ${change.to}: ${verdict(change, panic)}`,
  );
  for (const unit of units) {
    for (const step of unit.powerSteps)
      lines.push(
        `unit ${unit.nub.lun} ${step.transition}: ${step.command} took ${seconds(step.tookNs)}: ${step.result}`,
      );
  }
  return lines;
}
