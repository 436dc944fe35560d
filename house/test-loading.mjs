// For `node --test --test-isolation=none`: a test file that throws while it loads fails the run, as it should.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Called by Node after all tests (--test-global-setup). In one process Node 26 says nothing of a file that registers a test and then
 * throws: its later tests are just not there. A module that has failed fails again with the same error when it is asked for.
 */
export async function globalTeardown() {
  for (const file of process.argv.slice(1)) {
    try {
      await import(pathToFileURL(resolve(file)).href);
    } catch (error) {
      process.exitCode = 1;
      console.error(`drydock: ${file} does not load:\n${error.stack ?? error}`);
    }
  }
}
