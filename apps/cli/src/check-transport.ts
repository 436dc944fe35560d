// drydock check-transport: a port's contract list, check by check.

import { checkedTransports, checkTransportHere } from "@drydock/node/transport-checks";
import { exitCodes } from "./exit-codes.ts";

export async function checkTransport(
  name: string | undefined,
  options: { seed: number; json?: boolean },
): Promise<void> {
  const names = name === undefined ? checkedTransports : [name];
  const all = [];
  for (const transport of names)
    all.push({ transport, results: await checkTransportHere(transport, options.seed) });
  const broken = all.flatMap(({ results }) => results.filter((result) => result.problem !== null));
  if (options.json === true) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  else {
    for (const { transport, results } of all) {
      process.stdout.write(`${transport}\n`);
      for (const { name: check, problem, limited } of results) {
        const verdict = problem !== null ? "BROKEN" : limited !== null ? "LIMIT " : "kept  ";
        const reason = problem ?? limited;
        process.stdout.write(`  ${verdict} ${check}${reason === null ? "" : `\n         ${reason}`}\n`);
      }
    }
  }
  process.exitCode = broken.length === 0 ? exitCodes.pass : exitCodes.finding;
}
