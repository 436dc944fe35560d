// drydock completion: scripts that make the shell finish command names and options.

import type { Command } from "commander";

/** Made from the commands themselves, so that it cannot go stale. */
export function printCompletion(shell: string, program: Command): void {
  const names = program.commands.map((command) => command.name());
  const flags = new Map(
    program.commands.map((command) => [
      command.name(),
      [
        ...command.commands.map((inner) => inner.name()),
        ...[command, ...command.commands].flatMap((each) => each.options.map((option) => option.long ?? "")),
      ],
    ]),
  );
  const scripts: Readonly<Record<string, () => string>> = {
    bash: () => {
      const cases = names
        .map((name) => `    ${name}) words="${flags.get(name)?.join(" ")} --help" ;;`)
        .join("\n");
      return `_drydock() {
  local words
  case "\${COMP_WORDS[1]}" in
${cases}
    *) words="${names.join(" ")} --help --version" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${names.join(" ")} --help --version"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _drydock drydock
`;
    },
    zsh: () => `#compdef drydock
autoload -U bashcompinit && bashcompinit
${scripts.bash()}`,
    fish: () =>
      program.commands
        .flatMap((command) => [
          `complete -c drydock -n __fish_use_subcommand -a ${command.name()} -d '${command.description().replace(/'/g, "")}'`,
          ...command.commands.map(
            (inner) =>
              `complete -c drydock -n '__fish_seen_subcommand_from ${command.name()}' -a ${inner.name()} -d '${inner.description().replace(/'/g, "")}'`,
          ),
          ...[command, ...command.commands].flatMap((each) =>
            each.options.map(
              (option) =>
                `complete -c drydock -n '__fish_seen_subcommand_from ${each.name()}' -l ${option.long?.slice(2)} -d '${option.description.replace(/'/g, "")}'`,
            ),
          ),
        ])
        .join("\n")
        .concat("\n"),
  };
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined)
    throw new RangeError(`no completion for "${shell}"; there are: ${Object.keys(scripts).join(", ")}`);
  process.stdout.write(script());
}
