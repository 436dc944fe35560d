// A dext run for a command: its log as data, the verdict as talk.

import { portUseText } from "@drydock/dext/run/serial-use";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { remarkText, sourceRemarks } from "./dext-doctor.ts";
import { type DextJobOptions, doDextJob } from "./dext-job.ts";

export async function runDextCommand(options: DextJobOptions, io: CommandIo): Promise<ExitCode> {
  const end = await doDextJob("run", options, io);
  if (typeof end === "number") return end;
  const { name, sources } = end;
  if (end.kind === "ended") {
    if (options.json) io.document({ name, findings: [end.text] });
    else io.print(`${end.text}\n`);
    return exitCodes.finding;
  }
  const { devices, ports, result } = end;
  const doctor = await sourceRemarks(sources, result.findings);
  if (options.json) io.document({ name, devices, ports, ...result, doctor });
  else {
    for (const line of result.log) io.print(`${line}\n`);
    for (const device of devices) io.say(`plugged in: ${device}`);
    for (const outcome of result.outcomes) io.say(outcome);
    if (result.outcomes.length === 0) io.say("no personality was judged: is there a device for it? (--rig)");
    for (const use of ports) io.event(portUseText(use));
    for (const note of result.notes) io.say(note);
    for (const finding of result.findings) io.print(`finding: ${finding}\n`);
    for (const each of doctor) io.print(`${remarkText(each)}\n`);
    for (const leak of result.leaks) io.print(`leak: ${leak}\n`);
    for (const line of result.uncounted) io.say(line);
    io.say(`${result.transfers} transfers, ${result.steps} steps, digest ${result.digest}`);
  }
  const isGood = result.isStarted && result.findings.length === 0 && result.leaks.length === 0;
  return isGood ? exitCodes.pass : exitCodes.finding;
}
