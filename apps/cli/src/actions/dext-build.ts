// A dext compiled for a command: what was found, what is wrong and where, what is missing.

import { homedir } from "node:os";
import type { DextBuild } from "@drydock/dext/build/build-dext";
import { buildDext } from "@drydock/dext/build/build-dext";
import { cacheFolder } from "@drydock/dext/build/cache-folder";
import { type DextSources, findDextSources } from "@drydock/dext/project/dext-sources";
import { NoDextError } from "@drydock/dext/project/no-dext-error";
import { OpenStepError } from "@drydock/dext/project/openstep-plist";
import type { Compiler } from "@drydock/dext/toolchain/compiler";
import { findCompiler } from "@drydock/dext/toolchain/find-compiler";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";

export interface DextPathOptions {
  readonly paths: readonly string[];
  readonly target?: string;
  /** Built so that a run finds more; see `Instruments`. */
  readonly sanitize?: boolean;
  readonly counts?: boolean;
}

export interface BuiltForCommand {
  readonly sources: DextSources;
  readonly build: DextBuild;
}

const cache = (): string => cacheFolder(process.platform, process.env, homedir());

/** null, and it is said, when there is no compiler. */
export async function compilerForCommand(io: CommandIo): Promise<Compiler | null> {
  const { compiler, tried } = await findCompiler(process.env, cache());
  if (compiler !== null) return compiler;
  for (const { advice, verdict, what } of tried)
    io.say(`${what}: ${verdict}${advice === null ? "" : `; ${advice}`}`);
  io.say("no compiler here makes WebAssembly of C++: see drydock dext toolchain");
  return null;
}

/** Throws UsageError when there is no dext. */
export async function buildWith(
  compiler: Compiler,
  { counts = false, paths, sanitize = false, target }: DextPathOptions,
  checksRealTarget: boolean,
): Promise<BuiltForCommand> {
  let sources: DextSources;
  try {
    sources = findDextSources(paths, target ?? null);
  } catch (error) {
    if (error instanceof NoDextError || error instanceof OpenStepError) throw new UsageError(error.message);
    throw error;
  }
  const options = { cache: cache(), checksRealTarget, sanitize, coverage: counts };
  return { sources, build: await buildDext(sources, compiler, options) };
}

/** Throws UsageError when there is no dext; null, and it is said, when there is no compiler. */
export async function buildForCommand(
  options: DextPathOptions,
  io: CommandIo,
  checksRealTarget: boolean,
): Promise<BuiltForCommand | null> {
  const compiler = await compilerForCommand(io);
  return compiler === null ? null : buildWith(compiler, options, checksRealTarget);
}

/** As one document. */
export function buildDocument({ build, sources }: BuiltForCommand) {
  const { diagnostics, findings, missing, realTarget, stage, undefinedFunctions } = build;
  return {
    name: sources.name,
    stage,
    bytes: build.module?.length ?? null,
    findings,
    diagnostics,
    realTarget,
    missing,
    undefinedFunctions,
  };
}

/** Places of the driver's own files, and names that nothing here has. */
export function sayBuild({ build, sources }: BuiltForCommand, io: CommandIo): void {
  for (const remark of sources.remarks) io.say(remark);
  const all = [
    ...build.findings,
    ...build.diagnostics,
    ...build.realTarget.map((each) => ({ ...each, message: `${each.message} (as arm64-apple-driverkit)` })),
  ];
  for (const each of all) {
    const advice = "advice" in each && typeof each.advice === "string" ? `; ${each.advice}` : "";
    io.print(`${each.path}:${each.line}:${each.column}: ${each.severity}: ${each.message}${advice}\n`);
  }
  for (const { framework, isUndescribed, name } of build.missing) {
    const yet = isUndescribed
      ? ": Drydock does not describe it yet, docs/dext-frameworks.md lists what it does"
      : "";
    io.print(`missing: ${name}${framework === null ? "" : ` (of ${framework}${yet})`}\n`);
  }
  for (const name of build.undefinedFunctions)
    io.print(`missing: ${name} (a function that nothing defines: a call of it ends the run)\n`);
}

export async function buildDextCommand(
  options: DextPathOptions & { readonly onlyWasm: boolean; readonly json: boolean },
  io: CommandIo,
): Promise<ExitCode> {
  const built = await buildForCommand(options, io, !options.onlyWasm);
  if (built === null) return exitCodes.rigError;
  const { build, sources } = built;
  if (options.json) io.document(buildDocument(built));
  else {
    sayBuild(built, io);
    io.say(
      build.module === null
        ? `${sources.name} did not come to a module (${build.stage})`
        : `${sources.name}: ${build.module.length} bytes of WebAssembly, ${sources.interfaces.length} .iig files, ${sources.sources.length} sources`,
    );
  }
  const isWrong = build.module === null || build.realTarget.some(({ severity }) => severity === "error");
  return isWrong ? exitCodes.finding : exitCodes.pass;
}
