// npm start as a newcomer's shell runs it: the board with a rig, until it is ended.

import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** `npm start` as a newcomer's shell runs it; answers what it says of itself. `port` 0: any. */
export async function npmStart(
  home: string,
  port = 0,
  more: readonly string[] = [],
): Promise<{ url: string; end(signal?: NodeJS.Signals): Promise<void> }> {
  mkdirSync(home, { recursive: true });
  const words = ["start", "--", "--port", String(port), "--link", join(home, "tty"), ...more];
  const child = spawn("npm", words, {
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
    end: async (signal = "SIGINT") => {
      // npm, its shell and both Nodes.
      process.kill(-(child.pid ?? 0), signal);
      await ended;
    },
  };
}
