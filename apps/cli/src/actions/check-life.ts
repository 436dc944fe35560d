// drydock check --life: histories of an extension rehearsed, or the one that somebody's lines tell.

import { shown } from "@drydock/core/base/shown-text";
import { formatExtensionList, type LifeRow } from "@drydock/core/platform/extension-life";
import { type LifeStep, lifeHistories, playHistory } from "@drydock/core/platform/life-histories";
import { type NamedLife, nameLives } from "@drydock/doctor/life";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { evidenceOf, skippedLines } from "./evidence-folder.ts";

export async function checkLife(
  { json, path }: { readonly path: readonly string[]; readonly json: boolean },
  io: CommandIo,
): Promise<ExitCode> {
  if (path.length === 0) {
    const played = lifeHistories.map((history) => ({ ...history, steps: playHistory(history) }));
    if (json)
      io.document(
        played.map(({ ending, mark, name, steps, summary, system }) => ({
          name,
          summary,
          system,
          steps,
          ending,
          mark,
        })),
      );
    else
      for (const { ending, mark, name, steps, summary } of played)
        io.print(formatPlayed(name, summary, steps, ending, mark));
    return exitCodes.pass;
  }
  const { sources, skipped } = evidenceOf(path);
  for (const line of skippedLines(skipped)) io.event(`drydock: ${line}`);
  const lives = await nameLives(sources);
  if (json) io.document(lives);
  else if (lives.length === 0) io.print("no line about a system extension was found\n");
  else for (const life of lives) io.print(formatNamed(life));
  return lives.some(({ history }) => history !== null) ? exitCodes.pass : exitCodes.finding;
}

function formatPlayed(
  name: string,
  summary: string,
  steps: readonly LifeStep[],
  ending: string,
  mark: string,
): string {
  const lines = [`${name}: ${summary}`];
  let before: readonly LifeRow[] = [];
  for (const { act, lines: own, rows } of steps) {
    lines.push(`  ${act}`);
    for (const { mark: known, process, text } of own) lines.push(`    ${process}: ${text}  (${known})`);
    if (formatExtensionList(rows) !== formatExtensionList(before))
      for (const row of rows.length === 0 ? [null] : rows)
        lines.push(
          row === null
            ? "    list: 0 extension(s)"
            : `    list: ${row.identifier} (${row.version}) [${row.state}]  (${row.mark})`,
        );
    before = rows;
  }
  return `${[...lines, `  ends: ${ending} (${mark})`].join("\n")}\n\n`;
}

function formatNamed({ because, ending, history, identifier, mark, places, summary }: NamedLife): string {
  const head = `${shown(identifier, 300)}: ${history === null ? "unknown" : `${history}: ${summary}`}`;
  return [
    head,
    `  because ${shown(because, 600)}`,
    ...places
      .slice(0, 4)
      .map(({ file, line, text }) => `    ${shown(file, 300)}:${line}: ${shown(text, 300)}`),
    ...(history === null ? [] : [`  ends: ${ending} (${mark})`]),
    "",
  ].join("\n");
}
