// The NBD server byte by byte: what it says, what it refuses, and that the worst client disturbs nobody else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { getU32be } from "../../base/bytes.ts";
import { Random } from "../../base/random.ts";
import { bytesFromHex, encodeUtf8, hexBytes } from "../../base/text.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import {
  encodeNbdInfoRequest,
  encodeNbdMetaQuery,
  encodeNbdOption,
  newNbdRequestHeader,
  writeNbdRequest,
} from "../../codec/nbd/nbd.ts";
import { MemoryDisk, type MemoryDiskOptions } from "../../devices/memory-disk/memory-disk-device.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import { memoryStreamPair } from "../../rigs/memory-stream.ts";
import type { NbdExport } from "./nbd-export.ts";
import { NbdServer, type NbdServerOptions } from "./nbd-server.ts";

/** A client that says whatever a test wants and keeps what comes back. */
class RawClient {
  readonly stream: ByteStream;
  readonly #clock: VirtualClock;
  #received: Uint8Array[] = [];
  isClosed = false;

  constructor(stream: ByteStream, clock: VirtualClock) {
    this.stream = stream;
    this.#clock = clock;
    stream.connect({
      received: (bytes) => {
        this.#received.push(bytes.slice());
      },
      drained: () => {},
      closed: () => {
        this.isClosed = true;
      },
    });
  }

  /** Sends, settles, and answers all that came since. */
  say(...parts: Uint8Array[]): Uint8Array {
    this.take();
    for (const part of parts) this.stream.write(part.slice());
    this.#clock.runUntil(this.#clock.nowNs() + 200_000_000);
    return this.take();
  }

