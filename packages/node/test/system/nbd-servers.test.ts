// Foreign NBD servers under our client: nbdkit and qemu-nbd as disks keep the whole block contract.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { BlockPort } from "@drydock/core/ports/block";
import { type BlockBench, blockContract, RecordingBlockClient } from "@drydock/core/ports/block.contract";
import { runContract } from "@drydock/core/ports/contract";
import { NbdImporter } from "@drydock/core/transports/nbd/nbd-importer";
import { HostClock } from "../../src/host/host-clock.ts";
import { connectUnixSocket } from "../../src/host/socket-stream.ts";
import { counted } from "./counted-port.ts";
import { missingProgram } from "./programs.ts";

const folder = mkdtempSync(join(tmpdir(), "drydock-nbd-servers-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Server {
  readonly path: string;
  kill(): Promise<void>;
}

let count = 0;

/** A socket is there a moment before somebody listens on it. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Starts a server that makes the Unix socket `path`, and waits until it is there. */
async function start(name: string, args: (path: string) => string[]): Promise<Server> {
  const path = join(folder, `s${count++}`);
  const child: ChildProcess = spawn(name, args(path), { stdio: "ignore" });
  let hasEnded = false;
  const ended = new Promise<void>((resolve) =>
    child.once("exit", () => {
      hasEnded = true;
      resolve();
    }),
  );
  while (!(existsSync(path) && (await answers(path)))) {
    assert.equal(hasEnded, false, `${name} ended before it listened`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return {
    path,
    kill: () => {
      child.kill("SIGKILL");
      return ended;
    },
  };
}

/** A fresh connection to a running server. */
async function benchOn(server: Server, wantsStructured: boolean, open: NbdImporter[]): Promise<BlockBench> {
  const clock = new HostClock();
  const client = new RecordingBlockClient();
  let accepted = 0;
  const plain = await new Promise<BlockPort>((resolve, reject) => {
    open.push(
      new NbdImporter({
        clock,
        connect: () => connectUnixSocket(server.path),
        wantsStructured,
        onAttach: resolve,
        onProblem: (reason) => reject(new Error(reason)),
      }),
    );
  });
  plain.connect(client);
  const port = counted(plain, () => accepted++);
  let killed: Promise<void> | null = null;
  return {
    port,
    client,
    settle: async () => {
      await killed;
      const isOver = () =>
        client.completions.length >= accepted && (killed === null || client.detachments > 0);
      do await new Promise((resolve) => setImmediate(resolve));
      while (!isOver());
    },
    unplug: () => {
      killed = server.kill();
    },
    cutPower: null,
  };
}

async function keepsContract(name: string, args: (path: string) => string[]): Promise<void> {
  for (const wantsStructured of [true, false]) {
    const servers: Server[] = [];
    const open: NbdImporter[] = [];
    try {
      const results = await runContract(blockContract, async () => {
        const server = await start(name, args);
        servers.push(server);
        return benchOn(server, wantsStructured, open);
      });
      assert.ok(results.length >= 17);
      assert.deepEqual(
        results.filter((result) => result.problem !== null),
        [],
      );
    } finally {
      for (const importer of open) importer.stop();
      for (const server of servers) await server.kill();
    }
  }
}

test(
  "nbdkit memory under our client keeps the block contract",
  {
    skip: missingProgram("nbdkit", "nbdkit"),
  },
  () => keepsContract("nbdkit", (path) => ["-f", "-U", path, "memory", "64M"]),
);

test(
  "qemu-nbd on a raw file under our client keeps the block contract",
  {
    skip: missingProgram("qemu-nbd", "qemu-utils"),
  },
  () =>
    keepsContract("qemu-nbd", (path) => {
      const image = `${path}.img`;
      writeFileSync(image, "");
      truncateSync(image, 64 << 20);
      return ["-t", "-e", "8", "-k", path, "-f", "raw", "--cache=writeback", "--discard=unmap", image];
    }),
);
