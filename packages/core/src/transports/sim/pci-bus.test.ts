// The simulated PCI bus: both contracts, the ledger, dead links, hostile functions, AER.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { PciBoardDevice, PciBoardRegister } from "../../devices/pci-board/pci-board-device.ts";
import { runContract } from "../../ports/contract.ts";
import { dmaContract } from "../../ports/dma.contract.ts";
import { pciHostContract, RecordingPciClient } from "../../ports/pci-host.contract.ts";
import type { PciHostPort } from "../../ports/pci-host.ts";
import { describeRefusal, SimIommu } from "./iommu.ts";
import { SimPciBus } from "./pci-bus.ts";

function bench(seed: number, pageBytes = 16384) {
  const clock = new VirtualClock();
  const iommu = new SimIommu({ clock, pageBytes });
  const bus = new SimPciBus({ clock, random: new Random(seed), iommu });
  const ports: PciHostPort[] = [];
  bus.onAttach((port) => ports.push(port));
  const device = new PciBoardDevice({ clock });
  const run = () => clock.runUntil();
  return { clock, iommu, bus, device, ports, run };
}

function plugged(seed: number, pageBytes = 16384) {
  const made = bench(seed, pageBytes);
  made.bus.plugIn(made.device, 1);
  made.run();
  const [port] = made.ports;
  const client = new RecordingPciClient();
  port.connect(client);
  return { ...made, port, client };
}

test("the bus keeps the contract of PCI ports", async () => {
  let seed = 0;
  const results = await runContract(pciHostContract, async () => {
    const { port, client, run, bus } = plugged(++seed);
    return {
      port,
      client,
      settle: async () => {
        run();
        await hostTurn();
      },
      register: { range: 0, offset: PciBoardRegister.scratch, expected: (value: number) => value },
      unplug: () => bus.unplug(1),
    };
  });
  assert.equal(results.length, 7);
  assert.deepEqual(
    results.filter(({ problem }) => problem !== null),
    [],
  );
});

for (const pageBytes of [4096, 16384]) {
  test(`the IOMMU keeps the contract of DMA ports, pages of ${pageBytes}`, async () => {
    const results = await runContract(dmaContract, async () => {
      const { port, iommu } = plugged(3, pageBytes);
      return {
        port: port.dma,
        deviceRead: async (address: number, lengthBytes: number) => {
          const into = new Uint8Array(lengthBytes);
          return iommu.read("01:00.0", address, into, 0, lengthBytes) ? into : null;
        },
        deviceWrite: async (address: number, bytes: Uint8Array) => {
          iommu.write("01:00.0", address, bytes, 0, bytes.length);
        },
        allocate: (lengthBytes: number) => new Uint8Array(lengthBytes),
      };
    });
    assert.ok(results.length >= 8);
    assert.deepEqual(
      results.filter(({ problem }) => problem !== null),
      [],
    );
  });
}

test("posts.md F11: six wrong accesses give six different entries, each with how much it missed by", () => {
  const { port, iommu, clock } = plugged(4);
  const memory = new Uint8Array(4096);
  const mapping = port.dma.map(memory, 2, "command block");
  assert.ok(typeof mapping !== "number");
  const [{ address }] = mapping.segments;
  const bytes = new Uint8Array(64);
  iommu.write("01:00.0", address, bytes, 0, 64);
  iommu.read("01:00.0", address + 4096 - 32, bytes, 0, 64);
  iommu.write("01:00.0", address - 64, bytes, 0, 64);
  iommu.read("02:00.0", address, bytes, 0, 64);
  iommu.read("01:00.0", 0x10, bytes, 0, 8);
  port.dma.unmap(mapping);
  clock.advanceTo(clock.nowNs() + 5_000_000);
  iommu.read("01:00.0", address, bytes, 0, 64);
  const words = iommu.refusals.map(describeRefusal).map((text) => text.replace(/^t=\S+ \S+ /, ""));
  assert.equal(new Set(words).size, 6);
  assert.match(words[0], /write of 64 bytes .* refused: device may not write; inside "command block"/);
  assert.match(words[1], /refused: past the end; missed "command block" .* by 32 bytes/);
  assert.match(words[2], /refused: no mapping; missed "command block" .* by 64 bytes/);
  assert.match(words[3], /refused: no mapping; no mapping was ever near/);
  assert.match(words[5], /unmapped at .*; inside|inside "command block" .*unmapped at/);
  assert.equal(iommu.refusedCount, 6);
});

