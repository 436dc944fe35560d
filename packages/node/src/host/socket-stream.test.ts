// A socket as a byte stream: what encryption is given ahead, and that all of it arrives, in order, once.

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { SocketStream } from "./socket-stream.ts";

/** What a TLS socket is to its stream; it takes a write when it is told to. */
class EncryptedSocket extends Duplex {
  readonly encrypted = true;
  readonly taken: Buffer[] = [];
  #take: (() => void) | null = null;
  most = 0;

  setNoDelay(): void {}
  setKeepAlive(): void {}

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.most = Math.max(this.most, this.writableLength);
    this.#take = () => {
      this.taken.push(Buffer.from(bytes));
      done();
    };
  }

  get hasMore(): boolean {
    return this.#take !== null;
  }

  takeOne(): void {
    const take = this.#take;
    this.#take = null;
    take?.();
  }
}

function bench() {
  const socket = new EncryptedSocket();
  const stream = new SocketStream(socket as unknown as Socket);
  const told: string[] = [];
  stream.connect({
    received: () => told.push("received"),
    drained: () => told.push("drained"),
    closed: () => told.push("closed"),
  });
  return { socket, stream, told };
}

test("a client that does not read has no more than some pieces of a megabyte encrypted for it", async () => {
  const { socket, stream, told } = bench();
  const megabyte = Buffer.alloc(1 << 20);
  for (let at = 0; at < megabyte.length; at++) megabyte[at] = (at * 7 + (at >> 8)) & 0xff;
  let released = 0;
  assert.equal(stream.write(megabyte, { released: (count) => (released += count) }), false);
  await turn();
  assert.ok(socket.writableLength <= 128 * 1024, `${socket.writableLength} bytes were handed over`);
  assert.equal(released, 0);
  assert.deepEqual(told, []);
  while (socket.hasMore) {
    socket.takeOne();
    await turn();
  }
  assert.ok(socket.most <= 128 * 1024);
  assert.equal(released, megabyte.length);
  assert.ok(Buffer.concat(socket.taken).equals(megabyte));
  await turn();
  assert.deepEqual(told, ["drained"]);
});

test("what was written before the end is sent before it, and what many owners wrote comes back to each", async () => {
  const { socket, stream } = bench();
  const counts = [0, 0, 0];
  const owners = counts.map((_, index) => ({ released: (count: number) => (counts[index] += count) }));
  for (let index = 0; index < 3; index++) stream.write(Buffer.alloc(100_000, index + 1), owners[index]);
  stream.close();
  let hasEnded = false;
  socket.on("finish", () => {
    hasEnded = true;
  });
  await turn();
  assert.equal(hasEnded, false);
  while (socket.hasMore) {
    socket.takeOne();
    await turn();
  }
  await turn();
  assert.equal(hasEnded, true);
  assert.deepEqual(counts, [100_000, 100_000, 100_000]);
  const bytes = Buffer.concat(socket.taken);
  assert.equal(bytes.length, 300_000);
  for (let index = 0; index < 3; index++)
    assert.ok(
      bytes.subarray(index * 100_000, (index + 1) * 100_000).every((value) => value === index + 1),
      `what owner ${index} wrote is not what came`,
    );
});
