// Paths that a command writes: opened before anything runs, and never over what is not ours.

import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { shown } from "@drydock/core/base/shown-text";
import { systemCode, systemSentence } from "@drydock/node/system-words";
import { UsageError } from "../terminal/usage-error.ts";
import type { Claim, Kind, Mistake, SamplePlace } from "./option-kind.ts";

const headBytes = 4096;
/** What fits into a socket's address on Linux, without its end. */
const longestSocketPathBytes = 107;

/** What one option says about files that it may write over. */
export interface OwnFile {
  /** What the option writes, with its article: ends sentences such as "is there already and is not ...". */
  readonly what: string;
  /** True for the head of a file that an earlier run of ours wrote. */
  isOurs(head: Uint8Array): boolean;
}

/** Says in words why `path` cannot be written. */
function cannotWrite(error: unknown, path: string): UsageError {
  if (error instanceof UsageError) return error;
  const code = systemCode(error);
  if (code === "ENOENT") {
    const folder = dirname(path);
    return new UsageError(`cannot be written: there is no folder ${shown(folder)}; make it first`);
  }
  return new UsageError(`cannot be written: ${systemSentence(error, path)}`);
}

/** Throws UsageError for a path that cannot become an output. Looks only. */
function judgeOutput(path: string, own: OwnFile): void {
  if (path === "") throw new UsageError('needs a path, not ""');
  const link = lstatSync(path, { throwIfNoEntry: false });
  if (link === undefined) {
    const folder = statSync(dirname(path), { throwIfNoEntry: false });
    if (folder === undefined)
      throw new UsageError(`cannot be written: there is no folder ${shown(dirname(path))}; make it first`);
    if (!folder.isDirectory())
      throw new UsageError(`cannot be written: ${shown(dirname(path))} is no folder`);
    accessSync(dirname(path), constants.W_OK);
    return;
  }
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined)
    throw new UsageError(`cannot be written: ${shown(path)} is a link that leads nowhere; remove it first`);
  if (status.isDirectory()) throw new UsageError(`needs a file; ${shown(path)} is a folder`);
  if (status.isBlockDevice())
    throw new UsageError(`would destroy ${shown(path)}, which is a disk; name a file`);
  if (status.isSocket()) throw new UsageError(`needs a file; ${shown(path)} is a socket`);
  if (!status.isFile()) return;
  if (status.size > 0 && !own.isOurs(headOf(path)))
    throw new UsageError(
      `would destroy ${shown(path)}, which is there already and is not ${own.what}; name another file, or remove it first`,
    );
  accessSync(path, constants.W_OK);
}

function headOf(path: string): Uint8Array {
  const fd = openSync(path, "r");
  try {
    const head = new Uint8Array(headBytes);
    return head.subarray(0, readSync(fd, head, 0, headBytes, 0));
  } finally {
    closeSync(fd);
  }
}

/** A file that is opened before the run and written at its end. */
export class OutputFile implements Claim {
  readonly path: string;
  readonly #option: string;
  readonly #own: OwnFile;
  #fd: number | null = null;
  #isNew = false;
  #isWritten = false;

  /** `option` begins its sentences. */
  constructor(path: string, own: OwnFile, option = "") {
    this.path = path;
    this.#own = own;
    this.#option = option;
  }

