// The trials of a dext for a command: what was tried, and each finding with when it came.

import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { type DextJobOptions, doDextJob } from "./dext-job.ts";

export interface DextTestOptions extends DextJobOptions {
  readonly most: number;
}

export async function testDextCommand(options: DextTestOptions, io: CommandIo): Promise<ExitCode> {
  const end = await doDextJob("test", options, io, options.most);
  if (typeof end === "number") return end;
  const { name } = end;
  if (end.kind === "ended") {
    if (options.json) io.document({ name, findings: [{ when: "a run", what: end.text }] });
    else io.print(`${end.text}\n`);
    return exitCodes.finding;
  }
  const { failedCalls, findings, isRepeatable, plain, uncounted, unplugs } = end.report;
  if (options.json) io.document({ name, devices: end.devices, ...end.report });
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
