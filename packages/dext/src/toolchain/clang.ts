// A clang on this machine: found, probed by a small program that it must compile and link, and told what it lacks.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import {
  type Compiler,
  type CompilerReport,
  type CompilerResult,
  languageFlags,
  linkFlags,
} from "./compiler.ts";
import { probeText } from "./probe-text.ts";

const outputLimit = 4 * 1024 * 1024;

/** Runs a program to its end; 127 with the reason when there is none. Output above 4 MiB is cut. */
export function runProgram(
  program: string,
  args: readonly string[],
  folder: string,
): Promise<CompilerResult & { readonly stdout: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    const heard = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (heard.out.length < outputLimit) heard.out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (heard.err.length < outputLimit) heard.err += text;
    });
    child.once("error", (error) => resolve({ status: 127, stderr: error.message, stdout: "" }));
    child.once("close", (status) => resolve({ status: status ?? 1, stderr: heard.err, stdout: heard.out }));
  });
}

/** What to install, by what the compiler or the linker said. */
const advices: readonly (readonly [RegExp, string, (version: string) => string])[] = [
  [
    /unable to execute command.*wasm-ld|wasm-ld.*(not found|No such file)|program not executable.*wasm-ld|posix_spawn failed/i,
    "wasm-ld is missing",
    (version) => `install lld (Debian: lld-${version}, or lld)`,
  ],
  [
    /unknown target triple|No available targets|unable to create target/i,
    "it is built without WebAssembly",
    () => "install a clang that has it (Debian: clang)",
  ],
  [
    /'(?:string|stdio|stdint|stddef)\.h' file not found|bits\/alltypes\.h/i,
    "there is no C library for WebAssembly",
    () => "install wasi-libc (Debian: wasi-libc), or set WASI_SYSROOT",
  ],
  [
    /'type_traits' file not found/i,
    "there are no C++ headers for WebAssembly",
    (version) => `install libc++ for WASI (Debian: libc++-${version}-dev-wasm32)`,
  ],
  [
    /libclang_rt\.builtins/i,
    "there are no compiler builtins for WebAssembly",
    (version) => `install them (Debian: libclang-rt-${version}-dev-wasm32)`,
  ],
  [
    /cannot open crt1|unable to find library -l(?:c|c\+\+)/i,
    "there is no C library for WebAssembly",
    () => "install wasi-libc (Debian: wasi-libc), or set WASI_SYSROOT",
  ],
];

/** A clang that was probed and found good, as data. */
export interface FoundClang extends Omit<Compiler, "run"> {
  readonly program: string;
  /** What it is always told. */
  readonly root: readonly string[];
}

export function asCompiler({ program, root, ...found }: FoundClang): Compiler {
  return { ...found, run: (args, folder) => runProgram(program, [...root, ...args], folder) };
}

export interface ClangReport extends CompilerReport {
  readonly clang: FoundClang | null;
}

/** What makes a clang another one: path, version, where its C library lies. */
async function probe(
  program: string,
  sysroot: string | undefined,
): Promise<{ clang: FoundClang } | { verdict: string; advice: string | null }> {
  const version = await runProgram(program, ["--version"], tmpdir());
  if (version.status === 127) return { verdict: "not there", advice: null };
  const numbers = /(?:clang|LLVM) version (\d+)(?:\.(\d+))?(?:\.(\d+))?/i.exec(version.stdout);
  if (numbers === null) return { verdict: "it is no clang", advice: null };
  const [, major] = numbers;
  if (/Apple (?:clang|LLVM)/i.test(version.stdout))
    return {
      verdict: "Apple's clang makes no WebAssembly",
      advice: "install LLVM beside it (Homebrew: llvm and lld)",
    };
  const root = sysroot === undefined || sysroot === "" ? [] : [`--sysroot=${sysroot}`];
  const folder = mkdtempSync(join(tmpdir(), "drydock-probe-"));
  try {
    writeFileSync(join(folder, "probe.cpp"), probeText);
    let said = "";
    for (const target of Number(major) >= 20 ? ["wasm32-wasip1", "wasm32-wasi"] : ["wasm32-wasi"]) {
      const built = await runProgram(
        program,
        [`--target=${target}`, ...root, ...languageFlags, "probe.cpp", "-o", "probe.wasm", ...linkFlags],
        folder,
      );
      if (built.status === 0) {
        const real = await runProgram(
          program,
          ["--target=arm64-apple-driverkit21.0", "-fsyntax-only", "-x", "c++", "-"],
          folder,
        );
        const searched = await runProgram(
          program,
          [
            `--target=${target}`,
            ...root,
            "-E",
            "-v",
            "-x",
            "c++",
            join(folder, "probe.cpp"),
            "-o",
            join(folder, "probe.i"),
          ],
          folder,
        );
        const name = `clang ${numbers
          .slice(1)
          .filter((part) => part !== undefined)
          .join(".")} at ${program}`;
        return {
          clang: {
            program,
            root,
            name,
            key: `${name} ${target} ${root.join("")} ${version.stdout}`,
            target,
            knowsDriverKit: real.status === 0,
            systemHeaders: searchFolders(searched.stderr),
          },
        };
      }
      said = built.stderr;
    }
    const found = advices.find(([pattern]) => pattern.test(said));
    if (found !== undefined) return { verdict: found[1], advice: found[2](major) };
    return { verdict: `it could not build a small program: ${said.split("\n")[0]}`, advice: null };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of `clang -v`: where it looks for <headers>, without its own builtin ones, which it has for every target. */
function searchFolders(said: string): string[] {
  const list =
    /search starts here:\n#include <\.\.\.> search starts here:\n([\s\S]*?)End of search/.exec(said)?.[1] ??
    "";
  return list
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/lib\/clang\/[^/]+\/include$/.test(line));
}

/** Where a person's own clang may be, the best guess first. */
function candidates(environment: Readonly<Record<string, string | undefined>>): string[] {
  const set = environment.DRYDOCK_CLANG;
  if (set !== undefined && set !== "") return [set];
  const versions = Array.from({ length: 12 }, (_, index) => `clang++-${25 - index}`);
  const brew = ["/opt/homebrew/opt/llvm/bin/clang++", "/usr/local/opt/llvm/bin/clang++"];
  return ["clang++", ...((environment.PATH ?? "").split(delimiter).length > 0 ? versions : []), ...brew];
}

/** The first clang that can do it, and what stood in the way of the others. */
export async function findClang(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ClangReport> {
  const tried: { what: string; verdict: string; advice: string | null }[] = [];
  for (const program of candidates(environment)) {
    const result = await probe(program, environment.WASI_SYSROOT);
    if ("clang" in result) {
      tried.push({ what: program, verdict: "good", advice: null });
      return { clang: result.clang, compiler: asCompiler(result.clang), tried };
    }
    if (result.verdict !== "not there" || program === "clang++" || environment.DRYDOCK_CLANG === program)
      tried.push({ what: program, ...result });
  }
  return { clang: null, compiler: null, tried };
}
