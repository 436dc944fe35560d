// P11 in C++: queues released once too often under living sources, and queues kept until their sources are cancelled.

import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { type CppCase, compileSide } from "../cpp-case.ts";
import { placeOf } from "../cpp-places.ts";
import type { CaseOptions, CaseRun } from "../driver-case.ts";
import { realSystem } from "./bad-driver.ts";
import { interrupts, interruptTrapCase } from "./case.ts";
import { RaidBench } from "./raid-bench.ts";

const folder = new URL(".", import.meta.url);

/** What the driver says it has seen: callbacks, interrupts, completions, resets. Null when it has died. */
async function countsOf({ rig: { machine }, service }: RaidBench): Promise<readonly number[] | null> {
  if (service === null || machine.failure !== null || machine.crashes.length > 0) return null;
  const application = machine.launchApplication({ name: "RaidCounts" });
  return machine.perform(async () => {
    const client = await machine.openUserClient(application, service);
    const { scalarOutput } = await client.call(0, { scalarOutputCount: 4 });
    client.close();
    return scalarOutput;
  }, application);
}

/** A storm of so many interrupts over a dext that is loaded already. */
export async function stormOver(
  dext: LoadedDext,
  name: string,
  count: number,
  options: CaseOptions,
): Promise<CaseRun> {
  const bench = new RaidBench({ ...options, driver: dext.bundle, name });
  await bench.bringUp();
  await bench.storm(count);
  const { machine, timeline } = bench.rig;
  const log = machine.log.show();
  const { failure } = machine;
  const [crash] = machine.crashes;
  const ended = crash?.text ?? failure?.text ?? null;
  const counts = await countsOf(bench);
  const raised = `${bench.raised} interrupts raised`;
  const seen = counts === null ? "" : `, ${counts[0]} callbacks, ${counts[2]} completions`;
  return {
    succeeded: ended === null && counts !== null && counts[1] === bench.raised && counts[2] === bench.raised,
    result: ended === null ? `${raised}${seen}` : `${ended}, after ${raised}`,
    trace: null,
    timeline,
    log,
    evidence: crash?.evidence ?? [],
  };
}

export const interruptTrapCpp: CppCase = {
  entry: interruptTrapCase,
  folder,
  files: (side) => [
    "cpp/P11Driver.iig",
    "cpp/P11Driver.cpp",
    `cpp/${side}/Channels.cpp`,
    `cpp/${side}/Info.plist`,
    "cpp/P11Driver.entitlements",
  ],
  run: async (side, options) => {
    const built = await compileSide(interruptTrapCpp, side, options);
    // As on a real system, where nothing stops when a queue is freed under its source.
    const dext = new LoadedDext(built, { ...options.load, queueRules: realSystem });
    try {
      const run = await stormOver(dext, side, interrupts, options);
      const places = run.succeeded
        ? []
        : [
            placeOf(
              folder,
              `cpp/${side}/Channels.cpp`,
              "old->release();",
              "the second of these releases frees the queue under its source, which still delivers to it",
            ),
          ];
      return { ...run, places };
    } finally {
      dext.close();
    }
  },
};
