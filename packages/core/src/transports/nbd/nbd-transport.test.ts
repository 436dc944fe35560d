// A disk behind our NBD server and client keeps the block contract, however the stream is cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { encodeNbdExportInfo, encodeNbdGreeting, encodeNbdOptionReply } from "../../codec/nbd/nbd.ts";
import { MemoryDisk, type MemoryDiskOptions } from "../../devices/memory-disk/memory-disk-device.ts";
import { NbdServer } from "../../outlets/nbd/nbd-server.ts";
import { type BlockBench, blockContract, RecordingBlockClient } from "../../ports/block.contract.ts";
import { type BlockPort, BlockStatus, BlockSubmit } from "../../ports/block.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import { runContract } from "../../ports/contract.ts";
import { memoryStreamPair } from "../../rigs/memory-stream.ts";
import { NbdImporter } from "./nbd-importer.ts";

interface Parts {
  readonly clock: VirtualClock;
  readonly disk: MemoryDisk;
  readonly server: NbdServer;
  readonly connect: () => ByteStream;
}

function newParts(seed: number, extra: Partial<MemoryDiskOptions>, cut: boolean): Parts {
  const clock = new VirtualClock();
  const random = new Random(seed);
  const disk = new MemoryDisk({ clock, random: random.fork("disk"), blockCount: 4096, ...extra });
  const server = new NbdServer({ clock });
  const network = random.fork("network");
  const connect = (): ByteStream => {
    const [near, far] = memoryStreamPair({ clock, latencyNs: 20_000, ...(cut ? { random: network } : {}) });
    server.accept(far);
    return near;
  };
  return { clock, disk, server, connect };
}

function benchOf(parts: Parts, wantsStructured: boolean): BlockBench {
  const { clock, connect, disk, server } = parts;
  server.attach("disk", disk.powerOn());
  const client = new RecordingBlockClient();
  const ports: BlockPort[] = [];
  new NbdImporter({
    clock,
    connect,
    exportName: "disk",
    wantsStructured,
    blockBytes: disk.geometry.blockBytes,
    onAttach: (port) => {
      ports.push(port);
      port.connect(client);
    },
  });
  clock.runUntil();
  return {
    port: ports[0],
    client,
    settle: async () => clock.runUntil(),
    unplug: () => disk.cutPower(),
    cutPower: async () => {
      disk.cutPower();
      clock.runUntil();
      return benchOf(parts, wantsStructured);
    },
  };
}

const variants: readonly [string, Partial<MemoryDiskOptions>, boolean, boolean][] = [
  ["structured replies", {}, true, false],
  ["simple replies", {}, false, false],
  ["structured replies in pieces of any size", { hasWriteCache: true }, true, true],
  ["simple replies in pieces of any size", { latencyNs: [0, 300_000] }, false, true],
  ["a disk that takes short requests", { maximumBlocks: 16 }, true, false],
  ["a disk that takes short requests, simple replies", { maximumBlocks: 16 }, false, true],
  ["blocks of 4096 bytes", { blockBytes: 4096, hasWriteCache: true }, true, false],
];

for (const [name, extra, wantsStructured, cut] of variants) {
  test(`nbd, ${name}: the block contract`, async () => {
    for (const seed of [1, 2]) {
      const results = await runContract(blockContract, async () =>
        benchOf(newParts(seed, extra, cut), wantsStructured),
      );
      assert.ok(results.length >= 17);
      assert.deepEqual(
        results.filter((result) => result.problem !== null),
        [],
      );
    }
  });
}

