// The network family: who owns a packet, what queues refuse, what a driver registers wrongly.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { ContractViolation } from "../../base/errors.ts";
import { IOReturns } from "../../base/io-return.ts";
import { platformProfile } from "../../platform/platform-profile.ts";
import { IODispatchQueue } from "../../runtime/dispatch-queue.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import { Machine } from "../../runtime/machine.ts";
import type { IOService, ServiceClass } from "../../runtime/service.ts";
import { IOEthernetInterface, installNetworkFamily } from "./io-ethernet-interface.ts";
import { IOUserNetworkEthernet } from "./io-user-network-ethernet.ts";
import { IOUserNetworkPacketBufferPool } from "./io-user-network-packet.ts";
import {
  IOUserNetworkRxCompletionQueue,
  IOUserNetworkRxSubmissionQueue,
  IOUserNetworkTxCompletionQueue,
  IOUserNetworkTxSubmissionQueue,
} from "./io-user-network-packet-queue.ts";

const address = Uint8Array.of(2, 0, 0, 0, 0, 1);
const size = { packetCount: 8, bufferCount: 8, bufferSize: 2048 };

/** A driver that sends into nothing; its parts are in the open. */
class NullEthernet extends IOUserNetworkEthernet {
  readonly pool = IOUserNetworkPacketBufferPool.createWithOptions(this, "pool", size)
    .value as IOUserNetworkPacketBufferPool;
  readonly queue = IODispatchQueue.create(this.process, "data");
  readonly txS = IOUserNetworkTxSubmissionQueue.create(this.pool, this, 4, 0, this.queue)
    .value as IOUserNetworkTxSubmissionQueue;
  readonly txC = IOUserNetworkTxCompletionQueue.create(this.pool, this, 8, 0, this.queue)
    .value as IOUserNetworkTxCompletionQueue;
  readonly rxS = IOUserNetworkRxSubmissionQueue.create(this.pool, this, 2, 0, this.queue)
    .value as IOUserNetworkRxSubmissionQueue;
  readonly rxC = IOUserNetworkRxCompletionQueue.create(this.pool, this, 8, 0, this.queue)
    .value as IOUserNetworkRxCompletionQueue;
  signals = 0;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.txS
      .copyDataQueue()
      .setDataAvailableHandler(this.createAction("TxAvailable", () => void this.signals++));
    this.register();
    this.registerService();
  }

  register(): void {
    this.registerEthernetInterface(address, [this.rxC, this.txS, this.rxS, this.txC], this.pool, this.pool);
  }

  override async setInterfaceEnable(isEnable: boolean): Promise<void> {
    for (const queue of [this.txS, this.txC, this.rxS, this.rxC]) queue.setEnable(isEnable);
  }
}

function bundleOf(cls: ServiceClass): DriverBundle {
  return {
    identifier: "org.drydock.test.net",
    version: "1",
    teamIdentifier: "TEST000001",
    entitlements: { "com.apple.developer.driverkit": true },
    personalities: {
      Net: {
        CFBundleIdentifier: "org.drydock.test.net",
        IOClass: "IOUserNetworkEthernet",
        IOUserClass: "Net",
        IOUserServerName: "org.drydock.test.net",
        IOProviderClass: "IOUserResources",
        IOResourceMatch: "IOKit",
      },
    },
    classes: { Net: cls },
  };
}

async function started(cls: ServiceClass = NullEthernet) {
  const machine = new Machine({ seed: 1, turn: hostTurn, profile: platformProfile("open") });
  installNetworkFamily(machine);
  const ports: IOEthernetInterface[] = [];
  machine.onRegistered((service) => {
    if (service instanceof IOEthernetInterface) ports.push(service);
  });
  machine.install(bundleOf(cls));
  await machine.run(2e9);
  const driver = machine.registry.byClass("Net")[0] as NullEthernet | undefined;
  return { machine, ports, driver };
}

const silent = { enabled() {}, frame() {}, writable() {}, linkChanged() {}, hungUp() {} };

test("an interface appears with its name and address, and frames wait in the submission queue", async () => {
  const { driver, machine, ports } = await started();
  assert.ok(driver !== undefined);
  const [port] = ports;
  assert.deepEqual(
    [port.name, port.properties["BSD Name"], port.properties.IOMACAddress],
    ["en0", "en0", "02:00:00:00:00:01"],
  );
  port.open(silent);
  await machine.run(3e9);
  const frame = new Uint8Array(60);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map(() => port.send(frame, 0, 60)),
    [0, 0, 0, 0, 1],
    "four fit, the fifth is refused",
  );
  await machine.run(4e9);
  assert.equal(driver.signals, 1, "edge triggered: one signal for all of them");
  assert.equal(driver.pool.freeCount, 2, "two wait as empty packets for the driver");
});

