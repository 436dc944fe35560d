// Makes mutants of a room's files with Stryker's instrumenter: all are known, the chosen ones are placed.

import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Location } from "@stryker-mutator/api/core";

/** One change of one place. `key` names it across runs: the file's text, the place, and what stands there instead. */
export interface Mutant {
  readonly id: string;
  readonly key: string;
  /** Relative to the repository's root. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly mutator: string;
  readonly original: string;
  readonly replacement: string;
  /** Why it counts for nothing: a directive beside the code, with its reason. */
  readonly ignored: string | null;
}

export interface SourceFile {
  readonly name: string;
  readonly content: string;
}

interface BabelPath {
  readonly node: {
    readonly type: string;
    readonly value?: unknown;
    readonly quasis?: readonly { readonly value: { readonly raw: string } }[];
  };
  readonly parent: {
    readonly type: string;
    readonly key?: unknown;
    readonly computed?: boolean;
    readonly operator?: string;
    readonly argument?: unknown;
  };
}
interface Mutator {
  readonly name: string;
  mutate(path: BabelPath, options: object): Iterable<unknown>;
}
interface PlacedMutant {
  readonly id: string;
  readonly fileName: string;
  readonly location: Location;
  readonly mutatorName: string;
  readonly replacement: string;
  readonly status?: string;
  readonly statusReason?: string;
}
type Transform = (ast: unknown, collector: unknown, context: unknown, mutators?: readonly Mutator[]) => void;

const quiet = {
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => true,
  isErrorEnabled: () => true,
  isFatalEnabled: () => true,
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: (text: string) => process.stderr.write(`${text}\n`),
  error: (text: string) => process.stderr.write(`${text}\n`),
  fatal: (text: string) => process.stderr.write(`${text}\n`),
};

/** Stryker changes no numbers; a wrong offset or bit is the commonest slip of a driver, so we do: each becomes its neighbour. */
const numberMutator: Mutator = {
  name: "NumericLiteral",
  *mutate({ node, parent }) {
    if (node.type !== "NumericLiteral" || typeof node.value !== "number") return;
    if (parent.type === "TSLiteralType" || (parent.type === "ObjectProperty" && parent.key === node)) return;
    yield { type: "NumericLiteral", value: node.value + 1 };
  },
};

/** The words of a message are no behaviour that a program can rely on; names, keys and one-word values are. */
function isProse({ node }: BabelPath): boolean {
  if (node.type === "StringLiteral") return /\s/.test(String(node.value));
  if (node.type === "TemplateLiteral") return (node.quasis ?? []).some(({ value }) => /\s/.test(value.raw));
  return false;
}

async function loadInstrumenter(root: string) {
  // Stryker's core brings the instrumenter; two of its inner modules have no door of their own.
  const core = fileURLToPath(import.meta.resolve("@stryker-mutator/core"));
  const folder = join(dirname(core), "../../../instrumenter/dist/src");
  const load = (path: string) => import(pathToFileURL(join(folder, path)).href);
  const [{ Instrumenter }, { transformBabel }, { allMutators }] = await Promise.all([
    load("index.js"),
    load("transformers/babel-transformer.js"),
    load("mutators/mutate.js"),
  ]);
  const mutators: readonly Mutator[] = [
    ...(allMutators as Mutator[]).map((mutator) => ({
      name: mutator.name,
      *mutate(path: BabelPath, options: object) {
        if (mutator.name !== "StringLiteral" || !isProse(path)) yield* mutator.mutate(path, options);
      },
    })),
    numberMutator,
  ];
  /** Runs the instrumenter over the files; `keep` answers by order whether a mutant is placed. */
  return async (files: readonly SourceFile[], keep: (order: number) => boolean) => {
    let order = 0;
    const filtered = mutators.map(({ name, mutate }) => ({
      name,
      *mutate(path: BabelPath, options: object) {
        for (const replacement of mutate(path, options)) if (keep(order++)) yield replacement;
      },
    }));
    const transform: Transform = (ast, collector, context) =>
      transformBabel(ast, collector, context, filtered);
    const instrumenter = new Instrumenter(quiet, undefined, undefined, transform);
    const options = { plugins: null, excludedMutations: [], ignorers: [], noHeader: true };
    const result: { files: SourceFile[]; mutants: PlacedMutant[] } = await instrumenter.instrument(
      files.map(({ name, content }) => ({ name: join(root, name), content, mutate: true })),
      options,
    );
    return result;
  };
}

/** What stands at a place, in one line. Stryker's lines count from 0. */
function textAt(content: readonly string[], { start, end }: Location): string {
  const text =
    start.line === end.line
      ? content[start.line].slice(start.column, end.column)
      : [
          content[start.line].slice(start.column),
          ...content.slice(start.line + 1, end.line),
          content[end.line].slice(0, end.column),
        ].join(" ");
  return text.replace(/\s+/g, " ");
}

/**
 * Stryker's own helpers take a list of arguments and look names up at each passed place: twenty times the time of a hot loop.
 * Here a passed place is one increment of a typed array, and a switch one comparison (worker.ts has the other half).
 */
function withQuickSwitches(content: string): string {
  const quick = content
    .replace(/stryCov_9fa48\(([^)]*)\)/g, (_, ids: string) =>
      ids.replace(/"(\d+)"/g, "__mutants.passed[$1]++"),
    )
    .replace(/stryMutAct_9fa48\("(\d+)"\)/g, "(__mutants.active === $1 && __mutants.enter())");
  return `const __mutants = (globalThis as any).__mutants; ${quick}`;
}

/** The same seed draws the same `count` of `total`, in order. */
function draw(total: number, count: number, seed: number): Set<number> {
  const ranked = Array.from({ length: total }, (_, order) => ({
    order,
    rank: createHash("sha256").update(`${seed}:${order}`).digest("hex"),
  }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return new Set(ranked.slice(0, count).map(({ order }) => order));
}

/** Instruments the files with all mutants, or with `sample` of them drawn by `seed`; says how many there are in all. */
export async function instrument(
  root: string,
  files: readonly SourceFile[],
  choice: { readonly sample: number; readonly seed: number } | null,
): Promise<{ files: readonly SourceFile[]; mutants: readonly Mutant[]; total: number }> {
  const run = await loadInstrumenter(root);
  let total = 0;
  let result = await run(files, () => {
    total++;
    return choice === null;
  });
  if (choice !== null) {
    const chosen = draw(total, choice.sample, choice.seed);
    result = await run(files, (order) => chosen.has(order));
  }
  const texts = new Map(
    files.map(({ name, content }) => [
      join(root, name),
      { name, lines: content.split("\n"), hash: hash(content) },
    ]),
  );
  const mutants = result.mutants.map((placed): Mutant => {
    const text = texts.get(placed.fileName);
    if (text === undefined) throw new Error(`a mutant of no file of ours: ${placed.fileName}`);
    const { start } = placed.location;
    return {
      id: placed.id,
      key: hash(
        [text.name, text.hash, JSON.stringify(placed.location), placed.mutatorName, placed.replacement].join(
          "\n",
        ),
      ),
      file: text.name,
      line: start.line + 1,
      column: start.column + 1,
      mutator: placed.mutatorName,
      original: textAt(text.lines, placed.location),
      replacement: placed.replacement.replace(/\s+/g, " "),
      ignored: placed.status === "Ignored" ? (placed.statusReason ?? "no reason given") : null,
    };
  });
  return {
    files: result.files.map(({ name, content }) => ({
      name: texts.get(name)?.name ?? name,
      content: withQuickSwitches(content),
    })),
    mutants,
    total,
  };
}

export function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 24);
}
