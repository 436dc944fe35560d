// drydock check-transport: a port's contract list, check by check.

import type { ContractResult } from "@drydock/core/ports/contract";
import { TransportMissing } from "@drydock/node/libusb-bench";
import { checkedTransports, checkTransportHere } from "@drydock/node/transport-checks";
import { exitCodes } from "./exit-codes.ts";

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
  name: string | undefined,
  options: { seed: number; json?: boolean },
): Promise<void> {
  const names = name === undefined ? checkedTransports : [name];
  const all: TransportReport[] = [];
  for (const transport of names) all.push(await report(transport, options.seed));
  if (options.json === true) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  else for (const entry of all) print(entry);
  const isBroken = all.some(({ results }) => results.some(({ problem }) => problem !== null));
  const isMissing = name !== undefined && all[0].missing !== null;
  process.exitCode = isBroken ? exitCodes.finding : isMissing ? exitCodes.skipped : exitCodes.pass;
}

function print({ transport, results, missing }: TransportReport): void {
  process.stdout.write(`${transport}\n`);
  if (missing !== null) process.stdout.write(`  not here: ${missing}\n`);
  for (const { name: check, problem, limited } of results) {
    const verdict = problem !== null ? "BROKEN" : limited !== null ? "LIMIT " : "kept  ";
    const reason = problem ?? limited;
    process.stdout.write(`  ${verdict} ${check}${reason === null ? "" : `\n         ${reason}`}\n`);
  }
}
