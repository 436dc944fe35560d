// The one thing of node:crypto that a case needs, in the page: SHA-256 at once.

import { sha256 } from "@noble/hashes/sha2.js";

export function createHash(name: string): { update(bytes: Uint8Array): { digest(): Uint8Array } } {
  if (name !== "sha256") throw new RangeError(`no ${name} in a page`);
  return { update: (bytes) => ({ digest: () => sha256(bytes) }) };
}
