// The ground floor: chance, digests, clock, ring, text.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteRing } from "./byte-ring.ts";
import { TraceHash } from "./hash.ts";
import { Random } from "./random.ts";
import { bytesFromHex, decodeUtf8, decodeUtf16le, encodeUtf8, encodeUtf16le, hex, hexBytes } from "./text.ts";
import { VirtualClock } from "./virtual-clock.ts";

test("chance: equal seeds give equal streams, forks do not disturb each other, draws stay in range", () => {
  const draws = (random: Random) => Array.from({ length: 50 }, () => random.next32());
  assert.deepEqual(draws(new Random(7)), draws(new Random(7)));
  assert.notDeepEqual(draws(new Random(7)), draws(new Random(8)));
  const parent = new Random(7);
  const before = draws(parent.fork("bus"));
  draws(parent.fork("other"));
  parent.next32();
  assert.deepEqual(draws(parent.fork("bus")), before);
  assert.notDeepEqual(draws(parent.fork("buses")), before);
  const seen = new Set(Array.from({ length: 2000 }, () => parent.between(3, 6)));
  assert.deepEqual([...seen].sort(), [3, 4, 5, 6]);
  for (const seed of [-1, 1.5, Number.NaN, 2 ** 53]) assert.throws(() => new Random(seed), RangeError);
});

test("chance is even: a hundred thousand draws in sixteen bins", () => {
  const random = new Random(1);
  const bins = new Array<number>(16).fill(0);
  for (let index = 0; index < 100_000; index++) bins[random.below(16)]++;
  // Five standard deviations of a binomial with p = 1/16.
  for (const count of bins) assert.ok(Math.abs(count - 6250) < 5 * Math.sqrt(100_000 * (1 / 16) * (15 / 16)));
});

test("a digest changes with every bit and with the order of its parts", () => {
  const digest = (feed: (hash: TraceHash) => void) => {
    const hash = new TraceHash();
    feed(hash);
    return hash.digest();
  };
  const seen = new Set<string>();
  for (let bit = 0; bit < 53; bit++) seen.add(digest((hash) => hash.number(2 ** bit)));
  seen.add(digest((hash) => hash.number(-1)));
  seen.add(
    digest((hash) => {
      hash.text("a");
      hash.text("b");
    }),
  );
  seen.add(
    digest((hash) => {
      hash.text("b");
      hash.text("a");
    }),
  );
  seen.add(digest((hash) => hash.text("ab")));
  assert.equal(seen.size, 57);
  assert.match([...seen][0], /^[0-9a-f]{16}$/);
});

test("the clock runs timers in order of time, then of arming; a cancelled one never", () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const note = (name: string): void => {
    seen.push(`${name} ${clock.nowNs()}`);
  };
  clock.after(20, note, "late");
  clock.after(10, note, "first");
  const doomed = clock.after(10, note, "never");
  clock.after(10, note, "second");
  clock.cancel(doomed);
  clock.cancel(doomed);
  assert.equal(clock.nextTimeNs(), 10);
  clock.runUntil(15);
  assert.deepEqual(seen, ["first 10", "second 10"]);
  clock.runUntil();
  assert.deepEqual(seen, ["first 10", "second 10", "late 20"]);
  assert.equal(clock.pending, 0);
});

test("the clock against a sorted list: 6000 random operations", () => {
  const clock = new VirtualClock();
  const random = new Random(3);
  const due = new Map<number, number>();
  const ran: number[] = [];
  const handles = new Map<number, number>();
  for (let index = 0; index < 6_000; index++) {
    if (random.chance(0.6)) {
      const delay = random.below(500);
      due.set(index, clock.nowNs() + delay);
      handles.set(
        index,
        clock.after(delay, (key: number) => ran.push(key), index),
      );
    } else if (random.chance(0.4) && handles.size > 0) {
      const [key, handle] = [...handles.entries()][random.below(Math.min(20, handles.size))];
      handles.delete(key);
      if (!ran.includes(key)) due.delete(key);
      clock.cancel(handle);
    } else clock.runUntil(clock.nowNs() + random.below(100));
    if (ran.length > 2000) {
      for (const key of ran) handles.delete(key);
    }
  }
  clock.runUntil();
  assert.deepEqual(
    [...ran].sort((a, b) => a - b),
    [...due.keys()].sort((a, b) => a - b),
  );
  const times = ran.map((key) => due.get(key) as number);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
});

test("the ring keeps order over its edge and never takes more than its room", () => {
  const ring = new ByteRing(4);
  const random = new Random(2);
  let written = 0;
  let read = 0;
  for (let round = 0; round < 5000; round++) {
    const block = Uint8Array.from({ length: random.below(24) }, (_, index) => (written + index) & 255);
    const taken = ring.push(block, 0, block.length);
    assert.equal(taken, Math.min(block.length, 16 - (written - read)));
    written += taken;
    const out = new Uint8Array(30);
    const count = ring.pull(out, 3, random.below(20));
    for (let index = 0; index < count; index++) assert.equal(out[3 + index], (read + index) & 255);
    read += count;
    assert.equal(ring.used, written - read);
  }
  assert.ok(written > 20_000);
  ring.clear();
  assert.equal(ring.used, 0);
  assert.throws(() => new ByteRing(3), RangeError);
});

