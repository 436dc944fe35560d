// Clang as WebAssembly (npm @yowasp/clang), for machines without one: it sees only the files that it is given.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import type { RunOptions, Tree } from "@yowasp/clang";
import type { Compiler, CompilerResult } from "./compiler.ts";
import { languageFlags, linkFlags } from "./compiler.ts";
import { probeText } from "./probe-text.ts";

/** What DRYDOCK_CLANG names to have it. */
export const yowaspName = "@yowasp/clang";

type Run = (args: string[] | null, files: Tree, options: RunOptions) => Promise<Tree> | Tree | undefined;

interface YowaspClang {
  readonly version: string;
  /** As the compiler's own process. */
  readonly runLLVM: Run;
  /** As the driver that calls the linker too. */
  readonly runClang: Run;
}

/** Where files of this machine lie in the compiler's own tree, apart from its headers below /usr. */
const host = "/host";
/** Its own headers, as `clang -v` says. */
const headers = ["/usr/include/c++/v1", "/usr/include", "/usr/include/wasm32-wasip1"];
const headerName = /\.(?:h|hh|hpp|hxx|inc|inl|ipp|iig)$|^[^.]+$/;
const deepest = 8;
const filesMost = 20_000;

let loaded: Promise<YowaspClang | null> | null = null;

/** null: it is not installed. */
function load(): Promise<YowaspClang | null> {
  loaded ??= import("@yowasp/clang").then(
    async (found) => {
      const clang = found as unknown as YowaspClang;
      // Its 100 MB are read here, as what reads them otherwise tells the progress on stdout.
      await clang.runLLVM(null, {}, { fetchProgress: () => {} });
      return clang;
    },
    (error: unknown) => {
      if ((error as { code?: string }).code === "ERR_MODULE_NOT_FOUND") return null;
      throw error;
    },
  );
  return loaded;
}

/** A tree of names in which paths of the host lie below `host`. */
class HostTree {
  readonly root: Record<string, Tree | Uint8Array> = {};
  readonly #folders = new Set<string>();
  #files = 0;

  folder(path: string): Record<string, Tree | Uint8Array> {
    let at = this.root;
    for (const name of `${host}${path}`.split("/").filter((each) => each !== "")) {
      at[name] ??= {};
      at = at[name] as Record<string, Tree | Uint8Array>;
    }
    return at;
  }

  file(path: string): void {
    this.folder(dirname(path))[path.slice(path.lastIndexOf("/") + 1)] = readFileSync(path);
  }

  /** Everything below it that can be included. Throws RangeError above 20,000 files. */
  headersBelow(folder: string, depth = 0): void {
    if (depth > deepest || this.#folders.has(folder)) return;
    this.#folders.add(folder);
    const into = this.folder(folder);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!entry.name.startsWith(".") && entry.name !== "node_modules") this.headersBelow(path, depth + 1);
      } else if (entry.isFile() && headerName.test(entry.name)) {
        if (++this.#files > filesMost)
          throw new RangeError(
            `more than ${filesMost} headers lie below ${folder}: ${yowaspName} is given copies`,
          );
        into[entry.name] = readFileSync(path);
      }
    }
  }
}

function fileIn(tree: Tree, path: string): Uint8Array | null {
  let at: Tree | string | Uint8Array | undefined = tree;
  for (const name of `${host}${path}`.split("/").filter((each) => each !== "")) {
    if (at === undefined || typeof at === "string" || at instanceof Uint8Array) return null;
    at = at[name];
  }
  if (typeof at === "string") return new TextEncoder().encode(at);
  return at instanceof Uint8Array ? at : null;
}

const includeFlags: ReadonlySet<string> = new Set(["-I", "-isystem"]);
const outputFlags: ReadonlySet<string> = new Set(["-o", "-MF"]);

