// The mass storage drivers in trouble: unplug at every step, faults by seed, the recoveries that the standards demand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import type { UsbStatus, UsbSubmit } from "../../ports/usb-host.ts";
import { UsbHostFilter } from "../../ports/usb-host-filter.ts";
import { defaultStorageRig } from "../../rigs/storage-rig.ts";
import { unplugAtEveryStep } from "../../trials/scenario.ts";
import {
  drawStorageFaults,
  runStorageScenario,
  type StorageScenario,
} from "../../trials/storage-campaign.ts";
import { BulkOnlyDriver } from "./bulk-only-driver.ts";

const variants: readonly (Pick<StorageScenario, "device" | "policy"> & { readonly name: string })[] = [
  { name: "Bulk-Only" },
  { name: "UAS without streams", policy: "uas" },
  { name: "UAS with streams", device: { speed: UsbSpeed.super } },
];

for (const { name, ...options } of variants) {
  test(`${name}: undisturbed, the data is verified and the same seed gives the same digest`, async () => {
    const first = await runStorageScenario({ ...options, seed: 5, turn: hostTurn });
    const second = await runStorageScenario({ ...options, seed: 5, turn: hostTurn });
    assert.deepEqual(first.problems, []);
    assert.equal(first.outcome, "verified");
    assert.equal(first.digest, second.digest);
  });

  test(`${name}: the cable pulled at every step (F01): no hang, no lost completion, nothing left behind`, async () => {
    const { explored, failures, outcomes, steps } = await unplugAtEveryStep((unplugAtStep) =>
      runStorageScenario({ ...options, seed: 1, turn: hostTurn, unplugAtStep }),
    );
    assert.deepEqual(failures, []);
    assert.equal(explored, steps);
    assert.ok((outcomes.gone ?? 0) > 0 && (outcomes["no disk"] ?? 0) > 0, JSON.stringify(outcomes));
  });

  test(`${name}: 150 seeds with faults: no hang, no broken rule, no wrong data passed as good`, async () => {
    const outcomes = new Map<string, number>();
    for (let seed = 1; seed <= 150; seed++) {
      const run = await runStorageScenario({
        ...options,
        seed,
        turn: hostTurn,
        faults: drawStorageFaults(seed),
      });
      assert.deepEqual(run.problems, [], `seed ${seed}: ${JSON.stringify(drawStorageFaults(seed))}`);
      outcomes.set(run.outcome, (outcomes.get(run.outcome) ?? 0) + 1);
    }
    assert.ok((outcomes.get("verified") ?? 0) > 50, JSON.stringify([...outcomes]));
  });
}

test("Bulk-Only: a stalled status is cleared and read again; a lost one leads to reset recovery and a retry", async () => {
  for (const kind of ["stall", "protocolError"] as const) {
    // Endpoint 81h: data and status INs; some of them strike a status.
    const rig = defaultStorageRig(2, hostTurn, {
      faults: { rules: [{ kind, endpoint: 0x81, nth: 2 }] },
    });
    const media = await rig.openMedia();
    assert.equal(media.isGone, false);
    const driver = rig.machine.registry.find((entry) => entry instanceof BulkOnlyDriver) as BulkOnlyDriver;
    const { stallsCleared, resetRecoveries } = driver.recoveries;
    if (kind === "stall") assert.ok(stallsCleared >= 1);
    else assert.ok(resetRecoveries >= 1);
  }
});

/** A device whose status pipe is said to be the one that data goes out by, as a wrong descriptor has it. */
class SwappedPipes extends UsbHostFilter {
  #configuration: Uint8Array | null = null;

  override control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    const isConfiguration = setup[0] === 0x80 && setup[1] === 6 && setup[3] === 2;
    this.#configuration = isConfiguration ? buffer : null;
    return super.control(slot, setup, buffer, offset);
  }

  override completed(slot: number, status: UsbStatus, actualBytes: number): void {
    const bytes = this.#configuration;
    this.#configuration = null;
    for (let at = 0; bytes !== null && at + 3 < actualBytes && bytes[at] > 0; at += bytes[at])
      if (bytes[at + 1] === 0x24 && (bytes[at + 2] === 2 || bytes[at + 2] === 4))
        bytes[at + 2] = 6 - bytes[at + 2];
    super.completed(slot, status, actualBytes);
  }
}

test("UAS: a pipe that runs the other way than its usage is refused with that reason (UAS-3 §5.3.3)", async () => {
  const rig = defaultStorageRig(1, hostTurn, {
    policy: "uas",
    timing: "none",
    middleware: (port) => new SwappedPipes(port),
  });
  const refusal = () =>
    rig.machine.matchReports.find(({ outcome }) =>
      /pipe usage 2 is on endpoint 0x0[24], which runs the other way/.test(outcome),
    );
  await rig.machine.scheduler.run(5e9, () => refusal() !== undefined);
  assert.ok(refusal() !== undefined);
  // Bulk-Only is asked next, finds its own setting, and has the disk: nothing is matched again and again.
  await rig.machine.scheduler.run(60e9, () => rig.media.length > 0);
  assert.equal(rig.media.length, 1);
  const reports = rig.machine.matchReports.length;
  await rig.machine.scheduler.run(120e9, () => false);
  assert.equal(rig.machine.matchReports.length, reports);
  assert.equal(rig.machine.failure, null);
});

/** Every command block on the first OUT pipe is stalled: Bulk-Only's port resets do not help. */
class DeafDevice extends SwappedPipes {
  override transfer(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream?: number,
  ): UsbSubmit {
    // A command of another signature is no CBW (Bulk-Only §6.2), which the device answers by stalling both pipes.
    if ((endpoint & 0x80) === 0 && length === 31) buffer[offset] ^= 0xff;
    return super.transfer(slot, endpoint, buffer, offset, length, stream);
  }
}

test("a device that neither UAS nor Bulk-Only can use is left alone after three resets, however many drivers ask", async () => {
  const rig = defaultStorageRig(1, hostTurn, {
    policy: "uas",
    timing: "none",
    middleware: (port) => new DeafDevice(port),
  });
  await rig.machine.scheduler.run(300e9, () => false);
  const tries = rig.machine.matchReports.filter(({ outcome }) =>
    /which runs the other way/.test(outcome),
  ).length;
  assert.ok(tries >= 1 && tries <= 8, `UAS was tried ${tries} times in 300 virtual seconds`);
  assert.equal(rig.media.length, 0);
  assert.equal(rig.machine.failure, null);
});
