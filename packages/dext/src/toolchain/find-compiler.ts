// The compiler of this machine: the user's clang, the system's, or the one that npm brings. Each is probed, and once.

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { asCompiler, type FoundClang, findClang } from "./clang.ts";
import type { CompilerReport } from "./compiler.ts";
import { findYowasp, yowaspName } from "./yowasp-clang.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `DRYDOCK_CLANG` names the only one that is looked at: a program, or "@yowasp/clang". `cache`: a folder where the last
 * verdict is kept; without it everything is probed anew.
 */
export async function findCompiler(environment: Environment, cache: string | null): Promise<CompilerReport> {
  const kept = cache === null ? null : readKept(join(cache, "toolchain.json"), environment);
  if (kept !== null)
    return { compiler: asCompiler(kept), tried: [{ what: kept.program, verdict: "good", advice: null }] };
  const isForced = environment.DRYDOCK_CLANG === yowaspName;
  const tried: CompilerReport["tried"][number][] = [];
  if (!isForced) {
    const report = await findClang(environment);
    tried.push(...report.tried);
    if (report.clang !== null) {
      if (cache !== null)
        keep(cache, "toolchain.json", {
          question: question(environment),
          clang: report.clang,
          state: stateOf(report.clang, environment),
        });
      return { compiler: report.compiler, tried };
    }
    if (environment.DRYDOCK_CLANG !== undefined && environment.DRYDOCK_CLANG !== "")
      return { compiler: null, tried };
  }
  const scratch = mkdtempSync(join(tmpdir(), "drydock-probe-"));
  try {
    const isProbed = (key: string) => cache !== null && readJson(join(cache, "yowasp.json"))?.key === key;
    const found = await findYowasp(isProbed, scratch);
    if (!("compiler" in found)) return { compiler: null, tried: [...tried, { what: yowaspName, ...found }] };
    if (cache !== null) keep(cache, "yowasp.json", { key: found.compiler.key });
    return {
      compiler: found.compiler,
      tried: [...tried, { what: yowaspName, verdict: "good", advice: null }],
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function keep(cache: string, name: string, value: object): void {
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, name), JSON.stringify(value));
}

function readJson(path: string): Record<string, unknown> | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/** null: nothing is kept, or what was found then may be another now. */
function readKept(path: string, environment: Environment): FoundClang | null {
  const kept = readJson(path) as { question?: unknown; state?: unknown; clang?: FoundClang } | null;
  if (kept?.clang === undefined || kept.question !== question(environment)) return null;
  return kept.state === stateOf(kept.clang, environment) &&
    kept.clang.systemHeaders.every((each) => existsSync(each))
    ? kept.clang
    : null;
}

function question({ DRYDOCK_CLANG = "", PATH = "", WASI_SYSROOT = "" }: Environment): string {
  return createHash("sha256").update(`${DRYDOCK_CLANG}\0${PATH}\0${WASI_SYSROOT}`).digest("hex");
}

/** Of the programs by which it compiles and links. */
function stateOf({ program }: FoundClang, environment: Environment): string {
  const found = [program, "wasm-ld"].map((name) => {
    const folders = isAbsolute(name)
      ? [""]
      : (environment.PATH ?? "").split(delimiter).filter((each) => each !== "");
    const path = folders
      .map((each) => (each === "" ? name : join(each, name)))
      .find((each) => existsSync(each));
    if (path === undefined) return "none";
    const real = realpathSync(path);
    const { ctimeMs, size } = statSync(real);
    return `${path} ${real} ${size} ${ctimeMs}`;
  });
  return found.join("\n");
}
