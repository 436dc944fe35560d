// Where what a person makes with Drydock is kept: DRYDOCK_HOME, or the system's folder for such things.

import { posix, win32 } from "node:path";

/**
 * Linux: XDG Base Directory Specification 0.8 (state). macOS: Application Support (File System Programming Guide).
 * Windows: LOCALAPPDATA. Never the checkout. Throws RangeError for a relative DRYDOCK_HOME.
 */
export function stateFolder(
  platform: NodeJS.Platform,
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  const path = platform === "win32" ? win32 : posix;
  const set = environment.DRYDOCK_HOME;
  if (set !== undefined && set !== "") {
    if (!path.isAbsolute(set)) throw new RangeError(`DRYDOCK_HOME is "${set}"; it must be an absolute path`);
    return set;
  }
  if (platform === "win32")
    return path.join(environment.LOCALAPPDATA ?? path.join(home, "AppData", "Local"), "Drydock");
  if (platform === "darwin") return path.join(home, "Library", "Application Support", "Drydock");
  const state = environment.XDG_STATE_HOME;
  // "All paths must be absolute; a relative one is to be ignored."
  return path.join(
    state !== undefined && path.isAbsolute(state) ? state : path.join(home, ".local", "state"),
    "drydock",
  );
}
