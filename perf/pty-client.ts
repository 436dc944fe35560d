// The program at the other end of perf/pty.bench.ts: measures one terminal and prints JSON.

import { constants, openSync, readSync, writeSync } from "node:fs";

const [, , path, bytesText] = process.argv;
const total = Number(bytesText);
const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
const block = Buffer.alloc(64 * 1024, 0x55);
const into = Buffer.alloc(64 * 1024);

/** Bytes moved, 0 when the terminal is not ready. */
function attempt(move: () => number): number {
  try {
    return move();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return 0;
    throw error;
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));
// The outlet looks at a closed terminal every few milliseconds.
Atomics.wait(pause, 0, 0, 200);

function echo(length: number): void {
  let sent = 0;
  let received = 0;
  while (received < length) {
    let moved = 0;
    if (sent < length && sent - received < 1024 * 1024) {
      const count = attempt(() => writeSync(fd, block, 0, Math.min(block.length, length - sent)));
      sent += count;
      moved += count;
    }
    const count = attempt(() => readSync(fd, into, 0, into.length, null));
    received += count;
    moved += count;
    if (moved === 0) Atomics.wait(pause, 0, 0, 0.02);
  }
}

echo(64 * 1024);
const started = performance.now();
echo(total);
const seconds = (performance.now() - started) / 1000;
const echoes = 300;
const echoStarted = performance.now();
for (let index = 0; index < echoes; index++) echo(16);
const echoUs = ((performance.now() - echoStarted) / echoes) * 1000;
process.stdout.write(JSON.stringify({ megabytes: total / 1e6 / seconds, echoUs }));
