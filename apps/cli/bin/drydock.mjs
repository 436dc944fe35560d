#!/usr/bin/env node
// Starts the drydock command on a Node that can run it, whichever `node` came first in PATH.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { findNode } from "./find-node.mjs";

const here = dirname(fileURLToPath(import.meta.url));
/** Packed, there are no sources: Node strips no types below node_modules. */
const packed = join(here, "../dist/main.js");
const isPacked = existsSync(packed);
const main = isPacked ? packed : join(here, "../src/main.ts");
const isNewEnough = Number(process.versions.node.split(".")[0]) >= 24;

// What a first run has stripped and compiled is kept below the project: the next ones start in half the time. A folder that
// cannot be written costs nothing but that time.
const compiled = join(here, isPacked ? "../../.." : "../../../node_modules", ".cache/drydock-compiled");

if (isNewEnough) {
  nodeModule.enableCompileCache(process.env.NODE_COMPILE_CACHE ?? compiled);
  await import(pathToFileURL(main).href);
} else {
  const node = findNode(here);
  if (node === null) {
    console.error(
      `drydock: this is Node ${process.versions.node}, version 24 or newer is needed; ` +
        (isPacked
          ? 'install it, or run "npm install node@26" in this project'
          : 'run "npm install" in the project first'),
    );
    process.exit(3);
  }
  // Nothing is ever written to the pipe: the kernel closes it when this process is killed, and the child ends.
  const child = spawn(node, [main, ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "pipe"],
    env: { NODE_COMPILE_CACHE: compiled, ...process.env, DRYDOCK_LAUNCHER_PIPE: "3" },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(
      `drydock: ${node} cannot be started (${error.code ?? error.message}); run "npm install" again`,
    );
    process.exitCode = 3;
  });
  child.on("exit", (code, signal) => {
    if (code === null && !["SIGINT", "SIGTERM", "SIGHUP"].includes(signal))
      console.error(`drydock: the command was ended by ${signal}`);
    process.exitCode = code ?? (["SIGINT", "SIGTERM", "SIGHUP"].includes(signal) ? 130 : 3);
  });
}
