// A dext tested again after each edit: the compiler that was found, the objects and the thread stay.

import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname, resolve } from "node:path";
import type { DextSources } from "@drydock/dext/project/dext-sources";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { buildWith, compilerForCommand } from "./dext-build.ts";
import { countsIn, type DextAnswer, type DextJobOptions, doBuiltJob } from "./dext-job.ts";
import { DextThread } from "./dext-worker.ts";
import { endings } from "./endings.ts";

/** An editor that writes a file in several steps is through with it after this long. */
const quietMs = 20;
const watched = /\.(?:iig|cpp|cc|cxx|c|h|hh|hpp|inc|plist|entitlements|pbxproj|xcconfig)$/;

/** Folders whose files make up a dext, and when one of these has changed. */
class SourceChanges {
  readonly #watchers = new Map<string, FSWatcher>();
  #sinceMs: number | null = null;
  #onChange: (() => void) | null = null;
  #isOver = false;

  follow(folders: readonly string[]): void {
    for (const folder of folders) {
      if (this.#watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, (_kind, name) => {
          if (name === null || watched.test(name)) this.#changed();
        });
        // The folder has gone: what is left of the dext says so when it is compiled.
        watcher.on("error", () => this.#changed());
        this.#watchers.set(folder, watcher);
      } catch {
        // It has gone already.
      }
    }
  }

  /** Time of the first change that was not answered yet, or null when nobody waits any more. */
  async next(): Promise<number | null> {
    if (this.#sinceMs === null && !this.#isOver)
      await new Promise<void>((done) => {
        this.#onChange = done;
      });
    if (this.#isOver) return null;
    const since = this.#sinceMs as number;
    await new Promise((done) => setTimeout(done, quietMs));
    this.#sinceMs = null;
    return since;
  }

  end(): void {
    this.#isOver = true;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#onChange?.();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  #changed(): void {
    this.#sinceMs ??= performance.now();
    this.#onChange?.();
    this.#onChange = null;
  }
}

/** `say` tells one verdict. Ends at Ctrl-C with 130; throws UsageError when there is no dext to begin with. */
export async function watchDext(
  options: DextJobOptions,
  io: CommandIo,
  most: number,
  say: (end: DextAnswer<"test">) => Promise<ExitCode>,
): Promise<ExitCode> {
  const compiler = await compilerForCommand(io);
  if (compiler === null) return exitCodes.rigError;
  const changes = new SourceChanges();
  const thread = new DextThread();
  const ending = endings(undefined, () => {
    changes.end();
    thread.end();
  });
  let sinceMs: number | null = performance.now();
  let isFirst = true;
  try {
    while (sinceMs !== null) {
      try {
        const built = await buildWith(compiler, { ...options, counts: countsIn(options) }, false);
        changes.follow(foldersOf(options.paths, built.sources));
        const end = await doBuiltJob("test", built, thread, options, io, most);
        if (changes.isOver) break;
        if (typeof end !== "number") await say(end);
        const seconds = ((performance.now() - sinceMs) / 1000).toFixed(2);
        io.say(
          `${built.build.compiledFiles} files compiled; verdict after ${seconds} s; waiting for an edit (Ctrl-C ends)`,
        );
      } catch (error) {
        if (isFirst || !(error instanceof UsageError)) throw error;
        io.say(error.message);
      }
      isFirst = false;
      sinceMs = await changes.next();
    }
  } finally {
    ending.disarm();
    changes.end();
    thread.end();
  }
  return exitCodes.interrupted;
}

function foldersOf(
  paths: readonly string[],
  { folder, headerFolders, interfaces, sources }: DextSources,
): string[] {
  const given = paths.map((path) => resolve(path));
  const folders = given.map((path) => (statSync(path).isDirectory() ? path : dirname(path)));
  return [...new Set([...folders, folder, ...headerFolders, ...[...interfaces, ...sources].map(dirname)])];
}
