// A copy of the workspace in which instrumented files stand in place of the real ones.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import type { SourceFile } from "./instrument.ts";

const copied = [
  "packages",
  "cases",
  "apps",
  "examples",
  "docs",
  "house",
  "package.json",
  "tsconfig.base.json",
];

/**
 * Workspaces are links in node_modules that lead to `../../packages/core`: the sandbox has links of its own, so that
 * `@drydock/core` is the sandbox's; every other package is the real one.
 */
function linkPackages(root: string, sandbox: string): void {
  const real = join(root, "node_modules");
  const own = join(sandbox, "node_modules");
  mkdirSync(join(own, "@drydock"), { recursive: true });
  for (const entry of readdirSync(real))
    if (entry !== "@drydock" && entry !== ".cache") symlinkSync(join(real, entry), join(own, entry));
  for (const entry of readdirSync(join(real, "@drydock")))
    symlinkSync(readlinkSync(join(real, "@drydock", entry)), join(own, "@drydock", entry));
}

export function makeSandbox(root: string, sandbox: string, instrumented: readonly SourceFile[]): void {
  rmSync(sandbox, { recursive: true, force: true });
  mkdirSync(sandbox, { recursive: true });
  for (const name of copied)
    if (existsSync(join(root, name)))
      cpSync(join(root, name), join(sandbox, name), {
        recursive: true,
        filter: (source) => !["node_modules", "build"].includes(basename(source)),
      });
  linkPackages(root, sandbox);
  for (const { name, content } of instrumented) writeFileSync(join(sandbox, name), content);
}
