// qtest's lines: what QEMU 7.2 prints and wants, and what would kill it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { clockStepRequest, decodeQtestLine, interceptRequest, readRequest, writeRequest } from "./qtest.ts";

test("requests: one blank, hexadecimal, never negative", () => {
  assert.equal(readRequest(0xb0000000, 4), "readl 0xb0000000");
  // 1 << 31 is negative in JavaScript; QEMU would end by an assertion.
  assert.equal(writeRequest(0xe0000024, 4, 1 << 31), "writel 0xe0000024 0x80000000");
  assert.equal(writeRequest(0x10, 8, 0x1, 0x80000000), "writeq 0x10 0x8000000000000001");
  assert.equal(clockStepRequest(100_000_000), "clock_step 0x5f5e100");
  assert.throws(() => readRequest(-4, 4), RangeError);
  assert.throws(() => readRequest(0, 3), RangeError);
  assert.throws(() => clockStepRequest(1.5), RangeError);
  assert.throws(() => interceptRequest("ioapic 1"), RangeError);
});

test("answers", () => {
  assert.deepEqual(decodeQtestLine("OK 0x004018200f0107ff"), {
    kind: "ok",
    low: 0x0f0107ff,
    high: 0x00401820,
    text: "0x004018200f0107ff",
  });
  assert.deepEqual(decodeQtestLine("OK"), { kind: "ok", low: 0, high: 0, text: "" });
  assert.equal((decodeQtestLine("OK 100000000") as { low: number }).low, 100_000_000);
  assert.deepEqual(decodeQtestLine("FAIL Unknown command 'x'"), {
    kind: "fail",
    text: "Unknown command 'x'",
  });
  assert.deepEqual(decodeQtestLine("IRQ raise 22"), { kind: "irq", line: 22, isRaised: true });
});

test("any line is one of these or refused with an offset", () => {
  const random = new Random(3);
  for (let round = 0; round < 5000; round++) {
    const length = random.below(40);
    let line = random.chance(0.3) ? "OK " : random.chance(0.3) ? "IRQ " : "";
    for (let at = 0; at < length; at++) line += String.fromCharCode(random.between(0x20, 0x7e));
    try {
      assert.ok(["ok", "fail", "irq"].includes(decodeQtestLine(line).kind));
    } catch (error) {
      assert.ok(error instanceof DecodeError, String(error));
    }
  }
});
