// From words to a command's values: commander reads the line, the row judges every value before anything runs.

import { shown } from "@drydock/core/base/shown-text";
import { systemCode, systemSentence } from "@drydock/node/system-words";
import { Command, CommanderError, Option } from "commander";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { atOwnPlace, OwnCodeError } from "../terminal/own-code.ts";
import { UsageError } from "../terminal/usage-error.ts";
import {
  type ArgumentRow,
  type CommandEntry,
  type CommandRow,
  type CommandTable,
  longName,
  type OptionRow,
  rowOf,
} from "./command-row.ts";
import { claimAll, releaseAll } from "./held-claims.ts";
import { type Claim, isClaim, type Kind } from "./option-kind.ts";

const exitCodeHelp =
  "Exit codes: 0 pass, 1 finding or failed expectation, 2 usage, 3 rig error, 77 skipped, 130 interrupted.";

/** Runs one command line (without the program's own name). Never rejects: what goes wrong is said, and is the exit code. */
export async function runCommandLine(
  table: CommandTable,
  words: readonly string[],
  io: CommandIo,
): Promise<ExitCode> {
  let code: ExitCode = exitCodes.pass;
  const entry = namedEntry(table, words);
  try {
    const row = entry === null ? null : await rowOf(entry);
    const program = programOf(table, io, row, async (raw) => {
      if (row !== null) code = await runRow(row, raw, io);
    });
    await program.parseAsync([...words], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.pass : exitCodes.usage;
    return sayProblem(error, io);
  }
  return code;
}

/** Wrong use is 2; everything else went wrong in the rig, and is 3. */
export function sayProblem(error: unknown, io: CommandIo): ExitCode {
  const message = error instanceof Error ? error.message : String(error);
  const { path, address, port } = error as { path?: string; address?: string; port?: number };
  const what = path ?? (address === undefined ? "the system" : `${address} port ${port}`);
  const own = error instanceof UsageError ? null : atOwnPlace(error);
  if (own !== null) {
    io.say(`drydock: ${own}`);
    return exitCodes.rigError;
  }
  if (isOurFault(error)) {
    const frame = /^\s+at .*$/m.exec((error as Error).stack ?? "")?.[0].trim() ?? "";
    io.say(
      `drydock: a fault of drydock itself, please report it: ${message} ${frame.replace(/\(?file:.*\/(?=[^/]*$)/, "(")}`,
    );
    return exitCodes.rigError;
  }
  io.say(`drydock: ${systemCode(error) === null ? message : systemSentence(error, what)}`);
  return error instanceof UsageError || isJudgement(error) ? exitCodes.usage : exitCodes.rigError;
}

/** A RangeError of ours says what is wrong with a word; Node's have a code, and are our own mistakes. */
function isJudgement(error: unknown): boolean {
  return (
    error instanceof RangeError &&
    (error as NodeJS.ErrnoException).code === undefined &&
    !engineWords.test(error.message)
  );
}

/** How the engine's own RangeErrors begin. */
const engineWords =
  /^(Invalid (?:array|typed array|string|count|date|time)|Maximum call stack|Offset is outside|Array buffer|Start offset|Length out of range|byte length of|offset is out|to[A-Z]\w+\(\) )/;

/** What can only be a mistake of this program. */
function isOurFault(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    error instanceof ReferenceError ||
    (error instanceof RangeError && engineWords.test(error.message))
  );
}

/** What stood on the line: each option's values in order, and the arguments. */
interface RawLine {
  readonly options: ReadonlyMap<string, readonly (string | null)[]>;
  readonly arguments: readonly (string | readonly string[] | undefined)[];
}

/** The command that the line names, or asks help for; null: none of them. */
function namedEntry({ entries }: CommandTable, words: readonly string[]): CommandEntry | null {
  const [first, second] = words.filter((word) => word !== "help" && !word.startsWith("-"));
  return entries.find(({ words: own }) => own[0] === first && (own[1] ?? second) === second) ?? null;
}

/** Every command by name, and `row` with all that it takes. */
function programOf(
  table: CommandTable,
  io: CommandIo,
  row: CommandRow | null,
  run: (raw: RawLine) => Promise<void>,
): Command {
  const program = new Command(table.name)
    .description(table.summary)
    .version(table.version, "-V, --version")
    .addHelpText("after", `\n${table.examples}\n\n${exitCodeHelp}\n`)
    .showHelpAfterError(`(${table.name} --help shows examples)`)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.print(text),
      writeErr: (text) => io.say(text.replace(/^error: /, `${table.name}: `).trimEnd()),
    });
  const groups = new Map<string, Command>();
  for (const { summary, words } of table.entries) {
    const [first, second] = words;
    let parent = program;
    if (second !== undefined) {
      const group = groups.get(first) ?? program.command(first).description(table.groups[first] ?? "");
      groups.set(first, group);
      parent = group;
    }
    const command = parent.command(second ?? first).description(summary);
    if (words === row?.words) addForm(command, row, run);
  }
  return program;
}

