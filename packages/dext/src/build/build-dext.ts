// From a driver's sources to a module: interfaces, compile, link, and what is missing by name.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import type { AbiTable } from "../abi/abi-table.ts";
import { type Finding, generateDext } from "../generate/dext.ts";
import { readText } from "../project/bounded-file.ts";
import type { DextSources } from "../project/dext-sources.ts";
import {
  type Compiler,
  defines,
  type Instruments,
  instrumentedLinkFlags,
  instrumentFlags,
  languageFlags,
} from "../toolchain/compiler.ts";
import {
  type Diagnostic,
  type MissingName,
  missingNames,
  readDiagnostics,
} from "../toolchain/diagnostics.ts";
import { type FrameworkKit, frameworkKit } from "./framework-kit.ts";
import { compileAll, digest } from "./object-cache.ts";

export interface BuildOptions extends Instruments {
  /** Where objects are kept. */
  readonly cache: string;
  /** The second pass, as arm64-apple-driverkit: left out where the compiler cannot. Default true. */
  readonly checksRealTarget?: boolean;
}

export interface DextBuild {
  /** null: it did not come to a module. */
  readonly module: Uint8Array<ArrayBuffer> | null;
  /** How far it came. */
  readonly stage: "nothing" | "parsed" | "compiled" | "linked";
  readonly findings: readonly Finding[];
  readonly diagnostics: readonly Diagnostic[];
  /** Of the pass as the real target; what the other pass said too is left out. */
  readonly realTarget: readonly Diagnostic[];
  readonly missing: readonly MissingName[];
  /** Functions that the dext calls and nothing defines. */
  readonly undefinedFunctions: readonly string[];
  readonly abi: AbiTable;
  readonly compiledFiles: number;
}

/** Never throws for what the sources are; a compiler that cannot compile our own files is an Error. */
export async function buildDext(
  sources: DextSources,
  compiler: Compiler,
  options: BuildOptions,
): Promise<DextBuild> {
  const kit = await frameworkKit(compiler, options.cache);
  const generated = generateDext(
    new Map(sources.interfaces.map((path) => [path, readText(path)])),
    kit.frameworks.model,
  );
  const nothing = {
    module: null,
    findings: generated.findings,
    diagnostics: [],
    realTarget: [],
    missing: [],
    undefinedFunctions: [],
    abi: generated.abi,
    compiledFiles: 0,
  } as const;
  if (generated.findings.some(({ severity }) => severity === "error"))
    return { ...nothing, stage: "nothing" };
  const folder = join(options.cache, "dexts", `${sources.name}-${digest(sources.folder, sources.name)}`);
  layDown(folder, generated.files, sources.name);
  const flags = [
    ...languageFlags,
    ...defines,
    ...sources.defines.map((each) => `-D${each}`),
    ...includeFlags(folder, sources),
    ...kit.includes,
    "-Wno-deprecated",
  ];
  const made = [...generated.files.keys()]
    .filter((path) => path.endsWith(".cpp"))
    .map((path) => join(folder, path));
  const surroundings = headerNames(sources);
  const jobs = [...made, ...sources.sources].map((source) => ({
    source,
    surroundings,
    flags: source.endsWith(".c") ? ["-x", "c", ...flags.filter((flag) => !cxxOnly.has(flag))] : flags,
  }));
  // What is checked and counted is the author's: not what was generated beside it.
  const instruments = instrumentFlags(options);
  const instrumented = jobs.map((job) =>
    made.includes(job.source) ? job : { ...job, flags: [...job.flags, ...instruments] },
  );
  const objects = await compileAll(
    compiler,
    instrumented,
    join(options.cache, "objects"),
    availableParallelism(),
  );
  const notTheirs = [kit.folder, folder, ...compiler.systemHeaders].map((each) => `${each}/`);
  const isOwn = (path: string) => notTheirs.some((each) => path.startsWith(each));
  const diagnostics = distinct(
    objects.flatMap(({ job, stderr }) => readDiagnostics(stderr, isOwn, job.source)),
  );
  const compiledFiles = objects.filter(({ isFresh }) => isFresh).length;
  if (objects.some(({ object }) => object === null))
    return { ...nothing, stage: "parsed", diagnostics, missing: missingNames(diagnostics), compiledFiles };
  const realTarget =
    options.checksRealTarget === false || !compiler.knowsDriverKit
      ? []
      : await checkRealTarget(compiler, jobs, flags, isOwn, diagnostics);
  const kind = `${options.sanitize === true ? "-sanitized" : ""}${options.coverage === true ? "-counted" : ""}`;
  const output = join(folder, `dext${kind}.wasm`);
  const linked = await link(
    compiler,
    objects.map(({ object }) => object as string),
    kit,
    output,
    folder,
    options,
  );
  if (linked !== null) {
    const wrong: Diagnostic = {
      path: sources.folder,
      line: 1,
      column: 1,
      severity: "error",
      message: linked,
    };
    return { ...nothing, stage: "compiled", diagnostics: [...diagnostics, wrong], realTarget, compiledFiles };
  }
  const module = new Uint8Array(readFileSync(output));
  const undefinedFunctions = WebAssembly.Module.imports(new WebAssembly.Module(module))
    .filter((each) => each.module === "env" && each.kind === "function" && !isSanitizerCall(each.name))
    .map(({ name }) => name);
  return {
    ...nothing,
    module,
    stage: "linked",
    diagnostics,
    realTarget,
    undefinedFunctions,
    compiledFiles,
  };
}

