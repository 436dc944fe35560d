// The name of a rule's sample in the truth tables.

import { createHash } from "node:crypto";

export type NamedFiles = Readonly<Record<string, string | Uint8Array>>;

/** What a sample is called in the table: by what it holds, so that a changed sample needs new truths. */
export function sampleKey(files: NamedFiles): string {
  const hash = createHash("sha256");
  for (const [name, content] of Object.entries(files)) hash.update(`${name}\0`).update(content).update("\0");
  return hash.digest("hex").slice(0, 10);
}
