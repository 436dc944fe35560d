// A stable name for a pseudo-terminal: a symbolic link that is made, replaced and removed only when it is ours.

import { existsSync, lstatSync, readlinkSync, symlinkSync, unlinkSync } from "node:fs";

const terminalPath = /^\/dev\/pts\/\d+$/;

/**
 * Why no link to `terminal` may be made at `path`, in words that go on after the path; null when it may. Free is a name
 * that nothing has, and a link to a terminal that is gone (a killed command leaves it behind) or is `terminal` itself.
 */
export function whyNoTerminalLink(path: string, terminal: string | null = null): string | null {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return null;
  if (status.isDirectory()) return "is a folder";
  if (!status.isSymbolicLink()) return "is there already and is no link of ours: it would be destroyed";
  const target = readlinkSync(path);
  if (!terminalPath.test(target)) return "is a link to something that is no terminal: it would be destroyed";
  return target !== terminal && existsSync(target)
    ? `is a link to the terminal ${target}, which is in use`
    : null;
}

/** The place is somebody else's, or cannot be used. The message goes on after the path. */
export class TerminalLinkTaken extends Error {}

/** Throws TerminalLinkTaken; what is there then stays. */
export function makeTerminalLink(path: string, terminal: string): void {
  const why = whyNoTerminalLink(path, terminal);
  if (why !== null) throw new TerminalLinkTaken(why);
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) unlinkSync(path);
    // Never over anything: who was quicker keeps the name.
    symlinkSync(terminal, path);
  } catch (error) {
    throw new TerminalLinkTaken("cannot be made", { cause: error });
  }
}

/** Removes the link unless somebody has put something else there meanwhile. */
export function removeTerminalLink(path: string, terminal: string): void {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status?.isSymbolicLink() !== true || readlinkSync(path) !== terminal) return;
  unlinkSync(path);
}
