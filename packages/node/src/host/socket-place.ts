// The name of a Unix socket: taken only when nothing has it, left only when it is still ours.

import { linkSync, lstatSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/** What fits into a socket's address on Linux, without its end (unix(7)). */
const longestPathBytes = 107;

let count = 0;

/**
 * A server removes the path that it bound when it closes, whatever stands there by then, and it removes a name's owner
 * with it. So the socket is bound under a name that nobody else uses, and gets its own by a hard link, which never
 * replaces anything. Where that does not fit (a path at its limit, Windows' pipes) it is bound where it shall be.
 */
export class SocketPlace {
  readonly path: string;
  /** Where the server binds. */
  readonly born: string;
  #identity: string | null = null;

  constructor(path: string) {
    this.path = path;
    const own = join(dirname(path), `.dock-${process.pid.toString(36)}-${++count}`);
    const isRoomy = process.platform !== "win32" && Buffer.byteLength(own) <= longestPathBytes;
    this.born = isRoomy ? own : path;
  }

  /** After the server listens. Throws EEXIST when somebody else was quicker. */
  take(): void {
    if (this.born === this.path) return;
    try {
      linkSync(this.born, this.path);
      this.#identity = identityOf(this.path);
    } finally {
      unlinkSync(this.born);
    }
  }

  /** When the server closes. */
  leave(): void {
    if (this.#identity === null || identityOf(this.path) !== this.#identity) return;
    this.#identity = null;
    unlinkSync(this.path);
  }
}

function identityOf(path: string): string | null {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status === undefined ? null : `${status.dev}:${status.ino}`;
}
