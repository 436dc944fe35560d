// Fault plans as files: what is written is read again; whatever is not exactly a plan is refused with the field's name.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type AccessFault, describeFault } from "../faults/access-faults.ts";
import { formatFaultPlan, parseAccessFault, parseFaultPlan } from "./fault-plan.ts";

const plan = {
  rig: "nvme",
  seed: 7,
  faults: [
    { fault: "late", access: "interrupt", number: 3, delayNs: 2_000_000 },
    { fault: "wrong", access: "dma-write", number: 12, bit: 9 },
  ],
} as const;

test("what is written is read again, with what is struck beside it", () => {
  const text = formatFaultPlan(plan, ["message 1", "0x40004000, 16 bytes"]);
  assert.match(text, /"where": "message 1"/);
  assert.deepEqual(parseFaultPlan(text), plan);
  assert.deepEqual(parseFaultPlan(formatFaultPlan(plan)), plan);
});

test("faults as people type them", () => {
  assert.deepEqual(parseAccessFault("lost:transfer:31"), { fault: "lost", access: "transfer", number: 31 });
  // What a report says to type is the fault that it found: its bit, and how late.
  const found: AccessFault[] = [
    { fault: "wrong", access: "dma-read", number: 5, bit: 17 },
    { fault: "late", access: "interrupt", number: 3, delayNs: 1500 },
    { fault: "late", access: "transfer", number: 9, delayNs: 1_000_000 },
  ];
  const typed = found.map(describeFault);
  assert.deepEqual(typed, ["wrong:dma-read:5:bit17", "late:interrupt:3:1.5us", "late:transfer:9:1000us"]);
  assert.deepEqual(typed.map(parseAccessFault), found);
  assert.equal(describeFault({ fault: "wrong", access: "dma-read", number: 5, bit: 0 }), "wrong:dma-read:5");
  for (const text of [
    "",
    "lost",
    "lost:transfer",
    "lost:transfer:0",
    "lost:transfer:1e3",
    "lost:transfer:-1",
    "lost:transfer:1:2",
    "late:irq:1",
    "gone:interrupt:1",
    "lost:transfer: 1",
    "lost:transfer:1:bit3",
    "wrong:transfer:1:3",
    "wrong:transfer:1:100us",
    "late:transfer:1:bit3",
    "late:transfer:1:1ms",
    "wrong:transfer:1:bit3:bit4",
  ])
    assert.throws(() => parseAccessFault(text), RangeError, text);
});

const good = JSON.parse(formatFaultPlan(plan)) as { faults: Record<string, unknown>[] } & Record<
  string,
  unknown
>;
const withFault = (change: Record<string, unknown>) => ({
  ...good,
  faults: [{ ...good.faults[0], ...change }],
});

for (const [what, value, message] of [
  ["no JSON", "{", /^no JSON: /],
  ["a list", "[]", /the plan is no object/],
  ["another format", { ...good, format: "drydock explore" }, /"format" is not "drydock fault plan"/],
  ["a newer version", { ...good, version: 2 }, /newer version \(2, this one knows 1\)/],
  ["a field that nobody knows", { ...good, colour: "red" }, /"colour", which nobody knows/],
  ["a missing field", { format: good.format, version: 1, rig: "nvme", seed: 1 }, /has no "faults"/],
  ["no fault", { ...good, faults: [] }, /"faults" is no list of 1 to/],
  ["a seed in words", { ...good, seed: "7" }, /"seed" is no whole number/],
  ["a misspelt fault", withFault({ fault: "lsot" }), /"fault" of fault 1 is none of lost, late/],
  ["an access of another bus's name", withFault({ access: "irq" }), /"access" of fault 1 is none of/],
  ["number 0", withFault({ number: 0 }), /"number" of fault 1 is no whole number from 1/],
  ["a negative delay", withFault({ delayNs: -5 }), /"delayNs" of fault 1/],
  ["a delay of what is not late", withFault({ fault: "lost" }), /goes with late and doubled only/],
  ["a bit of what is not wrong", withFault({ bit: 3 }), /"bit" of fault 1 goes with wrong only/],
  ["a field of a fault that nobody knows", withFault({ adress: 3 }), /fault 1 has "adress"/],
  [
    "one access struck twice",
    { ...good, faults: [good.faults[0], good.faults[0]] },
    /interrupt:3 is struck twice/,
  ],
] as const)
  test(`${what} is refused`, () => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    assert.throws(
      () => parseFaultPlan(text),
      (error: unknown) => error instanceof RangeError && message.test(error.message),
    );
  });
