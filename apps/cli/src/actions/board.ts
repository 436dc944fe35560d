// drydock board, and the board half of drydock start: serves it, and takes it out to files and back.

import { BoardRefusal, StoreTrouble } from "@drydock/board/refusal";
import {
  backupTo,
  boardHome,
  exportLabTo,
  exportTo,
  importFrom,
  ownerLinkOf,
  publishTo,
  restoreFrom,
} from "@drydock/board-server/board-files";
import { defaultBoardPort } from "@drydock/board-server/guard";
import { RigInThread } from "@drydock/board-server/rig-in-thread";
import { PortTaken, type RunningBoard, startBoard } from "@drydock/board-server/server";
import { shown } from "@drydock/core/base/shown-text";
import type { RigEntry } from "@drydock/core/rigs/catalogue";
import { openPage } from "@drydock/node/host/open-page";
import { FolderHeld } from "@drydock/node/store/folder-lock";
import type { OutputFolder } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { drydockVersion } from "../terminal/version.ts";
import { endings } from "./endings.ts";
import { wordOf } from "./rig-file.ts";

export interface ServeOptions {
  readonly port?: number;
  readonly noOpen: boolean;
  readonly database?: URL;
  readonly people?: boolean;
  readonly origin?: URL;
  readonly listen?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly queue?: string;
  /** Rigs that the lab shows beside those of its own page. */
  readonly lab: readonly RigEntry[];
  readonly seed: number;
}

/** What the thread of a rig is handed: names and files stay here, no message carries them. */
export interface LabThreadData {
  readonly rig: string;
  readonly seed: number;
}

const rigThread = new URL("./lab-rig-thread.ts", import.meta.url);

/** Each in a thread of its own, brought up by the first who watches. */
function offerRigs(board: RunningBoard, { lab, seed }: ServeOptions, io: CommandIo): void {
  const { desk } = board.open.site;
  for (const entry of lab) {
    const { summary } = entry;
    const taken = desk.rigs.map(({ name }) => name);
    let name = `server-${entry.name}`;
    for (let number = 2; taken.includes(name); number++) name = `server-${entry.name}-${number}`;
    desk.offer(
      name,
      new RigInThread(rigThread, {
        name,
        summary,
        data: { rig: wordOf(entry), seed } satisfies LabThreadData,
      }),
    );
    io.say(`  ${board.url}/lab#/rig/${name} is the rig "${entry.name}"`);
  }
}

/** Starts the board and says where. Null: it could not start, and that was said. */
export async function beginBoard(options: ServeOptions, io: CommandIo): Promise<RunningBoard | null> {
  const begin = (port: number): Promise<RunningBoard> =>
    startBoard({
      home: boardHome(),
      database: options.database,
      queue: options.queue ?? (process.env.DRYDOCK_QUEUE || undefined),
      many:
        options.people === true || options.origin !== undefined
          ? {
              origin: options.origin ?? null,
              listen: options.listen ?? "127.0.0.1",
              tls:
                options.certificate === undefined || options.key === undefined
                  ? undefined
                  : { certificate: options.certificate, key: options.key },
            }
          : undefined,
      port,
      version: drydockVersion,
      onTrouble: (error) =>
        io.say(`drydock: board: ${error instanceof Error ? error.message : String(error)}`),
    });
  try {
    const board = await begin(options.port ?? defaultBoardPort).catch((error: unknown) => {
      // The usual port is only usual: whoever asked for one gets that or a refusal.
      if (!(error instanceof PortTaken) || options.port !== undefined) throw error;
      io.say(`drydock: port ${error.port} of this machine is taken; the board takes a free one`);
      return begin(0);
    });
    io.say(`drydock: the board is at ${board.url}`);
    if (board.ownerLink !== null)
      io.say(`  it has no owner yet; this link makes one, once: ${board.ownerLink}`);
    const { kept, refused, updated } = board.open.imported;
    if (updated > 0) io.say(`  ${updated} of the project's texts are newer in this version`);
    for (const path of kept) io.say(`  ${path}: you changed it; yours stays`);
    for (const line of refused) io.say(`  not taken in: ${line}`);
    offerRigs(board, options, io);
    if (!options.noOpen) openPage(board.url);
    return board;
  } catch (error) {
    if (!isExpected(error)) throw error;
    io.say(`drydock: ${error.message}`);
    return null;
  }
}

function isExpected(error: unknown): error is Error {
  return (
    error instanceof StoreTrouble ||
    error instanceof FolderHeld ||
    error instanceof PortTaken ||
    error instanceof BoardRefusal ||
    error instanceof RangeError
  );
}

