// A folder as what is in it: to say that two are the same, byte for byte.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Every file below, with its bytes. */
export function filesBelow(root: string, under = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(join(root, under)).sort()) {
    const path = join(under, name);
    if (statSync(join(root, path)).isDirectory())
      for (const [inner, bytes] of filesBelow(root, path)) found.set(inner, bytes);
    else found.set(path, readFileSync(join(root, path), "latin1"));
  }
  return found;
}
