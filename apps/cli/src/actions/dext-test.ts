// The trials of a dext for a command: what was tried, and each finding with when it came.

import type { RigEntry } from "@drydock/core/rigs/catalogue";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { buildForCommand, type DextPathOptions, sayBuild } from "./dext-build.ts";
import { inThread } from "./dext-worker.ts";
import { wordOf } from "./rig-file.ts";

export interface DextTestOptions extends DextPathOptions {
  readonly rig?: RigEntry;
  readonly seed: number;
  readonly for: number;
  readonly most: number;
  readonly patience: number;
  readonly json: boolean;
}

export async function testDextCommand(options: DextTestOptions, io: CommandIo): Promise<ExitCode> {
  const built = await buildForCommand(options, io, false);
  if (built === null) return exitCodes.rigError;
  const { build, sources } = built;
  if (build.module === null) {
    sayBuild(built, io);
    return exitCodes.finding;
  }
  const end = await inThread(
    {
      kind: "test",
      module: build.module,
      info: sources.info,
      entitlements: sources.entitlements,
      rig: options.rig === undefined ? null : wordOf(options.rig),
      seed: options.seed,
      settleNs: options.for * 1e9,
      most: options.most,
    },
    (text) => io.progress(text),
    options.patience,
  );
  if (end.kind === "run") throw new Error("a test was answered by a run");
  if (end.kind === "ended") {
    if (options.json) io.document({ name: sources.name, findings: [{ when: "a run", what: end.text }] });
    else io.print(`${end.text}\n`);
    return exitCodes.finding;
  }
  const { failedCalls, findings, isRepeatable, plain, uncounted, unplugs } = end.report;
  if (options.json) io.document({ name: sources.name, devices: end.devices, ...end.report });
  else {
    for (const outcome of plain.outcomes) io.say(outcome);
    for (const { what, when } of findings) io.print(`${when}: ${what}\n`);
    for (const { what, when } of uncounted) io.say(`${when}: ${what}`);
    if (!isRepeatable) io.print("the same seed gave another digest\n");
    io.say(
      `${failedCalls} of ${plain.failable} calls failed, unplugged at ${unplugs} of ${plain.steps} steps: ${findings.length} findings`,
    );
  }
  const isGood = plain.isStarted && findings.length === 0 && isRepeatable;
  return isGood ? exitCodes.pass : exitCodes.finding;
}
