// Objects that were compiled before: each with what it was made of, so that only what has changed is made again.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Compiler } from "../toolchain/compiler.ts";

export interface CompileJob {
  readonly source: string;
  readonly flags: readonly string[];
  /** What else decides which files it includes: names of the headers in folders that are searched. */
  readonly surroundings?: string;
}

export interface CompiledObject {
  readonly job: CompileJob;
  /** null: it did not compile. */
  readonly object: string | null;
  readonly stderr: string;
  readonly isFresh: boolean;
}

interface Kept {
  /** The source and all that it included, by content. */
  readonly files: readonly (readonly [path: string, content: string])[];
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
  const key = digest(compiler.key, job.source, job.surroundings ?? "", ...job.flags);
  const object = join(folder, `${key}.o`);
  const list = join(folder, `${key}.json`);
  const kept = readKept(list);
  if (kept !== null && existsSync(object)) return { job, object, stderr: kept.stderr, isFresh: false };
  const partial = `${object}.${process.pid}`;
  const depends = `${partial}.d`;
  const begun = Date.now();
  const { status, stderr } = await compiler.run(
    [`--target=${compiler.target}`, ...job.flags, "-MD", "-MF", depends, "-c", job.source, "-o", partial],
    // A neutral place: names of files in debug information then stay whole.
    folder,
  );
  if (status !== 0) {
    for (const each of [partial, depends]) rmSync(each, { force: true });
    return { job, object: null, stderr, isFresh: true };
  }
  renameSync(partial, object);
  const files = readDepends(depends, folder);
  rmSync(depends);
  // What was saved while the compiler read it may be neither the old nor the new text.
  const isSettled = files.every((path) => statSync(path).ctimeMs <= begun);
  if (isSettled)
    writeFileSync(
      list,
      JSON.stringify({ files: files.map((path) => [path, contentOf(path)] as const), stderr } satisfies Kept),
    );
  else rmSync(list, { force: true });
  return { job, object, stderr, isFresh: true };
}

/** null: nothing is kept, or something that it was made of is no longer what it was. */
function readKept(list: string): Kept | null {
  try {
    const kept = JSON.parse(readFileSync(list, "utf8")) as Kept;
    return kept.files.every(([path, content]) => contentOf(path) === content) ? kept : null;
  } catch {
    return null;
  }
}

const contents = new Map<string, { readonly state: string; readonly content: string }>();

/** Digest of a file. Read once for each state of it: the time of its last change cannot be set, other than that of its text. */
function contentOf(path: string): string {
  const { ctimeMs, ino, mtimeMs, size } = statSync(path);
  const state = `${ctimeMs} ${mtimeMs} ${ino} ${size}`;
  const known = contents.get(path);
  if (known?.state === state) return known.content;
  const content = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 24);
  contents.set(path, { state, content });
  return content;
}

/** A rule of make: "object: source header \" and so on, blanks in names behind a backslash. */
function readDepends(path: string, folder: string): string[] {
  const text = readFileSync(path, "utf8").replace(/\\\r?\n/g, " ");
  const list = text.slice(text.indexOf(": ") + 2);
  return (list.match(/(?:\\ |[^\s])+/g) ?? [])
    .map((name) => name.replace(/\\([ #])/g, "$1").replaceAll("$$", "$"))
    .map((name) => (isAbsolute(name) ? name : join(folder, name)));
}
