// P14 in C++: a register read in the poll and in the interrupt path, and a driver that reads none.

import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { type CppCase, compileSide } from "../cpp-case.ts";
import { placeOf } from "../cpp-places.ts";
import type { CaseRun } from "../driver-case.ts";
import { cyclesOf, unplugPanicCase } from "./case.ts";
import { HbaBench } from "./hba-bench.ts";
import type { EndsOfCommands } from "./hba-driver.ts";

const folder = new URL(".", import.meta.url);

/** Each driver's last line, added up. */
function endsByLog(log: CaseRun["log"]): EndsOfCommands {
  const ends = { completed: 0, notPresent: 0, twice: 0 };
  for (const { message } of log) {
    const line = /^(\d+) commands completed, (\d+) ended as "device not present", (\d+) twice$/.exec(message);
    if (line === null) continue;
    ends.completed += Number(line[1]);
    ends.notPresent += Number(line[2]);
    ends.twice += Number(line[3]);
  }
  return ends;
}

export const unplugPanicCpp: CppCase = {
  entry: unplugPanicCase,
  folder,
  files: (side) => [
    "cpp/P14Driver.iig",
    "cpp/P14Driver.cpp",
    `cpp/${side}/Adapter.cpp`,
    `cpp/${side}/Info.plist`,
    "cpp/P14Driver.entitlements",
  ],
  run: async (side, options) => {
    const dext = new LoadedDext(await compileSide(unplugPanicCpp, side, options), options.load);
    try {
      const bench = new HbaBench({ ...options, driver: dext.bundle, name: side });
      const run = await cyclesOf(bench, () => endsByLog(bench.rig.machine.log.show()));
      const isPoll = bench.rig.family.deadLinkLoads.at(-1)?.stack.at(-1)?.includes("::Ticked") === true;
      const places = run.succeeded
        ? []
        : [
            placeOf(
              folder,
              `cpp/${side}/Adapter.cpp`,
              isPoll ? "&status); // every millisecond" : "&status); // for each interrupt",
              "a plain load from the adapter: the link was dead, and nobody had been told yet",
            ),
          ];
      return { ...run, places };
    } finally {
      dext.close();
    }
  },
};
