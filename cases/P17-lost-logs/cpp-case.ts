// P17 in C++: pings that only the system's log knows of, and pings that the driver counts itself.

import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { type CppCase, compileSide } from "../cpp-case.ts";
import { placeOf } from "../cpp-places.ts";
import { judgePings, lostLogsCase, pingBenchOf } from "./case.ts";

const folder = new URL(".", import.meta.url);

export const lostLogsCpp: CppCase = {
  entry: lostLogsCase,
  folder,
  files: (side) => [
    "cpp/Ping.iig",
    "cpp/PingUserClient.iig",
    "cpp/Ping.cpp",
    "cpp/PingUserClient.cpp",
    `cpp/${side}/Trace.cpp`,
    "cpp/Info.plist",
    "cpp/Ping.entitlements",
  ],
  run: async (side, options) => {
    const built = await compileSide(lostLogsCpp, side, options);
    const bundleOf = (version: string) => ({
      ...new LoadedDext({ ...built, teamIdentifier: "CASE000017" }, options.load).bundle,
      version,
    });
    const run = await judgePings(await pingBenchOf(bundleOf, options));
    const path = `cpp/${side}/Trace.cpp`;
    const places = run.succeeded
      ? []
      : [placeOf(folder, path, "os_log(", "this line is the only trace of a ping, and the log lost it")];
    return { ...run, places };
  },
};
