// Two registries beside each other: ten planted differences are named, each once, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RegistrySnapshot } from "./evidence/registry-dump.ts";
import { compareRegistries } from "./registry-comparison.ts";

type Parts = Partial<Omit<RegistrySnapshot, "children">> & {
  readonly children?: readonly RegistrySnapshot[];
};

let ids = 100;
const entry = (name: string, parts: Parts = {}): RegistrySnapshot => ({
  name,
  location: "",
  className: "IOService",
  id: ids++,
  registered: true,
  matched: true,
  active: true,
  busy: 0,
  busyMs: 3,
  retain: 7,
  properties: {},
  children: [],
  ...parts,
});

/** `planted`: with the ten differences. */
function tree(planted: boolean, bootOffset = 0): RegistrySnapshot {
  ids = 100 + bootOffset;
  const hub = (name: string, children: readonly RegistrySnapshot[]): RegistrySnapshot =>
    entry(name, { className: "AppleUSB20Hub", children });
  const stick = entry("Stick", { location: planted ? "00200000" : "00100000", className: "IOUSBHostDevice" });
  const camera = entry("Camera", { className: "IOUSBHostDevice" });
  const meter = entry(planted ? "Meter II" : "Meter", { className: "IOUSBHostDevice" });
  const serial = entry("Serial", {
    className: planted ? "IOUserSerial" : "AppleUSBFTDI",
    properties: {
      speed: planted ? 9600 : 115200,
      raw: Uint8Array.of(1, planted ? 2 : 3),
      ...(planted ? { added: true } : { removed: [1, 2] }),
    },
    matched: !planted,
  });
  const disk = entry("Disk", { busy: planted ? 1 : 0, retain: planted ? 9 : 7, busyMs: planted ? 5 : 6 });
  const unchanged = entry("Keyboard", { properties: { usage: { page: 1, ids: [6, 7] } } });
  const newcomer = entry("Printer", { id: 9999, className: "IOUSBHostDevice" });
  return entry("Root", {
    children: [
      hub("Left hub", planted ? [stick, meter, serial] : [stick, camera, meter, serial]),
      hub("Right hub", planted ? [disk, newcomer, unchanged] : [disk, unchanged]),
    ],
  });
}

test("ten planted differences between two dumps of one boot: each is named, and nothing else", () => {
  const { appeared, changed, left, same } = compareRegistries(tree(false), tree(true));
  assert.deepEqual(
    appeared.map(({ path }) => path),
    ["/Root/Right hub/Printer"],
  );
  assert.deepEqual(
    left.map(({ path }) => path),
    ["/Root/Left hub/Camera"],
  );
  const named = changed.flatMap(({ entry: { name }, changes }) =>
    changes.map(({ what, before, after }) => `${name} ${what} ${String(before)} > ${String(after)}`),
  );
  assert.deepEqual(named.sort(), [
    "Disk busy 0 > 1",
    "Meter II name Meter > Meter II",
    'Serial "added" null > true',
    'Serial "raw" 1,3 > 1,2',
    'Serial "removed" 1,2 > null',
    'Serial "speed" 115200 > 9600',
    "Serial class AppleUSBFTDI > IOUserSerial",
    "Serial matched true > false",
    "Stick location 00100000 > 00200000",
  ]);
  assert.equal(same, 4, "root, both hubs, the keyboard");
});

test("ids, reference counts and times are no differences: another boot of the same machine is the same", () => {
  const { appeared, changed, left, same } = compareRegistries(tree(false), tree(false, 5000));
  assert.deepEqual([appeared, changed, left, same], [[], [], [], 9]);
});

test("what stands on an entry that was renamed has not moved; what hangs elsewhere has", () => {
  const child = (id: number) => entry("Child", { id });
  const before = entry("Root", {
    id: 1,
    children: [entry("A", { id: 2, children: [child(3)] }), entry("B", { id: 4 })],
  });
  const renamed = entry("Root", {
    id: 1,
    children: [entry("A2", { id: 2, children: [child(3)] }), entry("B", { id: 4 })],
  });
  const moved = entry("Root", {
    id: 1,
    children: [entry("A", { id: 2 }), entry("B", { id: 4, children: [child(3)] })],
  });
  const whats = (after: RegistrySnapshot) =>
    compareRegistries(before, after).changed.flatMap(({ entry: { name }, changes }) =>
      changes.map(({ what }) => `${name} ${what}`),
    );
  assert.deepEqual(whats(renamed), ["A2 name"]);
  assert.deepEqual(whats(moved), ["Child place"]);
});
