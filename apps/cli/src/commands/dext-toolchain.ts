// drydock dext toolchain: which compiler makes WebAssembly of C++ here, and what to install where none does.

import { command } from "../grammar/command-row.ts";
import { jsonOption } from "../grammar/rig-options.ts";

export const dextToolchain = command({
  arguments: {},
  options: { json: jsonOption },
  example: "drydock dext toolchain",
  notes: "DRYDOCK_CLANG names a clang++ of your own, WASI_SYSROOT its C library. Exit code 3: there is none.",
  run: async (options, io) =>
    (await import("../actions/dext-toolchain.ts")).dextToolchainCommand(options, io),
});
