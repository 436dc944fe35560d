// drydock registry: what came up, and why, or why not.

import { formatRegistryPlist, formatRegistryTree } from "@drydock/core/platform/evidence/registry-dump";
import { exitCodes } from "./exit-codes.ts";
import { writePcap } from "./pcap-file.ts";
import { buildRig, type RigOptions } from "./rigs.ts";

const settleNs = 2_000_000_000;

export async function registry(
  name: string | undefined,
  options: RigOptions & { why?: boolean; plist?: boolean; json?: boolean },
): Promise<void> {
  const rig = buildRig(name, options);
  await rig.machine.run(settleNs);
  const { machine } = rig;
  const snapshot = machine.registry.snapshot();
  const reports = machine.matchReports.map((report) => ({
    nub: report.nub,
    personality: report.candidate.personalityName,
    score: report.candidate.verdict.score,
    reason: report.candidate.verdict.reason,
    outcome: report.outcome,
  }));
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ registry: snapshot, matching: reports, failures: rig.family.failures }, bytesAsHex, 2)}\n`,
    );
  } else
    process.stdout.write(
      options.plist === true ? formatRegistryPlist(snapshot) : formatRegistryTree(snapshot),
    );
  if (options.why === true && options.json !== true) {
    process.stdout.write("\nMatching:\n");
    for (const report of reports) {
      process.stdout.write(
        `  ${report.nub}\n    ${report.personality}: ${report.outcome} (score ${report.score}; ${report.reason})\n`,
      );
    }
  }
  for (const failure of rig.family.failures) process.stderr.write(`drydock: ${failure.reason}\n`);
  writePcap(rig.usb.trace, options.pcap);
  process.exitCode =
    machine.failure !== null || rig.family.failures.length > 0 ? exitCodes.finding : exitCodes.pass;
}

function bytesAsHex(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
}
