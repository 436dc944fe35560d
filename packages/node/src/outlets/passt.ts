// passt, a program that is a router for one cable: frames in, sockets of this machine out. As an ordinary user.

import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { StepTaker } from "../host/ordered-steps.ts";
import { SocketStream } from "../host/socket-stream.ts";

export interface PasstOptions {
  readonly steps: StepTaker;
  /** Lets what is behind the cable reach other machines; otherwise its sockets are bound to loopback. */
  readonly lan: boolean;
  /** It ended by itself: what it said. */
  readonly onExit: (why: string) => void;
}

/** What it hands out on its side of the cable: the station's address, its network, and itself as the router. */
export const passtAddress = "10.90.0.2";
export const passtRouter = "10.90.0.1";
const networkBits = "24";
const patienceMs = 5000;
const keptWords = 2000;

export interface Passt {
  readonly stream: SocketStream;
  readonly pid: number;
  /** Ends it by its process id. */
  stop(): Promise<void>;
}

/** Starts it on a socket of ours. Rejects when it is not installed, or ends at once: with what it said. */
export async function startPasst({ lan, onExit, steps }: PasstOptions): Promise<Passt> {
  const outside = lan ? [] : ["--outbound", "127.0.0.1", "--ipv4-only"];
  const child: ChildProcess = spawn(
    "passt",
    [
      ...["--foreground", "--stderr", "--quiet", "--fd", "3"],
      ...["--address", passtAddress, "--netmask", networkBits, "--gateway", passtRouter],
      ...["--tcp-ports", "none", "--udp-ports", "none"],
      ...outside,
    ],
    { stdio: ["ignore", "ignore", "pipe", "pipe"] },
  );
  let words = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    words = (words + bytes.toString("latin1")).slice(-keptWords);
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "ENOENT" ? "passt is not installed (Debian package passt)" : error.message),
    );
    child.once("close", (code, signal) => resolve(`passt ended with ${signal ?? code}: ${lastLine(words)}`));
  });
  const started = new Promise<null>((resolve) =>
    child.once("spawn", () => setTimeout(() => resolve(null), settleMs)),
  );
  const failed = await Promise.race([ended, started]);
  if (failed !== null) throw new Error(failed);
  let isStopping = false;
  void ended.then((why) => {
    if (!isStopping) onExit(why);
  });
  return {
    stream: new SocketStream(child.stdio[3] as Socket, steps),
    pid: child.pid ?? 0,
    stop: async () => {
      isStopping = true;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** What it does not like it says at once. */
const settleMs = 300;

function lastLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("Failed to send"));
  return lines.at(-1)?.trim() ?? "it said nothing";
}
