// What a client can ask: commands of the table that read, with the options that make sense to a program.

import { shown } from "@drydock/core/base/shown-text";
import {
  type ArgumentRow,
  type CommandRow,
  type CommandTable,
  longName,
  type OptionRow,
  rowOf,
} from "../grammar/command-row.ts";
import type { Kind } from "../grammar/option-kind.ts";
import { UsageError } from "../terminal/usage-error.ts";
import type { Roots } from "./roots.ts";

/** A tool is a command line of one command: what it takes is read, judged and bounded as on the command line. */
interface ToolRow {
  readonly name: string;
  readonly command: string;
  readonly summary: string;
  /** Of the command's arguments and options, by their key; JSON's kind of those that are numbers. */
  readonly takes: readonly string[];
  readonly numbers?: readonly string[];
  /** What stands on every line of it; its argument is a path then. */
  readonly words?: readonly string[];
  /** The command takes several words only because shells split a phrase. */
  readonly isPhrase?: boolean;
  /** A path can name a rig file, which is code. */
  readonly mayLoadCode?: boolean;
  /** A word that is no path though the argument takes paths. */
  isName?(word: string): boolean;
  /** An answer that is a list comes in parts. */
  readonly isPaged?: boolean;
}

const toolRows: readonly ToolRow[] = [
  {
    name: "diagnose",
    command: "diagnose",
    summary:
      "Cause, evidence, fix and who must act, for files or folders of logs, crash reports, registry dumps, property lists, USB captures, driver source. Each answer names its rule (DR02-1).",
    takes: ["path", "redact"],
  },
  {
    name: "check",
    command: "check",
    summary:
      "An app or driver extension (folder, zip, tar.gz) before it is shipped: signature, profiles, imports, which systems accept it. With life and no path: the histories of an extension's life.",
    takes: ["path", "minOs", "platform", "tool", "date", "udid", "life"],
  },
  {
    name: "explain",
    command: "explain",
    summary:
      "What a code in any form, a domain with its number, an entitlement, a state, a rule or a sentence of the system means.",
    takes: ["word"],
    isPhrase: true,
  },
  {
    name: "explain_descriptors",
    command: "explain",
    summary:
      "Each fault in a device's USB or HID report descriptors (bytes, lsusb -v, a hexadecimal dump, arrays of a source, a capture), and what Linux, Windows and macOS make of it.",
    takes: ["word", "speed"],
    words: ["--descriptors"],
    isPhrase: true,
  },
  {
    name: "match",
    command: "match",
    summary:
      "Which driver binds to a device (a rig's name, or a file: registry dump, capture, descriptors, lsusb -v, lspci -x), and why each of the others does not.",
    takes: ["device", "driver", "platform", "seed"],
    numbers: ["seed"],
    mayLoadCode: true,
  },
  {
    name: "case",
    command: "case",
    summary:
      "A pair of drivers, wrong and right, on the same device with the same seed: results, traces, logs. Without an id: the list of cases.",
    takes: ["id", "all", "seed"],
    numbers: ["seed"],
  },
  {
    name: "trace",
    command: "trace",
    summary: "A USB capture (pcapng, pcap) of Linux, macOS, USBPcap or an analyser, a line each transfer.",
    takes: ["file", "control", "bytes"],
    numbers: ["bytes"],
    isPaged: true,
  },
  {
    name: "policy",
    command: "policy",
    summary:
      "USB rules (USBGuard's form) against a capture or a rig: each decision, which system could enforce it, what got through.",
    takes: ["file", "against", "on", "window", "seed"],
    numbers: ["window", "seed"],
  },
  {
    name: "run",
    command: "lab",
    summary:
      'A rig or a case in virtual time, act by act ("run-to 0.5", "unplug 1", "plug-in 1"), with a seed and faults: where it stands, what failed, the digest. A rig file of yours is code, and is loaded only where the server was started with --allow-run.',
    takes: ["what", "side", "seed", "fault", "act"],
    numbers: ["seed"],
    mayLoadCode: true,
    isName: (word) => word.includes("#/"),
  },
];

const mostWords = 64;
const mostCharacters = 4096;
/** Rows of a paged answer, unless asked for others. */
export const pageRows = 500;
const mostPageRows = 5000;

export interface Page {
  readonly from: number;
  readonly most: number;
}

/** A tool's call as a command line. */
export interface ToolLine {
  readonly words: readonly string[];
  /** It names a file of the user's that would be loaded as code. */
  readonly loadsCode: boolean;
  readonly page: Page | null;
}

type Json = Readonly<Record<string, unknown>>;
type AnyRow = ArgumentRow<unknown> | OptionRow<unknown>;

export class Tool {
  readonly row: ToolRow;
  readonly #command: CommandRow;

  constructor(row: ToolRow, command: CommandRow) {
    this.row = row;
    this.#command = command;
  }

  /** JSON Schema of what it takes. */
  async inputSchema(): Promise<{ type: "object" } & Json> {
    const properties: Record<string, Json> = {};
    const required: string[] = [];
    for (const key of this.row.takes) {
      const row = this.#rowOf(key);
      properties[key] = await this.#property(key, row);
      if ("form" in row ? row.form === "one" || row.form === "some" : row.isRequired) required.push(key);
    }
    if (this.row.isPaged === true) {
      properties.from = { type: "integer", minimum: 0, description: "the first row, counted from 0" };
      properties.most = {
        type: "integer",
        minimum: 1,
        maximum: mostPageRows,
        description: `rows at most; without it, ${pageRows}`,
      };
    }
    return { type: "object", properties, required, additionalProperties: false };
  }

