// How much of what we send the system keeps for a client that does not read: less where many share a listener.

import { createRequire } from "node:module";
import type { Socket } from "node:net";

/** setsockopt(2), as Linux numbers it on the processors that Node runs on. */
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
/** Linux doubles it. Left to itself it grows to 4 MiB for each client (tcp(7), tcp_wmem). */
const crowdedBytes = 64 * 1024;

type SetOption = (
  descriptor: number,
  level: number,
  name: number,
  value: Int32Array,
  length: number,
) => number;
let loaded: SetOption | null | undefined;

/** Loaded before it is needed: the first time takes some milliseconds. */
export function readySendRoom(platform: NodeJS.Platform = process.platform): SetOption | null {
  if (platform !== "linux") return null;
  if (loaded !== undefined) return loaded;
  try {
    const koffi: typeof import("koffi") = createRequire(import.meta.url)("koffi");
    loaded = koffi
      .load(null)
      .func(
        "int setsockopt(int fd, int level, int name, const void *value, unsigned int length)",
      ) as SetOption;
  } catch {
    loaded = null;
  }
  return loaded;
}

const value = Int32Array.of(crowdedBytes);

/** Elsewhere than on Linux, or without koffi, nothing changes: what may wait is bounded by us alone. */
export function limitSendRoom(socket: Socket): void {
  const setOption = readySendRoom();
  // Node has no word for it; a socket that is no more has none.
  const descriptor = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1;
  if (setOption !== null && descriptor >= 0) setOption(descriptor, SOL_SOCKET, SO_SNDBUF, value, 4);
}
