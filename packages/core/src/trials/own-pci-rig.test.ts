// A PCI function and driver of somebody's own: they come up, leave, come again, and are explored with every way out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { SmallPciDevice } from "../devices/small-pci-device.ts";
import {
  IOPCIDevice,
  IOService,
  kIOPCIAccessLatencyTolerantHint,
  pciBundle,
} from "../families/pci/pci-driver-kit.ts";
import { ownPciRig } from "../rigs/own-rig.ts";
import type { ServiceClass } from "../runtime/service.ts";
import { explorableOf } from "./explorables.ts";
import { explore } from "./explore.ts";

const pciIds = { vendorId: 0x1d1d, deviceId: 0x0d11 };

class Scratch extends SmallPciDevice {
  #value = 7;
  readonly isEngineOn = false;
  constructor() {
    super(pciIds);
  }
  protected override readRegister(): number {
    return this.#value;
  }
  protected override writeRegister(_offset: number, value: number): void {
    this.#value = value;
  }
  protected override clear(): void {
    this.#value = 7;
  }
}

/** Reads its register when it starts: `options` as the call takes them. */
function scratchDriver(options: number): ServiceClass {
  return class ScratchDriver extends IOService {
    override async start(provider: IOService): Promise<void> {
      await super.start(provider);
      if (!(provider instanceof IOPCIDevice)) throw new Error("no PCI function");
      await provider.open(this);
      provider.configurationWrite16(4, 2);
      const value = await provider.memoryRead32(0, 0, options);
      this.setProperties({ Value: value });
      this.registerService();
    }
  };
}

test("a PCI function of somebody's own: it comes up, and a read that stops the machine is found (posts.md T5)", async () => {
  const rigWith = (options: number) =>
    ownPciRig({
      name: "scratch",
      summary: "a register",
      device: { name: "a register", make: () => new Scratch() },
      bundles: [pciBundle(scratchDriver(options), pciIds)],
    });
  const good = rigWith(kIOPCIAccessLatencyTolerantHint);
  const built = good.build({ seed: 1, turn: hostTurn });
  await built.machine.run(2e9);
  assert.deepEqual(built.failures(), []);
  assert.equal(built.machine.registry.byClass("ScratchDriver")[0]?.copyProperties().Value, 7);
  assert.deepEqual(
    [built.unplug(1), built.unplug(1), built.plug(1), built.plug(2)],
    [true, false, true, false],
  );
  assert.deepEqual((await explore({ entry: explorableOf(good), seed: 1, turn: hostTurn })).failures, []);
  const { failures } = await explore({ entry: explorableOf(rigWith(0)), seed: 1, turn: hostTurn });
  assert.match(failures[0]?.problems[0] ?? "", /^panic: LLC Bus error/);
});
