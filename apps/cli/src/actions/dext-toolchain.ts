// The compilers that were looked at, and the one that is taken.

import { findCompiler } from "@drydock/dext/toolchain/find-compiler";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";

export async function dextToolchainCommand(
  options: { readonly json: boolean },
  io: CommandIo,
): Promise<ExitCode> {
  const { compiler, tried } = await findCompiler(process.env, null);
  if (options.json)
    io.document({
      compiler:
        compiler === null
          ? null
          : { name: compiler.name, target: compiler.target, checksDriverKit: compiler.knowsDriverKit },
      tried,
    });
  else {
    for (const { advice, verdict, what } of tried)
      io.print(`${what}: ${verdict}${advice === null ? "" : `; ${advice}`}\n`);
    if (compiler !== null) {
      const second = compiler.knowsDriverKit
        ? "also reads them as arm64-apple-driverkit"
        : "does not know arm64-apple-driverkit";
      io.print(`${compiler.name} compiles dexts for ${compiler.target}; it ${second}\n`);
    } else
      io.say(
        "no compiler here makes WebAssembly of C++; Debian: apt install clang lld wasi-libc libc++-dev-wasm32 libclang-rt-dev-wasm32; anywhere: npm install @yowasp/clang",
      );
  }
  return compiler === null ? exitCodes.rigError : exitCodes.pass;
}
