// Every mistaken line of a row of the table: per option missing, wrong type, out of range, twice, of another way.

import { type ArgumentRow, type CommandRow, longName, type OptionRow } from "../src/grammar/command-row.ts";
import type { Mistake, SamplePlace } from "../src/grammar/option-kind.ts";

export interface MistakenLine {
  readonly words: readonly string[];
  readonly why: string;
  /** A word that the sentence must have: the option, or the argument. */
  readonly mentions: string;
}

/** The arguments that make a line of this command, and options that must be given, right. */
async function rightArguments(row: CommandRow, place: SamplePlace): Promise<string[]> {
  const words: string[] = [];
  for (const { form, kind } of Object.values(row.arguments))
    if (form === "one" || form === "some") words.push(await kind.sample(place));
  return words;
}

/** `--name value` of one option, with those that it needs. */
async function rightOption(
  row: CommandRow,
  key: string,
  place: SamplePlace,
  without: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  const words: string[] = [];
  const seen = new Set(without);
  const visit = async (each: string): Promise<void> => {
    if (seen.has(each)) return;
    seen.add(each);
    const { kind, needs = [] } = row.options[each];
    words.push(longName(each), ...(kind === null ? [] : [await kind.sample(place)]));
    for (const other of needs) await visit(other);
  };
  await visit(key);
  return words;
}

async function neededOptions(
  row: CommandRow,
  place: SamplePlace,
  without: readonly string[] = [],
): Promise<string[]> {
  const words: string[] = [];
  for (const [key, entry] of Object.entries(row.options))
    if (entry.isRequired && !without.includes(key)) words.push(...(await rightOption(row, key, place)));
  return words;
}

/** A line that every judge of the row lets through; no row asks for more than its arguments and needed options. */
export async function rightLine(row: CommandRow, place: SamplePlace): Promise<string[]> {
  return [...row.words, ...(await neededOptions(row, place)), ...(await rightArguments(row, place))];
}

/** Those of one option or argument are worth a line of their own: each names what must be said. */
export async function mistakenLines(row: CommandRow, place: SamplePlace): Promise<MistakenLine[]> {
  const lines: MistakenLine[] = [];
  const { words } = row;
  const args = await rightArguments(row, place);
  const required = await neededOptions(row, place);
  const add = (why: string, mentions: string, rest: readonly string[]): void => {
    lines.push({ words: [...words, ...rest], why, mentions });
  };
  add("an option that is none", "--no-such-option", [...required, ...args, "--no-such-option"]);
  for (const [index, [key, entry]] of Object.entries(row.arguments).entries())
    await addArgument(key, entry, index);
  const isOpenEnded = Object.values(row.arguments).some(({ form }) => form === "some" || form === "any");
  if (!isOpenEnded) {
    const all: string[] = [];
    for (const { kind } of Object.values(row.arguments)) all.push(await kind.sample(place));
    add("an argument too many", "argument", [...required, ...all, "one-too-many"]);
  }
  for (const [key, entry] of Object.entries(row.options)) await addOption(key, entry);
  return lines;

  async function addArgument(key: string, entry: ArgumentRow<unknown>, index: number): Promise<void> {
    const name = key.toLowerCase();
    if (entry.form === "one" || entry.form === "some")
      add("argument missing", name, [...required, ...args.slice(0, index)]);
    const before: string[] = [];
    for (const { kind } of Object.values(row.arguments).slice(0, index))
      before.push(await kind.sample(place));
    for (const mistake of entry.kind.mistakes(place))
      add(`${name}: ${mistake.why}`, name, [...required, "--", ...before, mistake.text]);
  }

  async function addOption(key: string, entry: OptionRow<unknown>): Promise<void> {
    const long = longName(key);
    const others = await neededOptions(row, place, [key]);
    const right = await rightOption(row, key, place);
    const beside = right.slice(entry.kind === null ? 1 : 2);
    if (entry.isRequired) add("must be given", long, [...others, ...args]);
    if (entry.kind !== null) {
      add("value missing", long, [...others, ...args, ...beside, long]);
      for (const mistake of entry.kind.mistakes(place)) addMistake(mistake);
    }
    if (!entry.isMany) {
      const once = entry.kind === null ? [long] : [long, await entry.kind.sample(place)];
      add("given twice", long, [...others, ...args, ...right, ...once]);
    }
    for (const other of entry.needs ?? [])
      add(`without ${longName(other)}`, long, [
        ...others,
        ...args,
        ...(await rightOption(row, key, place, new Set(entry.needs))),
      ]);
    for (const other of entry.clashes ?? [])
      add(`with ${longName(other)}`, longName(other), [...others, ...args, ...(await both(key, other))]);

    function addMistake({ why, text }: Mistake): void {
      add(`${long}: ${why}`, long, [...others, ...args, ...beside, long, text]);
    }
  }

  async function both(key: string, other: string): Promise<string[]> {
    const first = await rightOption(row, key, place);
    const second = await rightOption(row, other, place);
    const all = new Map<string, string[]>();
    for (const part of [...pairs(first), ...pairs(second)]) all.set(part[0], part);
    return [...all.values()].flat();
  }
}

function pairs(words: readonly string[]): string[][] {
  const found: string[][] = [];
  for (const word of words) {
    if (word.startsWith("--")) found.push([word]);
    else found[found.length - 1].push(word);
  }
  return found;
}