/** What is known to go wrong is one sentence and exit code 3. */
async function orSaid(io: CommandIo, act: () => Promise<void> | void): Promise<ExitCode> {
  try {
    await act();
    return exitCodes.pass;
  } catch (error) {
    if (!isExpected(error)) throw error;
    io.say(`drydock: ${error.message}`);
    return exitCodes.rigError;
  }
}

export async function serveBoard(
  options: ServeOptions & { readonly for?: number; readonly json: boolean },
  io: CommandIo,
): Promise<ExitCode> {
  let end = (_how: "pass" | "interrupted"): void => {};
  const ended = new Promise<"pass" | "interrupted">((resolve) => {
    end = resolve;
  });
  const ending = endings(options.for, (how) => end(how));
  const board = await beginBoard(options, io);
  if (board === null) {
    ending.disarm();
    return exitCodes.rigError;
  }
  if (options.json) io.document({ url: board.url, port: board.port, pid: process.pid }, "line");
  io.say("  Ctrl-C ends it");
  const how = await ended;
  ending.disarm();
  await board.close();
  return exitCodes[how];
}

export const tellOwnerLink = (
  options: { readonly port?: number; readonly origin?: URL; readonly database?: URL; readonly json: boolean },
  io: CommandIo,
) =>
  orSaid(io, async () => {
    const origin = options.origin?.origin ?? `http://localhost:${options.port ?? defaultBoardPort}`;
    const url = await ownerLinkOf({ home: boardHome(), database: options.database }, origin);
    if (options.json) io.document({ url });
    else io.print(`${url}\n`);
  });

export const exportBoardTo = (
  options: { readonly folder: OutputFolder; readonly database?: URL; readonly json: boolean },
  io: CommandIo,
) =>
  orSaid(io, async () => {
    const files = await exportTo({ home: boardHome(), database: options.database }, options.folder.path);
    if (options.json) io.document({ folder: options.folder.path, files });
    else io.print(`${files} files in ${shown(options.folder.path)}\n`);
  });

export const importBoardFrom = (
  options: { readonly folder: string; readonly database?: URL; readonly json: boolean },
  io: CommandIo,
) =>
  orSaid(io, async () => {
    const report = await importFrom({ home: boardHome(), database: options.database }, options.folder);
    if (options.json) io.document(report);
    else {
      io.print(
        `${report.added} posts added, ${report.updated} texts updated, ${report.unchanged} posts as they were\n`,
      );
      for (const path of report.kept) io.print(`kept: ${shown(path)}: it was changed here\n`);
      for (const line of report.refused) io.print(`not taken in: ${shown(line)}\n`);
    }
    if (report.refused.length > 0) throw new RangeError(`${report.refused.length} could not be taken in`);
  });

export const backupBoardTo = (options: { readonly file: string; readonly json: boolean }, io: CommandIo) =>
  orSaid(io, () => {
    backupTo(boardHome(), options.file);
    if (options.json) io.document({ file: options.file });
    else io.print(`the board is in ${shown(options.file)}\n`);
  });

export const restoreBoardFrom = (options: { readonly file: string; readonly json: boolean }, io: CommandIo) =>
  orSaid(io, () => {
    const aside = restoreFrom(boardHome(), options.file);
    if (options.json) io.document({ file: options.file, before: aside });
    else
      io.print(
        `the board is that of ${shown(options.file)}${aside === null ? "" : `; the one before is ${shown(aside)}`}\n`,
      );
  });

export const publishBoardTo = (
  options: { readonly folder: OutputFolder; readonly json: boolean },
  io: CommandIo,
) =>
  orSaid(io, async () => {
    const { pages, bytes } = await publishTo(boardHome(), options.folder.path, drydockVersion, (count) => {
      if (count % 50 === 0) io.progress(`${count} pages`);
    });
    if (options.json) io.document({ folder: options.folder.path, pages, bytes });
    else
      io.print(
        `${pages} files, ${Math.ceil(bytes / 1024)} KiB in ${shown(options.folder.path)}; open index.html\n`,
      );
  });

/** The lab's page, with all that it loads, as files. */
export const exportLab = (folder: OutputFolder, isJson: boolean, io: CommandIo) =>
  orSaid(io, async () => {
    io.event("every case runs once, so that the list of cases says what holds");
    const { bytes, pages } = await exportLabTo(folder.path, drydockVersion);
    if (isJson) io.document({ folder: folder.path, files: pages, bytes });
    else
      io.print(
        `${pages} files, ${Math.ceil(bytes / 1024)} KiB in ${shown(folder.path)}; open index.html, or give the folder to any web server\n`,
      );
  });
