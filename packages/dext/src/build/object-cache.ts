// Objects that were compiled before: each with what it was made of, so that only what has changed is made again.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Compiler } from "../toolchain/compiler.ts";

export interface CompileJob {
  readonly source: string;
  readonly flags: readonly string[];
}

export interface CompiledObject {
  readonly job: CompileJob;
  /** null: it did not compile. */
  readonly object: string | null;
  readonly stderr: string;
  readonly isFresh: boolean;
}

interface Kept {
  readonly files: readonly (readonly [path: string, size: number, mtimeMs: number])[];
  readonly stderr: string;
}

export function digest(...parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 24);
}

/** Compiles at most `width` files at a time; what is kept and has not changed is not compiled. */
export async function compileAll(
  compiler: Compiler,
  jobs: readonly CompileJob[],
  folder: string,
  width: number,
): Promise<CompiledObject[]> {
  mkdirSync(folder, { recursive: true });
  const results: CompiledObject[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < jobs.length; index = next++)
      results[index] = await compileOne(compiler, jobs[index], folder);
  };
  await Promise.all(Array.from({ length: Math.max(1, width) }, worker));
  return results;
}

async function compileOne(compiler: Compiler, job: CompileJob, folder: string): Promise<CompiledObject> {
  const key = digest(compiler.key, job.source, ...job.flags);
  const object = join(folder, `${key}.o`);
  const list = join(folder, `${key}.json`);
  const kept = readKept(list);
  if (kept !== null && existsSync(object)) return { job, object, stderr: kept.stderr, isFresh: false };
  const partial = `${object}.${process.pid}`;
  const depends = `${partial}.d`;
  const { status, stderr } = await compiler.run(
    [`--target=${compiler.target}`, ...job.flags, "-MD", "-MF", depends, "-c", job.source, "-o", partial],
    // A neutral place: names of files in debug information then stay whole.
    folder,
  );
  if (status !== 0) return { job, object: null, stderr, isFresh: true };
  renameSync(partial, object);
  const files = readDepends(depends, folder).map((path) => {
    const { mtimeMs, size } = statSync(path);
    return [path, size, mtimeMs] as const;
  });
  writeFileSync(list, JSON.stringify({ files, stderr } satisfies Kept));
  return { job, object, stderr, isFresh: true };
}

/** null: nothing is kept, or something that it was made of is no longer what it was. */
function readKept(list: string): Kept | null {
  try {
    const kept = JSON.parse(readFileSync(list, "utf8")) as Kept;
    for (const [path, size, mtimeMs] of kept.files) {
      const now = statSync(path);
      if (now.size !== size || now.mtimeMs !== mtimeMs) return null;
    }
    return kept;
  } catch {
    return null;
  }
}

/** A rule of make: "object: source header \" and so on, blanks in names behind a backslash. */
function readDepends(path: string, folder: string): string[] {
  const text = readFileSync(path, "utf8").replace(/\\\r?\n/g, " ");
  const list = text.slice(text.indexOf(": ") + 2);
  return (list.match(/(?:\\ |[^\s])+/g) ?? [])
    .map((name) => name.replace(/\\ /g, " "))
    .map((name) => (isAbsolute(name) ? name : join(folder, name)));
}
