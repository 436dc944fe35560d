// All that was read from all files: facts by name, hits by watch, files with their problems.

import type { Place } from "../facts/evidence-source.ts";
import type { ReadFile } from "../facts/read-file.ts";
import type { FileDigests } from "../facts/signature-crypto.ts";
import type { Fact, FactName } from "./facts.ts";
import type { SecretKind } from "./reader.ts";
import type { Hit, Watch } from "./watch.ts";

export interface Secret {
  readonly kind: SecretKind;
  readonly text: string;
}

/** Read-only for rules. */
export class Evidence {
  readonly files: readonly ReadFile[];
  readonly secrets: readonly Secret[];
  /** Of every file, whole, by its name; empty when nobody brought hashes. */
  readonly digests: ReadonlyMap<string, FileDigests>;
  readonly #facts: ReadonlyMap<FactName, readonly Fact<FactName>[]>;
  readonly #hits: ReadonlyMap<Watch, readonly Hit[]>;
  readonly #byFile = new Map<FactName, ReadonlyMap<string, readonly Fact<FactName>[]>>();

  constructor(parts: {
    files: readonly ReadFile[];
    secrets: readonly Secret[];
    facts: ReadonlyMap<FactName, readonly Fact<FactName>[]>;
    hits: ReadonlyMap<Watch, readonly Hit[]>;
    digests?: ReadonlyMap<string, FileDigests>;
  }) {
    this.files = parts.files;
    this.secrets = parts.secrets;
    this.digests = parts.digests ?? new Map();
    this.#facts = parts.facts;
    this.#hits = parts.hits;
  }

  /** What was read from some of the files alone. */
  within(keeps: (file: ReadFile) => boolean): Evidence {
    const files = this.files.filter(keeps);
    const names = new Set(files.map(({ name }) => name));
    const here = ({ place }: { readonly place: Place }): boolean => names.has(place.file);
    return new Evidence({
      files,
      secrets: this.secrets,
      facts: new Map([...this.#facts].map(([name, facts]) => [name, facts.filter(here)])),
      hits: new Map([...this.#hits].map(([watch, hits]) => [watch, hits.filter(here)])),
      digests: this.digests,
    });
  }

  /** In the order of files and lines. */
  facts<Name extends FactName>(name: Name): readonly Fact<Name>[] {
    return (this.#facts.get(name) ?? []) as unknown as readonly Fact<Name>[];
  }

  /** The same of one file, however many files there are. */
  factsIn<Name extends FactName>(name: Name, file: string): readonly Fact<Name>[] {
    let byFile = this.#byFile.get(name);
    if (byFile === undefined) {
      byFile = Map.groupBy(this.#facts.get(name) ?? [], ({ place }) => place.file);
      this.#byFile.set(name, byFile);
    }
    return (byFile.get(file) ?? []) as unknown as readonly Fact<Name>[];
  }

  /** The first hits of a watch in each file and its last ones (both bounded), in the order of files and lines. */
  hits(watch: Watch): readonly Hit[] {
    return this.#hits.get(watch) ?? [];
  }

  /** True when a file of this name has hits or facts of both. Rules join by file only when nothing better joins. */
  sameFile(left: Place, right: Place): boolean {
    return left.file === right.file;
  }
}