function addForm(command: Command, row: CommandRow, run: (raw: RawLine) => Promise<void>): void {
  for (const [key, entry] of Object.entries(row.arguments)) {
    const dots = entry.form === "some" || entry.form === "any" ? "..." : "";
    const inner = `${argumentName(key)}${dots}`;
    const isNeeded = entry.form === "one" || entry.form === "some";
    command.argument(isNeeded ? `<${inner}>` : `[${inner}]`, `${entry.summary} (${entry.kind.takes})`);
  }
  const given = new Map<string, (string | null)[]>();
  for (const [key, entry] of Object.entries(row.options)) {
    const long = longName(key);
    const flags = entry.kind === null ? long : `${long} <${entry.kind.placeholder}>`;
    command.addOption(new Option(flags, optionHelp(entry)));
    command.on(`option:${long.slice(2)}`, (value: string | null) => {
      given.set(key, [...(given.get(key) ?? []), value]);
    });
  }
  const notes = row.notes === undefined ? "" : `\n${row.notes}\n`;
  command
    .addHelpText("after", `${notes}\nExample:\n${row.example.replace(/^(?=.)/gm, "  ")}\n\n${exitCodeHelp}\n`)
    .action(async () => {
      await run({ options: given, arguments: command.processedArgs });
    });
}

/** `busId` -> `busid`. */
export const argumentName = (key: string): string => key.toLowerCase();

function optionHelp(entry: OptionRow<unknown>): string {
  const notes: string[] = [];
  if (entry.kind !== null) notes.push(entry.kind.takes);
  if (entry.isMany) notes.push("repeatable");
  if (entry.isRequired) notes.push("must be given");
  const { fallback } = entry;
  if (typeof fallback === "string" || typeof fallback === "number") notes.push(`default: ${fallback}`);
  else if (typeof fallback === "object" && fallback !== null && "text" in fallback)
    notes.push(`default: ${fallback.text}`);
  if (entry.needs !== undefined) notes.push(`with ${entry.needs.map(longName).join(" and ")}`);
  return notes.length === 0 ? entry.summary : `${entry.summary} (${notes.join("; ")})`;
}

async function runRow(row: CommandRow, raw: RawLine, io: CommandIo): Promise<ExitCode> {
  const values = await judgeLine(row, raw);
  try {
    claimAll(claimsIn(values));
    return (await row.run(values, io)) ?? exitCodes.pass;
  } finally {
    releaseAll();
  }
}

/** Every value of the line, judged. Throws UsageError; nothing has been created, opened or changed by then. */
async function judgeLine(row: CommandRow, raw: RawLine): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [index, [key, entry]] of Object.entries(row.arguments).entries()) {
    const word = raw.arguments[index];
    const value = await readArgument(argumentName(key), entry, word);
    if (value !== undefined) values[key] = value;
  }
  for (const [key, entry] of Object.entries(row.options)) {
    const words = raw.options.get(key) ?? [];
    const long = longName(key);
    if (words.length === 0) {
      if (entry.isRequired) throw new UsageError(`${long} must be given: it takes ${entry.kind?.takes}`);
      if (entry.fallback !== undefined) values[key] = entry.fallback;
      continue;
    }
    if (words.length > 1 && !entry.isMany)
      throw new UsageError(
        `${long} is given ${words.length === 2 ? "twice" : `${words.length} times`}; give it once`,
      );
    values[key] = await readOption(long, entry, words);
  }
  const isGiven = (key: string): boolean => raw.options.has(key);
  judgeWays(row, isGiven);
  row.judge?.(values, isGiven);
  return values;
}

async function readArgument(
  name: string,
  entry: ArgumentRow<unknown>,
  word: string | readonly string[] | undefined,
): Promise<unknown> {
  if (word === undefined) return entry.form === "any" ? [] : undefined;
  if (typeof word === "string") return readValue(name, entry.kind, word);
  return Promise.all(word.map((each) => readValue(name, entry.kind, each)));
}

async function readOption(
  long: string,
  entry: OptionRow<unknown>,
  words: readonly (string | null)[],
): Promise<unknown> {
  const { kind } = entry;
  if (kind === null) return true;
  const values: unknown[] = [];
  for (const word of words) values.push(await readValue(long, kind, word ?? ""));
  return entry.isMany ? values : values[0];
}

async function readValue(name: string, kind: Kind<unknown>, word: string): Promise<unknown> {
  try {
    return await kind.read(word);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${name} ${error.message}`);
    // A file of the user's was found and threw: nothing is wrong with the line.
    if (error instanceof OwnCodeError) throw error;
    throw new UsageError(`${name}: ${systemSentence(error, shown(word))}`);
  }
}

function judgeWays(row: CommandRow, isGiven: (key: string) => boolean): void {
  for (const [key, entry] of Object.entries(row.options)) {
    if (!isGiven(key)) continue;
    const lacking = (entry.needs ?? []).filter((other) => !isGiven(other));
    if (lacking.length > 0)
      throw new UsageError(
        `${longName(key)} means nothing without ${lacking.map(longName).join(" and ")}; give both, or none of them`,
      );
    const other = (entry.clashes ?? []).find(isGiven);
    if (other !== undefined)
      throw new UsageError(
        `${longName(key)} and ${longName(other)} exclude each other; leave one of them out`,
      );
  }
}

function claimsIn(values: Readonly<Record<string, unknown>>): Claim[] {
  return Object.values(values)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter(isClaim);
}
