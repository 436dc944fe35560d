// The kernel's half of a host adapter's dext: what it demands of calls (F26), and bundled mode, on our RAID model.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { Random } from "../../base/random.ts";
import { megaRaidBundle } from "../../drivers/megaraid/megaraid-bundle.ts";
import { MegaRaidDriver } from "../../drivers/megaraid/megaraid-driver.ts";
import { defaultRaidRig, type RaidRig } from "../../rigs/raid-rig.ts";
import type { OSAction } from "../../runtime/action.ts";
import type { ServiceClass } from "../../runtime/service.ts";
import { type RandomWritesResult, startRandomWrites } from "../../trials/random-writes.ts";
import type {
  BundledBuffers,
  HbaConstraints,
  SCSIUserParallelResponse,
  SCSIUserParallelTask,
} from "./io-user-scsi-parallel-interface-controller.ts";

function rigWith(cls: ServiceClass): RaidRig {
  return defaultRaidRig(1, hostTurn, { bundles: [megaRaidBundle(cls, { className: "TestDriver" })] });
}

async function settled(cls: ServiceClass): Promise<RaidRig> {
  const rig = rigWith(cls);
  const { scheduler } = rig.machine;
  await scheduler.run(scheduler.nowNs() + 60e9, () => rig.media.length > 0);
  return rig;
}

test("constraints: without a required one the system panics, and the panic names it", async () => {
  class TestDriver extends MegaRaidDriver {
    override userReportHBAConstraints({ "HBA Data Alignment": _left, ...rest }: HbaConstraints): void {
      super.userReportHBAConstraints(rest);
    }
  }
  const { failure } = (await settled(TestDriver)).machine;
  assert.equal(failure?.kind, "panic");
  assert.match(failure.text, /required HBA constraints are missing: HBA Data Alignment$/);
});

const violations: readonly (readonly [rule: string, cls: ServiceClass])[] = [
  [
    "constraints-too-late",
    class TestDriver extends MegaRaidDriver {
      override async userStartController(): Promise<void> {
        this.userReportHBAConstraints({});
      }
    },
  ],
  [
    "create-target-on-default-queue",
    class TestDriver extends MegaRaidDriver {
      override async userStartController(): Promise<void> {
        await this.userCreateTargetForID(0);
      }
    },
  ],
  [
    "task-id-not-unique",
    class TestDriver extends MegaRaidDriver {
      override userMapHBAData(): number {
        return 7;
      }
    },
  ],
  [
    "task-id-not-unique",
    class TestDriver extends MegaRaidDriver {
      override userMapHBAData(): number {
        return 0;
      }
    },
  ],
];

for (const [index, [rule, cls]] of violations.entries()) {
  test(`F26, ${rule} (${index + 1}): the run stops with the rule's name`, async () => {
    const { failure } = (await settled(cls)).machine;
    assert.equal(failure?.kind, "violation");
    assert.equal(failure.rule, rule);
  });
}

test("no tasks: the driver does not load, and it is said why", async () => {
  class TestDriver extends MegaRaidDriver {
    override userReportMaximumTaskCount(): number {
      return 0;
    }
  }
  const rig = await settled(TestDriver);
  assert.equal(rig.media.length, 0);
  assert.match(rig.scsi.controllers[0]?.failure ?? "", /UserReportMaximumTaskCount answered 0/);
  assert.equal(rig.pci.iommu.mappings.size, 0);
});

test("a response of another version is dropped: the task hangs until it times out, and a repeated one finds no client", async () => {
  class TestDriver extends MegaRaidDriver {
    override parallelTaskCompletion(response: SCSIUserParallelResponse): void {
      response.version = 2;
      super.parallelTaskCompletion(response);
      response.version = 1;
    }
  }
  const hung = await settled(TestDriver);
  assert.equal(hung.media.length, 0);
  assert.ok(hung.machine.scheduler.nowNs() > 10e9, "nothing came before the first timeout");
  class TwiceDriver extends MegaRaidDriver {
    override parallelTaskCompletion(response: SCSIUserParallelResponse): void {
      super.parallelTaskCompletion(response);
      super.parallelTaskCompletion(response);
    }
  }
  const twice = await settled(TwiceDriver);
  assert.equal(twice.media.length, 1);
  assert.ok((twice.scsi.controllers[0]?.strays ?? 0) > 5);
  assert.equal(twice.machine.failure, null);
});

test("a task that is not taken ends as not delivered, and is never completed besides", async () => {
  class TestDriver extends MegaRaidDriver {
    override userProcessParallelTask(): number {
      return 1;
    }
  }
  const rig = await settled(TestDriver);
  assert.equal(rig.media.length, 0);
  assert.equal(rig.scsi.controllers[0]?.strays, 0);
  assert.equal(rig.machine.failure, null);
});

test("bundled mode: slots in, slots out in any order; a disk comes up and keeps what it is given", async () => {
  const bundles: number[] = [];
  class TestDriver extends MegaRaidDriver {
    #buffers: BundledBuffers = { requests: [], responses: [] };
    #ready: number[] = [];

    override userMapBundledParallelTaskCommandAndResponseBuffers(buffers: BundledBuffers): number {
      this.#buffers = buffers;
      return 0;
    }

    override userProcessBundledParallelTasks(indices: readonly number[], count: number): void {
      bundles.push(count);
      for (let at = 0; at < count; at++) {
        const request = this.#buffers.requests[indices[at]] as SCSIUserParallelTask;
        if (super.userProcessParallelTask(request, null as OSAction | null) !== 0)
          throw new Error("a slot was not taken");
      }
    }

    override parallelTaskCompletion(response: SCSIUserParallelResponse): void {
      const { fSenseBuffer, ...fields } = response;
      const slot = response.fControllerTaskIdentifier - 1;
      const held = this.#buffers.responses[slot];
      Object.assign(held, fields);
      held.fSenseBuffer.set(fSenseBuffer);
      this.#ready.push(slot);
      const indices = this.#ready.reverse();
      this.#ready = [];
      this.bundledParallelTaskCompletion(indices, indices.length);
    }
  }
  const rig = await settled(TestDriver);
  const [media] = rig.media;
  let result: RandomWritesResult | null = null;
  const ended = (found: RandomWritesResult): void => {
    result = found;
  };
  startRandomWrites(media, { random: new Random(6), totalBytes: 4 << 20 }, ended);
  await rig.machine.scheduler.run(Number.POSITIVE_INFINITY, () => result !== null);
  const { failures, wrongAt } = result as unknown as RandomWritesResult;
  assert.deepEqual({ failures, wrongAt }, { failures: {}, wrongAt: null });
  assert.ok(Math.max(...bundles) > 1, "several slots came in one bundle");
});
