// A dext run for a command: its log as data, the verdict as talk.

import type { RigEntry } from "@drydock/core/rigs/catalogue";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { buildForCommand, type DextPathOptions, sayBuild } from "./dext-build.ts";
import { inThread } from "./dext-worker.ts";
import { wordOf } from "./rig-file.ts";

export interface DextRunOptions extends DextPathOptions {
  readonly rig?: RigEntry;
  readonly seed: number;
  readonly for: number;
  readonly patience: number;
  readonly json: boolean;
}

export async function runDextCommand(options: DextRunOptions, io: CommandIo): Promise<ExitCode> {
  const built = await buildForCommand(options, io, false);
  if (built === null) return exitCodes.rigError;
  const { build, sources } = built;
  if (build.module === null) {
    sayBuild(built, io);
    return exitCodes.finding;
  }
  const end = await inThread(
    {
      kind: "run",
      module: build.module,
      info: sources.info,
      entitlements: sources.entitlements,
      rig: options.rig === undefined ? null : wordOf(options.rig),
      seed: options.seed,
      settleNs: options.for * 1e9,
      most: 0,
    },
    () => {},
    options.patience,
  );
  if (end.kind === "test") throw new Error("a run was answered by a test");
  if (end.kind === "ended") {
    if (options.json) io.document({ name: sources.name, findings: [end.text] });
    else io.print(`${end.text}\n`);
    return exitCodes.finding;
  }
  const { devices, result } = end;
  if (options.json) io.document({ name: sources.name, devices, ...result });
  else {
    for (const line of result.log) io.print(`${line}\n`);
    for (const device of devices) io.say(`plugged in: ${device}`);
    for (const outcome of result.outcomes) io.say(outcome);
    if (result.outcomes.length === 0) io.say("no personality was judged: is there a device for it? (--rig)");
    for (const finding of result.findings) io.print(`finding: ${finding}\n`);
    for (const leak of result.leaks) io.print(`leak: ${leak}\n`);
    for (const line of result.uncounted) io.say(line);
    io.say(`${result.transfers} transfers, ${result.steps} steps, digest ${result.digest}`);
  }
  const isGood = result.isStarted && result.findings.length === 0 && result.leaks.length === 0;
  return isGood ? exitCodes.pass : exitCodes.finding;
}