test("nbd: a lost connection is a surprise removal, and the disk comes back as a new port", () => {
  const { clock, disk, server, connect } = newParts(1, {}, false);
  server.attach("", disk.powerOn());
  const ports: BlockPort[] = [];
  const problems: string[] = [];
  const client = new RecordingBlockClient();
  const importer = new NbdImporter({
    clock,
    connect,
    retryNs: 1_000_000,
    onAttach: (port) => {
      ports.push(port);
      port.connect(client);
    },
    onProblem: (reason) => problems.push(reason),
  });
  clock.runUntil(1_000_000);
  assert.equal(ports[0].read(0, 0, 1, new Uint8Array(512), 0), BlockSubmit.accepted);
  server.close();
  clock.runUntil(10_000_000);
  assert.deepEqual(client.of(0), [BlockStatus.gone]);
  assert.equal(client.detachments, 1);
  assert.equal(ports.length, 2);
  assert.match(problems[0], /connection ended/);
  assert.equal(ports[0].flush(0), BlockSubmit.gone);
  assert.equal(ports[1].read(0, 0, 1, new Uint8Array(512), 0), BlockSubmit.accepted);
  clock.runUntil(20_000_000);
  assert.deepEqual(client.of(0), [BlockStatus.gone, BlockStatus.ok]);
  importer.stop();
  clock.runUntil();
  assert.equal(ports.length, 2);
  assert.equal(server.sessionCount, 0);
});

test("nbd: refusals are told in words, and a silent server is given up", () => {
  const { clock, connect } = newParts(1, {}, false);
  const problems: string[] = [];
  const attach = () => assert.fail("there is no disk");
  new NbdImporter({
    clock,
    connect,
    exportName: "x",
    onAttach: attach,
    onProblem: (text) => problems.push(text),
  });
  clock.runUntil();
  assert.match(problems[0], /no export of this name/);
  const silent = () => memoryStreamPair({ clock })[0];
  new NbdImporter({ clock, connect: silent, onAttach: attach, onProblem: (text) => problems.push(text) });
  clock.runUntil();
  assert.match(problems[1], /does not answer/);
});

test("nbd: a server that lies ends the connection, and nothing outside a buffer is touched", () => {
  const random = new Random(5);
  let ended = 0;
  let attached = 0;
  const untouched = 0xa5;
  for (let round = 0; round < 3000; round++) {
    const clock = new VirtualClock();
    const [near, far] = memoryStreamPair({ clock });
    const client = new RecordingBlockClient();
    const buffer = new Uint8Array(4096 + 64).fill(untouched);
    let port: BlockPort | null = null;
    new NbdImporter({
      clock,
      connect: () => near,
      wantsStructured: true,
      onAttach: (opened) => {
        attached++;
        port = opened;
        opened.connect(client);
        for (let slot = 0; slot < 4; slot++) opened.read(slot, slot, 1, buffer, 32 + slot * 512);
      },
      onProblem: () => ended++,
    });
    far.connect({ received: () => {}, drained: () => {}, closed: () => {} });
    const send = (bytes: Uint8Array) => {
      // Now and then a byte is wrong.
      if (random.chance(0.1)) bytes[random.below(bytes.length)] ^= 1 << random.below(8);
      far.write(bytes);
    };
    send(encodeNbdGreeting(3));
    send(encodeNbdOptionReply(8, 1));
    send(encodeNbdOptionReply(7, 3, encodeNbdExportInfo(1 << 20, 0x1ff)));
    send(encodeNbdOptionReply(7, 1));
    for (let chunk = 0; chunk < 6; chunk++) {
      const length = random.below(600);
      const bytes = new Uint8Array(20 + length);
      const view = new DataView(bytes.buffer);
      view.setUint32(0, 0x668e33ef);
      view.setUint16(4, random.below(2));
      view.setUint16(6, [0, 1, 2, 5, 0x8001, 0x8002, 0x9000][random.below(7)]);
      view.setUint32(8, 1 + random.below(5));
      view.setUint32(12, random.below(5));
      view.setUint32(16, random.chance(0.1) ? random.next32() : length);
      if (length >= 8) view.setUint32(24, random.below(2048));
      send(bytes);
    }
    far.close();
    clock.runUntil();
    const opened = port as BlockPort | null;
    if (opened !== null) {
      assert.equal(client.completions.length, 4, "each read ended once");
      assert.equal(client.detachments, 1);
    }
    assert.ok(buffer.subarray(0, 32).every((byte) => byte === untouched));
    assert.ok(buffer.subarray(32 + 2048).every((byte) => byte === untouched));
  }
  assert.equal(ended, 3000);
  assert.ok(attached > 1500);
});
