// Where what was compiled is kept between runs: nothing that cannot be made again.

import { posix, win32 } from "node:path";

/**
 * DRYDOCK_CACHE, or the system's folder for such things: XDG Base Directory Specification 0.8 (cache), macOS's Caches,
 * Windows's LOCALAPPDATA. Throws RangeError for a relative DRYDOCK_CACHE.
 */
export function cacheFolder(
  platform: NodeJS.Platform,
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  const path = platform === "win32" ? win32 : posix;
  const set = environment.DRYDOCK_CACHE;
  if (set !== undefined && set !== "") {
    if (!path.isAbsolute(set)) throw new RangeError(`DRYDOCK_CACHE is "${set}"; it must be an absolute path`);
    return path.join(set, "dext");
  }
  if (platform === "win32")
    return path.join(
      environment.LOCALAPPDATA ?? path.join(home, "AppData", "Local"),
      "Drydock",
      "Cache",
      "dext",
    );
  if (platform === "darwin") return path.join(home, "Library", "Caches", "Drydock", "dext");
  const cache = environment.XDG_CACHE_HOME;
  return path.join(
    cache !== undefined && path.isAbsolute(cache) ? cache : path.join(home, ".cache"),
    "drydock",
    "dext",
  );
}
