// Our xHCI transport on controllers that lie: each wrong word at each event, and registers of noise.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../base/random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { LoopbackDevice } from "../devices/loopback/loopback-device.ts";
import type { XhciDeviceOptions } from "../devices/xhci/xhci-device.ts";
import { type XhciMischief, xhciMischiefKinds } from "../devices/xhci/xhci-mischief.ts";
import type { PciHostClient, PciHostPort } from "../ports/pci-host.ts";
import { RecordingClient } from "../ports/usb-host.contract.ts";
import { type UsbHostPort, UsbSubmit } from "../ports/usb-host.ts";
import { SimUsbBus } from "../transports/sim/usb-bus.ts";
import { SimXhci } from "./over-xhci.ts";

/** Steps of the clock that a run may take: far above what the longest good one does. */
const stepsMaximum = 200_000;

interface Outcome {
  readonly failure: string | null;
  readonly problems: readonly string[];
  readonly attachments: number;
  readonly accepted: number;
  readonly completed: number;
  readonly echoed: boolean;
  readonly mappings: number;
  readonly events: number;
  readonly complaints: number;
}

/** Brings a loopback device up, moves data, cancels, unplugs, closes; everything that was accepted must have ended once. */
function run(
  device: Omit<XhciDeviceOptions, "clock" | "random">,
  wrap?: (port: PciHostPort) => PciHostPort,
  speed: typeof UsbSpeed.full | typeof UsbSpeed.super = UsbSpeed.full,
): Outcome {
  const clock = new VirtualClock();
  const random = new Random(18);
  const bus = new SimUsbBus({ clock, random: random.fork("bus") });
  const ports: UsbHostPort[] = [];
  const clients: RecordingClient[] = [];
  let accepted = 0;
  let steps = 0;
  const settle = (): void => {
    while (clock.step()) assert.ok(++steps < stepsMaximum, "it would never end");
  };
  const xhci = new SimXhci({
    clock,
    random,
    device,
    ...(wrap === undefined ? {} : { wrap }),
    onAttach: (port) => {
      const client = new RecordingClient();
      ports.push(port);
      clients.push(client);
      port.connect(client);
    },
  });
  bus.onAttach((port) => xhci.attach(port));
  bus.plugIn(new LoopbackDevice(undefined, speed), 1);
  settle();
  const back = new Uint8Array(64);
  for (const port of [...ports]) {
    const count = (submit: UsbSubmit): void => {
      if (submit === UsbSubmit.accepted) accepted++;
    };
    const stream = speed === UsbSpeed.super ? 3 : 0;
    count(port.control(0, Uint8Array.of(0x80, 6, 0, 2, 0, 0, 255, 0), new Uint8Array(255), 0));
    count(port.control(1, Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0), null, 0));
    settle();
    for (let round = 0; round < 3; round++) {
      count(port.transfer(2, 0x01, Uint8Array.of(1, 2, 3), 0, 3, stream));
      count(port.transfer(3, 0x81, back, 0, 64, stream));
      settle();
    }
    count(port.transfer(4, 0x82, new Uint8Array(8), 0, 8));
    settle();
    for (let slot = 0; slot < 8; slot++) port.cancel(slot);
    settle();
  }
  bus.unplug(1);
  settle();
  xhci.host?.close();
  settle();
  const completed = clients.reduce((sum, client) => sum + client.completions.length, 0);
  for (const client of clients) assert.equal(client.detachments, 1, "every port that was given ends once");
  return {
    failure: xhci.host?.failure ?? null,
    problems: xhci.problems,
    attachments: ports.length,
    accepted,
    completed,
    echoed: back[2] === 3,
    mappings: xhci.iommu.mappings.size,
    events: xhci.host?.counters.events ?? 0,
    complaints: xhci.host?.counters.complaints ?? 0,
  };
}

function assertWhole(outcome: Outcome, what: string): void {
  assert.equal(outcome.completed, outcome.accepted, `${what}: accepted means one completion`);
  assert.equal(outcome.mappings, 0, `${what}: nothing stays mapped`);
}

test("a good controller: data go round at full and at SuperSpeed, nothing is complained of, nothing stays mapped", () => {
  for (const speed of [UsbSpeed.full, UsbSpeed.super] as const)
    for (const contextBytes of [32, 64] as const) {
      const outcome = run({ contextBytes, scratchpads: 33 }, undefined, speed);
      assertWhole(outcome, `speed ${speed}, contexts of ${contextBytes}`);
      assert.ok(outcome.echoed && outcome.attachments === 1);
      assert.deepEqual([outcome.failure, outcome.problems], [null, []]);
    }
});

for (const kind of xhciMischiefKinds)
  test(`${kind}, at each event of a run: bounded, named where it can be seen, everything ends once`, () => {
    const { events } = run({});
    assert.ok(events > 15);
    let named = 0;
    for (let atEvent = 1; atEvent <= events; atEvent++) {
      const outcome = run({ mischief: [{ kind, atEvent }] });
      assertWhole(outcome, `${kind} at ${atEvent}`);
      if (outcome.failure !== null || outcome.problems.length > 0) named++;
    }
    // A second word about what is over may be said (xHCI 1.2 §4.10.1.1), and an interrupt that is lost shows when the next comes.
    if (kind !== "twice" && kind !== "lost-interrupt" && kind !== "wrong-pointer")
      assert.ok(named > 0, "somebody is told");
  });

