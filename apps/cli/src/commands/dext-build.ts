// drydock dext build: a driver's C++ as WebAssembly, and what is missing by name.

import { command, flag } from "../grammar/command-row.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { dextPaths, targetOption } from "./dext-words.ts";

export const dextBuild = command({
  arguments: { paths: dextPaths },
  options: {
    target: targetOption,
    onlyWasm: flag("leave the second pass out, which reads the sources as arm64-apple-driverkit"),
    json: jsonOption,
  },
  example: "drydock dext build path/to/MyDriver.xcodeproj\ndrydock dext build path/to/folder",
  notes:
    "Exit code 1: it does not compile, or a name is missing; 3: no compiler. `drydock dext toolchain` says which there is.",
  run: async (options, io) => (await import("../actions/dext-build.ts")).buildDextCommand(options, io),
});