async function compile(
  clang: YowaspClang,
  given: readonly string[],
  folder: string,
): Promise<CompilerResult> {
  const tree = new HostTree();
  const outputs: string[] = [];
  const args = given.map((arg, index) => {
    const before = given[index - 1];
    const isPath =
      isAbsolute(arg) ||
      (!arg.startsWith("-") && (outputFlags.has(before) || /\.(?:o|c|cc|cpp|cxx)$/.test(arg)));
    if (!isPath || headers.includes(arg)) return arg;
    const path = resolve(folder, arg);
    if (includeFlags.has(before)) tree.headersBelow(path);
    else if (outputFlags.has(before)) {
      tree.folder(dirname(path));
      outputs.push(path);
    } else {
      tree.file(path);
      if (!path.endsWith(".o")) tree.headersBelow(dirname(path));
    }
    return `${host}${path}`;
  });
  let said = "";
  const decoder = new TextDecoder();
  const hear = (bytes: Uint8Array | null): void => {
    if (bytes !== null) said += decoder.decode(bytes, { stream: true });
  };
  const answer = { status: 0, files: tree.root as Tree };
  try {
    const options: RunOptions = { stdout: hear, stderr: hear, decodeASCII: false };
    const links = !given.includes("-c") && !given.includes("-fsyntax-only");
    const run = links ? clang.runClang : clang.runLLVM;
    answer.files = (await run(["clang++", ...args, `-ffile-prefix-map=${host}=`], tree.root, options)) ?? {};
  } catch (error) {
    const { code, files } = error as { code?: unknown; files?: Tree };
    if (typeof code !== "number") throw error;
    answer.status = code;
    answer.files = files ?? {};
  }
  if (answer.status === 0)
    for (const path of outputs) {
      const bytes = fileIn(answer.files, path);
      if (bytes === null) return { status: 1, stderr: `${said}\n${yowaspName} wrote no ${path}` };
      const isList = given[given.indexOf("-MF") + 1] === path;
      writeFileSync(path, isList ? ownDependencies(new TextDecoder().decode(bytes)) : bytes);
    }
  return { status: answer.status, stderr: said.replaceAll(`${host}/`, "/") };
}

/** Of a rule of make: only files of this machine, by their names here. */
function ownDependencies(rule: string): string {
  const words =
    rule
      .slice(rule.indexOf(": ") + 2)
      .replace(/\\\r?\n/g, " ")
      .match(/(?:\\ |[^\s])+/g) ?? [];
  const own = words.filter((word) => word.startsWith(`${host}/`)).map((word) => word.slice(host.length));
  return `object: ${own.join(" ")}\n`;
}

/** What to install to have it. */
const advice = `npm install ${yowaspName}`;

function made(clang: YowaspClang): Compiler {
  let last: Promise<unknown> = Promise.resolve();
  return {
    name: `clang ${clang.version} as WebAssembly (${yowaspName})`,
    key: `${yowaspName} ${clang.version}`,
    target: "wasm32-wasip1",
    knowsDriverKit: true,
    systemHeaders: headers,
    // One at a time: each takes several hundred megabytes.
    run: (args, folder) => {
      const result = last.then(() => compile(clang, args, folder));
      last = result.catch(() => {});
      return result;
    },
  };
}

/** `isProbed`: it has built the small program before, in this version. */
export async function findYowasp(
  isProbed: (key: string) => boolean,
  scratch: string,
): Promise<{ compiler: Compiler } | { verdict: string; advice: string | null }> {
  const clang = await load();
  if (clang === null) return { verdict: "not installed", advice };
  const compiler = made(clang);
  if (isProbed(compiler.key)) return { compiler };
  const source = join(scratch, "probe.cpp");
  writeFileSync(source, probeText);
  const object = join(scratch, "probe.o");
  for (const args of [
    [...languageFlags, "-c", source, "-o", object],
    [object, "-o", join(scratch, "probe.wasm"), ...linkFlags],
  ]) {
    const { status, stderr } = await compiler.run([`--target=${compiler.target}`, ...args], scratch);
    if (status !== 0)
      return { verdict: `it could not build a small program: ${stderr.split("\n")[0]}`, advice: null };
  }
  return { compiler };
}
