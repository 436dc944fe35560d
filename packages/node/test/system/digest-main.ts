// Prints the digest of one scenario: for comparing processes and versions of Node.

import { drawSerialFaults, runSerialScenario } from "@drydock/core/trials/serial-campaign";
import { hostTurn } from "../../src/host/host-turn.ts";

const seed = Number(process.argv[2]);
const parts: string[] = [];
for (const device of ["ftdi", "cdc-acm"] as const) {
  parts.push((await runSerialScenario({ seed, turn: hostTurn, device })).digest);
  parts.push(
    (await runSerialScenario({ seed, turn: hostTurn, device, faults: drawSerialFaults(seed) })).digest,
  );
}
process.stdout.write(parts.join(" "));
