// Boards and files: export, import, backup, restore, publish, for a board that rests or runs.

import { homedir } from "node:os";
import { Board } from "@drydock/board/board";
import { exportBoard, type ImportReport, importBoard } from "@drydock/board/exchange";
import { People } from "@drydock/board/people";
import { backupBoard, restoreBoard } from "@drydock/node/store/board-database";
import { FolderLock } from "@drydock/node/store/folder-lock";
import { stateFolder } from "@drydock/node/store/state-folder";
import { folderReader, writeExported } from "./folders.ts";
import { hostSecrets } from "./secrets.ts";
import { type BoardPlace, databasePath, openBoard, storeAt } from "./server.ts";
import { type Published, publishLab } from "./static-lab.ts";
import { publishBoard } from "./static-site.ts";

/** Where this person's board is. Throws RangeError. */
export function boardHome(): string {
  return stateFolder(process.platform, process.env, homedir());
}

async function withStore<T>(place: BoardPlace, act: (board: Board) => Promise<T>): Promise<T> {
  const store = await storeAt(place);
  try {
    return await act(await Board.open(store, Date.now));
  } finally {
    await store.close();
  }
}

/** Answers how many files were written. Throws StoreTrouble, and what the system throws. */
export async function exportTo(place: BoardPlace, folder: string): Promise<number> {
  return await withStore(place, async (board) => {
    let files = 0;
    for await (const file of exportBoard(board)) {
      writeExported(folder, file);
      files++;
    }
    return files;
  });
}

export async function importFrom(place: BoardPlace, folder: string): Promise<ImportReport> {
  return await withStore(place, (board) => importBoard(board, folderReader(folder), "own"));
}

/** A new link that makes its bearer the owner; earlier ones are good no more. Also while the board runs. */
export async function ownerLinkOf(place: BoardPlace, origin: string): Promise<string> {
  return await withStore(place, async (board) => {
    const people = new People(board.store.accounts, hostSecrets, () => board.now());
    return `${origin}/owner/${await people.ownerLink()}`;
  });
}

/** Also while the board runs. */
export function backupTo(home: string, file: string): void {
  backupBoard(databasePath(home), file);
}

/** Throws FolderHeld while the board runs. Answers where the board that was there is now. */
export function restoreFrom(home: string, file: string): string | null {
  const lock = FolderLock.take(home, "board");
  try {
    return restoreBoard(databasePath(home), file);
  } finally {
    lock.release();
  }
}

export async function publishTo(
  home: string,
  folder: string,
  version: string,
  tell: (pages: number) => void,
): Promise<Published> {
  const open = await openBoard({ home, version, isStatic: true });
  try {
    return await publishBoard(open, folder, tell);
  } finally {
    await open.close();
  }
}

/** The lab alone, without a board's posts. Throws what the system throws. */
export async function exportLabTo(folder: string, version: string): Promise<Published> {
  const open = await openBoard({ home: null, version, isStatic: true });
  try {
    return await publishLab(open, folder);
  } finally {
    await open.close();
  }
}
