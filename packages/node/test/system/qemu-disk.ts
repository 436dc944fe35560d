// What tests of our drivers on QEMU's controllers share: images, bounded waits, random writes on a step of the machine.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { Random } from "@drydock/core/base/random";
import type { IOMedia } from "@drydock/core/families/block/io-media";
import type { QtestMachine } from "@drydock/core/transports/qtest/qtest-machine";
import {
  type RandomWritesOptions,
  type RandomWritesResult,
  startRandomWrites,
} from "@drydock/core/trials/random-writes";
import type { StepTaker } from "../../src/host/ordered-steps.ts";
import { findQtestQemu } from "../../src/transports/qemu-qtest.ts";

const found = findQtestQemu();
/** What is missing to run them; false: nothing. */
export const qemuSkip = "missing" in found ? found.missing : false;
/** DRYDOCK_QEMU_MIB: 1024 for the endurance run. */
export const mebibytes = Number(process.env.DRYDOCK_QEMU_MIB ?? 64);

/** A folder for a test file's images; it goes with the last test. */
export class QemuImages {
  readonly folder = mkdtempSync(join(tmpdir(), "drydock-qemu-"));
  count = 0;

  constructor() {
    after(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  image(megabytes: number): string {
    const path = join(this.folder, `disk${++this.count}.img`);
    writeFileSync(path, "");
    truncateSync(path, megabytes * 2 ** 20);
    return path;
  }
}

/** How long a look is apart from the next: sockets and timers are served meanwhile, and QEMU has the processor. */
const pollMs = 1;

/** Bounded, in real time: a disk that hangs fails the test with what is missing. */
export async function until(isDone: () => boolean, what: string, milliseconds = 30_000): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!isDone()) {
    assert.ok(performance.now() < deadline, `${what} did not happen within ${milliseconds / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

export async function randomWrites(
  on: { readonly runner: StepTaker },
  media: IOMedia,
  options: Omit<RandomWritesOptions, "random">,
  during: () => Promise<void> = async () => {},
): Promise<RandomWritesResult> {
  let result: RandomWritesResult | null = null;
  on.runner.ready(() => {
    startRandomWrites(media, { random: new Random(64), ...options }, (ended) => {
      result = ended;
    });
  }, undefined);
  await during();
  const patienceMs = 90_000 * Math.ceil(options.totalBytes / (256 << 20));
  await until(() => result !== null, "the end of the writes", patienceMs);
  return result as unknown as RandomWritesResult;
}

/** Random writes over all of the run's mebibytes, read back: no failure, no byte wrong, no complaint of driver or IOMMU. */
export async function verifiedWrites(
  on: {
    readonly runner: StepTaker;
    readonly rig: { readonly driver: DriverWithCounters | null };
    readonly qemu: { readonly machine: Pick<QtestMachine, "vtd"> };
  },
  media: IOMedia,
): Promise<void> {
  const totalBytes = mebibytes * 2 ** 20;
  const result = await randomWrites(on, media, { totalBytes });
  assert.deepEqual(result.failures, {});
  assert.ok(result.bytesWritten >= totalBytes && result.reads >= 1024);
  assert.equal(result.wrongAt, null);
  assert.equal(on.rig.driver?.counters.protocolErrors, 0);
  assert.equal(on.rig.driver?.counters.resets, 0);
  const { vtd } = on.qemu.machine;
  if (vtd !== null) assert.deepEqual(await vtd.readFaults(), []);
}

interface DriverWithCounters {
  readonly counters: { readonly protocolErrors: number; readonly resets: number };
}
