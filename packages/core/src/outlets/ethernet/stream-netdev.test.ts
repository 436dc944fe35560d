// Frames on a byte stream: cut anywhere, lengths that lie, a reader that does not read.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import type { ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import { StreamNetdev } from "./stream-netdev.ts";

class FakeStream implements ByteStream {
  client: ByteStreamClient | null = null;
  readonly written: Uint8Array[] = [];
  isFull = false;
  closes = 0;
  connect(client: ByteStreamClient): void {
    this.client = client;
  }
  write(bytes: Uint8Array): boolean {
    this.written.push(bytes);
    return !this.isFull;
  }
  pause(): void {}
  resume(): void {}
  close(): void {
    this.closes++;
  }
}

function bench() {
  const clock = new VirtualClock();
  const heard: Uint8Array[] = [];
  const ends: (string | null)[] = [];
  const netdev = new StreamNetdev({
    clock,
    to: { frame: (bytes, offset, length) => heard.push(bytes.slice(offset, offset + length)) },
    onConnection: (why) => ends.push(why),
  });
  const stream = new FakeStream();
  netdev.accept(stream);
  return { clock, heard, ends, netdev, stream };
}

const frameOf = (length: number, seed = 1) => Uint8Array.from({ length }, (_, index) => (seed + index) & 255);
const piece = (frame: Uint8Array) => Uint8Array.of(0, 0, frame.length >> 8, frame.length & 255, ...frame);

test("frames go out behind their length, big-endian, together at the end of the step", () => {
  const { clock, netdev, stream } = bench();
  netdev.frame(frameOf(60), 0, 60);
  netdev.frame(frameOf(300), 0, 300);
  assert.equal(stream.written.length, 0);
  clock.runUntil(1);
  assert.deepEqual(stream.written, [Uint8Array.of(...piece(frameOf(60)), ...piece(frameOf(300)))]);
});

test("frames come in whole wherever the stream is cut", () => {
  const frames = [60, 14, 1518, 61].map((length, index) => frameOf(length, index));
  const all = Uint8Array.from(frames.flatMap((frame) => [...piece(frame)]));
  for (const size of [1, 2, 3, 5, 64, 1000, all.length]) {
    const { heard, stream } = bench();
    for (let at = 0; at < all.length; at += size) stream.client?.received(all.subarray(at, at + size));
    assert.deepEqual(heard, frames, `pieces of ${size}`);
  }
});

test("a piece that is no frame is passed over; one that is longer than any is the end of the stream", () => {
  const { ends, heard, netdev, stream } = bench();
  const odd = Uint8Array.of(
    ...piece(frameOf(0)),
    ...piece(frameOf(13)),
    ...piece(frameOf(2000)),
    ...piece(frameOf(60)),
  );
  stream.client?.received(odd);
  assert.deepEqual([heard.length, netdev.badFrames], [1, 3]);
  stream.client?.received(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 3));
  assert.match(String(ends.at(-1)), /out of step/);
  assert.equal(stream.closes, 1);
  assert.equal(netdev.isConnected, false);
});

test("a reader that does not read costs frames, not memory", () => {
  const { clock, netdev, stream } = bench();
  stream.isFull = true;
  for (let round = 0; round < 1000; round++) {
    netdev.frame(frameOf(1514), 0, 1514);
    clock.runUntil(clock.nowNs() + 1);
  }
  const held = netdev.sentFrames * 1518;
  assert.ok(held < 600_000, `${held} bytes wait`);
  assert.equal(netdev.sentFrames + netdev.lostFrames, 1000);
  stream.isFull = false;
  stream.client?.drained();
  clock.runUntil(clock.nowNs() + 1);
  assert.equal(
    stream.written.reduce((sum, { length }) => sum + length, 0),
    held,
  );
});

test("a new connection takes the place of the old one, which is closed", () => {
  const { ends, netdev, stream } = bench();
  const second = new FakeStream();
  netdev.accept(second);
  assert.deepEqual([stream.closes, ends], [1, [null, null]]);
  stream.client?.closed();
  assert.equal(netdev.isConnected, true);
  second.client?.closed();
  assert.equal(netdev.isConnected, false);
  netdev.frame(frameOf(60), 0, 60);
  assert.equal(netdev.lostFrames, 1);
});

test("rubbish gives frames of lawful sizes, or the end", () => {
  const random = new Random(2);
  for (let round = 0; round < 300; round++) {
    const { heard, stream } = bench();
    const bytes = Uint8Array.from({ length: 3000 }, () => (random.chance(0.7) ? 0 : random.below(256)));
    for (let at = 0; at < 3000; at += 700) stream.client?.received(bytes.subarray(at, at + 700));
    for (const { length } of heard) assert.ok(length >= 14 && length <= 1518);
  }
});
