// A rig that is a file of the user's: found, loaded, and told apart from a name of the catalogue.

import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isRigEntry, type RigEntry } from "@drydock/core/rigs/catalogue";
import { noteOwnFolder, OwnCodeError, ownPlace } from "../terminal/own-code.ts";
import { UsageError } from "../terminal/usage-error.ts";

const endings = /\.(?:[cm]?js|[cm]?ts)$/;

/** A word that can only be a file: a path, or a name with one of the endings. */
export function isRigFile(word: string): boolean {
  return endings.test(word) || /^\.{0,2}[\\/]/.test(word);
}

/** What was typed for an entry that came from a file. */
const words = new WeakMap<RigEntry, string>();

/** The word that brings an entry up again: its name, or the file. */
export function wordOf(entry: RigEntry): string {
  return words.get(entry) ?? entry.name;
}

/** Loads the file's default export. UsageError when there is no such file or it holds no rig, OwnCodeError when it throws. */
export async function loadRigFile(word: string): Promise<RigEntry> {
  const path = resolve(word);
  if (!existsSync(path))
    throw new UsageError(`"${word}" is no file; a rig of your own is a .ts, .js or .cjs file`);
  if (!statSync(path).isFile()) throw new UsageError(`"${word}" is a folder; a rig of your own is a file`);
  if (!endings.test(path))
    throw new UsageError(`"${word}" is no rig file: it ends neither in .ts nor in .js or .cjs`);
  noteOwnFolder(dirname(path));
  let loaded: { default?: unknown };
  try {
    loaded = (await import(pathToFileURL(path).href)) as { default?: unknown };
  } catch (error) {
    throw new OwnCodeError(ownPlace(error, path));
  }
  // Of a .cjs file that was compiled, `default` is what it calls its default.
  const given = loaded.default as { default?: unknown } | undefined;
  const entry = isRigEntry(given?.default) ? given.default : given;
  if (!isRigEntry(entry)) {
    const hasShape = typeof entry === "object" && entry !== null && "build" in entry;
    throw new UsageError(
      hasShape
        ? `${word} was made with another copy of @drydock/core than this command has: run the drydock of its own project (npx drydock)`
        : `${word} has no rig: its default export must be ownUsbRig({ ... }) of "@drydock/core/rigs/own-rig"`,
    );
  }
  words.set(entry, word);
  return entry;
}
