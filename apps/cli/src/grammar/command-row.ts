// A row of the table of commands: its words, and what it takes and does, which is loaded when somebody asks.

import type { CommandIo } from "../terminal/command-io.ts";
import type { ExitCode } from "../terminal/exit-codes.ts";
import type { Kind } from "./option-kind.ts";

/** Other options, by their key in the row. */
export interface OptionRules {
  /** It means nothing without these: giving it alone is a mistake. */
  readonly needs?: readonly string[];
  /** It belongs to another way than these: giving both is a mistake. */
  readonly clashes?: readonly string[];
}

export interface OptionRow<T> extends OptionRules {
  /** Null: a flag. */
  readonly kind: Kind<unknown> | null;
  readonly summary: string;
  readonly isMany: boolean;
  readonly isRequired: boolean;
  /** What stands when it was not given. */
  readonly fallback: T;
}

export interface ArgumentRow<T> {
  readonly kind: Kind<unknown>;
  readonly summary: string;
  readonly form: "one" | "optional" | "some" | "any";
  /** Only for its type. */
  readonly type?: T;
}

/** A switch: there or not. */
export function flag(summary: string, rules: OptionRules = {}): OptionRow<boolean> {
  return { ...rules, kind: null, summary, isMany: false, isRequired: false, fallback: false };
}

/** An option with a value; without one it is undefined. */
export function option<T>(kind: Kind<T>, summary: string, rules: OptionRules = {}): OptionRow<T | undefined> {
  return { ...rules, kind, summary, isMany: false, isRequired: false, fallback: undefined };
}

/** An option with a value, or else `fallback`. */
export function optionOr<T>(
  kind: Kind<T>,
  fallback: T,
  summary: string,
  rules: OptionRules = {},
): OptionRow<T> {
  return { ...rules, kind, summary, isMany: false, isRequired: false, fallback };
}

/** An option that must be given. */
export function needed<T>(kind: Kind<T>, summary: string): OptionRow<T> {
  return { kind, summary, isMany: false, isRequired: true, fallback: undefined as T };
}

/** An option that may be given several times. */
export function many<T>(kind: Kind<T>, summary: string, rules: OptionRules = {}): OptionRow<readonly T[]> {
  return { ...rules, kind, summary, isMany: true, isRequired: false, fallback: [] };
}

export function argument<T>(kind: Kind<T>, summary: string): ArgumentRow<T> {
  return { kind, summary, form: "one" };
}

export function optionalArgument<T>(kind: Kind<T>, summary: string): ArgumentRow<T | undefined> {
  return { kind, summary, form: "optional" };
}

/** At least one of them, and the last argument. */
export function someArguments<T>(kind: Kind<T>, summary: string): ArgumentRow<readonly T[]> {
  return { kind, summary, form: "some" };
}

/** Any number of them, and the last argument. */
export function anyArguments<T>(kind: Kind<T>, summary: string): ArgumentRow<readonly T[]> {
  return { kind, summary, form: "any" };
}

type ValueOf<R> = R extends OptionRow<infer T> ? T : R extends ArgumentRow<infer T> ? T : never;
type Optional<O> = { [K in keyof O]: undefined extends ValueOf<O[K]> ? K : never }[keyof O];

/** What `run` is given: a property per option and argument, left out where it would be undefined. */
export type ValuesOf<O> = { readonly [K in Exclude<keyof O, Optional<O>>]: ValueOf<O[K]> } & {
  readonly [K in Optional<O>]?: Exclude<ValueOf<O[K]>, undefined>;
};

// biome-ignore lint/suspicious/noExplicitAny: rows of every type stand in one table
type AnyArguments = Readonly<Record<string, ArgumentRow<any>>>;
// biome-ignore lint/suspicious/noExplicitAny: rows of every type stand in one table
type AnyOptions = Readonly<Record<string, OptionRow<any>>>;

interface FormParts<A extends AnyArguments, O extends AnyOptions> {
  /** In their order on the line. */
  readonly arguments: A;
  readonly options: O;
  /** Command lines that work, one a line, and what to do then. */
  readonly example: string;
  /** What help says below the options. */
  readonly notes?: string;
  /**
   * Mistakes that only several values together make. Throws UsageError. Pure. `isGiven` tells an option that stands on the
   * line from its fallback, by its key.
   */
  judge?(values: ValuesOf<A> & ValuesOf<O>, isGiven: (key: keyof O & string) => boolean): void;
  /** Everything is judged and every output is open. The exit code; none is 0. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most commands end without a word
  run(values: ValuesOf<A> & ValuesOf<O>, io: CommandIo): Promise<ExitCode | void> | ExitCode | void;
}

/** What a command takes, an example, and what it does. One file per command. */
export interface CommandForm {
  readonly arguments: AnyArguments;
  readonly options: AnyOptions;
  readonly example: string;
  readonly notes?: string;
  judge?(values: object, isGiven: (key: string) => boolean): void;
  // biome-ignore lint/suspicious/noConfusingVoidType: most commands end without a word
  run(values: object, io: CommandIo): Promise<ExitCode | void> | ExitCode | void;
}

/** Types the values that `run` gets by the row's own options. */
export function command<A extends AnyArguments, O extends AnyOptions>(parts: FormParts<A, O>): CommandForm {
  return parts as unknown as CommandForm;
}

/** A command's line in the table. */
export interface CommandEntry {
  /** One word, or a group's and its own: `["disk", "serve"]`. */
  readonly words: readonly [string] | readonly [string, string];
  /** One line for lists, without a full stop. */
  readonly summary: string;
  /** Loads the rest: a command's start waits for its own form and for no other. */
  form(): Promise<CommandForm>;
}

/** A command whole. */
export interface CommandRow extends CommandForm {
  readonly words: CommandEntry["words"];
  readonly summary: string;
}

export async function rowOf({ form, summary, words }: CommandEntry): Promise<CommandRow> {
  return { ...(await form()), words, summary };
}

/** `tlsKey` -> `--tls-key`. */
export function longName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export interface CommandTable {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
  readonly examples: string;
  /** A sentence for each first word that several commands share. */
  readonly groups: Readonly<Record<string, string>>;
  readonly entries: readonly CommandEntry[];
}

/** The whole table, in its order. */
export function rowsOf({ entries }: CommandTable): Promise<readonly CommandRow[]> {
  return Promise.all(entries.map(rowOf));
}