/** The host has these (host/calls/sanitizer-calls.ts). */
const isSanitizerCall = (name: string): boolean => name.startsWith("__ubsan_handle_");

const cxxOnly: ReadonlySet<string> = new Set(["-std=gnu++20", "-fno-rtti", "-fno-exceptions"]);

/** Written only where it differs: what is unchanged is not compiled again. */
function layDown(folder: string, files: ReadonlyMap<string, string>, module: string): void {
  const write = (path: string, text: string) => {
    const whole = join(folder, path);
    if (existsSync(whole) && readFileSync(whole, "utf8") === text) return;
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, text);
  };
  for (const [path, text] of files) {
    write(path, text);
    // Drivers name their own headers by the module's name too.
    if (path.startsWith("include/"))
      write(
        `modules/${module}/${basename(path)}`,
        `// See ${basename(path)}.\n#pragma once\n#include "../../${path}"\n`,
      );
  }
}

/** A header that comes to lie before another in the search makes another dext of the same files. */
function headerNames({ folder, headerFolders }: DextSources): string {
  const names = [...new Set([...headerFolders, folder])].flatMap((each) =>
    readdirSync(each)
      .filter((name) => /\.(?:h|hh|hpp|inc)$/.test(name))
      .sort()
      .map((name) => join(each, name)),
  );
  return digest(...names);
}

function includeFlags(folder: string, sources: DextSources): string[] {
  // The generated headers stand for the .iig files: what lies beside a driver's sources under the same name is older.
  const own = sources.headerFolders.filter(
    (each) => !/\/(?:DriverKit|System|SDKs?)(?:\/|$)/.test(relative(sources.folder, each)),
  );
  return [
    "-I",
    join(folder, "include"),
    "-I",
    join(folder, "modules"),
    ...own.flatMap((each) => ["-I", each]),
    "-I",
    sources.folder,
  ];
}

function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Map(
    diagnostics.map((each) => [`${each.path}:${each.line}:${each.column}:${each.message}`, each]),
  );
  return [...seen.values()];
}

/** Reads a source as the target of real dexts. */
export function realTargetArguments(
  { systemHeaders }: Compiler,
  flags: readonly string[],
  source: string,
): string[] {
  return [
    "--target=arm64-apple-driverkit21.0",
    "-fsyntax-only",
    "-nostdlibinc",
    "-nostdinc++",
    "-D__wasi_api_h",
    ...flags,
    ...systemHeaders.flatMap((each) => ["-isystem", each]),
    source,
  ];
}

/** As arm64-apple-driverkit, syntax only: what holds on 32 bits alone is told here. */
async function checkRealTarget(
  compiler: Compiler,
  jobs: readonly { readonly source: string; readonly flags: readonly string[] }[],
  _flags: readonly string[],
  isOwn: (path: string) => boolean,
  already: readonly Diagnostic[],
): Promise<Diagnostic[]> {
  const said = new Set(already.map(({ line, message, path }) => `${path}:${line}:${message}`));
  const found: Diagnostic[] = [];
  for (const { flags, source } of jobs) {
    if (isOwn(source)) continue;
    const { stderr } = await compiler.run(realTargetArguments(compiler, flags, source), dirname(source));
    found.push(
      ...readDiagnostics(stderr, isOwn, source).filter(
        ({ line, message, path }) => !said.has(`${path}:${line}:${message}`),
      ),
    );
  }
  return distinct(found);
}

/** null: it is there. Otherwise what the linker said. */
async function link(
  compiler: Compiler,
  objects: readonly string[],
  kit: FrameworkKit,
  output: string,
  folder: string,
  instruments: Instruments,
): Promise<string | null> {
  const flags = instrumentedLinkFlags(instruments, compiler.target);
  const { status, stderr } = await compiler.run(
    [`--target=${compiler.target}`, ...objects, ...kit.objects, "-o", output, ...flags],
    folder,
  );
  return status === 0 ? null : stderr.trim().split("\n").slice(0, 5).join("; ");
}
