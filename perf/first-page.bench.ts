// From npm start to a page that can be read: in an installed tree, and from a fresh clone with its installation.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchTable } from "./run.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const environment: NodeJS.ProcessEnv = { ...process.env, DISPLAY: "", WAYLAND_DISPLAY: "" };

/** The whole text of a page. */
function textOf(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      response.once("end", () => resolve(text));
    }).once("error", reject);
  });
}

/** Seconds until the list of twenty posts has come whole, counted from before `npm`. */
async function firstPage(tree: string): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), "drydock-first-page-"));
  const begun = performance.now();
  const child = spawn("npm", ["start", "--", "--port", "0", "--no-open", "--link", join(home, "tty")], {
    cwd: tree,
    env: { ...environment, DRYDOCK_HOME: home },
    stdio: ["pipe", "ignore", "pipe"],
    detached: true,
  });
  try {
    let talk = "";
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr?.setEncoding("utf8").on("data", (piece: string) => {
        talk += piece;
        const found = /the board is at (\S+)/.exec(talk);
        if (found !== null) resolve(found[1]);
      });
      child.once("exit", (code) => reject(new Error(`npm start ended with ${code}: ${talk}`)));
    });
    const page = await textOf(url);
    if (page.split('<th scope="row">').length !== 21) throw new Error("the page does not list twenty posts");
    return (performance.now() - begun) / 1000;
  } finally {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    // npm, its shell and both Nodes.
    if (child.pid !== undefined && child.exitCode === null) {
      process.kill(-child.pid, "SIGINT");
      await ended;
    }
    rmSync(home, { recursive: true, force: true });
  }
}

export async function bench(): Promise<BenchTable[]> {
  const installed: number[] = [];
  const fresh: number[] = [];
  for (let round = 0; round < 5; round++) installed.push(await firstPage(root));
  for (let round = 0; round < 2; round++) {
    const clone = mkdtempSync(join(tmpdir(), "drydock-clone-"));
    try {
      const { status, stderr } = spawnSync("git", ["clone", "--quiet", root, clone], { encoding: "utf8" });
      if (status !== 0) throw new Error(`git clone: ${stderr}`);
      fresh.push(await firstPage(clone));
    } finally {
      rmSync(clone, { recursive: true, force: true });
    }
  }
  return [
    {
      title: "From npm start to the list of posts",
      unit: "s",
      rows: [
        { name: "in an installed tree", rounds: installed },
        { name: "from a fresh clone, its installation included", rounds: fresh },
      ],
      note: "Aims: 3 s and 90 s. Each round has an empty state folder: the database is made and the twenty posts come in. The installation is `npm ci` from whatever registry and cache npm is set up with; the clone itself is not counted.",
    },
  ];
}
