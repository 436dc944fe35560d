// drydock registry: what came up, and why, or why not; a dump; and what is different between two.

import { shown } from "@drydock/core/base/shown-text";
import {
  formatRegistryPlist,
  formatRegistryTree,
  formatTreeValue,
  type RegistrySnapshot,
} from "@drydock/core/platform/evidence/registry-dump";
import type { PropertyValue } from "@drydock/core/platform/properties";
import { compareRegistries, type RegistryComparison } from "@drydock/core/platform/registry-comparison";
import { sourceOfBytes } from "@drydock/doctor/facts/evidence-source";
import { registryOf } from "@drydock/doctor/match-evidence";
import type { InputFile } from "../grammar/input-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { writeRecordings } from "./recording-files.ts";
import type { RigOrFile } from "./rig-list.ts";
import { buildAnyRig, type RigOptions } from "./rigs.ts";

const settleNs = 2_000_000_000;

export type RegistryCommand = Omit<RigOptions, "rig"> & {
  readonly rig?: RigOrFile;
  readonly against?: RigOrFile;
  readonly why: boolean;
  readonly plist: boolean;
  readonly json: boolean;
};

export async function registry(
  { against, rig: asked, ...options }: RegistryCommand,
  io: CommandIo,
): Promise<ExitCode> {
  const { file = null, rig: entry = null } = asked ?? {};
  if (file !== null) {
    const snapshot = await dumpOf(file);
    if (against !== undefined) return compare(snapshot, against, options, io);
    if (options.json) io.document({ registry: snapshot });
    else io.print(options.plist ? formatRegistryPlist(snapshot) : formatRegistryTree(snapshot));
    return exitCodes.pass;
  }
  const rig = buildAnyRig({ ...options, ...(entry === null ? {} : { rig: entry }) });
  await rig.machine.run(settleNs);
  const { machine } = rig;
  const failures = rig.failures();
  const snapshot = machine.registry.snapshot();
  const recorded = { timeline: rig.timeline, trace: rig.usb?.trace ?? null };
  if (against !== undefined) {
    writeRecordings(recorded, options, io);
    return compare(snapshot, against, options, io);
  }
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
  writeRecordings(recorded, options, io);
  return machine.failure !== null || failures.length > 0 ? exitCodes.finding : exitCodes.pass;
}

async function dumpOf(file: InputFile): Promise<RegistrySnapshot> {
  const snapshot = await registryOf([sourceOfBytes(file.label, file.bytes())]);
  if (snapshot === null)
    throw new UsageError(
      `${file.label} has no registry in it; ioreg -l -w0 or ioreg -a -l prints one, system_profiler SPUSBDataType one of USB devices`,
    );
  return snapshot;
}

async function compare(
  after: RegistrySnapshot,
  { file, rig: entry }: RigOrFile,
  options: Omit<RigOptions, "rig"> & { readonly json: boolean },
  io: CommandIo,
): Promise<ExitCode> {
  let before: RegistrySnapshot;
  if (file !== null) before = await dumpOf(file);
  else {
    const { platform, seed } = options;
    const rig = buildAnyRig({ device: [], fault: [], platform, rig: entry, seed });
    await rig.machine.run(settleNs);
    before = rig.machine.registry.snapshot();
  }
  const comparison = compareRegistries(before, after);
  if (options.json) io.document(comparison);
  else io.print(formatComparison(comparison));
  const { appeared, changed, left } = comparison;
  return appeared.length + changed.length + left.length > 0 ? exitCodes.finding : exitCodes.pass;
}

/** A value of a property may be long: a report descriptor, an icon. */
const longestValue = 200;

function valueText(value: PropertyValue | null): string {
  return value === null ? "nothing" : shown(formatTreeValue(value), longestValue);
}

function formatComparison({ appeared, changed, left, same }: RegistryComparison): string {
  const lines = [
    ...appeared.map(({ className, path }) => `appeared  ${shown(path, 400)}  <${shown(className)}>`),
    ...left.map(({ className, path }) => `left      ${shown(path, 400)}  <${shown(className)}>`),
    ...changed.flatMap(({ changes, entry }) => [
      `changed   ${shown(entry.path, 400)}  <${shown(entry.className)}>`,
      ...changes.map(
        ({ after, before, what }) =>
          `            ${shown(what, 200)}: ${valueText(before)} -> ${valueText(after)}`,
      ),
    ]),
  ];
  const sum = `${appeared.length} appeared, ${left.length} left, ${changed.length} changed, ${same} the same`;
  return `${[...lines, sum].join("\n")}\n`;
}
