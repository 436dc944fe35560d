// Lines without an end: a register dump of megabytes, JSON without line feeds, a line that crosses pieces.

import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "../diagnose.ts";
import { defaultLimits, type Place, sourceOfText } from "../facts/evidence-source.ts";
import { LineScan, WatchTable } from "./line-scan.ts";
import { watch } from "./watch.ts";

/** Bytes that patterns were run over, and what was found. */
function scan(bytes: Uint8Array, pieceBytes: number, needles: readonly string[], pattern: RegExp) {
  let looked = 0;
  const counting = new RegExp(pattern);
  const { exec } = counting;
  counting.exec = (text) => {
    looked += text.length;
    return exec.call(counting, text);
  };
  const places: Place[] = [];
  const table = new WatchTable([watch(needles, counting)]);
  const lines = new LineScan("a.log", table, defaultLimits, {
    hit: (_watch, place) => places.push(place),
  });
  for (let at = 0; at < bytes.length; at += pieceBytes) lines.push(bytes.subarray(at, at + pieceBytes));
  lines.finish();
  return { looked, places };
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const size = 3 << 20;

test("a line of 3 MiB with a needle everywhere is looked at twice, not once for each needle", () => {
  for (const [name, unit] of [
    ["codes", "0xe00002e2 "],
    ["hexadecimal", "00e2e002 "],
    ["JSON", '{"code":"0xe00002e2"},'],
  ]) {
    const text = unit.repeat(size / unit.length);
    for (const pieceBytes of [65536, size]) {
      const { looked, places } = scan(
        bytesOf(text),
        pieceBytes,
        ["0xe00002e2", "e2e002", "code"],
        /no such words/,
      );
      assert.deepEqual(places, []);
      assert.ok(looked <= 3 * size, `${name} in pieces of ${pieceBytes}: ${looked} characters`);
    }
  }
});

test("words in the middle of such a line are found, and the lines after it have their numbers", () => {
  const dump = "deadbeef ".repeat(size / 9);
  const text = `first\n${dump}device not responding${dump}\nlast line: device not responding\n`;
  const { places } = scan(bytesOf(text), 65536, ["not responding"], /device not responding/);
  assert.deepEqual(
    places.map(({ line }) => line),
    [2, 3],
  );
});

test("many short lines with needles keep their numbers, whatever the pieces", () => {
  const text = Array.from({ length: 2000 }, (_, index) => (index % 7 === 0 ? "timed out" : "fine")).join(
    "\n",
  );
  const wanted = Array.from({ length: 286 }, (_, index) => 7 * index + 1);
  for (const pieceBytes of [5, 4096, 1 << 20]) {
    const { places } = scan(bytesOf(text), pieceBytes, ["timed out"], /timed out/);
    assert.deepEqual(
      places.map(({ line }) => line),
      wanted,
    );
  }
});

test("of a watch with more hits than are kept, the first and the last ones are told, in their order", () => {
  const lines = Array.from({ length: 5000 }, (_, index) => `lamp: request ${index} failed`);
  const { places } = scan(bytesOf(`${lines.join("\n")}\n`), 65536, ["request"], /request \d+ failed/);
  const numbers = places.map(({ line }) => line);
  assert.deepEqual(
    numbers.slice(0, 200),
    Array.from({ length: 200 }, (_, index) => index + 1),
  );
  assert.ok(numbers.length <= 400);
  assert.deepEqual(numbers.slice(-3), [4998, 4999, 5000]);
  assert.deepEqual(
    numbers,
    numbers.toSorted((left, right) => left - right),
  );
  assert.equal(places.at(-1)?.text, "lamp: request 4999 failed");
});

test("the end of a story is told after thousands of lines of the same driver", async () => {
  const row = (text: string) =>
    `2026-11-20 10:00:00.000000+0100 0x1a2b     Default     0x0                  0      0    kernel: ${text}\n`;
  const chatter =
    row("(net.sample.lamp.driver.dext) lamp: read failed 0xe00002eb") +
    row("DK: Lamp-0x1::start(IOUSBHostInterface-0x2) ok");
  const end =
    row("(net.sample.lamp.driver.dext) lamp: CopyPipe failed 0xe00002f0") +
    row("DK: Lamp-0x3::start(IOUSBHostInterface-0x4) fail");
  const { answers } = await diagnose([sourceOfText("log.txt", chatter.repeat(2000) + end)]);
  const failed = answers.find(({ rule }) => rule === "FX-START-FAIL");
  assert.match(failed?.claim ?? "", /CopyPipe failed 0xe00002f0/);
  assert.equal(failed?.because[0].line, 4002);
});
