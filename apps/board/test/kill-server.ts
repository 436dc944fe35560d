// A server of the board whose quarters of an hour last a second: the program that gets killed.

import { startBoard } from "../src/server.ts";
import { SoonRun } from "./soon-run.ts";

/** Its own folder, its version (each runs the cases anew), when all of this began (milliseconds UTC), a database or nothing. */
const [home, version, begun, database] = process.argv.slice(2);
const faster = 900;

const running = await startBoard({
  home,
  version,
  port: 0,
  now: () => Number(begun) + (Date.now() - Number(begun)) * faster,
  jobsEveryMs: 300,
  onTrouble: () => {},
  cases: { runner: new SoonRun(), build: `build-${version}` },
  ...(database === undefined ? {} : { database: new URL(database) }),
});
process.stdout.write(`${running.url}\n`);
