// How commands end: with their launcher, with npx, at a closed terminal, at Ctrl-C; nothing is left behind.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { until } from "./live-rig.ts";

const main = join(import.meta.dirname, "../../src/main.ts");

let folder = "";
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-endings-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

interface Started {
  readonly child: ChildProcess;
  /** The first line of stdout. */
  readonly document: Record<string, never> & { readonly port?: number };
  readonly ended: Promise<number | null>;
  readonly talk: () => string;
}

function startProcess(
  file: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; stdio?: never } = {},
): Promise<Started> {
  const child = spawn(file, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
  });
  children.push(child);
  let talk = "";
  let output = "";
  child.stderr?.on("data", (chunk) => {
    talk += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", (chunk) => {
      output += chunk;
      const end = output.indexOf("\n");
      if (end >= 0) resolve({ child, document: JSON.parse(output.slice(0, end)), ended, talk: () => talk });
    });
    child.once("exit", (code) => reject(new Error(`ended with ${code} before it spoke: ${talk}`)));
  });
}

const drydock = (...args: string[]) =>
  startProcess(process.execPath, [main, ...args, "--for", "60", "--json"]);

function isServed(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function untilFree(port: number): Promise<void> {
  for (const end = performance.now() + 20_000; await isServed(port); ) {
    assert.ok(performance.now() < end, `port ${port} is still served`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What apps/cli/bin/drydock.mjs does on a Node that is too old to run the command by itself. */
const launcher = `
const { spawn } = require("node:child_process");
spawn(process.execPath, process.argv.slice(1), {
  stdio: ["inherit", "inherit", "inherit", "pipe"],
  env: { ...process.env, DRYDOCK_LAUNCHER_PIPE: "3" },
});`;

for (const [what, args, made] of [
  ["a disk over NBD", ["disk", "serve", "--size", "1M", "--port", "0"], null],
  ["a disk on a Unix socket", ["disk", "serve", "--size", "1M"], "socket"],
  ["a terminal with a link", ["start", "--no-pacing"], "link"],
] as const) {
  test(`kill -9 of the launcher ends ${what}, and nothing is left behind`, { timeout: 60_000 }, async () => {
    const path = join(folder, "made");
    const where = made === "socket" ? ["--unix", path] : made === "link" ? ["--link", path] : [];
    const { child, document } = await startProcess(process.execPath, [
      "-e",
      launcher,
      main,
      ...args,
      ...where,
      "--for",
      "60",
      "--json",
    ]);
    if (made !== null) assert.ok(lstatSync(path));
    child.kill("SIGKILL");
    if (typeof document.port === "number" && document.port > 0) await untilFree(document.port);
    else await until(() => lstatSync(path, { throwIfNoEntry: false }) === undefined, "the path to be free");
    assert.deepEqual(readdirSync(folder), []);
  });
}

/** npx names its process "npm exec ..." and runs the command below a shell (npm-exec). */
const npx = `
process.title = "npm exec drydock";
const { spawn } = require("node:child_process");
const words = process.argv.slice(1).map((word) => "'" + word + "'").join(" ");
spawn("sh", ["-c", words + " ; true"], { stdio: "inherit" });`;

test("kill -9 of npx ends what it ran, with a shell between", {
  timeout: 60_000,
  skip: !existsSync("/proc/self/stat") && "no /proc here",
}, async () => {
  const { child, document } = await startProcess(
    process.execPath,
    [
      "-e",
      npx,
      process.execPath,
      main,
      "disk",
      "serve",
      "--size",
      "1M",
      "--port",
      "0",
      "--for",
      "60",
      "--json",
    ],
    { env: { npm_command: "exec" } },
  );
  const port = document.port as number;
  assert.ok(await isServed(port));
  child.kill("SIGKILL");
  await untilFree(port);
});

test("a closed terminal (SIGHUP): the capture is written, the link is gone, 130", {
  timeout: 60_000,
}, async () => {
  const [link, capture] = [join(folder, "tty"), join(folder, "x.pcapng")];
  const { child, ended } = await drydock("start", "--no-pacing", "--link", link, "--pcap", capture);
  child.kill("SIGHUP");
  assert.equal(await ended, 130);
  assert.ok(readFileSync(capture).includes("drydock"));
  assert.deepEqual(readdirSync(folder), ["x.pcapng"]);
});

test("Ctrl-C that arrives twice at once, from the terminal and the launcher, is one", {
  timeout: 60_000,
}, async () => {
  const capture = join(folder, "x.pcapng");
  const { child, ended, talk } = await drydock("export", "usbip", "--port", "0", "--pcap", capture);
  child.kill("SIGINT");
  child.kill("SIGINT");
  assert.equal(await ended, 130);
  assert.match(talk(), /rows of USB traffic written/);
});

test("a reader of stdout that goes away is no reason to leave a link behind", {
  timeout: 60_000,
}, async () => {
  const link = join(folder, "tty");
  const { child, ended } = await drydock("start", "--no-pacing", "--link", link);
  child.stdout?.destroy();
  child.stdin?.write("r\n");
  child.kill("SIGTERM");
  assert.equal(await ended, 130);
  assert.deepEqual(readdirSync(folder), []);
});
