// System calls of Linux that Node has no word for, by koffi: ioctl, poll and eventfd, for terminals and TAP devices.

import { createRequire } from "node:module";

export type Koffi = typeof import("koffi");

/** Throws an Error that says for what ("TAP devices") the package is needed, and how to get it. */
export function needKoffi(purpose: string): Koffi {
  try {
    return createRequire(import.meta.url)("koffi") as Koffi;
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new Error(
      `the package koffi is needed ${purpose} and cannot be loaded (${why}); run "npm install"`,
    );
  }
}

export interface LinuxCalls {
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  /** With a number in the place of an address. */
  ioctlNumber(fd: number, request: number, argument: number): number;
  /** Of the last call that failed. */
  errno(): number;
  poll(fds: Uint8Array, count: number, timeoutMs: number): number;
  /** Two descriptors, in the thread pool. */
  pollLater(fds: Uint8Array, timeoutMs: number, done: () => void): void;
  /** One that does not block. */
  eventfd(): number;
}

const EFD_NONBLOCK = 0x800;
/** The number 1, as eventfd(2) takes it. */
export const eventOne = Uint8Array.from(new Uint8Array(new BigUint64Array([1n]).buffer));

let loaded: LinuxCalls | null = null;

/** koffi is loaded on first use, so that nothing else pays for it. `what`, in the plural: "TAP devices". */
export function linuxCalls(what: string): LinuxCalls {
  if (loaded !== null) return loaded;
  if (process.platform !== "linux")
    throw new Error(`${what} are supported on Linux only so far, this is ${process.platform}`);
  const koffi = needKoffi(`for ${what}`);
  const libc = koffi.load(null);
  const ioctl = libc.func("int ioctl(int fd, unsigned long request, void *argument)");
  const ioctlNumber = libc.func("ioctl", "int", ["int", "unsigned long", "long"]);
  const poll = libc.func("int poll(void *fds, unsigned long count, int timeout)");
  const eventfd = libc.func("int eventfd(unsigned int initial, int flags)");
  loaded = {
    ioctl: (fd, request, argument) => ioctl(fd, request, argument) as number,
    ioctlNumber: (fd, request, argument) => ioctlNumber(fd, request, argument) as number,
    errno: () => koffi.errno(),
    poll: (fds, count, timeoutMs) => poll(fds, count, timeoutMs) as number,
    pollLater: (fds, timeoutMs, done) => poll.async(fds, 2, timeoutMs, done),
    eventfd: () => eventfd(0, EFD_NONBLOCK) as number,
  };
  return loaded;
}
