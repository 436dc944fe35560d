// What the board's commands share: their port, and the kinds of path that they take.

import { accessSync, constants, lstatSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { dirname, join } from "node:path";
import { originFault } from "@drydock/board-server/origin";
import { shown } from "@drydock/core/base/shown-text";
import { databaseUrl } from "@drydock/node/store/database-url";
import { flag, option } from "../grammar/command-row.ts";
import { mustBeReadable } from "../grammar/input-paths.ts";
import { type Kind, tcpPort } from "../grammar/option-kind.ts";
import { UsageError } from "../terminal/usage-error.ts";

export const boardPort = option(tcpPort, "the board's TCP port, 0 for a free one; without it 4870");
export const noOpen = flag("open no page; without a display none is opened anyway");

/** The address of a PostgreSQL database. What is wrong with one is said without repeating it: it may hold a password. */
export const databaseAddress: Kind<URL> = {
  placeholder: "postgres://...",
  takes: "the address of a PostgreSQL database, postgres://user@host:5432/name",
  read: (text) => {
    try {
      return databaseUrl(text);
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error));
    }
  },
  sample: () => "postgres://drydock@localhost:1/board",
  mistakes: () => [
    { why: "wrong type", text: "" },
    { why: "wrong type", text: "board.db" },
    { why: "wrong type", text: "mysql://drydock@localhost/board" },
    { why: "wrong type", text: "postgres://drydock@localhost" },
  ],
};

/** Where browsers find a board for many. */
export const originAddress: Kind<URL> = {
  placeholder: "https://name",
  takes: "https:// and a name, as browsers reach the board through its proxy",
  read: (text) => {
    const fault = originFault(text);
    if (fault !== null) throw new UsageError(fault);
    return new URL(text);
  },
  sample: () => "https://board.example",
  mistakes: () =>
    [
      "",
      "board.example",
      "http://board.example",
      "https://192.0.2.7",
      "https://[2001:db8::7]",
      "https://board.example/path",
    ].map((text) => ({ why: "wrong type" as const, text })),
};

/** An address of this machine to listen on. */
export const listenAddress: Kind<string> = {
  placeholder: "address",
  takes: "an IP address of this machine, 0.0.0.0 or :: for all of them",
  read: (text) => {
    if (isIP(text) === 0) throw new UsageError(`takes an IP address, not ${shown(text)}`);
    return text;
  },
  sample: () => "127.0.0.1",
  mistakes: () => [
    { why: "wrong type", text: "" },
    { why: "wrong type", text: "board.example" },
    { why: "wrong type", text: "1.2.3.4.5" },
  ],
};

export const originOption = option(
  originAddress,
  "a board for many at this name: behind a proxy that has the certificate, or with --certificate",
);

/** A file that is there and can be read. */
export const readableFile: Kind<string> = {
  placeholder: "file",
  takes: "a PEM file that is there",
  isPath: true,
  read: (path) => {
    if (mustBeReadable(path) !== "file") throw new UsageError(`needs a file; ${shown(path)} is none`);
    return path;
  },
  sample: ({ folder }) => {
    const file = join(folder, "some.pem");
    writeFileSync(file, "");
    return file;
  },
  mistakes: ({ folder }) => [
    { why: "absent", text: join(folder, "not-there") },
    { why: "wrong type", text: folder },
    { why: "wrong type", text: "" },
  ],
};

export const databaseOption = option(
  databaseAddress,
  "keep the board in this PostgreSQL database; a password comes from PGPASSWORD, ~/.pgpass or the address",
);

/** A folder that an export wrote. */
export const boardFolder: Kind<string> = {
  placeholder: "folder",
  takes: "a folder that is there, as drydock board export writes it",
  isPath: true,
  read: (path) => {
    if (mustBeReadable(path) !== "folder") throw new UsageError(`needs a folder; ${shown(path)} is none`);
    return path;
  },
  sample: ({ folder }) => folder,
  mistakes: ({ folder }) => {
    const file = join(folder, "no-folder");
    writeFileSync(file, "a file");
    return [
      { why: "absent", text: join(folder, "not-there") },
      { why: "wrong type", text: file },
      { why: "wrong type", text: "" },
    ];
  },
};

/** A backup that is there. */
export const backupFile: Kind<string> = {
  placeholder: "file",
  takes: "a file that drydock board backup wrote",
  isPath: true,
  read: (path) => {
    if (mustBeReadable(path) !== "file") throw new UsageError(`needs a file; ${shown(path)} is none`);
    return path;
  },
  sample: ({ folder }) => {
    const file = join(folder, "board-backup.db");
    writeFileSync(file, "");
    return file;
  },
  mistakes: ({ folder }) => [
    { why: "absent", text: join(folder, "not-there") },
    { why: "wrong type", text: folder },
    { why: "wrong type", text: "" },
  ],
};

/** A file that nothing is yet: a backup is never written over another. */
export const freshFile: Kind<string> = {
  placeholder: "file",
  takes: "the name of a file to make, which nothing has yet",
  isPath: true,
  read: (path) => {
    if (path === "") throw new UsageError('needs a path, not ""');
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
      throw new UsageError(`would destroy ${shown(path)}, which is there already; name another file`);
    const folder = statSync(dirname(path), { throwIfNoEntry: false });
    if (folder?.isDirectory() !== true)
      throw new UsageError(`cannot be written: there is no folder ${shown(dirname(path))}; make it first`);
    try {
      accessSync(dirname(path), constants.W_OK);
    } catch {
      throw new UsageError(`cannot be written: ${shown(dirname(path))} is not yours to write`);
    }
    return path;
  },
  sample: ({ folder }) => join(folder, "fresh-backup.db"),
  mistakes: ({ folder }) => {
    const theirs = join(folder, "a-file");
    writeFileSync(theirs, "three years of work");
    mkdirSync(join(folder, "a-folder"), { recursive: true });
    return [
      { why: "existing", text: theirs },
      { why: "existing", text: join(folder, "a-folder") },
      { why: "unwritable", text: join(folder, "not-there", "x.db") },
      { why: "wrong type", text: "" },
    ];
  },
};
