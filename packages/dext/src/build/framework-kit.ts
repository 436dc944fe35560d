// Headers and objects of the frameworks, laid down once for each compiler: every dext is compiled and linked with them.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readDescriptions } from "../frameworks/description-files.ts";
import { type GeneratedFrameworks, generateFrameworks } from "../generate/frameworks.ts";
import { type Compiler, defines, languageFlags } from "../toolchain/compiler.ts";
import { compileAll, digest } from "./object-cache.ts";

/** Beside this file, in a checkout and in a package. */
const cxxFolder = fileURLToPath(new URL("../cxx/", import.meta.url));

export interface FrameworkKit {
  /** Flags that find the headers. */
  readonly includes: readonly string[];
  readonly folder: string;
  readonly objects: readonly string[];
  readonly frameworks: GeneratedFrameworks;
}

let described: GeneratedFrameworks | null = null;

/** What the descriptions say; made once for a process. */
export function frameworks(): GeneratedFrameworks {
  described ??= generateFrameworks(readDescriptions());
  return described;
}

function filesBelow(folder: string, below = ""): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    return entry.isDirectory() ? filesBelow(folder, path) : [path];
  });
}

/** Throws with the compiler's words when it cannot compile our own sources: that is our mistake, not the driver's. */
export async function frameworkKit(compiler: Compiler, cache: string): Promise<FrameworkKit> {
  const generated = frameworks();
  const own = filesBelow(cxxFolder).map(
    (path) => [path, readFileSync(join(cxxFolder, path), "utf8")] as const,
  );
  const key = digest(compiler.key, ...languageFlags, ...own.flat(), ...[...generated.files].flat());
  const folder = join(cache, `drydock-${key}`, "drydock");
  const done = join(folder, "objects.json");
  if (!existsSync(done)) {
    const partial = `${dirname(folder)}.${process.pid}`;
    const inside = join(partial, "drydock");
    rmSync(partial, { recursive: true, force: true });
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(inside, path)), { recursive: true });
      writeFileSync(join(inside, path), text);
    };
    for (const [path, text] of own) write(path, text);
    for (const [path, text] of generated.files) write(path, text);
    mkdirSync(cache, { recursive: true });
    rmSync(dirname(folder), { recursive: true, force: true });
    renameSync(partial, dirname(folder));
    const sources = filesBelow(folder).filter((path) => path.endsWith(".cpp"));
    const flags = [...languageFlags, ...defines, ...includeFlags(folder)];
    const built = await compileAll(
      compiler,
      sources.map((path) => ({ source: join(folder, path), flags })),
      join(folder, "objects"),
      availableParallelism(),
    );
    for (const { object, job, stderr } of built)
      if (object === null)
        throw new Error(`${compiler.name} could not compile Drydock's own ${job.source}:\n${stderr}`);
    writeFileSync(done, JSON.stringify(built.map(({ object }) => object)));
  }
  const objects = JSON.parse(readFileSync(done, "utf8")) as string[];
  return { includes: includeFlags(folder), folder, objects, frameworks: generated };
}

function includeFlags(folder: string): string[] {
  return ["-isystem", join(folder, "include")];
}
