// A dext from its sources in one call: found, compiled, and ready to be loaded into machines.

import { homedir } from "node:os";
import { type BuildOptions, buildDext, type DextBuild } from "../build/build-dext.ts";
import { cacheFolder } from "../build/cache-folder.ts";
import type { DextDescription } from "../host/dext-bundle.ts";
import { DextImage } from "../host/dext-image.ts";
import { type DextSources, findDextSources } from "../project/dext-sources.ts";
import type { Compiler } from "../toolchain/compiler.ts";
import { findCompiler } from "../toolchain/find-compiler.ts";

/** A build that came to no module; the message says why, a line each. */
export class DextBuildError extends Error {
  override readonly name = "DextBuildError";
  readonly build: DextBuild;

  constructor(build: DextBuild, lines: readonly string[]) {
    super(lines.join("\n"));
    this.build = build;
  }
}

/** The compiler of this machine. Throws with what to install when there is none. */
export async function machineCompiler(): Promise<Compiler> {
  const report = await findCompiler(process.env, cacheFolder(process.platform, process.env, homedir()));
  if (report.compiler !== null) return report.compiler;
  const lines = report.tried.map(
    ({ advice, verdict, what }) => `${what}: ${verdict}${advice === null ? "" : `; ${advice}`}`,
  );
  throw new Error(`no compiler here makes WebAssembly of C++:\n${lines.join("\n")}`);
}

export interface CompileOptions extends Partial<BuildOptions> {
  readonly compiler?: Compiler;
  readonly target?: string;
}

/**
 * `paths`: an Xcode project, a folder, or files. Throws NoDextError when there is none, and DextBuildError with places in
 * the driver's files when it does not compile.
 */
export async function compileDext(
  paths: readonly string[],
  options: CompileOptions = {},
): Promise<DextDescription & { readonly build: DextBuild; readonly sources: DextSources }> {
  const sources = findDextSources(paths, options.target ?? null);
  const compiler = options.compiler ?? (await machineCompiler());
  const cache = options.cache ?? cacheFolder(process.platform, process.env, homedir());
  const build = await buildDext(sources, compiler, { checksRealTarget: false, ...options, cache });
  if (build.module === null) throw new DextBuildError(build, buildProblems(build));
  return {
    image: new DextImage(build.module),
    info: sources.info,
    entitlements: sources.entitlements,
    build,
    sources,
  };
}

/** What stood in the way, as lines "path:line:column: error: text". */
export function buildProblems(build: DextBuild): string[] {
  const all = [...build.findings, ...build.diagnostics].filter(({ severity }) => severity === "error");
  return all.map(({ column, line, message, path, ...rest }) => {
    const advice = "advice" in rest && typeof rest.advice === "string" ? `; ${rest.advice}` : "";
    return `${path}:${line}:${column}: error: ${message}${advice}`;
  });
}
