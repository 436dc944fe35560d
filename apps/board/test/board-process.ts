// The board as its command starts it, in a process of its own; what it prints is kept.

import { spawn } from "node:child_process";
import { join } from "node:path";

const drydock = join(import.meta.dirname, "../../cli/src/main.ts");

export interface BoardProcess {
  readonly url: string;
  readonly pid: number;
  /** All that it has printed, on both streams. */
  printed(): string;
  end(signal?: NodeJS.Signals): Promise<void>;
}

const environment = (home: string) => ({
  PATH: process.env.PATH ?? "",
  HOME: home,
  DRYDOCK_HOME: join(home, "state"),
});

/** `drydock board serve` with these words; answers when it listens. */
export async function serveBoard(home: string, words: readonly string[]): Promise<BoardProcess> {
  const child = spawn(process.execPath, [drydock, "board", "serve", "--no-open", "--json", ...words], {
    env: environment(home),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let printed = "";
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (piece: string) => {
        printed += piece;
        const found = /"url":"([^"]+)"/.exec(printed);
        if (found !== null) resolve(found[1]);
      });
    void ended.then(() => reject(new Error(printed)));
  });
  return {
    url,
    pid: child.pid ?? 0,
    printed: () => printed,
    end: async (signal = "SIGINT") => {
      child.kill(signal);
      await ended;
    },
  };
}

/** Another command, to its end. */
export async function drydockCommand(
  home: string,
  words: readonly string[],
): Promise<{ readonly code: number; readonly printed: string }> {
  const child = spawn(process.execPath, [drydock, ...words], {
    env: environment(home),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (piece: string) => {
      printed += piece;
    });
  const code = await new Promise<number>((resolve) => child.once("close", (end) => resolve(end ?? -1)));
  return { code, printed };
}
