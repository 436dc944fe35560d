// drydock campaign run: a whole campaign through a queue of its own, or one run with named faults.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shown } from "@drydock/core/base/shown-text";
import type { AccessFault } from "@drydock/core/faults/access-faults";
import { placeOfFault, recordWorkload, runWithFaults } from "@drydock/core/trials/access-campaign";
import { type CampaignReport, isClean } from "@drydock/core/trials/campaign-book";
import { ShardRunner } from "@drydock/core/trials/campaign-shards";
import { type FaultPlan, formatFaultPlan, parseFaultPlan } from "@drydock/core/trials/fault-plan";
import { hostTurn } from "@drydock/node/host-turn";
import { campaignReport, campaignStatus, findCampaign } from "@drydock/node/jobs/campaign-foreman";
import { type CampaignSeat, workOnCampaigns } from "@drydock/node/jobs/campaign-work";
import type { JobQueue } from "@drydock/node/jobs/job-queue";
import { openSqliteQueue } from "@drydock/node/jobs/sqlite-job-queue";
import type { InputFile } from "../grammar/input-paths.ts";
import type { OutputFile, OutputFolder } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import {
  type CampaignForms,
  type CampaignWish,
  ownDigests,
  planOfCampaign,
  processSeats,
  seatHere,
  showReport,
  submitOwn,
} from "./campaign-parts.ts";
import { findExplorable } from "./explorable-list.ts";
import { untilInterrupted } from "./interruption.ts";
import { isRigFile, loadRigFile } from "./rig-file.ts";

interface CampaignOptions extends CampaignWish, CampaignForms {
  readonly rig: string;
  readonly strike: readonly AccessFault[];
  readonly plan?: InputFile;
  readonly save?: OutputFile;
  readonly findings?: OutputFolder;
  readonly workers?: number;
}

export async function runCampaign(options: CampaignOptions, io: CommandIo): Promise<ExitCode> {
  const { rig } = options;
  // A plan is shared: it names a user's rig as the file does, not where the file lies.
  const named = isRigFile(rig) ? (await loadRigFile(rig)).name : rig;
  const plan = planOf(named, options);
  return plan === null ? wholeCampaign(named, options, io) : oneRun(plan, options, io);
}

/** The faults of one run, where the line asks for one. */
function planOf(rig: string, { plan, seed, strike }: CampaignOptions): FaultPlan | null {
  if (plan === undefined) return strike.length === 0 ? null : { rig, seed, faults: strike };
  let read: FaultPlan;
  try {
    read = parseFaultPlan(plan.bytes().toString("utf8"));
  } catch (error) {
    if (error instanceof RangeError)
      throw new UsageError(`${plan.label} is no fault plan: ${shown(error.message)}`);
    throw error;
  }
  if (read.rig !== rig)
    throw new UsageError(
      `${plan.label} is of the rig ${shown(read.rig)}, whose accesses have other numbers than those of ${rig}`,
    );
  return read;
}

async function oneRun(
  plan: FaultPlan,
  { json, rig, save }: CampaignOptions,
  io: CommandIo,
): Promise<ExitCode> {
  const { faults, seed } = plan;
  const entry = await findExplorable(rig);
  const workload = await recordWorkload(entry, seed, hostTurn);
  const places = faults.map((fault) => placeOfFault(workload, fault));
  const result = await runWithFaults(entry, seed, hostTurn, faults);
  save?.write(Buffer.from(formatFaultPlan(plan, places)));
  if (json) io.document({ ...result, places });
  else {
    const struck = faults.map(
      ({ access, fault, number }, at) =>
        `${fault} ${access} ${number}${places[at] === "" ? "" : ` (${places[at]})`}`,
    );
    io.print(
      `${entry.name}, seed ${seed}: ${struck.join(", ")}: ${result.isFired ? result.outcome : "not every fault struck: the run does not count"}\n`,
    );
    for (const problem of result.problems) io.print(`${shown(problem)}\n`);
  }
  return result.isFired && result.problems.length === 0 ? exitCodes.pass : exitCodes.finding;
}

async function wholeCampaign(named: string, options: CampaignOptions, io: CommandIo): Promise<ExitCode> {
  const { findings, rig, workers } = options;
  const entry = await findExplorable(rig);
  const plan = planOfCampaign(named, options);
  const runner = new ShardRunner(entry, plan, hostTurn);
  const folder = mkdtempSync(join(tmpdir(), "drydock-campaign-"));
  const queue = openSqliteQueue(join(folder, "queue"), { isTemporary: true });
  const interruption = untilInterrupted();
  let seats: readonly CampaignSeat[] = [];
  let report: CampaignReport;
  try {
    const { id, phases } = await submitOwn(queue, runner, plan);
    // A user's own code may end its process, and nothing else.
    const isHere =
      !isRigFile(rig) && (workers === 1 || (phases[0].shards <= 2 && phases[0].phase !== "seeds"));
    seats = isHere ? [seatHere(runner)] : processSeats(workers, () => rig);
    await workOnCampaigns({
      queue,
      digests: ownDigests,
      seats,
      idleMostMs: 50,
      isStopped: interruption.isOver,
      isOver: async () => (await findCampaign(queue, id))?.isDone === true,
      onShard: () => void sayProgress(queue, id, io),
      say: (text) => io.event(text),
    });
    const note = await findCampaign(queue, id);
    if (note === null) throw new Error("the campaign is gone");
    report = await campaignReport(queue, note);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  } finally {
    interruption.end();
    await Promise.all(seats.map((seat) => seat.end()));
    await queue.close();
    rmSync(folder, { recursive: true, force: true });
  }
  showReport(report, options, io);
  for (const { faults, places, rule, seed } of report.findings) {
    if (faults.length === 0) continue;
    const name = `${rule.replace(/[^a-z]+/gi, "-")}.json`;
    const written = findings?.write(name, formatFaultPlan({ rig: named, seed, faults }, places));
    if (written !== undefined) io.say(`drydock: ${written}: ${rule}`);
  }
  if (interruption.isOver()) return exitCodes.interrupted;
  return isClean(report) ? exitCodes.pass : exitCodes.finding;
}

async function sayProgress(queue: JobQueue, id: string, io: CommandIo): Promise<void> {
  const note = await findCampaign(queue, id);
  if (note === null) return;
  const { ended, phase, shards } = await campaignStatus(queue, note);
  io.progress(`${phase}: ${ended} of ${shards} parts`);
}
