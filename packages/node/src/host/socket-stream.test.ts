// A socket as a byte stream: what encryption is given ahead, and that all of it arrives, in order, once.

import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { readIntoBlock } from "./read-block.ts";
import { connectSocket, type Listener, listen, SocketStream } from "./socket-stream.ts";

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

/** What a client wrote in pieces, as a listener's stream heard it; `later` keeps what it hears for a while. */
async function heardOf(size: number, later: ((call: () => void) => void) | null): Promise<Buffer> {
  const steps =
    later === null
      ? {}
      : { steps: { ready: <T>(run: (value: T) => void, value: T) => later(() => run(value)) } };
  const parts: Buffer[] = [];
  let isOver: () => void = () => {};
  const over = new Promise<void>((resolve) => {
    isOver = resolve;
  });
  const listener: Listener = await listen({ port: 0, ...steps }, (stream) =>
    stream.connect({
      received: (bytes) => void parts.push(Buffer.from(bytes)),
      drained: () => {},
      closed: () => isOver(),
    }),
  );
  const client = connectSocket("127.0.0.1", listener.port);
  client.connect({ received: () => {}, drained: () => {}, closed: () => {} });
  client.write(pattern(size));
  client.close();
  await over;
  await listener.close();
  return Buffer.concat(parts);
}

function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) bytes[at] = (at * 31 + (at >> 9)) & 0xff;
  return bytes;
}

test("what comes is read into a block that is used again, and is what was sent, heard at once or later", async () => {
  const sent = pattern(3_000_000);
  assert.ok((await heardOf(sent.length, null)).equals(sent));
  // A machine that is busy hears its input when it comes round: the block has been filled many times by then.
  const waiting: (() => void)[] = [];
  const late = (call: () => void): void => {
    waiting.push(call);
    if (waiting.length === 1)
      setTimeout(() => {
        for (const one of waiting.splice(0)) one();
      }, 5);
  };
  assert.ok((await heardOf(sent.length, late)).equals(sent));
});

test("this Node reads accepted sockets into our block; another kind of stream is left as it is", async () => {
  const taken = await new Promise<boolean>((resolve) => {
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      resolve(readIntoBlock(socket, () => {}));
      socket.destroy();
      server.close();
    }).listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address !== null && typeof address === "object") connectSocket("127.0.0.1", address.port);
    });
  });
  assert.equal(taken, true);
  assert.equal(
    readIntoBlock(new EncryptedSocket() as unknown as Socket, () => {}),
    false,
  );
});
