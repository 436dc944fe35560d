// The operating system's error codes in words that say what is wrong and what to do.

import { shown } from "@drydock/core/base/shown-text";

/** Each a sentence about `what`: a path, or an address. */
const sentences: Readonly<Record<string, (what: string) => string>> = {
  ENOENT: (what) => `there is no ${what}`,
  EACCES: (what) => `${what}: permission is denied to this user`,
  EPERM: (what) => `${what}: this user is not allowed to do that`,
  EISDIR: (what) => `${what} is a folder; name a file`,
  ENOTDIR: (what) => `${what}: a part of this path is no folder`,
  EEXIST: (what) => `${what} is there already`,
  EROFS: (what) => `${what}: the file system is read-only`,
  ENOSPC: (what) => `${what}: the file system is full`,
  EDQUOT: (what) => `${what}: this user's share of the file system is used up`,
  EFBIG: (what) => `${what}: the file system takes no file of that size`,
  ELOOP: (what) => `${what}: links that lead in a circle, or too many of them`,
  ENAMETOOLONG: (what) => `${what}: the name is too long for the system`,
  EMFILE: (what) => `${what}: this process has too many files open (ulimit -n raises the limit)`,
  ENFILE: (what) => `${what}: the system has too many files open`,
  ENXIO: (what) => `${what}: nobody is at the other end of it`,
  EIO: (what) => `${what}: the medium could not be read or written`,
  EBUSY: (what) => `${what} is in use`,
  ETXTBSY: (what) => `${what} is a program that runs`,
  EADDRINUSE: (what) => `${what} is taken`,
  EADDRNOTAVAIL: (what) => `${what} is no address of this machine`,
  EAFNOSUPPORT: (what) => `${what}: this machine has no such kind of address`,
  ENOTFOUND: (what) => `${what}: no machine is known by that name`,
  EAI_AGAIN: (what) => `${what}: the name cannot be looked up now`,
  ECONNREFUSED: (what) => `${what}: nobody listens there`,
  ECONNRESET: (what) => `${what}: the other side broke the connection off`,
  ETIMEDOUT: (what) => `${what}: no answer came in time`,
  EHOSTUNREACH: (what) => `${what}: there is no way to that machine`,
  ENETUNREACH: (what) => `${what}: there is no way to that network`,
  EPIPE: (what) => `${what}: the reader has gone away`,
};

/** The system's code of an error, or null. */
export function systemCode(error: unknown): string | null {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" && /^E[A-Z_0-9]+$/.test(code) && !code.startsWith("ERR_") ? code : null;
}

/** A sentence about `what` when the error is the system's; its own words when it is not. Both are gated. */
export function systemSentence(error: unknown, what: string): string {
  const code = systemCode(error);
  if (code === null)
    return `${shown(what)}: ${shown(error instanceof Error ? error.message : String(error))}`;
  const sentence = Object.hasOwn(sentences, code) ? sentences[code] : undefined;
  return sentence === undefined ? `${shown(what)}: the system says ${code}` : sentence(shown(what));
}

/** Why, in words that go on after the name of what it is about: "was not read: ...". */
export function systemWords(error: unknown): string {
  if (systemCode(error) === "ENOENT") return "it is not there any more";
  return systemSentence(error, "it").replace(/^it: /, "");
}
