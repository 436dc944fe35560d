#!/usr/bin/env node
// Starts the drydock command on a Node that can run it, whichever `node` came first in PATH.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, "../src/main.ts");
const isNewEnough = Number(process.versions.node.split(".")[0]) >= 24;

/** The Node that npm installed, looked for in every folder above. */
function findNode() {
  for (let folder = here; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules/node/bin/node");
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) return null;
  }
}

if (isNewEnough) await import(main);
else {
  const node = findNode();
  if (node === null) {
    console.error(
      `drydock: this is Node ${process.versions.node}, version 24 or newer is needed; run "npm install" in the project first`,
    );
    process.exit(3);
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
}
