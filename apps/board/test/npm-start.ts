// npm start as a newcomer's shell runs it: the board with a rig, until it is ended.

import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** `npm start` as a newcomer's shell runs it; answers what it says of itself. */
export async function npmStart(home: string): Promise<{ url: string; end(): Promise<void> }> {
  mkdirSync(home, { recursive: true });
  const child = spawn("npm", ["start", "--", "--port", "0", "--link", join(home, "tty")], {
    cwd: join(import.meta.dirname, "../../.."),
    env: { ...process.env, DRYDOCK_HOME: home, DISPLAY: "", WAYLAND_DISPLAY: "" },
    stdio: ["pipe", "ignore", "pipe"],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let talk = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (piece: string) => {
      talk += piece;
      const found = /the board is at (\S+)/.exec(talk);
      if (found !== null) resolve(found[1]);
    });
    void ended.then(() => reject(new Error(talk)));
  });
  return {
    url,
    end: async () => {
      // npm, its shell and both Nodes.
      process.kill(-(child.pid ?? 0), "SIGINT");
      await ended;
    },
  };
}