test("a controller that goes on lying is told of each time, and given up when it answers no command any more", () => {
  for (const kind of ["unknown-type", "wrong-slot", "stray-pointer", "wrong-port", "noise"] as const) {
    const mischief: XhciMischief[] = [{ kind, atEvent: 3, count: 100_000 }];
    const outcome = run({ mischief });
    assertWhole(outcome, kind);
    const told = /had no answer for 5 s|says what cannot be: /;
    assert.match(outcome.failure ?? outcome.problems.join("; "), told, kind);
  }
});

test("32 things that cannot be are enough: the controller is given up, with the last of them in the reason", () => {
  // Port changes come as often as the port below is reset: here its device comes and goes.
  const clock = new VirtualClock();
  const random = new Random(3);
  const bus = new SimUsbBus({ clock, random, timing: "none" });
  const xhci = new SimXhci({
    clock,
    random,
    timing: "none",
    device: { mischief: [{ kind: "wrong-port", atEvent: 1, count: 1_000_000 }] },
    onAttach: () => {},
  });
  bus.onAttach((port) => xhci.attach(port));
  clock.runUntil();
  for (let round = 0; round < 40; round++) {
    bus.plugIn(new LoopbackDevice(), 1);
    clock.runUntil();
    bus.unplug(1);
    clock.runUntil();
  }
  assert.match(
    xhci.host?.failure ?? "",
    /^32 times it said what cannot be, last: a change of port 249, which is none/,
  );
  assert.equal(xhci.iommu.mappings.size, 0);
});

/** Registers that answer what `lie` makes of them. */
class LyingPort implements PciHostPort {
  readonly address: PciHostPort["address"];
  readonly ranges: PciHostPort["ranges"];
  readonly dma: PciHostPort["dma"];
  readonly slotCount: number;
  readonly #port: PciHostPort;
  readonly #lie: (offset: number, value: number) => number;
  readonly #offsets: number[] = [];

  constructor(port: PciHostPort, lie: (offset: number, value: number) => number) {
    this.#port = port;
    this.#lie = lie;
    this.address = port.address;
    this.ranges = port.ranges;
    this.dma = port.dma;
    this.slotCount = port.slotCount;
  }

  connect(client: PciHostClient): void {
    this.#port.connect({
      readCompleted: (slot, status, low, high) => {
        const offset = this.#offsets[slot];
        client.readCompleted(slot, status, offset < 0 ? low : this.#lie(offset, low) >>> 0, high);
      },
      message: (vector) => client.message(vector),
      line: (isRaised) => client.line(isRaised),
      detached: () => client.detached(),
    });
  }

  configRead(slot: number, offset: number, sizeBytes: number) {
    this.#offsets[slot] = -1;
    return this.#port.configRead(slot, offset, sizeBytes);
  }

  configWrite(offset: number, sizeBytes: number, value: number): void {
    this.#port.configWrite(offset, sizeBytes, value);
  }

  memoryRead(slot: number, range: number, offset: number, sizeBytes: number) {
    this.#offsets[slot] = offset;
    return this.#port.memoryRead(slot, range, offset, sizeBytes);
  }

  memoryWrite(range: number, offset: number, sizeBytes: number, low: number, high: number): void {
    this.#port.memoryWrite(range, offset, sizeBytes, low, high);
  }

  messages(count: number) {
    return this.#port.messages(count);
  }

  reset(): void {
    this.#port.reset();
  }
}

test("capability registers that cannot be: refused with the register's offset", () => {
  const lies: readonly (readonly [string, number, number, RegExp])[] = [
    ["all ones", 0x00, 0xffff_ffff, /all ones: nobody answers \(at byte 0\)/],
    ["CAPLENGTH of 4", 0x00, 0x0100_0004, /CAPLENGTH is 4/],
    ["no slots", 0x04, 0x0800_0100, /no device slots/],
    ["no ports", 0x04, 0x0000_0120, /no ports/],
    ["255 ports", 0x04, 0xff00_0120, /./],
    ["doorbells past the BAR", 0x14, 0x3ff0, /doorbells up to 0x4074 in a BAR of 0x4000/],
    ["runtime registers past the BAR", 0x18, 0x8000_0000, /runtime registers/],
    ["an extended list that never ends", 0x20, 0x0000_0002, /./],
    ["pages of 8 KiB only", 0x48, 2, /without 4 KiB/],
    ["never halted", 0x44, 0, /does not halt/],
    ["never ready", 0x44, 0x801, /does not become ready/],
  ];
  for (const [what, at, value, words] of lies) {
    const outcome = run(
      {},
      (port) => new LyingPort(port, (offset, found) => (offset === at ? value : found)),
    );
    assertWhole(outcome, what);
    if (words.source !== ".") assert.match(outcome.failure ?? "", words, what);
  }
});

test("registers of noise, 200 seeds: an end each time, and nothing stays mapped", () => {
  let failures = 0;
  for (let seed = 0; seed < 200; seed++) {
    const noise = new Random(seed);
    // The lie begins after so many reads: enumeration, rings, ports.
    let reads = noise.below(40);
    const outcome = run(
      {},
      (port) => new LyingPort(port, (_offset, value) => (reads-- > 0 ? value : noise.next32())),
    );
    assertWhole(outcome, `seed ${seed}`);
    if (outcome.failure !== null) failures++;
  }
  assert.ok(failures > 50, String(failures));
});