  /** What came since it was last asked. */
  take(): Uint8Array {
    const all = Uint8Array.from(Buffer.concat(this.#received));
    this.#received = [];
    return all;
  }
}

interface House {
  readonly clock: VirtualClock;
  readonly disk: MemoryDisk;
  readonly server: NbdServer;
  readonly events: string[];
  join(): RawClient;
}

function house(extra: Partial<MemoryDiskOptions> = {}, options: Partial<NbdServerOptions> = {}): House {
  const clock = new VirtualClock();
  const events: string[] = [];
  const disk = new MemoryDisk({ clock, random: new Random(1), blockCount: 4096, ...extra });
  const server = new NbdServer({ clock, onEvent: (text) => events.push(text), ...options });
  server.attach("disk", disk.powerOn(), { description: "two mebibytes" });
  const join = (): RawClient => {
    const [near, far] = memoryStreamPair({ clock });
    server.accept(far);
    return new RawClient(near, clock);
  };
  return { clock, disk, server, events, join };
}

const flags = (value: number): Uint8Array => Uint8Array.of(0, 0, 0, value);
const structured = encodeNbdOption(8);
const go = encodeNbdOption(7, encodeNbdInfoRequest("disk", []));

function request(command: number, offset: number, length: number, commandFlags = 0, handle = 7): Uint8Array {
  const bytes = new Uint8Array(28);
  const header = newNbdRequestHeader();
  Object.assign(header, {
    command,
    offset,
    length,
    flags: commandFlags,
    handleHigh: 0x11223344,
    handleLow: handle,
  });
  writeNbdRequest(bytes, 0, header);
  return bytes;
}

/** A client in the transmission phase. */
function opened(place: House, ...options: Uint8Array[]): RawClient {
  const client = place.join();
  client.say(flags(3), ...options, go);
  assert.equal(client.isClosed, false);
  return client;
}

const errorOf = (reply: Uint8Array): number => getU32be(reply, 4);

test("nbd server: greeting, list and choice are the protocol's bytes", () => {
  const client = house().join();
  assert.equal(hexBytes(client.say()), hexBytes(bytesFromHex("4e42444d41474943 49484156454f5054 0003")));
  assert.equal(
    hexBytes(client.say(flags(3), encodeNbdOption(3))),
    hexBytes(
      Uint8Array.of(
        ...bytesFromHex("0003e889045565a9 00000003 00000002 00000015 00000004"),
        ...encodeUtf8("disktwo mebibytes"),
        ...bytesFromHex("0003e889045565a9 00000003 00000001 00000000"),
      ),
    ),
  );
  // EXPORT information: 2 MiB, flags 1 flush fua trim zeroes multi-conn; block sizes 512, 4096, 32 MiB; acknowledged.
  assert.equal(
    hexBytes(client.say(go)),
    hexBytes(
      bytesFromHex(
        "0003e889045565a9 00000007 00000003 0000000c 0000 0000000000200000 016d" +
          "0003e889045565a9 00000007 00000003 0000000e 0003 00000200 00001000 02000000" +
          "0003e889045565a9 00000007 00000001 00000000",
      ),
    ),
  );
});

test("nbd server: EXPORT_NAME answers size, flags and, unless both said otherwise, 124 zeros", () => {
  for (const [clientFlags, length] of [
    [1, 134],
    [3, 10],
  ]) {
    const client = house().join();
    client.say();
    const answer = client.say(flags(clientFlags), encodeNbdOption(1, encodeUtf8("disk")));
    assert.equal(answer.length, length);
    assert.equal(hexBytes(answer.subarray(0, 10)), hexBytes(bytesFromHex("0000000000200000 016d")));
    assert.equal(client.say(request(3, 0, 0)).length, 16);
  }
});

test("nbd server: options that it does not have, and ones that make no sense, are refused by name", () => {
  const client = house().join();
  client.say(flags(3));
  const typeOf = (bytes: Uint8Array) => getU32be(client.say(bytes), 12);
  assert.equal(typeOf(encodeNbdOption(11)), 0x80000001, "extended headers");
  assert.equal(typeOf(encodeNbdOption(77, new Uint8Array(30))), 0x80000001, "unknown");
  assert.equal(typeOf(encodeNbdOption(5)), 0x80000001, "STARTTLS without TLS");
  assert.equal(typeOf(encodeNbdOption(3, new Uint8Array(1))), 0x80000003, "LIST with data");
  assert.equal(typeOf(encodeNbdOption(7, encodeNbdInfoRequest("nothing", []))), 0x80000006, "unknown export");
  assert.equal(
    typeOf(encodeNbdOption(7, Uint8Array.of(0, 0, 0, 9, 1))),
    0x80000003,
    "a name that is cut off",
  );
  assert.equal(typeOf(encodeNbdOption(6, Uint8Array.of(255, 255, 255, 255))), 0x80000003, "an absurd length");
  assert.equal(
    typeOf(encodeNbdOption(10, encodeNbdMetaQuery("disk", []))),
    0x80000003,
    "contexts before structured",
  );
  assert.equal(typeOf(encodeNbdOption(42, new Uint8Array(100_000))), 0x80000009, "too much data");
  assert.equal(typeOf(encodeNbdOption(2)), 1, "ABORT is acknowledged");
  assert.equal(client.isClosed, true);
});

test("nbd server: base:allocation is listed, chosen and answered", () => {
  const place = house();
  const client = place.join();
  client.say(flags(3), structured);
  for (const [option, queries, contexts] of [
    [9, [], 1],
    [9, ["base:"], 1],
    [9, ["qemu:"], 0],
    [10, ["base:allocation", "x:y"], 1],
  ] as const) {
    const answer = client.say(encodeNbdOption(option, encodeNbdMetaQuery("disk", queries)));
    assert.equal(answer.length, contexts * (20 + 4 + 15) + 20);
  }
  client.say(go);
  assert.equal(
    hexBytes(client.say(request(7, 512, 1024))),
    hexBytes(bytesFromHex("668e33ef 0001 0005 11223344 00000007 0000000c 00000001 00000400 00000000")),
  );
  assert.equal(
    hexBytes(opened(place, structured).say(request(7, 512, 1024))),
    hexBytes(bytesFromHex("668e33ef 0001 8001 11223344 00000007 00000006 00000016 0000")),
    "without the choice it is refused",
  );
});

test("nbd server: requests that cannot be served get their error, and the connection goes on", () => {
  for (const options of [[], [structured]]) {
    const client = opened(house(), ...options);
    const expectError = (bytes: Uint8Array, error: number, what: string, payload = 0) => {
      const reply = client.say(bytes, new Uint8Array(payload));
      const isChunk = getU32be(reply, 0) === 0x668e33ef;
      assert.equal(isChunk ? getU32be(reply, 20) : errorOf(reply), error, what);
      assert.equal(reply.length, isChunk ? 26 : 16, what);
    };
    expectError(request(0, 4096 * 512, 512), 22, "read beyond the end");
    expectError(request(0, 2 ** 52, 512), 22, "read far beyond the end");
    expectError(request(1, 4096 * 512, 512), 28, "write beyond the end", 512);
    expectError(request(4, 4096 * 512, 512), 22, "trim beyond the end");
    expectError(request(6, 4095 * 512, 1024), 28, "zeroes beyond the end");
    expectError(request(0, 0, 0), 22, "no length");
    expectError(request(0, 1, 512), 22, "between blocks");
    expectError(request(0, 0, 0xffffffff), 22, "absurd read");
    expectError(request(1, 0, 100 << 20), 28, "absurd write", 100 << 20);
    expectError(request(5, 0, 512), 22, "CACHE");
    expectError(request(99, 0, 512), 22, "unknown command");
    expectError(request(0, 0, 512, 0x8000), 22, "unknown flag");
    expectError(request(6, 0, 512, 16), 95, "fast zeroes");
    expectError(request(0, 0, 1 << 20, 4), options.length > 0 ? 75 : 22, "a long read in one chunk");
    assert.equal(errorOf(client.say(request(3, 0, 0))), 0, "flush");
    assert.equal(client.isClosed, false);
  }
});

test("nbd server: a wrong magic word ends that connection and no other", () => {
  const place = house();
  const good = opened(place);
  for (const bad of ["00000000", "25609514"]) {
    const client = opened(place);
    client.say(bytesFromHex(bad), new Uint8Array(24));
    assert.equal(client.isClosed, true);
  }
  const early = place.join();
  early.say(flags(3), bytesFromHex("49484156454f5055"), new Uint8Array(8));
  assert.equal(early.isClosed, true);
  const oddFlags = place.join();
  oddFlags.say(flags(0x80));
  assert.equal(oddFlags.isClosed, true);
  assert.equal(errorOf(good.say(request(3, 0, 0))), 0);
  assert.equal(place.server.sessionCount, 1);
});

test("nbd server: a read-only export refuses what would change it and says so beforehand", () => {
  const place = house();
  const { clock } = place;
  const second = new MemoryDisk({ clock, random: new Random(2), blockCount: 4096 });
  place.server.attach("fixed", second.powerOn(), { isReadOnly: true });
  const client = place.join();
  client.say();
  const answer = client.say(flags(3), encodeNbdOption(7, encodeNbdInfoRequest("fixed", [])));
  assert.equal((answer[30] << 8) | answer[31], 0x0107);
  for (const [command, payload] of [
    [1, 512],
    [4, 0],
    [6, 0],
  ])
    assert.equal(errorOf(client.say(request(command, 0, 512), new Uint8Array(payload))), 1);
  assert.throws(() => place.server.attach("fixed", second.powerOn()), RangeError);
});

test("nbd server: a client that vanishes in the middle of a write leaves slots and other clients alone", () => {
  const place = house({ latencyNs: [1000, 900_000] });
  const other = opened(place, structured);
  for (let round = 0; round < 300; round++) {
    const client = opened(place);
    client.stream.write(request(1, 0, 1 << 20).slice());
    client.stream.write(new Uint8Array(300_000 + 512 * round).fill(round));
    client.stream.close();
    assert.equal(other.say(request(0, 512, 512)).length, 28 + 512);
  }
  assert.equal(place.server.sessionCount, 1);
});

test("nbd server: who has opened nothing makes room for who comes, the oldest first, and has 10 s (CVE-2024-7409)", () => {
  const place = house({}, { sessionMaximum: 3 });
  const working = opened(place);
  const silent = [place.join(), place.join()];
  silent[0].say();
  // Half a handshake is no session either.
  silent[1].say(flags(3), encodeNbdOption(3));
  const honest = opened(place);
  assert.deepEqual(
    [working, ...silent, honest].map(({ isClosed }) => isClosed),
    [false, true, false, false],
  );
  assert.equal(errorOf(honest.say(request(3, 0, 0))), 0);
  place.clock.runUntil(place.clock.nowNs() + 11_000_000_000);
  assert.deepEqual([silent[1].isClosed, working.isClosed, honest.isClosed], [true, false, false]);
  const last = opened(place);
  const tooMany = place.join();
  tooMany.say();
  assert.deepEqual([tooMany.isClosed, last.isClosed], [true, false], "three that work are not sent away");
  assert.equal(place.server.sessionCount, 3);
});

test("nbd server: four thousand silent connections are a thousand, and honest ones come and go between them", () => {
  const place = house();
  const silent: RawClient[] = [];
  for (let round = 0; round < 10; round++) {
    for (let count = 0; count < 400; count++) silent.push(place.join());
    const honest = opened(place);
    assert.equal(errorOf(honest.say(request(3, 0, 0))), 0);
    honest.say(request(2, 0, 0));
  }
  assert.ok(place.server.sessionCount <= 1024);
  assert.equal(silent.filter(({ isClosed }) => !isClosed).length, place.server.sessionCount);
});

test("nbd server: memory is for all: who does not read what it asked for is let go when others wait for it", () => {
  const place = house();
  const stuck = Array.from({ length: 40 }, () => {
    const client = opened(place, structured);
    client.stream.pause();
    for (let index = 0; index < 40; index++) client.stream.write(request(0, 0, 262_144));
    return client;
  });
  const honest = opened(place, structured);
  honest.take();
  const [reads, most] = [6, 4_000_000_000];
  for (let index = 0; index < reads; index++) honest.stream.write(request(0, 0, 262_144));
  const begun = place.clock.nowNs();
  place.clock.runUntil(begun + most);
  assert.equal(honest.take().length, reads * (28 + 262_144));
  for (const { stream } of stuck) stream.resume();
  place.clock.runUntil(begun + 2 * most);
  assert.ok(stuck.some(({ isClosed }) => isClosed) && !honest.isClosed);
  assert.match(place.events.join("\n"), /does not read its answers, and others wait/);
});

test("nbd server: a small reader is not behind all that heavy writers have sent", () => {
  // A disk that moves a piece of 256 KiB in 1 ms, one after the other.
  const place = house({ latencyNs: [1_000_000, 1_000_000] });
  const heavy = Array.from({ length: 4 }, () => opened(place));
  const data = new Uint8Array(262_144);
  for (const { stream } of heavy)
    for (let index = 0; index < 64; index++) {
      stream.write(request(1, index % 2 === 0 ? 0 : 1_048_576, data.length));
      stream.write(data);
    }
  let most = 0;
  const { port } = place.server.exports.get("disk") as NbdExport;
  const { write } = port;
  let flying = 0;
  port.write = (...args) => {
    flying++;
    most = Math.max(most, flying);
    return write.apply(port, args);
  };
  const exported = place.server.exports.get("disk") as NbdExport;
  const { completed } = exported;
  exported.completed = (slot, status) => {
    flying--;
    completed.call(exported, slot, status);
  };
  place.clock.runUntil(place.clock.nowNs() + 60_000_000);
  assert.ok(most >= 2 && most <= 16, `${most} pieces at the disk at once`);
});

test("nbd server: one that does not read its replies is held, the others are served", () => {
  const place = house();
  const [near, far] = memoryStreamPair({ clock: place.clock });
  place.server.accept(far);
  const slow = new RawClient(near, place.clock);
  slow.say(flags(3), structured, go);
  near.pause();
  for (let index = 0; index < 200; index++) near.write(request(0, 0, 65536));
  place.clock.runUntil(place.clock.nowNs() + 1_000_000_000);
  assert.equal(errorOf(opened(place).say(request(3, 0, 0))), 0);
  near.resume();
  assert.equal(slow.say().length, 200 * (28 + 65536), "and it gets everything when it reads");
});

test("nbd server: when the disk leaves, what is under way is answered and the connections end", () => {
  const place = house({ latencyNs: [1_000_000, 1_000_000] });
  const client = opened(place);
  client.stream.write(request(0, 0, 512));
  place.clock.runUntil(place.clock.nowNs() + 10_000);
  place.disk.cutPower();
  const reply = client.say();
  assert.equal(errorOf(reply), 108);
  assert.equal(client.isClosed, true);
  assert.equal(place.server.exports.size, 0);
});

test("nbd server: 100 000 mutated streams are answered or ended, and others keep being served", () => {
  const random = new Random(20);
  const place = house();
  const other = opened(place, structured);
  let ended = 0;
  let served = 0;
  for (let round = 0; round < 100_000; round++) {
    const parts = [
      flags(3),
      ...(random.chance(0.5) ? [structured] : []),
      ...(random.chance(0.2) ? [encodeNbdOption(10, encodeNbdMetaQuery("disk", ["base:allocation"]))] : []),
      ...(random.chance(0.1) ? [encodeNbdOption(3)] : []),
      go,
      request(1, 512 * random.below(4096), 512),
      new Uint8Array(512),
      request(random.below(9), 512 * random.below(4100), 512 * random.below(40), random.below(32)),
      request(0, 0, 512),
    ];
    const total = parts.reduce((sum, part) => sum + part.length, 0);
    let bytes = new Uint8Array(total);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    for (let change = random.below(5); change > 0; change--) {
      const where = random.below(bytes.length);
      const choice = random.below(3);
      if (choice === 0) bytes[where] ^= 1 << random.below(8);
      else if (choice === 1) bytes[where] = random.below(256);
      else bytes = bytes.slice(0, where + 1);
    }
    const [near, far] = memoryStreamPair({ clock: place.clock });
    place.server.accept(far);
    let isClosed = false;
    let count = 0;
    near.connect({
      received: (chunk) => {
        count += chunk.length;
      },
      drained: () => {},
      closed: () => {
        isClosed = true;
      },
    });
    near.write(bytes);
    place.clock.runUntil(place.clock.nowNs() + 1000);
    if (isClosed) ended++;
    if (count > 200) served++;
    near.close();
    if (round % 1000 === 0) assert.equal(other.say(request(0, 512 * random.below(4096), 512)).length, 540);
  }
  place.clock.runUntil(place.clock.nowNs() + 1_000_000_000);
  assert.equal(place.server.sessionCount, 1, "every connection came to its end");
  assert.ok(ended > 1000, `${ended} were ended by the server`);
  assert.ok(served > 10_000, `${served} got as far as replies`);
  assert.equal(other.say(request(3, 0, 0)).length, 16);
});
