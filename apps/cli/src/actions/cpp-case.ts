// drydock case ID --language cpp: both drivers as C++ dexts, where they fail, and how they compare with TypeScript.

import { type CppRun, compareLanguages, type LanguageComparison } from "@drydock/cases/cpp-case";
import { cppCaseIds, loadCppCase } from "@drydock/cases/cpp-doors";
import type { CaseRun, DriverCase } from "@drydock/cases/driver-case";
import { digestOfRun } from "@drydock/cases/run-digest";
import { shown } from "@drydock/core/base/shown-text";
import { sideBySide } from "@drydock/core/trace/trace-diff";
import { formatTraceLine, traceLines } from "@drydock/core/trace/usb-text";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { hostTurn } from "@drydock/node/host-turn";
import type { MarkedOutputs } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { writeBoth } from "./case-recordings.ts";

interface CppCaseLine {
  readonly id: string;
  readonly seed: number;
  readonly width?: number;
  readonly json: boolean;
  readonly pcap?: MarkedOutputs;
  readonly perfetto?: MarkedOutputs;
}

export async function runCppCase(options: CppCaseLine, io: CommandIo): Promise<ExitCode> {
  const { id, json, seed } = options;
  if (!cppCaseIds.includes(id))
    throw new UsageError(`${id} is not written in C++; these are: ${cppCaseIds.join(", ")}`);
  const one = await loadCppCase(id);
  const { entry } = one;
  const play = { seed, turn: hostTurn, cppGrammar };
  const runs: { bad: CppRun; good: CppRun } = {
    bad: await one.run("bad", play),
    good: await one.run("good", play),
  };
  const twins = { bad: await entry.run("bad", play), good: await entry.run("good", play) };
  const compared = {
    bad: compareLanguages(entry, twins.bad, runs.bad),
    good: compareLanguages(entry, twins.good, runs.good),
  };
  writeBoth(entry, runs, options, io);
  const isSound =
    !runs.bad.succeeded &&
    runs.good.succeeded &&
    runs.bad.places.length > 0 &&
    (one.hasSteps === false || (compared.bad.difference === null && compared.good.difference === null));
  if (json) {
    const side = (run: CppRun, comparison: LanguageComparison) => ({
      succeeded: run.succeeded,
      result: run.result,
      places: run.places,
      digest: digestOfRun(entry, run),
      trace: linesOf(entry, run).map(formatTraceLine),
      log: run.log,
      typescript: comparison,
    });
    io.document({
      id,
      language: "cpp",
      seed,
      isSound,
      bad: side(runs.bad, compared.bad),
      good: side(runs.good, compared.good),
    });
    return isSound ? exitCodes.pass : exitCodes.finding;
  }
  io.print(`${entry.id}  ${entry.title}, in C++\n\nSymptom: ${entry.symptom}\nCause:   ${entry.cause}\n\n`);
  io.print(`wrong driver: ${shown(runs.bad.result, 2000)}\n`);
  for (const { path, line, text } of runs.bad.places) io.print(`  ${path}:${line}: ${shown(text, 1000)}\n`);
  io.print(`right driver: ${shown(runs.good.result, 2000)}\n`);
  for (const { path, line, text } of runs.good.places) io.print(`  ${path}:${line}: ${shown(text, 1000)}\n`);
  if (runs.bad.trace !== null && runs.good.trace !== null) {
    const width = options.width ?? io.columns ?? 160;
    const titles = { width, leftTitle: "wrong driver", rightTitle: "right driver" };
    io.print(`\n${sideBySide(linesOf(entry, runs.bad), linesOf(entry, runs.good), titles)}`);
  }
  if (one.hasSteps !== false) {
    printComparison("wrong driver", compared.bad, io);
    printComparison("right driver", compared.good, io);
  }
  return isSound ? exitCodes.pass : exitCodes.finding;
}

function linesOf(entry: DriverCase, run: CaseRun) {
  return run.trace === null ? [] : traceLines(run.trace, { describeRequests: entry.describeRequests });
}

const milliseconds = (ns: number): string => `${(ns / 1e6).toFixed(3)} ms`.padStart(14);

function printComparison(
  title: string,
  { compared, difference, rows, what }: LanguageComparison,
  io: CommandIo,
): void {
  if (compared === 0) return;
  const verdict =
    difference === null
      ? `all ${compared} ${what} are the same in TypeScript and in C++, in order`
      : `${what} part at number ${difference} of ${compared}`;
  const apart = rows.reduce(
    (most, { cppNs, typescriptNs }) => Math.max(most, Math.abs(cppNs - typescriptNs)),
    0,
  );
  const times =
    apart === 0
      ? "at the same virtual times"
      : `their virtual times lie up to ${(apart / 1e6).toFixed(3)} ms apart, as the dext's calls take other turns of the scheduler`;
  io.print(`\n${title}: ${verdict}; ${times}.\n${"TypeScript".padStart(14)}${"C++".padStart(14)}\n`);
  for (const { cppNs, text, typescriptNs } of rows)
    io.print(`${milliseconds(typescriptNs)}${milliseconds(cppNs)}  ${shown(text, 160)}\n`);
}
