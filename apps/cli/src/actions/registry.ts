// drydock registry: what came up, and why, or why not.

import { shown } from "@drydock/core/base/shown-text";
import { formatRegistryPlist, formatRegistryTree } from "@drydock/core/platform/evidence/registry-dump";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { writeRecordings } from "./recording-files.ts";
import { buildAnyRig, type RigOptions } from "./rigs.ts";

const settleNs = 2_000_000_000;

export async function registry(
  options: RigOptions & { readonly why: boolean; readonly plist: boolean; readonly json: boolean },
  io: CommandIo,
): Promise<ExitCode> {
  const rig = buildAnyRig(options);
  await rig.machine.run(settleNs);
  const { machine } = rig;
  const failures = rig.failures();
  const snapshot = machine.registry.snapshot();
  const reports = machine.matchReports.map((report) => ({
    nub: report.nub,
    personality: report.candidate.personalityName,
    score: report.candidate.verdict.score,
    reason: report.candidate.verdict.reason,
    outcome: report.outcome,
  }));
  if (options.json) {
    io.document({ registry: snapshot, matching: reports, failures });
  } else io.print(options.plist ? formatRegistryPlist(snapshot) : formatRegistryTree(snapshot));
  if (options.why && !options.json) {
    io.print("\nMatching:\n");
    for (const report of reports) {
      io.print(
        `  ${shown(report.nub)}\n    ${shown(report.personality)}: ${report.outcome} (score ${report.score}; ${shown(report.reason)})\n`,
      );
    }
  }
  for (const failure of failures) io.event(`drydock: ${failure}`);
  writeRecordings({ timeline: rig.timeline, trace: rig.usb?.trace ?? null }, options, io);
  return machine.failure !== null || failures.length > 0 ? exitCodes.finding : exitCodes.pass;
}
