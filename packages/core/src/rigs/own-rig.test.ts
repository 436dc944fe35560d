// A rig of somebody's own as an entry: it comes up, is explored with its use, and a slip is found where it stands.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { SmallUsbDevice } from "../devices/small-usb-device.ts";
import {
  IOService,
  type IOUSBHostInterface,
  kIOMemoryDirectionIn,
  usbBundle,
} from "../families/usb/usb-driver-kit.ts";
import type { ServiceClass } from "../runtime/service.ts";
import { isRigEntry, type RigEntry, rigEntry } from "./catalogue.ts";
import { ownUsbRig } from "./own-rig.ts";

const ids = { idVendor: 0x1209, idProduct: 0x0d02 };

class Counter extends SmallUsbDevice {
  #count = 0;
  constructor() {
    super({ ...ids, product: "Counter" });
  }
  protected override answerRequest(): Uint8Array {
    this.#count++;
    return Uint8Array.of(this.#count);
  }
}

class CounterDriver extends IOService {
  usb: IOUSBHostInterface | null = null;
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.usb = provider as IOUSBHostInterface;
    await this.usb.open(this);
    this.registerService();
  }
  async count(): Promise<number> {
    const answer = (this.usb as IOUSBHostInterface).createIOBuffer(kIOMemoryDirectionIn, 1);
    await (this.usb as IOUSBHostInterface).deviceRequest(0xc0, 1, 0, 0, 1, answer, 1000);
    return answer.bytes[0];
  }
}

const rigOf = (driver: ServiceClass): RigEntry =>
  ownUsbRig({
    name: "counter",
    summary: "a counter",
    devices: [{ name: "a counter", make: () => new Counter() }],
    bundles: [usbBundle(driver, ids)],
    use: async (rig) => {
      const [found] = rig.machine.registry.byClass(driver.name) as CounterDriver[];
      const count = await rig.machine.perform(() => found.count(), found.process);
      return `counted ${count}`;
    },
  });

test("it comes up, leaves and comes again with one digest a seed", async () => {
  const entry = rigOf(CounterDriver);
  const digests: string[] = [];
  for (const seed of [1, 1, 2]) {
    const rig = entry.build({ seed, turn: hostTurn });
    await rig.machine.run(2e9);
    assert.equal(rig.machine.registry.byClass("CounterDriver").length, 1);
    assert.equal(await entry.use?.(rig), "counted 1");
    assert.ok(rig.unplug(1) && !rig.unplug(1));
    await rig.machine.run(4e9);
    assert.equal(rig.machine.registry.byClass("CounterDriver").length, 0);
    assert.ok(rig.plug(1) && !rig.plug(1) && !rig.plug(2));
    await rig.machine.run(6e9);
    assert.equal(rig.machine.registry.byClass("CounterDriver").length, 1);
    assert.deepEqual(rig.failures(), []);
    digests.push(rig.digest());
  }
  assert.equal(digests[0], digests[1]);
  assert.notEqual(digests[0], digests[2]);
});

test("a plan that no command could take is refused with what is wrong", () => {
  const plan = { name: "Counter!", summary: "x", devices: [], bundles: [] };
  assert.throws(() => ownUsbRig(plan), /"Counter!" is no name for a rig/);
  assert.throws(() => ownUsbRig({ ...plan, name: "counter" }), /the rig counter has no device/);
});

test("an entry of another copy of the package is told from one of this", () => {
  assert.ok(isRigEntry(rigOf(CounterDriver)));
  assert.ok(!isRigEntry({ ...rigOf(CounterDriver) }));
  assert.ok(isRigEntry(rigEntry({ ...rigOf(CounterDriver) })));
});
