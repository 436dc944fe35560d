// One server for one image: flock(2) on Linux, which any name of the file meets; a lock file beside it elsewhere.

import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { EWOULDBLOCK, linuxFiles } from "./linux-files.ts";

/** Longest part of another program's command line that is shown. */
const commandMaximum = 120;

export interface ImageLock {
  /** How the image is guarded, where that is less than flock(2); null otherwise. */
  readonly weakness: string | null;
  release(): void;
}

/** Somebody else has the image: the message says who, as far as it can be known. */
export class ImageInUse extends Error {
  /** A sentence without the image's name: "is in use by ...". */
  readonly who: string;

  constructor(who: string) {
    super(who);
    this.who = who;
  }
}

export interface LockOptions {
  /** Readers may share an image with readers. */
  readonly isShared: boolean;
  readonly platform?: NodeJS.Platform;
}

/** Throws ImageInUse. The lock ends with `release`, or with this process. */
export function lockImage(descriptor: number, path: string, options: LockOptions): ImageLock {
  const platform = options.platform ?? process.platform;
  const files = linuxFiles(platform);
  if (files === null) {
    // A reader alone changes nothing, and may not be allowed to make a file there.
    if (options.isShared) return { weakness: "nothing keeps a writer off it here", release: () => {} };
    return lockFile(path);
  }
  const errno = -files.lock(descriptor, options.isShared);
  if (errno === EWOULDBLOCK) throw new ImageInUse(`is in use by ${holderOf(descriptor, path)}`);
  if (errno > 0)
    return {
      weakness: "its file system has no locks: nothing keeps a second server off it",
      release: () => {},
    };
  return { weakness: null, release: () => {} };
}

/** The process that /proc/locks names for the file, with its command line. */
function holderOf(descriptor: number, path: string): string {
  try {
    const { ino } = statSync(`/proc/self/fd/${descriptor}`);
    // "1: FLOCK  ADVISORY  WRITE 4711 fe:00:123456 0 EOF"
    for (const line of readFileSync("/proc/locks", "utf8").split("\n")) {
      const match = /FLOCK\s+\S+\s+\S+\s+(\d+)\s+[0-9a-f]+:[0-9a-f]+:(\d+)\s/.exec(line);
      if (match === null || Number(match[2]) !== ino) continue;
      const pid = Number(match[1]);
      if (pid === process.pid) return "this command itself, as another disk";
      return `process ${pid}${commandOf(pid)}`;
    }
  } catch {
    // Without /proc it stays unknown.
  }
  return `another program (unknown which: look at ${path})`;
}

function commandOf(pid: number): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim();
    const shown = words.replace(/[^\x20-\x7e]/g, "?");
    return shown === ""
      ? ""
      : ` (${shown.slice(0, commandMaximum)}${shown.length > commandMaximum ? "..." : ""})`;
  } catch {
    return "";
  }
}

/** Lock files that this process has made. */
const own = new Set<string>();

function lockFile(path: string): ImageLock {
  const place = `${realpathSync(path)}.lock`;
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const descriptor = openSync(place, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o644);
      writeSync(descriptor, `${process.pid}\n`);
      closeSync(descriptor);
      own.add(place);
      const end = () => rmSync(place, { force: true });
      process.once("exit", end);
      return {
        weakness: `guarded by the file ${place} only, which other names of the image do not meet`,
        release: () => {
          process.off("exit", end);
          own.delete(place);
          end();
        },
      };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const holder = /^(\d+)\n?$/.exec(readFileSync(place, "utf8"));
      if (own.has(place)) throw new ImageInUse("is in use by this command itself, as another disk");
      // What is there may be somebody's own file: only one that says who made it, and who is gone, is taken away.
      if (holder === null) throw new ImageInUse(`is guarded by ${place}, which is not ours: is it in use?`);
      if (isAlive(Number(holder[1])))
        throw new ImageInUse(`is in use by process ${holder[1]} (or ${place} is an old one: then remove it)`);
      rmSync(place);
    }
  }
  throw new ImageInUse(`is in use: ${place} comes back as often as it is removed`);
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