test("text: UTF-8 like the host's own encoder, UTF-16, hexadecimal", () => {
  const samples = ["", "plain", "Größe", "日本", "\u{1F680} go", "\ud800 lone"];
  const encoder = new TextEncoder();
  for (const sample of samples) assert.deepEqual(encodeUtf8(sample), encoder.encode(sample));
  for (const sample of samples.slice(0, -1)) assert.equal(decodeUtf8(encodeUtf8(sample)), sample);
  assert.equal(
    decodeUtf8(bytesFromHex("41 c0 80 ed a0 80 f5 42 e2 82")),
    "A\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdB\ufffd\ufffd",
  );
  assert.equal(decodeUtf16le(encodeUtf16le("a\u{1F680}")), "a\u{1F680}");
  assert.equal(hexBytes(bytesFromHex("DEAD be ef"), 3), "de ad be ...");
  assert.equal(hex(-1), "ffffffff");
  assert.equal(hex(0xe0005000), "e0005000");
  assert.throws(() => bytesFromHex("abc"), RangeError);
});

test("the ring says what is used and free, takes the whole range of sizes, and forgets on request", () => {
  for (const size of [3, 25, 4.5, Number.NaN]) assert.throws(() => new ByteRing(size), RangeError);
  assert.equal(new ByteRing(4).capacity, 16);
  assert.equal(new ByteRing(24).capacity, 1 << 24);
  const ring = new ByteRing(8);
  const block = Uint8Array.from({ length: 200 }, (_, index) => index);
  assert.equal(ring.push(block, 10, 150), 150);
  assert.deepEqual([ring.used, ring.free], [150, 106]);
  const out = new Uint8Array(160);
  assert.equal(ring.pull(out, 5, 120), 120);
  assert.deepEqual([...out.subarray(5, 125)], [...block.subarray(10, 130)]);
  assert.equal(ring.push(block, 0, 200), 200, "over the edge, in two copies of more than 64 bytes");
  const rest = new Uint8Array(230);
  assert.equal(ring.pull(rest, 0, 300), 230);
  assert.deepEqual([...rest], [...block.subarray(130, 160), ...block]);
  ring.push(block, 0, 9);
  ring.clear();
  assert.deepEqual([ring.used, ring.free], [0, 256]);
});

test("text: a lone half of a pair is U+FFFD, edges of one, two, three and four bytes go both ways", () => {
  for (const code of [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfffd, 0xffff, 0x10000, 0x10ffff]) {
    const text = String.fromCodePoint(code);
    assert.deepEqual([...encodeUtf8(text)], [...new TextEncoder().encode(text)], code.toString(16));
    assert.equal(decodeUtf8(encodeUtf8(text)), text, code.toString(16));
  }
  for (const bytes of [
    "c1 bf",
    "e0 9f bf",
    "f0 8f bf bf",
    "f4 90 80 80",
    "ed bf bf",
    "80",
    "bf",
    "e2 82",
    "f0 9f 98",
  ])
    assert.match(decodeUtf8(bytesFromHex(bytes)), /^\ufffd+$/, bytes);
  assert.deepEqual([...encodeUtf8("\ud800\udfffx".slice(1))], [0xef, 0xbf, 0xbd, 0x78]);
  assert.deepEqual([...encodeUtf16le("a\u{1234}")], [0x61, 0, 0x34, 0x12]);
  assert.equal(decodeUtf16le(bytesFromHex("6100 3412 99")), "a\u{1234}");
});

test("hexadecimal: places, limits, blanks", () => {
  assert.equal(hexBytes(bytesFromHex("0a ff")), "0a ff");
  assert.equal(hexBytes(bytesFromHex("0a ff"), 2), "0a ff");
  assert.equal(hexBytes(bytesFromHex("0a ff"), 1), "0a ...");
  assert.equal(hexBytes(new Uint8Array(0)), "");
  assert.equal(hex(10, 4), "000a");
  assert.equal(hex(10), "a");
  assert.equal(hex(0), "0");
  assert.equal(hex(2 ** 40), "10000000000");
  assert.deepEqual([...bytesFromHex(" 0A\n fF\t")], [10, 255]);
  for (const wrong of ["0", "0g", "0x10", "zz"]) assert.throws(() => bytesFromHex(wrong), RangeError);
});

test("what may be late changes when the wall has to be looked at, and nothing else", () => {
  const clock = new VirtualClock();
  const order: string[] = [];
  const call = (name: string) => void order.push(`${name} at ${clock.nowNs()}`);
  const patient = clock.after(100, call, "patient");
  clock.mayBeLate(patient, 400);
  assert.equal(clock.wakeTimeNs(), 500);
  const strict = clock.after(300, call, "strict");
  assert.equal(clock.wakeTimeNs(), 300, "somebody else is in a hurry");
  clock.cancel(strict);
  assert.equal(clock.wakeTimeNs(), 500);
  clock.mayBeLate(patient, 0);
  assert.equal(clock.wakeTimeNs(), 100);
  clock.mayBeLate(patient, 1000);
  clock.after(200, call, "next");
  assert.equal(clock.nextTimeNs(), 100);
  clock.runUntil(600);
  assert.deepEqual(order, ["patient at 100", "next at 200"]);
  clock.mayBeLate(patient, 5000);
  // Its place is somebody else's now.
  clock.after(50, call, "strict again");
  assert.equal(clock.wakeTimeNs(), 650);
});
