// The USB/IP commands against each other and against Debian's own usbip tool.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { startLiveRig, until } from "./live-rig.ts";

const launcher = join(import.meta.dirname, "../../bin/drydock.mjs");
const drydock = (...args: string[]) => spawnSync(process.execPath, [launcher, ...args], { encoding: "utf8" });

/** `drydock export usbip` on a free port, ended by its own id. */
async function startExport(...args: string[]) {
  const child = spawn(
    process.execPath,
    [launcher, "export", "usbip", "--port", "0", "--json", "--for", "120", ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let talk = "";
  let output = "";
  child.stderr.on("data", (chunk) => {
    talk += chunk;
  });
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  await until(() => output.includes("\n") || child.exitCode !== null, "the export to come up");
  const { port, busIds } = JSON.parse(output.split("\n")[0]) as { port: number; busIds: string[] };
  return {
    port,
    busIds,
    talk: () => talk,
    stop: () => {
      child.kill("SIGINT");
      return ended;
    },
  };
}

test("export, list, import: our drivers on our devices over loopback, 64 KiB there and back", {
  timeout: 120_000,
}, async () => {
  const server = await startExport("desk", "--no-pacing");
  try {
    assert.deepEqual(server.busIds, ["1-1", "1-2"]);
    assert.match(server.talk(), /usbip --tcp-port \d+ attach -r 127\.0\.0\.1 -b 1-2/);
    assert.doesNotMatch(server.talk(), /warning/);
    const listed = drydock("import", "usbip", `127.0.0.1:${server.port}`);
    assert.equal(listed.status, 0, listed.stderr);
    assert.match(listed.stdout, /^1-1 +0403:6001 +full +interface classes ff$/m);
    assert.match(listed.stdout, /^1-2 .* interface classes 02, 0a$/m);
    const paths = drydock("devices", `127.0.0.1:${server.port}`);
    assert.match(paths.stdout, /^usbip 127\.0\.0\.1:\d+ +open$/m);
    assert.match(paths.stdout, /^libusb +(open|closed: (this machine has no USB bus|no USB device).*)$/m);
    assert.equal(drydock("import", "usbip", `127.0.0.1:${server.port}`, "9-9").status, 2);
    for (const busId of server.busIds) {
      const rig = await startLiveRig([], ["import", "usbip", `127.0.0.1:${server.port}`, busId]);
      try {
        const terminal = openSync(rig.terminal, "r+");
        spawnSync("stty", ["-F", rig.terminal, "raw", "-echo", "115200"]);
        const sent = randomBytes(64 * 1024);
        const back = Buffer.alloc(sent.length);
        let length = 0;
        for (let at = 0; at < sent.length; at += 1024) {
          writeSync(terminal, sent, at, 1024);
          while (length < at + 1024) length += readSync(terminal, back, length, back.length - length, null);
        }
        closeSync(terminal);
        const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
        assert.equal(hash(back), hash(sent), busId);
      } finally {
        assert.equal(await rig.stop(), 130);
      }
    }
  } finally {
    assert.equal(await server.stop(), 130);
  }
});

test("import brings up whatever a driver of ours matches: a disk's medium, a keyboard", {
  timeout: 120_000,
}, async () => {
  for (const [rig, words] of [
    ["disk", /disk +131072 blocks of 512 bytes/],
    ["keyboard", /input +its events follow/],
  ] as const) {
    const server = await startExport(rig);
    try {
      const child = spawn(
        process.execPath,
        [launcher, "import", "usbip", `127.0.0.1:${server.port}`, server.busIds[0], "--for", "100"],
        { stdio: ["ignore", "ignore", "pipe"] },
      );
      let talk = "";
      child.stderr.on("data", (chunk) => {
        talk += chunk;
      });
      const ended = new Promise((resolve) => child.once("exit", resolve));
      await until(() => words.test(talk) || child.exitCode !== null, `the ${rig} to come up`, 60_000);
      assert.match(talk, words);
      child.kill("SIGINT");
      assert.equal(await ended, 130);
    } finally {
      assert.equal(await server.stop(), 130);
    }
  }
});

test("Debian's own usbip tool lists what is exported", {
  timeout: 60_000,
  skip:
    spawnSync("usbip", ["version"]).error === undefined ? false : "usbip is missing: apt-get install usbip",
}, async () => {
  const server = await startExport("desk");
  try {
    const listed = spawnSync("usbip", ["--tcp-port", String(server.port), "list", "-r", "127.0.0.1"], {
      encoding: "utf8",
    });
    assert.equal(listed.status, 0, listed.stderr);
    assert.match(listed.stdout, /1-1: .*\(0403:6001\)/);
    assert.match(listed.stdout, /1-2: /);
  } finally {
    assert.equal(await server.stop(), 130);
  }
});

test("a closed port and a server that talks nonsense are named, not hung on", {
  timeout: 60_000,
}, async () => {
  const nonsense = createServer((socket) => socket.resume().end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await new Promise<void>((resolve) => nonsense.listen(0, "127.0.0.1", resolve));
  const { port } = nonsense.address() as { port: number };
  const run = (address: string) =>
    new Promise<{ code: number | null; errors: string }>((resolve) => {
      const child = spawn(process.execPath, [launcher, "import", "usbip", address], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      let errors = "";
      child.stderr.on("data", (chunk) => {
        errors += chunk;
      });
      child.once("exit", (code) => resolve({ code, errors }));
    });
  const odd = await run(`127.0.0.1:${port}`);
  assert.equal(odd.code, 3);
  assert.match(odd.errors, /version 0x4854 is not 0x0111/);
  await new Promise((resolve) => nonsense.close(resolve));
  const gone = await run(`127.0.0.1:${port}`);
  assert.equal(gone.code, 3);
  assert.match(gone.errors, /nobody listens there/);
});
