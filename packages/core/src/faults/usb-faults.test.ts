// Faults: rules as people type them, and the law that every accepted transfer completes exactly once under any plan.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../base/random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { LoopbackDevice } from "../devices/loopback/loopback-device.ts";
import { RecordingClient } from "../ports/usb-host.contract.ts";
import { type UsbHostPort, UsbStatus } from "../ports/usb-host.ts";
import { SimUsbBus } from "../transports/sim/usb-bus.ts";
import {
  parseUsbFaultRule,
  type UsbFaultPlan,
  type UsbFaultRule,
  usbFaultKinds,
  withUsbFaults,
} from "./usb-faults.ts";

test("rules as people type them", () => {
  const rows: [string, UsbFaultRule][] = [
    ["drop", { kind: "drop" }],
    ["stall:ep=0x81,nth=3", { kind: "stall", endpoint: 0x81, nth: 3 }],
    ["corrupt:out,probability=0.25", { kind: "corrupt", direction: "out", probability: 0.25 }],
    ["disconnect:at=12ms", { kind: "disconnect", atNs: 12e6 }],
    ["delay:request=0x20,delay=1.5s,in", { kind: "delay", request: 0x20, delayNs: 1.5e9, direction: "in" }],
    ["truncate:ep=130", { kind: "truncate", endpoint: 130 }],
  ];
  for (const [text, rule] of rows) assert.deepEqual(parseUsbFaultRule(text), rule);
});

test("a rule that cannot be read says what is wrong and what there is", () => {
  const rows: [string, RegExp][] = [
    ["", /unknown fault ""/],
    ["unplug", /unknown fault "unplug" in "unplug"; a rule is KIND\[:KEY=VALUE/],
    ["drop:endpoint=1", /unknown condition "endpoint"/],
    ["drop:ep=", /"" is not a number from 0 to 255/],
    ["drop:ep=256", /"256" is not a number/],
    ["drop:nth=0", /"0" is not a number from 1/],
    ["drop:nth=1.5", /is not a number/],
    ["drop:probability=2", /probability must be 0 to 1/],
    ["drop:probability=", /probability must be 0 to 1/],
    ["disconnect:at=12", /no duration such as 12ms/],
    ["drop:at=12ms", /"at" goes with disconnect only/],
    ["delay:delay=-5ms", /no duration/],
  ];
  for (const [text, message] of rows)
    assert.throws(() => parseUsbFaultRule(text), { name: "RangeError", message });
});

/** Random transfers, cancels and an unplug against a plan; answers what was accepted and what came. */
function exercise(plan: UsbFaultPlan, seed: number) {
  const clock = new VirtualClock();
  const random = new Random(seed);
  const bus = new SimUsbBus({ clock, random: random.fork("bus"), timing: "bus" });
  const client = new RecordingClient();
  let port: UsbHostPort | null = null;
  bus.onAttach((plain) => {
    if (port !== null) return;
    port = withUsbFaults(plain, plan, { clock, random: random.fork("faults") });
    port.connect(client);
  });
  bus.plugIn(new LoopbackDevice(), 1);
  clock.runUntil(clock.nowNs() + 500e6);
  const host = port as unknown as UsbHostPort;
  const accepted = new Array<number>(20).fill(0);
  const guarded = <T>(call: () => T): T => {
    client.isInsideCall = true;
    try {
      return call();
    } finally {
      client.isInsideCall = false;
    }
  };
  const control = (slot: number, ...bytes: number[]) => {
    const submitted = guarded(() => host.control(slot, Uint8Array.from(bytes), new Uint8Array(64), 0));
    if (submitted === 0) accepted[slot]++;
  };
  control(0, 0x80, 6, 0, 2, 0, 0, 64, 0);
  clock.runUntil(clock.nowNs() + 50e6);
  control(0, 0, 9, 1, 0, 0, 0, 0, 0);
  clock.runUntil(clock.nowNs() + 50e6);
  for (let round = 0; round < 60; round++) {
    const slot = random.below(20);
    switch (random.below(5)) {
      case 0:
        control(slot, 0xc0, 1, 0, 0, 0, 0, 16, 0);
        break;
      case 1:
        guarded(() => host.cancel(slot));
        break;
      default: {
        const endpoint = [0x01, 0x81, 0x82][random.below(3)];
        const length = 1 + random.below(64);
        if (guarded(() => host.transfer(slot, endpoint, new Uint8Array(64), 0, length)) === 0)
          accepted[slot]++;
        break;
      }
    }
    if (random.chance(0.5)) clock.runUntil(clock.nowNs() + random.below(3e6));
  }
  for (let slot = 0; slot < 20; slot++) guarded(() => host.cancel(slot));
  clock.runUntil(clock.nowNs() + 1e9);
  bus.unplug(1);
  clock.runUntil(clock.nowNs() + 1e9);
  return { client, accepted };
}

test("2000 random plans: accepted means exactly one completion, never inside a call, and one detach at the end", () => {
  const statuses = new Set<number>();
  for (let seed = 0; seed < 2000; seed++) {
    const random = new Random(seed).fork("plan");
    const rules = Array.from({ length: random.below(4) }, (): UsbFaultRule => {
      const kind = usbFaultKinds[random.below(usbFaultKinds.length)];
      if (kind === "disconnect" && random.chance(0.5)) return { kind, atNs: random.below(800e6) };
      return {
        kind,
        probability: 0.1 + random.below(9) / 10,
        ...(random.chance(0.5) ? { endpoint: [0, 0x01, 0x81, 0x82][random.below(4)] } : {}),
      };
    });
    const { client, accepted } = exercise({ rules }, seed);
    const counts = accepted.map((_, slot) => client.of(slot).length);
    assert.deepEqual(counts, accepted, `seed ${seed}: ${JSON.stringify(rules)}`);
    assert.equal(client.calledInside, 0, `seed ${seed}`);
    assert.equal(client.detachments, 1, `seed ${seed}`);
    for (const { status } of client.completions) statuses.add(status);
  }
  const expected = [
    UsbStatus.ok,
    UsbStatus.stall,
    UsbStatus.cancelled,
    UsbStatus.gone,
    UsbStatus.protocolError,
  ];
  for (const status of expected) assert.ok(statuses.has(status), `no transfer ended with ${status}`);
});

test("the same plan and seed strike the same transfers", () => {
  const plan: UsbFaultPlan = {
    rules: [
      { kind: "stall", probability: 0.3 },
      { kind: "corrupt", probability: 0.3 },
    ],
  };
  assert.deepEqual(exercise(plan, 11).client.completions, exercise(plan, 11).client.completions);
  assert.notDeepEqual(exercise(plan, 11).client.completions, exercise(plan, 12).client.completions);
});