  /** Throws UsageError for what it does not take. Every path is resolved below the roots. */
  async lineOf(given: unknown, roots: Roots): Promise<ToolLine> {
    if (typeof given !== "object" || given === null || Array.isArray(given))
      throw new UsageError("takes an object of named values");
    const values = new Map(Object.entries(given));
    const page = this.row.isPaged === true ? pageOf(values) : null;
    for (const key of values.keys())
      if (!this.row.takes.includes(key))
        throw new UsageError(
          `does not take "${shown(key, 80)}"; it takes ${[...this.row.takes, ...(page === null ? [] : ["from", "most"])].join(", ")}`,
        );
    const options: string[] = [];
    const args: string[] = [];
    let loadsCode = false;
    for (const key of this.row.takes) {
      const value = values.get(key);
      const row = this.#rowOf(key);
      if (value === undefined || value === null) continue;
      const { kind } = row;
      if (kind === null) {
        if (typeof value !== "boolean") throw new UsageError(`${key} is true or false`);
        if (value) options.push(longName(key));
        continue;
      }
      for (const word of wordsOf(key, value, this.#isList(row))) {
        const judged = await this.#judged(kind, word, roots);
        loadsCode ||= judged.loadsCode;
        if ("form" in row) args.push(judged.word);
        else options.push(`${longName(key)}=${judged.word}`);
      }
    }
    const tail = args.length === 0 ? [] : ["--", ...args];
    return {
      words: [...this.#command.words, "--json", ...(this.row.words ?? []), ...options, ...tail],
      loadsCode,
      page,
    };
  }

  async #judged(
    kind: Kind<unknown>,
    word: string,
    roots: Roots,
  ): Promise<{ readonly word: string; readonly loadsCode: boolean }> {
    // Standard input is the client's own wire.
    if (word === "-") throw new UsageError('"-" is standard input, which is no file here: name one');
    const isPath = kind.isPath === true || this.row.words !== undefined;
    if (!isPath) return { word, loadsCode: false };
    const names = (await kind.words?.()) ?? [];
    const isName = names.some((name) => name.toLowerCase() === word.toLowerCase());
    if (isName || this.row.isName?.(word) === true) return { word, loadsCode: false };
    const path = roots.find(word);
    return { word: path, loadsCode: this.row.mayLoadCode === true && /\.[cm]?[jt]s$/.test(path) };
  }

  #isList(row: AnyRow): boolean {
    return "form" in row ? this.row.isPhrase !== true && /^(?:some|any)$/.test(row.form) : row.isMany;
  }

  #rowOf(key: string): AnyRow {
    const row = this.#command.arguments[key] ?? this.#command.options[key];
    if (row === undefined) throw new TypeError(`drydock ${this.row.command} has no "${key}"`);
    return row;
  }

  async #property(key: string, row: AnyRow): Promise<Json> {
    const { kind, summary } = row;
    if (kind === null) return { type: "boolean", description: summary };
    const isPath = kind.isPath === true || this.row.words !== undefined;
    const description = `${summary}${isPath ? ", below the roots" : ""}`;
    if (this.row.numbers?.includes(key)) return { type: "number", description: `${summary} (${kind.takes})` };
    const known = isPath ? [] : ((await kind.words?.()) ?? []);
    const word: Json = {
      type: "string",
      maxLength: mostCharacters,
      ...(known.length > 0 ? { enum: known } : {}),
    };
    if (!this.#isList(row)) return { ...word, description: `${description} (${kind.takes})` };
    return { type: "array", items: word, maxItems: mostWords, description: `${description} (${kind.takes})` };
  }
}

function wordsOf(key: string, value: unknown, list: boolean): string[] {
  const all = list && Array.isArray(value) ? value : [value];
  if (all.length > mostWords) throw new UsageError(`${key} takes at most ${mostWords} of them`);
  return all.map((each) => {
    if (typeof each === "number" && Number.isFinite(each)) return String(each);
    if (typeof each !== "string")
      throw new UsageError(`${key} takes ${list ? "a list of texts" : "one text or number"}`);
    if (each.length > mostCharacters)
      throw new UsageError(`${key} takes at most ${mostCharacters} characters`);
    return each;
  });
}

function pageOf(values: Map<string, unknown>): Page {
  const number = (key: string, least: number, most: number, fallback: number): number => {
    const value = values.get(key) ?? fallback;
    values.delete(key);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most)
      return value;
    throw new UsageError(`${key} is a whole number from ${least} to ${most}`);
  };
  return {
    from: number("from", 0, Number.MAX_SAFE_INTEGER, 0),
    most: number("most", 1, mostPageRows, pageRows),
  };
}

export async function toolsOf(table: CommandTable): Promise<readonly Tool[]> {
  return Promise.all(
    toolRows.map(async (row) => {
      const entry = table.entries.find(({ words }) => words.length === 1 && words[0] === row.command);
      if (entry === undefined) throw new TypeError(`there is no command ${row.command}`);
      return new Tool(row, await rowOf(entry));
    }),
  );
}
