// drydock check-transport: a port's contract list, check by check.

import type { ContractResult } from "@drydock/core/ports/contract";
import { TransportMissing } from "@drydock/node/libusb-bench";
import { checkedTransports, checkTransportHere } from "@drydock/node/transport-checks";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";

interface TransportReport {
  readonly transport: string;
  readonly results: readonly ContractResult[];
  /** Why this machine has no such path; null when it was checked. */
  readonly missing: string | null;
}

async function report(transport: string, seed: number): Promise<TransportReport> {
  try {
    return { transport, results: await checkTransportHere(transport, seed), missing: null };
  } catch (error) {
    if (!(error instanceof TransportMissing)) throw error;
    return { transport, results: [], missing: error.message };
  }
}

/** Exit code 77 when the one that was asked for is not here. */
export async function checkTransport(
  options: { readonly name?: string; readonly seed: number; readonly json: boolean },
  io: CommandIo,
): Promise<ExitCode> {
  const { name } = options;
  const names = name === undefined ? checkedTransports : [name];
  const all: TransportReport[] = [];
  for (const transport of names) all.push(await report(transport, options.seed));
  if (options.json) io.document(all);
  else for (const entry of all) print(entry, io);
  const isBroken = all.some(({ results }) => results.some(({ problem }) => problem !== null));
  const isMissing = name !== undefined && all[0].missing !== null;
  return isBroken ? exitCodes.finding : isMissing ? exitCodes.skipped : exitCodes.pass;
}

function print({ transport, results, missing }: TransportReport, io: CommandIo): void {
  io.print(`${transport}\n`);
  if (missing !== null) io.print(`  not here: ${missing}\n`);
  for (const { name: check, problem, limited } of results) {
    const verdict = problem !== null ? "BROKEN" : limited !== null ? "LIMIT " : "kept  ";
    const reason = problem ?? limited;
    io.print(`  ${verdict} ${check}${reason === null ? "" : `\n         ${reason}`}\n`);
  }
}
