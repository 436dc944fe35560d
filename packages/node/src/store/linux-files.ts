// What Linux can do with files and Node cannot ask for: flock, fallocate, lseek to holes. By koffi.

import { createRequire } from "node:module";

/** flock(2). */
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
/** fallocate(2). */
const FALLOC_FL_KEEP_SIZE = 0x01;
const FALLOC_FL_PUNCH_HOLE = 0x02;
/** lseek(2). */
const SEEK_END = 2;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** statx(2): of the descriptor itself, the birth time alone; where it stands in the answer. */
const AT_EMPTY_PATH = 0x1000;
const STATX_BTIME = 0x800;
const statxBytes = 256;
const birthAt = 80;
/** errno: no data from there to the end of the file. */
export const ENXIO = 6;
/** errno: somebody else has the lock. */
export const EWOULDBLOCK = 11;

/** Each answers 0 or more, or the errno as a negative number. */
export interface LinuxFiles {
  /** At once or not at all (-EWOULDBLOCK). */
  lock(descriptor: number, isShared: boolean): number;
  /** The range reads as zeros afterwards and takes no room; the file keeps its length. */
  punch(descriptor: number, at: number, length: number): number;
  /** Where data begins, from `at` on. */
  nextData(descriptor: number, at: number): number;
  /** Where a hole begins, from `at` on; the end of the file counts as one. */
  nextHole(descriptor: number, at: number): number;
  /** Length of a file or of a block device. */
  length(descriptor: number): number;
  /** When the file was made, "seconds.nanoseconds"; null where its file system does not know. */
  birth(descriptor: number): string | null;
}

let loaded: LinuxFiles | null | undefined;

/** Null where this is not Linux, or koffi is not there. */
export function linuxFiles(platform: NodeJS.Platform = process.platform): LinuxFiles | null {
  if (platform !== "linux") return null;
  if (loaded !== undefined) return loaded;
  loaded = load();
  return loaded;
}

function load(): LinuxFiles | null {
  let koffi: typeof import("koffi");
  try {
    koffi = createRequire(import.meta.url)("koffi");
  } catch {
    return null;
  }
  const libc = koffi.load(null);
  const flock = libc.func("int flock(int fd, int operation)");
  const fallocate = libc.func("int fallocate(int fd, int mode, int64_t offset, int64_t length)");
  const lseek = libc.func("int64_t lseek(int fd, int64_t offset, int whence)");
  const statx = libc.func("int statx(int fd, const char *path, int flags, unsigned int mask, void *answer)");
  const told = (result: unknown): number => (Number(result) < 0 ? -koffi.errno() : Number(result));
  return {
    lock: (descriptor, isShared) => told(flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB)),
    punch: (descriptor, at, length) =>
      told(fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, length)),
    nextData: (descriptor, at) => told(lseek(descriptor, at, SEEK_DATA)),
    nextHole: (descriptor, at) => told(lseek(descriptor, at, SEEK_HOLE)),
    length: (descriptor) => told(lseek(descriptor, 0, SEEK_END)),
    birth: (descriptor) => {
      const answer = Buffer.alloc(statxBytes);
      if (told(statx(descriptor, "", AT_EMPTY_PATH, STATX_BTIME, answer)) < 0) return null;
      if ((answer.readUInt32LE(0) & STATX_BTIME) === 0) return null;
      return `${answer.readBigInt64LE(birthAt)}.${answer.readUInt32LE(birthAt + 8)}`;
    },
  };
}
