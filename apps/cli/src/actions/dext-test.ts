// The trials of a dext for a command: what was tried, and each finding with when it came.

import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { remarkText, sourceRemarks } from "./dext-doctor.ts";
import { type DextAnswer, type DextJobOptions, doDextJob } from "./dext-job.ts";
import { watchDext } from "./dext-watch.ts";

export interface DextTestOptions extends DextJobOptions {
  readonly most?: number;
  readonly watch: boolean;
}

/** Runs of each kind: of a test, and of each of those that follow an edit, whose verdict shall be there at once. */
const mostOfTest = 200;
const mostOfWatch = 30;

export async function testDextCommand(options: DextTestOptions, io: CommandIo): Promise<ExitCode> {
  if (options.watch) {
    const many = { ...options, isOneOfMany: true };
    return watchDext(many, io, options.most ?? mostOfWatch, (end) => sayTest(end, many, io));
  }
  const end = await doDextJob("test", options, io, options.most ?? mostOfTest);
  return typeof end === "number" ? end : await sayTest(end, options, io);
}

async function sayTest(
  end: DextAnswer<"test">,
  { isOneOfMany, json }: DextJobOptions,
  io: CommandIo,
): Promise<ExitCode> {
  const { name, sources } = end;
  const form = isOneOfMany === true ? "line" : "pretty";
  if (end.kind === "ended") {
    if (json) io.document({ name, findings: [{ when: "a run", what: end.text }] }, form);
    else io.print(`${end.text}\n`);
    return exitCodes.finding;
  }
  const { failedCalls, findings, isRepeatable, plain, uncounted, unplugs } = end.report;
  const doctor = await sourceRemarks(
    sources,
    findings.map(({ what }) => what),
  );
  if (json) io.document({ name, devices: end.devices, ...end.report, doctor }, form);
  else {
    for (const outcome of plain.outcomes) io.say(outcome);
    for (const { what, when } of findings) io.print(`${when}: ${what}\n`);
    for (const each of doctor) io.print(`${remarkText(each)}\n`);
    for (const { what, when } of uncounted) io.say(`${when}: ${what}`);
    if (!isRepeatable) io.print("the same seed gave another digest\n");
    io.say(
      `${failedCalls} of ${plain.failable} calls failed, unplugged at ${unplugs} of ${plain.steps} steps: ${findings.length} findings`,
    );
  }
  const isGood = plain.isStarted && findings.length === 0 && isRepeatable;
  return isGood ? exitCodes.pass : exitCodes.finding;
}
