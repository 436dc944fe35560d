// Foreign programs that system tests run: found or named as missing, bounded in time, never left behind.

import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";

const longestRunMs = 60_000;
const outputMaximum = 4 << 20;

/** For `test(..., { skip })`: false, or the sentence that names the Debian package. */
export function missingProgram(name: string, debianPackage: string): string | false {
  const places = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  for (const place of places) {
    try {
      accessSync(join(place, name), constants.X_OK);
      return false;
    } catch {
      // Not there.
    }
  }
  return `${name} is missing: apt-get install ${debianPackage}`;
}

/** Runs a program to its end and answers what it printed; rejects, with its words, when it fails. */
export function runProgram(name: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    let output = "";
    let errors = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), longestRunMs);
    child.stdout.on("data", (text) => {
      output = (output + text).slice(-outputMaximum);
    });
    child.stderr.on("data", (text) => {
      errors = (errors + text).slice(-outputMaximum);
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(output);
      else reject(new Error(`${name} ended with ${signal ?? code}: ${errors.slice(-2000)}`));
    });
  });
}
