// npm run perf: every benchmark, or the ones named; prints tables and records them in perf/tables.

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One row: a name and one figure per round, in the unit of its table. */
export interface BenchRow {
  readonly name: string;
  readonly rounds: readonly number[];
}

export interface BenchTable {
  readonly title: string;
  readonly unit: string;
  readonly rows: readonly BenchRow[];
  /** What bounds it, and what it is compared with. */
  readonly note: string;
}

const here = dirname(fileURLToPath(import.meta.url));

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)];
}

function show(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en-US").replace(/,/g, " ");
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function formatTable(table: BenchTable): string {
  const lines = [`## ${table.title}`, "", `| | median [min..max] ${table.unit} |`, "|---|---|"];
  for (const { name, rounds } of table.rows) {
    lines.push(
      `| ${name} | ${show(median(rounds))} [${show(Math.min(...rounds))}..${show(Math.max(...rounds))}] |`,
    );
  }
  lines.push("", table.note, "");
  return lines.join("\n");
}

const wanted = process.argv.slice(2);
const files = readdirSync(here).filter((name) => name.endsWith(".bench.ts"));
const chosen = files.filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(
    `no benchmark is named ${wanted.join(", ")}; there are: ${files.map((name) => name.replace(".bench.ts", "")).join(", ")}`,
  );
  process.exit(2);
}
mkdirSync(join(here, "tables"), { recursive: true });
for (const name of chosen.sort()) {
  const { bench } = (await import(join(here, name))) as { bench: () => Promise<BenchTable[]> };
  const machine = `Node ${process.version}, ${cpus().length} CPUs, ${cpus()[0].model}`;
  const [load] = loadavg();
  // Who else works here takes CPU time from both sides of a comparison, not always the same share.
  const company =
    load < cpus().length / 2
      ? ""
      : ` The machine was shared: a load of ${load.toFixed(1)} before the run. Rates are lower than it can do and scatter; CPU times say more.`;
  const text = [
    `# ${name.replace(".bench.ts", "")}`,
    "",
    `Recorded by \`npm run perf -- ${name.replace(".bench.ts", "")}\`. ${machine}.${company}`,
    "",
    ...(await bench()).map(formatTable),
  ].join("\n");
  console.log(text);
  writeFileSync(join(here, "tables", name.replace(".bench.ts", ".md")), text);
}
