// Every rig of the catalogue: it comes up with what its row says, leaves and comes again, and keeps its digest.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { Random } from "../base/random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { TimelineKind } from "../ports/recorder.ts";
import { type BuiltRig, findRig, type RigEntry, rigCatalogue, rigEntry } from "./catalogue.ts";
import { liveInterfaces } from "./rig-entry.ts";

/** How long any rig needs to come up, and to notice that its cable is out: virtual nanoseconds. */
const settleNs = 30e9;

async function settle(rig: BuiltRig): Promise<void> {
  const { scheduler } = rig.machine;
  await scheduler.run(scheduler.nowNs() + settleNs);
}

/** What programs can open now. */
function outletsOf(rig: BuiltRig): string[] {
  const ports = rig.ports.filter((port) => !port.isGone);
  return [
    ...(ports.length > 0 ? ["terminal"] : []),
    ...(rig.media.length > 0 ? ["block"] : []),
    ...(rig.inputCount > 0 ? ["input"] : []),
    ...((rig.sound?.devices.length ?? 0) > 0 ? ["audio"] : []),
    ...(liveInterfaces(rig).length > 0 ? ["network"] : []),
  ];
}

const build = (entry: RigEntry, seed = 1): BuiltRig => entry.build({ seed, turn: hostTurn });

test("names are unique, and findRig finds them", () => {
  const names = rigCatalogue.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const entry of rigCatalogue) assert.equal(findRig(entry.name), entry);
  assert.equal(findRig("no-such-rig"), null);
});

for (const entry of rigCatalogue) {
  test(`${entry.name}: what its row says comes up, leaves with its cable, comes again`, async () => {
    const rig = build(entry);
    await settle(rig);
    assert.deepEqual(rig.failures(), []);
    assert.deepEqual(outletsOf(rig), entry.outlets);
    assert.deepEqual(
      [...(rig.usb === null ? [] : ["usb"]), ...(rig.pci === null ? [] : ["pci"])],
      entry.berths,
    );
    const started = rig.machine.matchReports
      .filter(({ outcome }) => outcome === "started")
      .map(({ candidate }) => candidate.installed.bundle.identifier);
    assert.deepEqual([...new Set(started)].sort(), [...entry.drivers].sort());
    assert.ok(rig.timeline.kept(TimelineKind.event) > 0);
    for (let connector = 1; connector <= entry.devices.length; connector++) {
      assert.equal(rig.plug(connector), false, "a device is plugged in once");
      assert.equal(rig.unplug(connector), true);
      assert.equal(rig.unplug(connector), false);
    }
    await settle(rig);
    assert.equal(rig.media.length, 0);
    assert.equal(rig.sound?.devices.length ?? 0, 0);
    assert.ok(rig.ports.every((port) => port.isGone));
    assert.deepEqual(liveInterfaces(rig), []);
    assert.equal(rig.plug(entry.devices.length + 1), false, "there is no such device");
    for (let connector = 1; connector <= entry.devices.length; connector++)
      assert.equal(rig.plug(connector), true);
    await settle(rig);
    assert.deepEqual(outletsOf(rig), entry.outlets);
    assert.equal(rig.machine.failure, null);
  });

  test(`${entry.name}: the same seed gives the same digest, another seed another`, async () => {
    const digest = async (seed: number) => {
      const rig = build(entry, seed);
      await settle(rig);
      return rig.digest();
    };
    const first = await digest(3);
    assert.equal(await digest(3), first);
    assert.notEqual(await digest(4), first);
  });
}

test("USB entries make fresh models for a bus that nobody here drives, as many as their row says", () => {
  const clock = new VirtualClock();
  for (const entry of rigCatalogue) {
    const place = { clock, random: new Random(1), pacing: "real" } as const;
    const made = entry.usbDevices(place);
    // With two berths some of the devices are PCI functions.
    if (entry.berths.length > 1) assert.ok(made.length > 0 && made.length < entry.devices.length, entry.name);
    else assert.equal(made.length, entry.berths.includes("usb") ? entry.devices.length : 0, entry.name);
    assert.ok(entry.usbDevices(place).every((device, index) => device !== made[index]));
  }
});

test("a rig of somebody's own is checked: its name, its berths, its devices", () => {
  const [sample] = rigCatalogue;
  assert.equal(rigEntry({ ...sample, name: "my-rig" }).name, "my-rig");
  assert.throws(() => rigEntry({ ...sample, name: "My Rig" }), /is no name for a rig/);
  assert.throws(() => rigEntry({ ...sample, berths: [] }), /has no berth/);
  assert.throws(() => rigEntry({ ...sample, devices: [] }), /has no device/);
});
