// Campaigns on the serial rig: determinism, unplug at every step, faults by seed, a planted fault.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { FtdiDriver, ftdiBundle } from "../drivers/ftdi/ftdi-driver.ts";
import type { IOUSBHostInterface } from "../families/usb/io-usb-host-interface.ts";
import type { SerialDeviceKind } from "../rigs/serial-rig.ts";
import { usbPaths } from "../rigs/usb-paths.ts";
import { IODispatchQueue } from "../runtime/dispatch-queue.ts";
import { IOTimerDispatchSource, kIOTimerClockUptimeRaw } from "../runtime/dispatch-source.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import { IOError } from "../runtime/io-error.ts";
import { type IOBufferMemoryDescriptor, kIOMemoryDirectionIn } from "../runtime/memory.ts";
import type { IOService } from "../runtime/service.ts";
import { unplugAtEveryStep } from "./scenario.ts";
import { drawSerialFaults, runSerialScenario, type SerialScenario } from "./serial-campaign.ts";

const unplugged = (options: Omit<SerialScenario, "unplugAtStep">) =>
  unplugAtEveryStep((unplugAtStep) => runSerialScenario({ ...options, unplugAtStep }));

const devices: readonly SerialDeviceKind[] = ["ftdi", "cdc-acm"];

for (const device of devices) {
  test(`${device}: the same seed gives the same digest twice, another seed another`, async () => {
    const options = { seed: 11, turn: hostTurn, device };
    const first = await runSerialScenario(options);
    const second = await runSerialScenario(options);
    assert.equal(first.outcome, "echoed");
    assert.deepEqual(second, first);
    assert.notEqual((await runSerialScenario({ ...options, seed: 12 })).digest, first.digest);
  });

  test(`${device}: unplug at every step of the scenario ends clean each time (F01)`, async () => {
    const options = { seed: 1, turn: hostTurn, device };
    const campaign = await unplugged(options);
    assert.equal(campaign.explored, campaign.steps);
    assert.ok(campaign.steps > 80);
    assert.deepEqual(campaign.failures, []);
    assert.ok((campaign.outcomes["hung up"] ?? 0) > 20 && (campaign.outcomes["no port"] ?? 0) > 20);
    assert.deepEqual(await unplugged(options), campaign, "and the same on a second run");
  });

  test(`${device}: unplug at every step over USB/IP and xHCI ends in the same outcomes as on the bus (F01)`, async () => {
    const options = { seed: 1, turn: hostTurn, device };
    const onBus = await unplugged(options);
    for (const path of [usbPaths.usbip, usbPaths.xhci]) {
      const imported = await unplugged({ ...options, path });
      assert.ok(imported.steps > onBus.steps && imported.explored === imported.steps);
      assert.deepEqual(imported.failures, []);
      assert.deepEqual(Object.keys(imported.outcomes).sort(), Object.keys(onBus.outcomes).sort());
    }
  });

  test(`${device}: 300 seeds with faults: no hang, no crash, no broken contract`, async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const result = await runSerialScenario({
        seed,
        turn: hostTurn,
        device,
        faults: drawSerialFaults(seed),
      });
      assert.deepEqual(result.problems, [], `seed ${seed}`);
      outcomes.add(result.outcome);
    }
    assert.deepEqual([...outcomes].sort(), ["echoed", "hung up", "no port", "silent"]);
  });
}

/** Polls the chip on a queue of its own, and releases the poll's buffer at close without waiting for the poll. */
class PlantedDriver extends FtdiDriver {
  #poll: IOBufferMemoryDescriptor | null = null;
  #timer: IOTimerDispatchSource | null = null;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const usb = provider as IOUSBHostInterface;
    const queue = IODispatchQueue.create(this.process, "poll");
    this.setDispatchQueue("PollQueue", queue);
    const buffer = usb.createIOBuffer(kIOMemoryDirectionIn, 2);
    this.#poll = buffer;
    const timer = IOTimerDispatchSource.create(queue);
    this.#timer = timer;
    const again = () => timer.wakeAtTime(kIOTimerClockUptimeRaw, this.nowNs + 330_000);
    timer.setHandler(
      this.createAction("pollNow", async () => {
        try {
          await usb.deviceRequest(0xc0, 5, 0, 0, 2, buffer, 100);
        } catch (error) {
          if (!(error instanceof IOError)) throw error;
        }
        // IODelay(20), as drivers do between a status read and the next step: long enough for a close to come in between.
        await this.kernel.scheduler.sleep(20_000);
        buffer.bytes.fill(0);
        again();
      }),
    );
    timer.setEnable(true);
    again();
  }

  override async hwDeactivate(): Promise<void> {
    this.#timer?.cancel(() => {});
    this.#poll?.release();
    await super.hwDeactivate();
  }

  static override readonly queueNames = { pollNow: "PollQueue" };
}

const plantedBundle: DriverBundle = { ...ftdiBundle, classes: { FtdiDriver: PlantedDriver } };

test("a planted lifetime fault is found by a seed, and its number replays it", async () => {
  let found: { seed: number; digest: string; problem: string } | null = null;
  for (let seed = 0; seed < 2000 && found === null; seed++) {
    const result = await runSerialScenario({
      seed,
      turn: hostTurn,
      device: "ftdi",
      bundles: [plantedBundle],
    });
    if (result.problems.length > 0) found = { seed, digest: result.digest, problem: result.problems[0] };
  }
  assert.ok(found !== null, "2000 seeds did not find it");
  assert.match(found.problem, /memory-use-after-release/);
  const again = await runSerialScenario({
    seed: found.seed,
    turn: hostTurn,
    device: "ftdi",
    bundles: [plantedBundle],
  });
  assert.equal(again.digest, found.digest);
  assert.equal(again.problems[0], found.problem);
});
