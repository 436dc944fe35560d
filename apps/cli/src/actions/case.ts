// drydock case: a pair of drivers on the same device with the same seed, side by side.

import { caseIds, loadCase } from "@drydock/cases/case-doors";
import type { CaseRun, DriverCase } from "@drydock/cases/driver-case";
import { digestOfRun } from "@drydock/cases/run-digest";
import { shown } from "@drydock/core/base/shown-text";
import { callLines } from "@drydock/core/trace/call-text";
import { firstDifference, sideBySide } from "@drydock/core/trace/trace-diff";
import { formatTraceLine, traceLines } from "@drydock/core/trace/usb-text";
import { hostTurn } from "@drydock/node/host-turn";
import type { MarkedOutputs } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { writeBoth } from "./case-recordings.ts";

export async function runCase(
  options: {
    readonly id?: string;
    readonly list: boolean;
    readonly all: boolean;
    readonly seed: number;
    readonly width?: number;
    readonly json: boolean;
    readonly pcap?: MarkedOutputs;
    readonly perfetto?: MarkedOutputs;
    readonly explore: boolean;
    readonly language?: "typescript" | "cpp";
  },
  io: CommandIo,
): Promise<ExitCode> {
  const { id } = options;
  if (options.all) return await playAll(options, io);
  if (options.list || id === undefined) {
    const casebook = await everyCase();
    if (options.json) {
      const rows = casebook.map(({ id: name, title, symptom, cause }) => ({
        id: name,
        title,
        symptom,
        cause,
      }));
      io.document(rows);
    } else for (const entry of casebook) io.print(`${entry.id}  ${entry.title}\n     ${entry.symptom}\n`);
    return exitCodes.pass;
  }
  if (options.language === "cpp")
    return await (await import("./cpp-case.ts")).runCppCase({ ...options, id }, io);
  const entry = await loadCase(id);
  if (options.explore) {
    await exploreCase(entry, options.seed, io);
    return exitCodes.pass;
  }
  const bad = await entry.run("bad", { seed: options.seed, turn: hostTurn });
  const good = await entry.run("good", { seed: options.seed, turn: hostTurn });
  writeBoth(entry, { bad, good }, options, io);
  const isSound = !bad.succeeded && good.succeeded;
  const lines = (run: CaseRun) =>
    run.trace === null ? [] : traceLines(run.trace, { describeRequests: entry.describeRequests });
  if (options.json) {
    const side = (run: CaseRun) => ({
      succeeded: run.succeeded,
      result: run.result,
      digest: digestOfRun(entry, run),
      trace: lines(run).map(formatTraceLine),
      log: run.log,
    });
    io.document({ id: entry.id, seed: options.seed, isSound, bad: side(bad), good: side(good) });
  } else {
    io.print(`${entry.id}  ${entry.title}\n\nSymptom: ${entry.symptom}\nCause:   ${entry.cause}\n\n`);
    io.print(`wrong driver: ${bad.result}\nright driver: ${good.result}\n\n`);
    const width = options.width ?? io.columns ?? 160;
    const titles = { width, leftTitle: "wrong driver", rightTitle: "right driver" };
    if (bad.trace !== null) io.print(sideBySide(lines(bad), lines(good), titles));
    else
      for (const [title, run] of Object.entries({ "wrong driver": bad, "right driver": good }))
        printLog(title, run, io);
    if (
      firstDifference(lines(bad), lines(good)).index === null &&
      bad.timeline !== undefined &&
      good.timeline !== undefined
    ) {
      io.print(
        "\nThe wires are equal: they part above them, in what the application got from its driver.\n\n",
      );
      io.print(sideBySide(callLines(bad.timeline), callLines(good.timeline), titles));
    }
  }
  return isSound ? exitCodes.pass : exitCodes.finding;
}

const everyCase = (): Promise<DriverCase[]> => Promise.all(caseIds.map(loadCase));

/** Case after case, each said when it has been played; the code is that of the worst. */
async function playAll(
  { json, seed }: { readonly json: boolean; readonly seed: number },
  io: CommandIo,
): Promise<ExitCode> {
  const cases: { id: string; holds: boolean; bad: string; good: string }[] = [];
  for (const entry of await everyCase()) {
    const bad = await entry.run("bad", { seed, turn: hostTurn });
    const good = await entry.run("good", { seed, turn: hostTurn });
    const holds = !bad.succeeded && good.succeeded;
    cases.push({ id: entry.id, holds, bad: bad.result, good: good.result });
    if (json) continue;
    io.print(`${entry.id}  ${holds ? "holds" : "DOES NOT HOLD"}  ${entry.title}\n`);
    if (!holds) io.print(`     wrong driver: ${bad.result}\n     right driver: ${good.result}\n`);
  }
  const count = cases.filter(({ holds }) => holds).length;
  if (json) io.document({ seed, count, cases });
  else io.print(`\n${count} of ${cases.length} hold\n`);
  return count === cases.length ? exitCodes.pass : exitCodes.finding;
}

/** The first lines of a run's log; nothing where it has none. */
function printLog(title: string, { log }: CaseRun, io: CommandIo): void {
  if (log.length === 0) return;
  io.print(`${title}, log:\n`);
  for (const row of log.slice(0, 20))
    io.print(
      `  ${shown(`${row.process}: ${row.sender === "" ? "" : `(${row.sender}) `}${row.message}`, 1000)}\n`,
    );
}

async function exploreCase(entry: DriverCase, seed: number, io: CommandIo): Promise<void> {
  if (entry.explore === undefined) {
    const those = (await everyCase()).filter(({ explore }) => explore !== undefined).map(({ id }) => id);
    throw new UsageError(`${entry.id} has nothing to explore; these have: ${those.join(", ")}`);
  }
  for await (const line of entry.explore({ seed, turn: hostTurn })) io.print(`${line}\n`);
}
