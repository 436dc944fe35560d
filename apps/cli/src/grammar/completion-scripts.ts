// Scripts for shells, and the whole table as data: made from the rows, so that they cannot go stale.

import { argumentName } from "./command-line.ts";
import { type CommandEntry, type CommandRow, type CommandTable, longName, rowsOf } from "./command-row.ts";
import type { Kind } from "./option-kind.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

interface Finished {
  readonly words: readonly string[];
  readonly options: readonly string[];
  /** Words that an option's value, or an argument, may be. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly ownWords: readonly string[];
}

async function finish(row: CommandRow): Promise<Finished> {
  const values = new Map<string, readonly string[]>();
  for (const [key, { kind }] of Object.entries(row.options))
    if (kind?.words !== undefined) values.set(longName(key), await kind.words());
  const ownWords: string[] = [];
  for (const { kind } of Object.values(row.arguments))
    if (kind.words !== undefined) ownWords.push(...(await kind.words()));
  return {
    words: row.words,
    options: [...Object.keys(row.options).map(longName), "--help"],
    values,
    ownWords,
  };
}

const second = (entries: readonly CommandEntry[], first: string): string[] =>
  entries.flatMap(({ words: [group, own] }) => (group === first && own !== undefined ? [own] : []));

const firsts = (table: CommandTable): string[] => [...new Set(table.entries.map(({ words }) => words[0]))];

export async function completionScript(shell: Shell, table: CommandTable): Promise<string> {
  if (shell === "fish") return fishScript(table);
  const bash = await bashScript(table);
  return shell === "bash"
    ? bash
    : `#compdef ${table.name}\nautoload -U bashcompinit && bashcompinit\n${bash}`;
}

async function bashScript(table: CommandTable): Promise<string> {
  const cases: string[] = [];
  const valueCases: string[] = [];
  for (const row of await rowsOf(table)) {
    const { words, options, values, ownWords } = await finish(row);
    const name = words.join("/");
    cases.push(`    ${name}) words="${[...options, ...ownWords].join(" ")}" ;;`);
    for (const [long, all] of values) valueCases.push(`    ${name}:${long}) words="${all.join(" ")}" ;;`);
  }
  const names = firsts(table);
  const groups = names.filter((name) => second(table.entries, name).length > 0);
  const groupCases = groups.map(
    (name) => `    ${name}) words="${second(table.entries, name).join(" ")} --help" ;;`,
  );
  return `_${table.name}() {
  local words="" name="\${COMP_WORDS[1]}" first=2
  case "$name" in
    ${groups.join("|")}) name="$name/\${COMP_WORDS[2]}"; first=3 ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="${names.join(" ")} --help --version"
  elif [ "$COMP_CWORD" -lt "$first" ]; then
    case "\${COMP_WORDS[1]}" in
${groupCases.join("\n")}
    esac
  else
    case "$name:\${COMP_WORDS[COMP_CWORD-1]}" in
${valueCases.join("\n")}
    *) case "$name" in
${cases.map((line) => `  ${line}`).join("\n")}
      esac ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _${table.name} ${table.name}
`;
}

const quoted = (text: string): string => `'${text.replace(/['\\]/g, "")}'`;

async function fishScript(table: CommandTable): Promise<string> {
  const lines: string[] = [];
  for (const name of firsts(table)) {
    const own = table.entries.find(({ words }) => words.length === 1 && words[0] === name);
    const says = own?.summary ?? table.groups[name] ?? "";
    lines.push(`complete -c ${table.name} -n __fish_use_subcommand -a ${name} -d ${quoted(says)}`);
    const inner = second(table.entries, name);
    for (const row of table.entries.filter(({ words }) => words.length > 1 && words[0] === name))
      lines.push(
        `complete -c ${table.name} -n '__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${inner.join(" ")}' -a ${row.words[1]} -d ${quoted(row.summary)}`,
      );
  }
  for (const row of await rowsOf(table)) {
    const { words, values, ownWords } = await finish(row);
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    if (ownWords.length > 0)
      lines.push(`complete -c ${table.name} -n '${seen}' -a ${quoted(ownWords.join(" "))}`);
    for (const [key, { summary, kind }] of Object.entries(row.options)) {
      const known = values.get(longName(key));
      const value = kind === null ? "" : known === undefined ? " -r" : ` -x -a ${quoted(known.join(" "))}`;
      lines.push(
        `complete -c ${table.name} -n '${seen}' -l ${longName(key).slice(2)}${value} -d ${quoted(summary)}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

async function describe(kind: Kind<unknown>): Promise<object> {
  const words = await kind.words?.();
  return {
    takes: kind.takes,
    ...(words === undefined ? {} : { words }),
    ...(kind.isPath === true ? { isPath: true } : {}),
  };
}

/** Every command with its arguments and options, for tools that build on ours. */
export async function tableDocument(table: CommandTable): Promise<object> {
  const commands: object[] = [];
  for (const row of await rowsOf(table)) {
    const args: object[] = [];
    for (const [key, { kind, summary, form }] of Object.entries(row.arguments))
      args.push({ name: argumentName(key), form, summary, ...(await describe(kind)) });
    const options: object[] = [];
    for (const [key, entry] of Object.entries(row.options)) {
      const { kind, summary, isMany, isRequired, needs = [], clashes = [] } = entry;
      options.push({
        name: longName(key),
        summary,
        ...(kind === null ? { isFlag: true } : await describe(kind)),
        isMany,
        isRequired,
        needs: needs.map(longName),
        clashes: clashes.map(longName),
      });
    }
    commands.push({ words: row.words, summary: row.summary, arguments: args, options, example: row.example });
  }
  return { name: table.name, version: table.version, commands };
}
