// Decisions: the first rule that fits, set operators, conditions that cannot be known, and what systems make of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../base/random.ts";
import { parsePolicy } from "../codec/usb-policy/usb-policy.ts";
import {
  enforcementOf,
  openEnforcement,
  type PolicyContext,
  type PolicyDevice,
  policyPlatform,
  UsbPolicyEngine,
} from "./usb-policy.ts";

const stick: PolicyDevice = {
  idVendor: 0x0781,
  idProduct: 0x5567,
  name: "Flash",
  serial: "42",
  viaPort: "1-2",
  interfaces: ["08:06:50", "08:06:62"],
  connectType: null,
};
const keyboard: PolicyDevice = {
  ...stick,
  idVendor: 0x046d,
  name: "Keys",
  interfaces: ["03:01:01", "03:00:00"],
};

const decide = (text: string, device = stick, context: PolicyContext = {}) =>
  new UsbPolicyEngine(parsePolicy(text)).decide(device, context);

for (const [text, fits] of [
  ["allow 0781:*", true],
  ["allow 0781:5568", false],
  ['allow name "Flash" serial "42" via-port "1-2"', true],
  ['allow serial "43"', false],
  ["allow with-interface 08:06:50", false],
  ["allow with-interface { 08:06:62 08:06:50 }", true],
  ["allow with-interface equals-ordered { 08:06:62 08:06:50 }", false],
  ["allow with-interface all-of { 08:06:50 }", true],
  ["allow with-interface all-of { 08:06:50 03:*:* }", false],
  ["allow with-interface one-of { 03:*:* 08:*:* }", true],
  ["allow with-interface none-of { 03:*:* }", true],
  ["allow with-interface none-of { 08:06:* }", false],
  ["allow with-interface match-all { 08:*:* 09:*:* }", true],
  ["allow with-interface match-all { 08:06:50 }", false],
  ["allow if true", true],
  ["allow if !true", false],
  ["allow if one-of { false true }", true],
  ["allow if none-of { false }", true],
  ["allow if { true false }", false],
] as const) {
  test(`${text}: ${fits ? "fits" : "does not fit"} a drive with two settings`, () => {
    assert.equal(decide(text).rule === null, !fits);
  });
}

test("the first rule that fits decides; without one the implicit target does", () => {
  const { target, rule } = decide("block with-interface one-of { 08:*:* }\nallow\n");
  assert.deepEqual([target, rule?.line], ["block", 1]);
  assert.equal(decide("").target, "block");
  assert.equal(decide("#: implicit-target allow\n").target, "allow");
});

test("what cannot be known passes the rule over and says so; known, it decides", () => {
  const night = "block if localtime(22:00-06:00)\nallow\n";
  const passed = decide(night);
  assert.equal(passed.target, "allow");
  assert.deepEqual(passed.unknown, ["line 1: localtime cannot be known here"]);
  assert.equal(decide(night, stick, { localMinutes: 23 * 60 }).target, "block");
  assert.equal(decide(night, stick, { localMinutes: 5 * 60 }).target, "block");
  assert.equal(decide(night, stick, { localMinutes: 12 * 60 }).target, "allow");
  assert.deepEqual(decide('allow hash "x"').unknown, ["line 1: hash cannot be known here"]);
  assert.equal(decide("allow if random(1)", stick, { random: new Random(1) }).target, "allow");
  assert.equal(decide("allow if random(0)", stick, { random: new Random(1) }).target, "block");
});

test("a second keyboard is refused by what is allowed already", () => {
  const text =
    "reject with-interface all-of { 03:01:01 } if allowed-matches(with-interface all-of { 03:01:01 })\nallow\n";
  assert.equal(decide(text, keyboard, { allowed: [stick] }).target, "allow");
  assert.equal(decide(text, keyboard, { allowed: [stick, keyboard] }).target, "reject");
});

test("a rule that was applied once knows it", () => {
  const engine = new UsbPolicyEngine(parsePolicy("allow if !rule-applied\n"));
  assert.equal(engine.decide(stick).target, "allow");
  assert.equal(engine.decide(stick).target, "block");
});

test("what each system makes of a block, a read-only drive, a hub and an exempt keyboard", () => {
  const say = (text: string, device: PolicyDevice, id: string) =>
    enforcementOf(decide(text, device), device, policyPlatform(id)).isEnforced;
  assert.deepEqual(
    ["linux", "macos15", "macos26", "ipados"].map((id) => say("block", stick, id)),
    [true, true, true, false],
  );
  const readOnly = "allow\n#: read-only with-interface one-of { 08:*:* }\n";
  assert.deepEqual(
    ["linux", "macos15", "ipados"].map((id) => say(readOnly, stick, id)),
    [false, true, false],
  );
  assert.equal(say(readOnly, keyboard, "macos15"), null);
  assert.equal(say("block", { ...stick, interfaces: ["09:00:00"] }, "macos15"), false);
  assert.equal(say("block\n#: exempt with-interface one-of { 03:01:01 }\n", keyboard, "macos26"), false);
  assert.throws(() => policyPlatform("macos9"), /there are: linux, macos15/);
});

test("who may open a user client: by class everywhere on macOS, by device from 26 on", () => {
  const [byClass, byDevice] = parsePolicy('#: no-open "C"\n#: no-open "C" 0781:*\n').extensions;
  const say = (id: string, which: typeof byClass) => openEnforcement(which, policyPlatform(id)).isEnforced;
  assert.deepEqual([say("macos15", byClass), say("macos15", byDevice)], [true, false]);
  assert.deepEqual([say("macos26", byClass), say("macos26", byDevice)], [true, true]);
  assert.deepEqual([say("linux", byClass), say("ipados", byDevice)], [false, false]);
});
