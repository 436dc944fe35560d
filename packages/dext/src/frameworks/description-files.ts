// The descriptions as they lie beside this file, for whoever runs on Node.

import { readFileSync } from "node:fs";
import { frameworkNames } from "./covered.ts";

/** Framework to text. */
export function readDescriptions(): Map<string, string> {
  return new Map(
    frameworkNames.map((name) => [name, readFileSync(new URL(`${name}.iig`, import.meta.url), "utf8")]),
  );
}