test("without bus master nothing reaches memory, and the ledger says why", () => {
  const { port, iommu, device, run } = plugged(5);
  const memory = new Uint8Array(64);
  const mapping = port.dma.map(memory, 3, "buffer");
  assert.ok(typeof mapping !== "number");
  const start = () => {
    port.memoryWrite(0, PciBoardRegister.dmaLow, 4, mapping.segments[0].address >>> 0, 0);
    port.memoryWrite(0, PciBoardRegister.dmaHigh, 4, 0, 0);
    port.memoryWrite(0, PciBoardRegister.dmaLength, 4, 64, 0);
    port.memoryWrite(0, PciBoardRegister.dmaControl, 4, 2, 0);
    run();
  };
  device.buffer.fill(0x5a);
  port.configWrite(4, 2, 2);
  start();
  assert.equal(memory[0], 0);
  assert.equal(iommu.refusals.at(-1)?.reason, "bus master off");
  port.configWrite(4, 2, 6);
  start();
  assert.equal(memory[63], 0x5a);
  assert.equal(iommu.refusedCount, 1);
});

test("a dead link: reads are all ones and recorded with their register, the system hears of it later", () => {
  const { port, client, run, bus } = plugged(6);
  port.configWrite(4, 2, 6);
  run();
  bus.unplug(1);
  port.memoryRead(0, 0, PciBoardRegister.status, 4);
  run();
  assert.deepEqual(client.reads, [{ slot: 0, status: 1, low: 0xffffffff, high: 0 }]);
  assert.equal(client.detachments, 1);
  const [read] = bus.deadLinkReads;
  assert.equal(read.address, 0xa40100008);
  assert.deepEqual([read.barIndex, read.offset], [0, 8]);
  assert.ok(read.timeNs >= read.linkDiedNs);
  // Surprise down is bit 5 (PCI Express 3.0 §7.10.2), and fatal by default.
  assert.equal(bus.rootPort(1).uncorrectableStatus, 1 << 5);
  assert.equal(bus.rootPort(1).rootErrorStatus, 0x44);
  assert.equal(bus.rootPort(1).slotStatus & 0x48, 0x08);
});

test("reads of a function with memory space off are unsupported requests, not silence", () => {
  const { port, client, run, bus } = plugged(7);
  port.memoryRead(0, 0, 0, 4);
  run();
  assert.deepEqual(client.reads, [{ slot: 0, status: 3, low: 0xffffffff, high: 0 }]);
  assert.equal(bus.rootPort(1).uncorrectableStatus & (1 << 20), 1 << 20);
});

test("a function that does not answer is a completion timeout: all ones after 50 ms, AER bit 14", () => {
  const { clock, bus, ports, run } = bench(8);
  class Mute extends PciBoardDevice {
    protected override registerRead(): number {
      return null as unknown as number;
    }
  }
  bus.plugIn(new Mute({ clock }), 2);
  run();
  const client = new RecordingPciClient();
  ports[0].connect(client);
  ports[0].configWrite(4, 2, 2);
  run();
  const before = clock.nowNs();
  ports[0].memoryRead(0, 0, 0, 4);
  run();
  assert.deepEqual(client.reads, [{ slot: 0, status: 2, low: 0xffffffff, high: 0 }]);
  assert.ok(clock.nowNs() - before >= 50_000_000);
  assert.equal(bus.rootPort(2).uncorrectableStatus, 1 << 14);
});

test("hostile functions are not brought up: nobody there, BARs that cannot be sized, BARs that overlap", () => {
  const { clock, bus, ports, run } = bench(9);
  class Ones extends PciBoardDevice {
    override configRead(_offset: number, sizeBytes: number): number {
      return sizeBytes === 4 ? 0xffffffff : 0xffff;
    }
  }
  class OddBar extends PciBoardDevice {
    override configRead(offset: number, sizeBytes: number): number {
      return offset === 0x10 ? 0xfff0f004 : super.configRead(offset, sizeBytes);
    }
  }
  // A second BAR of the first one's size that sticks to the first one's place.
  class Stuck extends PciBoardDevice {
    #isSizing = false;
    override configWrite(offset: number, sizeBytes: number, value: number): void {
      if (offset === 0x18) this.#isSizing = value === 0xffffffff;
      super.configWrite(offset, sizeBytes, value);
    }
    override configRead(offset: number, sizeBytes: number): number {
      if (offset !== 0x18) return super.configRead(offset, sizeBytes);
      return this.#isSizing ? 0xffffc000 : (super.configRead(0x10, 4) & ~0xf) >>> 0;
    }
  }
  bus.plugIn(new Ones({ clock }), 1);
  bus.plugIn(new OddBar({ clock }), 2);
  bus.plugIn(new Stuck({ clock }), 3);
  run();
  assert.equal(ports.length, 0);
  assert.equal(bus.failures.length, 3);
  const of = (slot: number) => bus.failures.find((failure) => failure.slot === slot)?.reason ?? "";
  assert.match(of(1), /no function answers/);
  assert.match(of(2), /no power of two/);
  assert.match(of(3), /overlaps another range/);
});

test("the same seed is the same run", () => {
  const times = (seed: number) => {
    const { client, port, run, clock } = plugged(seed);
    port.configWrite(4, 2, 6);
    for (let slot = 0; slot < 8; slot++) port.memoryRead(slot, 0, 4, 4);
    run();
    return [client.reads.length, clock.nowNs()];
  };
  assert.deepEqual(times(11), times(11));
  assert.notDeepEqual(times(11), times(12));
});
