// A file of RAM that QEMU and we have mapped at once: bytes on both sides without a copy. By koffi, on Linux.

import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needKoffi } from "../host/linux-calls.ts";

const readAndWrite = 3;
const shared = 1;

export interface SharedRam {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Removes the name: who has it open keeps it. */
  unlink(): void;
  /** Unmaps. The bytes must not be touched afterwards. */
  close(): void;
}

/** In memory where there is /dev/shm, else in the folder for temporary files. */
export function createSharedRam(lengthBytes: number): SharedRam {
  if (process.platform !== "linux")
    throw new Error(`memory shared with QEMU is supported on Linux only so far, this is ${process.platform}`);
  const koffi = needKoffi("to share memory with QEMU");
  const libc = koffi.load(null);
  const mmap = libc.func(
    "void *mmap(void *address, size_t length, int protection, int flags, int fd, long offset)",
  );
  const munmap = libc.func("int munmap(void *address, size_t length)");
  const folder = mkdtempSync(join(hasSharedMemory() ? "/dev/shm" : tmpdir(), "drydock-ram-"));
  const path = join(folder, "ram");
  const fd = openSync(path, "wx+", 0o600);
  let pointer: unknown;
  try {
    ftruncateSync(fd, lengthBytes);
    pointer = mmap(null, lengthBytes, readAndWrite, shared, fd, 0);
    if (pointer === null) throw new Error(`mmap of ${lengthBytes} bytes failed`);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  const bytes = new Uint8Array(koffi.view(pointer, lengthBytes));
  const unlink = () => rmSync(folder, { recursive: true, force: true });
  return {
    path,
    bytes,
    unlink,
    close: () => {
      unlink();
      munmap(pointer, lengthBytes);
    },
  };
}

function hasSharedMemory(): boolean {
  try {
    return statSync("/dev/shm").isDirectory();
  } catch {
    return false;
  }
}
