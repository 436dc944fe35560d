// Built scripts kept from one start to the next, as long as every file that they were made of is the same.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

interface KeptScript {
  /** Path from the root of the repository, to the digest of what it held. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly code: string;
}

export interface BuiltScript {
  /** Paths of everything that went into it, from `root`. */
  readonly inputs: readonly string[];
  readonly code: string;
}

const digestOf = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("base64url");

/** Keeps scripts below `folder`; `recipe` says how they are built, and another recipe makes others. */
export class ScriptCache {
  readonly #folder: string;
  readonly #root: string;
  readonly #recipe: string;

  constructor(options: { readonly folder: string; readonly root: string; readonly recipe: string }) {
    this.#folder = options.folder;
    this.#root = options.root;
    this.#recipe = options.recipe;
  }

  /** What was kept, or what `build` makes. A folder that cannot be read or written costs time, nothing else. */
  async get(name: string, build: () => Promise<BuiltScript>): Promise<string> {
    const file = join(this.#folder, `${digestOf(`${name}\n${this.#recipe}`).slice(0, 22)}.json`);
    const kept = this.#read(file);
    if (kept !== null) return kept;
    const { code, inputs } = await build();
    this.#write(file, {
      code,
      inputs: Object.fromEntries(inputs.map((path) => [path, this.#digestOfFile(path)])),
    });
    return code;
  }

  #digestOfFile(path: string): string {
    return digestOf(readFileSync(resolve(this.#root, path)));
  }

  #read(file: string): string | null {
    try {
      const { code, inputs } = JSON.parse(readFileSync(file, "utf8")) as KeptScript;
      const isSame = Object.entries(inputs).every(([path, digest]) => this.#digestOfFile(path) === digest);
      return isSame && typeof code === "string" ? code : null;
    } catch {
      return null;
    }
  }

  #write(file: string, script: KeptScript): void {
    const draft = `${file}.${process.pid}`;
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(draft, JSON.stringify(script));
      // Two that build at once each leave a whole file.
      renameSync(draft, file);
    } catch {
      // The next start builds again.
    }
  }
}
