// drydock case: a pair of drivers on the same device with the same seed, side by side.

import { type CaseRun, casebook, type DriverCase, findCase } from "@drydock/cases/casebook";
import { sideBySide } from "@drydock/core/trace/trace-diff";
import { formatTraceLine, traceLines } from "@drydock/core/trace/usb-text";
import { hostTurn } from "@drydock/node/host-turn";
import { exitCodes } from "./exit-codes.ts";
import { writePcap } from "./pcap-file.ts";

export async function runCase(
  id: string | undefined,
  options: {
    list?: boolean;
    seed: number;
    width?: number;
    json?: boolean;
    pcap?: string;
    explore?: boolean;
  },
): Promise<void> {
  if (options.list === true || id === undefined) {
    if (options.json === true) {
      const rows = casebook.map(({ id: name, title, symptom, cause }) => ({
        id: name,
        title,
        symptom,
        cause,
      }));
      process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    } else
      for (const entry of casebook)
        process.stdout.write(`${entry.id}  ${entry.title}\n     ${entry.symptom}\n`);
    return;
  }
  const entry = findCase(id);
  if (options.explore === true) {
    await exploreCase(entry, options.seed);
    return;
  }
  const bad = await entry.run("bad", { seed: options.seed, turn: hostTurn });
  const good = await entry.run("good", { seed: options.seed, turn: hostTurn });
  for (const [side, run] of Object.entries({ bad, good })) {
    if (options.pcap !== undefined && run.trace === null) {
      process.stderr.write(`drydock: ${entry.id} has no USB traffic to write\n`);
      break;
    }
    writePcap(run.trace, options.pcap?.replace(/(\.[^./]*)?$/, `.${side}$1`));
  }
  const isSound = !bad.succeeded && good.succeeded;
  const lines = (run: CaseRun) =>
    run.trace === null ? [] : traceLines(run.trace, { describeRequests: entry.describeRequests });
  if (options.json === true) {
    const side = (run: CaseRun) => ({
      succeeded: run.succeeded,
      result: run.result,
      trace: lines(run).map(formatTraceLine),
      log: run.log,
    });
    process.stdout.write(
      `${JSON.stringify({ id: entry.id, seed: options.seed, isSound, bad: side(bad), good: side(good) }, null, 2)}\n`,
    );
  } else {
    process.stdout.write(
      `${entry.id}  ${entry.title}\n\nSymptom: ${entry.symptom}\nCause:   ${entry.cause}\n\n`,
    );
    process.stdout.write(`wrong driver: ${bad.result}\nright driver: ${good.result}\n\n`);
    if (bad.trace !== null) {
      process.stdout.write(
        sideBySide(lines(bad), lines(good), {
          width: options.width ?? process.stdout.columns ?? 160,
          leftTitle: "wrong driver",
          rightTitle: "right driver",
        }),
      );
    } else {
      for (const [title, run] of [
        ["wrong driver", bad],
        ["right driver", good],
      ] as const) {
        process.stdout.write(`${title}, log:\n`);
        for (const row of run.log.slice(0, 20)) {
          process.stdout.write(
            `  ${row.process}: ${row.sender === "" ? "" : `(${row.sender}) `}${row.message}\n`,
          );
        }
      }
    }
  }
  process.exitCode = isSound ? exitCodes.pass : exitCodes.finding;
}

async function exploreCase(entry: DriverCase, seed: number): Promise<void> {
  if (entry.explore === undefined) {
    const those = casebook.filter(({ explore }) => explore !== undefined).map(({ id }) => id);
    throw new RangeError(`${entry.id} has nothing to explore; these have: ${those.join(", ")}`);
  }
  for await (const line of entry.explore({ seed, turn: hostTurn })) process.stdout.write(`${line}\n`);
}
