// Which of a dext's lines and functions ran, and how often, over all runs that it was told of.

import type { DextImage } from "./dext-image.ts";
import type { DextMemory } from "./dext-memory.ts";

export interface CoveredFunction {
  readonly name: string;
  readonly line: number;
  readonly count: number;
}

export interface CoveredFile {
  readonly path: string;
  /** By line, from 1: how often; a line without code is not there. */
  readonly lines: ReadonlyMap<number, number>;
  readonly functions: readonly CoveredFunction[];
}

/** Counts of a build with `coverage`; given to `DextOptions.coverage`, and asked when the runs are over. */
export class DextCoverage {
  readonly #image: DextImage;
  readonly #counts = new Map<number, number>();

  constructor(image: DextImage) {
    this.#image = image;
    for (const { counter } of image.blocks) this.#counts.set(counter, 0);
  }

  /** Blocks of code, and how many of them have run. */
  get blocks(): { readonly all: number; readonly run: number } {
    const counts = [...this.#counts.values()];
    return { all: counts.length, run: counts.filter((count) => count > 0).length };
  }

  /** What a process has counted: once, when nothing of it runs any more. */
  add(memory: DextMemory): void {
    for (const [counter, count] of this.#counts) this.#counts.set(counter, count + memory.u32(counter));
  }

  /** Only of files that `isOwn` says are the author's; sorted by path. */
  files(isOwn: (path: string) => boolean): CoveredFile[] {
    const files = new Map<string, { lines: Map<number, number>; functions: CoveredFunction[] }>();
    const fileOf = (path: string) => {
      const known = files.get(path) ?? { lines: new Map<number, number>(), functions: [] };
      files.set(path, known);
      return known;
    };
    for (const block of this.#image.blocks) {
      const count = this.#counts.get(block.counter) ?? 0;
      const places = this.#image.placesBetween(block.begin, block.end);
      for (const { file, line } of places) {
        if (!isOwn(file) || line === 0) continue;
        const { lines } = fileOf(file);
        lines.set(line, Math.max(lines.get(line) ?? 0, count));
      }
      const first = places.find(({ file, line }) => isOwn(file) && line > 0);
      if (!block.isEntry || first === undefined) continue;
      const name = this.#image.functionName(block.function).replace(/(?<=\w)\(.*$/, "");
      fileOf(first.file).functions.push({ name, line: first.line, count });
    }
    return [...files]
      .map(([path, { functions, lines }]) => ({
        path,
        lines: new Map([...lines].sort(([left], [right]) => left - right)),
        functions: functions.sort((left, right) => left.line - right.line),
      }))
      .sort((left, right) => (left.path < right.path ? -1 : 1));
  }
}