test("every packet goes back once: a second time, or of somebody else's, is a violation by name", async () => {
  const { driver } = await started();
  assert.ok(driver !== undefined);
  const packet = driver.pool.allocatePacket();
  assert.ok(packet !== null);
  await driver.setInterfaceEnable(true);
  assert.equal(driver.rxC.enqueuePacket(packet), IOReturns.kIOReturnSuccess);
  for (const again of [() => driver.rxC.enqueuePacket(packet), () => driver.pool.deallocatePacket(packet)])
    assert.throws(
      again,
      (error: unknown) => error instanceof ContractViolation && error.rule === "packet-not-yours",
    );
});

test("disabled queues give and take nothing", async () => {
  const { driver } = await started();
  assert.ok(driver !== undefined);
  const packet = driver.pool.allocatePacket();
  assert.ok(packet !== null);
  assert.equal(driver.rxC.enqueuePacket(packet), IOReturns.kIOReturnNotReady);
  assert.deepEqual([driver.rxC.enqueuePackets([packet], 1), driver.txS.dequeuePacket()], [0, null]);
  driver.pool.deallocatePacket(packet);
});

test("a packet's range stays inside its buffer", async () => {
  const { driver } = await started();
  const packet = driver?.pool.allocatePacket();
  assert.ok(packet);
  assert.equal(packet.setDataOffsetAndLength(2000, 48), IOReturns.kIOReturnSuccess);
  for (const [offset, length] of [
    [2000, 49],
    [-1, 1],
    [0, 2049],
    [Number.NaN, 1],
  ])
    assert.equal(packet.setDataOffsetAndLength(offset, length), IOReturns.kIOReturnBadArgument);
  assert.deepEqual([packet.getDataOffset(), packet.getDataLength()], [2000, 48]);
  assert.equal(packet.prepareWithQueue(null, 2), IOReturns.kIOReturnBadArgument);
});

test("pools and queues of impossible sizes are refused", async () => {
  const { driver } = await started();
  assert.ok(driver !== undefined);
  const pool = (change: object) =>
    IOUserNetworkPacketBufferPool.createWithOptions(driver, "x", { ...size, ...change }).status;
  assert.equal(pool({ packetCount: 0 }), IOReturns.kIOReturnBadArgument);
  assert.equal(pool({ bufferCount: 7 }), IOReturns.kIOReturnBadArgument);
  assert.equal(pool({ bufferSize: 1.5 }), IOReturns.kIOReturnBadArgument);
  assert.equal(pool({ maxBuffersPerPacket: 2 }), IOReturns.kIOReturnUnsupported);
  const { status } = IOUserNetworkTxSubmissionQueue.create(driver.pool, driver, 9, 0, driver.queue);
  assert.equal(status, IOReturns.kIOReturnBadArgument, "more than the pool has packets");
});

const mistakes: readonly [string, (driver: NullEthernet) => void, RegExp][] = [
  [
    "three queues",
    (d) => d.registerEthernetInterface(address, [d.txS, d.txC, d.rxS], d.pool, d.pool),
    /3 queues/,
  ],
  [
    "one class twice",
    (d) => d.registerEthernetInterface(address, [d.txS, d.txS, d.rxS, d.rxC], d.pool, d.pool),
    /each of the four/,
  ],
  [
    "a group's address",
    (d) =>
      d.registerEthernetInterface(
        Uint8Array.of(1, 0, 0, 0, 0, 0),
        [d.txS, d.txC, d.rxS, d.rxC],
        d.pool,
        d.pool,
      ),
    /no station/,
  ],
  [
    "twice",
    (d) => {
      d.registerEthernetInterface(address, [d.txS, d.txC, d.rxS, d.rxC], d.pool, d.pool);
      d.registerEthernetInterface(address, [d.txS, d.txC, d.rxS, d.rxC], d.pool, d.pool);
    },
    /called before/,
  ],
];
for (const [name, register, why] of mistakes)
  test(`a driver that registers ${name} does not start, and the log says why`, async () => {
    class Mistaken extends NullEthernet {
      override register(): void {
        register(this);
      }
    }
    const { machine, ports } = await started(Mistaken);
    assert.equal(ports.length, 0);
    assert.ok(
      machine.log.show().some(({ message }) => why.test(message)),
      machine.log
        .show()
        .map(({ message }) => message)
        .join("\n"),
    );
  });

test("a driver that forgets to register an interface is told so", async () => {
  class Forgetful extends NullEthernet {
    override register(): void {}
  }
  const { machine, ports } = await started(Forgetful);
  assert.equal(ports.length, 0);
  assert.ok(machine.log.show().some(({ message }) => /without RegisterEthernetInterface/.test(message)));
});

test("a driver without SetInterfaceEnable: the interface never comes up, and the log says so", async () => {
  class Lazy extends NullEthernet {
    override async setInterfaceEnable(): Promise<void> {
      await IOUserNetworkEthernet.prototype.setInterfaceEnable.call(this, true);
    }
  }
  const { machine, ports } = await started(Lazy);
  let enabled = 0;
  ports[0].open({ ...silent, enabled: () => void enabled++ });
  await machine.run(4e9);
  assert.equal(enabled, 0);
  assert.ok(
    machine.log.show().some(({ message }) => /SetInterfaceEnable .* failed with 0xe00002c7/.test(message)),
  );
});