  /** Throws UsageError. */
  claim(): void {
    try {
      judgeOutput(this.path, this.#own);
      try {
        this.#fd = openSync(this.path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o666);
        this.#isNew = true;
      } catch (error) {
        if (systemCode(error) !== "EEXIST") throw error;
        // A pipe without a reader says so in place of waiting for one.
        this.#fd = openSync(this.path, constants.O_WRONLY | constants.O_NONBLOCK);
      }
    } catch (error) {
      const said = cannotWrite(error, this.path);
      throw new UsageError(
        this.#option === "" ? `${shown(this.path)} ${said.message}` : `${this.#option} ${said.message}`,
      );
    }
  }

  /** All of the file. Throws an Error with a sentence when the system refuses. */
  write(bytes: Uint8Array): void {
    const fd = this.#fd;
    if (fd === null) throw new Error(`${shown(this.path)} was not opened`);
    this.#isWritten = true;
    try {
      if (fstatSync(fd).isFile()) {
        ftruncateSync(fd, 0);
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
        return;
      }
      const blocking = openSync(this.path, constants.O_WRONLY);
      try {
        writeFileSync(blocking, bytes);
      } finally {
        closeSync(blocking);
      }
    } catch (error) {
      throw new Error(`the output is lost: ${systemSentence(error, this.path)}`);
    }
  }

  /** A file that was made for this run and got nothing is taken away again. */
  release(): void {
    if (this.#fd === null) return;
    if (this.#isNew && !this.#isWritten) {
      const [ours, there] = [fstatSync(this.#fd), lstatSync(this.path, { throwIfNoEntry: false })];
      if (there !== undefined && there.ino === ours.ino && there.dev === ours.dev && ours.size === 0)
        unlinkSync(this.path);
    }
    closeSync(this.#fd);
    this.#fd = null;
  }
}

const mistakesOfOutputs = (place: SamplePlace): Mistake[] => {
  const theirs = join(place.folder, "thesis.txt");
  writeFileSync(theirs, "three years of work");
  return [
    { why: "absent", text: join(place.folder, "no-folder", "out") },
    { why: "unwritable", text: join(theirs, "out") },
    { why: "existing", text: theirs },
    { why: "a folder", text: place.folder },
    { why: "wrong type", text: "" },
  ];
};

let samples = 0;
const freshName = ({ folder }: SamplePlace, ending = ""): string =>
  join(folder, `fresh-${++samples}${ending}`);

export function outputFile(own: OwnFile): Kind<OutputFile> {
  return {
    placeholder: "file",
    takes: `the name of a file to write: a new one, or ${own.what}`,
    isPath: true,
    read: (path) => {
      try {
        judgeOutput(path, own);
      } catch (error) {
        throw cannotWrite(error, path);
      }
      return new OutputFile(path, own);
    },
    sample: (place) => freshName(place),
    mistakes: mistakesOfOutputs,
  };
}

/** Two files or more from one name: `x.pcapng` with the mark `bad` is `x.bad.pcapng`. */
export class MarkedOutputs implements Claim {
  readonly files: Readonly<Record<string, OutputFile>>;

  constructor(path: string, marks: readonly string[], own: OwnFile) {
    this.files = Object.fromEntries(
      marks.map((mark) => [mark, new OutputFile(path.replace(/(\.[^./]*)?$/, `.${mark}$1`), own)]),
    );
  }

  claim(): void {
    const held: OutputFile[] = [];
    try {
      for (const file of Object.values(this.files)) {
        file.claim();
        held.push(file);
      }
    } catch (error) {
      for (const file of held) file.release();
      throw error;
    }
  }

  release(): void {
    for (const file of Object.values(this.files)) file.release();
  }
}

export function markedOutputs(own: OwnFile, marks: readonly string[]): Kind<MarkedOutputs> {
  return {
    placeholder: "file",
    takes: `the name of files to write (new ones, or each ${own.what})`,
    isPath: true,
    read: (path) => {
      const outputs = new MarkedOutputs(path, marks, own);
      for (const file of path === "" ? [] : Object.values(outputs.files))
        try {
          judgeOutput(file.path, own);
        } catch (error) {
          throw cannotWrite(error, file.path);
        }
      if (path === "") throw new UsageError('needs a path, not ""');
      const status = statSync(path, { throwIfNoEntry: false });
      if (status?.isDirectory() === true) throw new UsageError(`needs a file; ${shown(path)} is a folder`);
      return outputs;
    },
    sample: (place) => freshName(place, ".pcapng"),
    mistakes: (place) => {
      const theirs = join(place.folder, "report.pcapng");
      writeFileSync(join(place.folder, `report.${marks[0]}.pcapng`), "three years of work");
      return [
        { why: "absent", text: join(place.folder, "no-folder", "out") },
        { why: "existing", text: theirs },
        { why: "a folder", text: place.folder },
        { why: "wrong type", text: "" },
      ];
    },
  };
}

/** A folder for what a run leaves behind: made when it is not there; files in it are never written over. */
export class OutputFolder implements Claim {
  readonly path: string;
  #madeFrom: string | undefined;

  constructor(path: string) {
    this.path = path;
  }

  claim(): void {
    try {
      this.#madeFrom = mkdirSync(this.path, { recursive: true });
      accessSync(this.path, constants.W_OK);
    } catch (error) {
      throw new UsageError(`${shown(this.path)} ${cannotWrite(error, this.path).message}`);
    }
  }

  /** Answers the name that it got: with a number where another file has that name. */
  write(name: string, content: string | Uint8Array): string {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const ending = name.lastIndexOf(".") > 0 ? name.slice(name.lastIndexOf(".")) : "";
    for (let number = 1; ; number++) {
      const chosen = number === 1 ? name : `${name.slice(0, name.length - ending.length)}-${number}${ending}`;
      const path = join(this.path, chosen);
      try {
        writeFileSync(path, bytes, { flag: "wx" });
        return chosen;
      } catch (error) {
        if (systemCode(error) !== "EEXIST")
          throw new Error(`cannot be written: ${systemSentence(error, path)}`);
        const there = lstatSync(path, { throwIfNoEntry: false });
        if (there?.isFile() === true && there.size === bytes.length && readFileSync(path).equals(bytes))
          return chosen;
      }
    }
  }

  /** Folders that were made for this run and stayed empty are taken away again. */
  release(): void {
    if (this.#madeFrom === undefined) return;
    try {
      for (let folder = this.path; ; folder = dirname(folder)) {
        rmdirSync(folder);
        if (folder === this.#madeFrom || folder.length <= this.#madeFrom.length) break;
      }
    } catch {
      // It holds something: it stays.
    }
  }
}

export const outputFolder: Kind<OutputFolder> = {
  placeholder: "folder",
  takes: "the name of a folder, made when it is not there",
  isPath: true,
  read: (path) => {
    if (path === "") throw new UsageError('needs a path, not ""');
    for (let at = path; ; at = dirname(at)) {
      const status = statSync(at, { throwIfNoEntry: false });
      if (status === undefined && lstatSync(at, { throwIfNoEntry: false }) !== undefined)
        throw new UsageError(`cannot be written: ${shown(at)} is a link that leads nowhere; remove it first`);
      if (status === undefined && dirname(at) !== at) continue;
      if (status?.isDirectory() !== true) throw new UsageError(`needs a folder; ${shown(at)} is none`);
      try {
        accessSync(at, constants.W_OK);
      } catch (error) {
        throw cannotWrite(error, at);
      }
      return new OutputFolder(path);
    }
  },
  sample: (place) => freshName(place),
  mistakes: (place) => {
    const theirs = join(place.folder, "a-file");
    writeFileSync(theirs, "three years of work");
    return [
      { why: "existing", text: theirs },
      { why: "unwritable", text: join(theirs, "below") },
      { why: "wrong type", text: "" },
    ];
  },
};

/** The place of a Unix socket: nothing may be there. */
export const socketPath: Kind<string> = {
  placeholder: "path",
  takes: "the name of a socket to make, which nothing has yet",
  isPath: true,
  read: async (path) => {
    if (path === "") throw new UsageError('needs a path, not ""');
    if (Buffer.byteLength(path) > longestSocketPathBytes)
      throw new UsageError(
        `needs a socket's path of at most ${longestSocketPathBytes} bytes, this one has ${Buffer.byteLength(path)}`,
      );
    try {
      const there = lstatSync(path, { throwIfNoEntry: false });
      if (there === undefined) {
        judgeOutput(path, { what: "", isOurs: () => false });
        return path;
      }
      const what = there.isSocket()
        ? (await isListening(path))
          ? "is a socket on which another program listens"
          : "is a socket that nobody listens on (a killed server leaves one behind)"
        : there.isDirectory()
          ? "is a folder"
          : "is there already and is no socket";
      throw new UsageError(`cannot be used: ${shown(path)} ${what}; remove it, or name another --unix path`);
    } catch (error) {
      throw cannotWrite(error, path);
    }
  },
  sample: (place) => freshName(place, ".sock"),
  mistakes: mistakesOfOutputs,
};

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) =>
      resolve(systemCode(error) !== "ECONNREFUSED" && systemCode(error) !== "ENOENT"),
    );
  });
}
