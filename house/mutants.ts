// npm run mutants -- ROOM: changes one operator or number at a time; which changes do tests see?

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hash, instrument, type Mutant } from "./mutants/instrument.ts";
import { makeSandbox } from "./mutants/sandbox.ts";
import { scopeOf } from "./mutants/scope.ts";
import { tryMutants, type Verdict } from "./mutants/trial.ts";

const usage = `Usage: npm run mutants -- ROOM [--sample N] [--seed S] [--files N] [--floor PERCENT] [--afresh] [--json] [--record]

Changes one operator or constant of ROOM at a time and runs the unit tests that enter the changed place.
ROOM is a room of core (codec, runtime, ...), a folder of doctor (doctor/rules), or a path; all its mutants are
tried, or N of them drawn by the seed S (1 unless told). With --files only the N
nearest test files judge. Killed ones of an earlier run stay known while their file and the
test that killed them are as they were (build/mutants); --afresh forgets them. --record writes the score and what survived
into perf/endurance/mutants-ROOM.md. Exit code 1: the score is below PERCENT.

Example: npm run mutants -- base --sample 100 --seed 7`;

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

interface KnownKill {
  readonly killer: string;
  readonly fate: "killed" | "endless";
  /** Of the killer's file. */
  readonly test: string;
}

function wholeNumber(text: string | undefined, name: string): number | null {
  if (text === undefined) return null;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} takes a whole number, not "${text}"`);
  return Number(text);
}

export interface Score {
  readonly room: string;
  readonly total: number;
  readonly tried: number;
  readonly ignored: number;
  readonly killed: number;
  readonly endless: number;
  readonly survived: number;
  readonly unseen: number;
  /** Percent of those that count, ignored ones left out. */
  readonly percent: number;
}

function scoreOf(room: string, total: number, ignored: number, verdicts: readonly Verdict[]): Score {
  const count = (fate: Verdict["fate"]): number => verdicts.filter((verdict) => verdict.fate === fate).length;
  const [killed, endless] = [count("killed"), count("endless")];
  return {
    room,
    total,
    tried: verdicts.length,
    ignored,
    killed,
    endless,
    survived: count("survived"),
    unseen: count("unseen"),
    percent: verdicts.length === 0 ? 100 : (100 * (killed + endless)) / verdicts.length,
  };
}

const cut = (text: string): string => (text.length > 70 ? `${text.slice(0, 67)}...` : text);

function lineOf({ mutant, fate, left }: Verdict): string {
  const what =
    fate === "unseen" ? "no test enters it" : left > 0 ? `survives; ${left} tests left out` : "survives";
  return `${mutant.file}:${mutant.line}:${mutant.column} ${mutant.mutator} ${cut(mutant.original)} -> ${cut(mutant.replacement)} (${what})`;
}

/** The record of a run, as those of perf/endurance are. */
function recordOf(
  score: Score,
  how: string,
  open: readonly Verdict[],
  ignored: readonly Mutant[],
  seconds: number,
): string {
  const commit = spawnSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" });
  return [
    `# mutants-${score.room.replace(/[^\w.-]+/g, "-")}`,
    "",
    `Changes of one operator, constant or block of ${score.room}, and which of them no test sees ([how](../../docs/survivors.md)). \`npm run mutants -- ${how} --record\``,
    "",
    `Commit ${commit.stdout.trim()}, ${new Date().toISOString().slice(0, 10)}, ${cpus()[0].model}, ${cpus().length} processors, load ${loadavg()[0].toFixed(1)}; ${seconds} s, without those that an earlier run had killed and whose test has not changed.`,
    "",
    `- ${score.percent.toFixed(1)} % of ${score.tried} mutants of ${score.total}: ${score.killed} killed, ${score.endless} endless, ${score.survived} survived, ${score.unseen} entered by no test that was asked`,
    ...open.map((verdict) => `- \`${lineOf(verdict).replaceAll("`", "'")}\``),
    ...ignored.map(({ file, line, ignored: reason }) => `- left out: ${file}:${line}: ${reason}`),
    "",
  ].join("\n");
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      sample: { type: "string" },
      seed: { type: "string" },
      files: { type: "string" },
      floor: { type: "string" },
      afresh: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      record: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const [room, ...more] = positionals;
  if (room === undefined || more.length > 0) throw new Error("name one room");
  const sample = wholeNumber(values.sample, "sample");
  const seed = wholeNumber(values.seed, "seed") ?? 1;
  const floor = wholeNumber(values.floor, "floor");

  const scope = scopeOf(root, room, wholeNumber(values.files, "files") ?? Number.POSITIVE_INFINITY);
  const folder = join(root, "build/mutants");
  const name = room.replace(/[^\w.-]+/g, "-");
  const record = join(folder, `${name}.json`);
  const sandbox = join(folder, "sandbox", name);
  mkdirSync(folder, { recursive: true });

  const sources = scope.sources.map((file) => ({
    name: file,
    content: readFileSync(join(root, file), "utf8"),
  }));
  const { files, mutants, total } = await instrument(
    root,
    sources,
    sample === null ? null : { sample, seed },
  );
  makeSandbox(root, sandbox, files);

  const kills: Record<string, KnownKill> =
    existsSync(record) && !values.afresh ? JSON.parse(readFileSync(record, "utf8")) : {};
  const testHash = (killer: string): string => {
    const file = join(root, killer.slice(0, killer.indexOf(":")));
    return existsSync(file) ? hash(readFileSync(file, "utf8")) : "";
  };
  const known = (mutant: Mutant): Verdict | null => {
    const kill = kills[mutant.key];
    if (kill === undefined || kill.test === "" || kill.test !== testHash(kill.killer)) return null;
    return { mutant, fate: kill.fate, killer: kill.killer, left: 0 };
  };
  const { verdicts, unfit, tests } = await tryMutants({
    sandbox,
    compileCache: join(folder, "compile-cache"),
    scope,
    mutants,
    known,
    onProgress: (text) => console.error(`mutants ${room}: ${text}`),
  });
  for (const { mutant, fate, killer } of verdicts)
    if ((fate === "killed" || fate === "endless") && killer !== null)
      kills[mutant.key] = { killer, fate, test: testHash(killer) };
  writeFileSync(record, JSON.stringify(kills, null, 1));

  const ignored = mutants.filter((mutant) => mutant.ignored !== null);
  const score = scoreOf(room, total, ignored.length, verdicts);
  const open = verdicts
    .filter(({ fate }) => fate === "survived" || fate === "unseen")
    .sort((a, b) =>
      a.mutant.file === b.mutant.file
        ? a.mutant.line - b.mutant.line
        : a.mutant.file < b.mutant.file
          ? -1
          : 1,
    );
  if (values.json)
    console.log(
      JSON.stringify(
        { ...score, seed: sample === null ? null : seed, survivors: open, equivalent: ignored },
        null,
        2,
      ),
    );
  else {
    for (const verdict of open) console.log(lineOf(verdict));
    for (const { file, line, ignored: reason } of ignored) console.log(`${file}:${line} left out: ${reason}`);
    console.log(
      `${room}: ${score.percent.toFixed(1)} % of ${score.tried} mutants${sample === null ? "" : ` (of ${total}, seed ${seed})`}: ` +
        `${score.killed} killed, ${score.endless} endless, ${score.survived} survived, ${score.unseen} entered by no test, ${score.ignored} left out with a reason`,
    );
  }
  if (values.record) {
    const how = [
      room,
      ...(sample === null ? [] : ["--sample", sample, "--seed", seed]),
      ...(values.files === undefined ? [] : ["--files", values.files]),
    ];
    const path = join(root, `perf/endurance/mutants-${name}.md`);
    writeFileSync(path, recordOf(score, how.join(" "), open, ignored, Math.round(performance.now() / 1000)));
    console.error(`mutants ${room}: ${path}`);
  }
  for (const { file, name: test, failure } of unfit.slice(0, 20))
    console.error(`mutants ${room}: not fit to judge: ${file}: ${test}: ${failure}`);
  if (unfit.length > 20)
    console.error(`mutants ${room}: and ${unfit.length - 20} more; ${tests} tests judged`);
  return floor !== null && score.percent < floor ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`mutants: ${error instanceof Error ? error.message : error}\n${usage}`);
  process.exitCode = 2;
}
