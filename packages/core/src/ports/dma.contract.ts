// The contract of DmaPort as a list of checks, seen from both sides: the processor's and a device's.

import { type ContractCheck, expect, expectEqual } from "./contract.ts";
import { DmaDirection, type DmaMapping, type DmaPort, DmaRefusal } from "./dma.ts";

export interface DmaBench {
  readonly port: DmaPort;
  /** The device reads; null: it was refused, or cannot tell from what it got. */
  deviceRead(address: number, lengthBytes: number): Promise<Uint8Array | null>;
  deviceWrite(address: number, bytes: Uint8Array): Promise<void>;
  /** Memory that needs no bounce there. */
  allocate(lengthBytes: number): Uint8Array;
}

type Check = ContractCheck<DmaBench>;

function mapped(bench: DmaBench, memory: Uint8Array, direction: DmaDirection): DmaMapping {
  const mapping = bench.port.map(memory, direction, "contract");
  if (typeof mapping === "number") throw new Error(`map was refused with ${mapping}`);
  return mapping;
}

const sample = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 7 + 3) & 0xff);

export const dmaContract: readonly Check[] = [
  {
    name: "the device reads what the memory holds, over all segments",
    run: async (bench) => {
      const memory = bench.allocate(3000);
      memory.set(sample(3000));
      const mapping = mapped(bench, memory, DmaDirection.deviceReads);
      expectEqual(mapping.lengthBytes, 3000, "length");
      let at = 0;
      for (const { address, lengthBytes } of mapping.segments) {
        const bytes = await bench.deviceRead(address, lengthBytes);
        expect(bytes !== null, "the device may read");
        for (let index = 0; index < lengthBytes; index++)
          expectEqual(bytes[index], memory[at + index], `byte ${at + index}`);
        at += lengthBytes;
      }
      expectEqual(at, 3000, "bytes in all segments");
      bench.port.unmap(mapping);
    },
  },
  {
    name: "what the device writes is in the memory after unmap at the latest",
    run: async (bench) => {
      const memory = bench.allocate(512);
      const mapping = mapped(bench, memory, DmaDirection.deviceWrites);
      await bench.deviceWrite(mapping.segments[0].address, sample(512));
      bench.port.unmap(mapping);
      expectEqual(textOf(memory), textOf(sample(512)), "contents");
    },
  },
  {
    name: "memory that shares nothing with the device is bounced or shared, and arrives all the same",
    run: async (bench) => {
      const memory = new Uint8Array(1031).subarray(7);
      memory.set(sample(1024));
      const mapping = mapped(bench, memory, DmaDirection.both);
      const seen = await bench.deviceRead(mapping.segments[0].address, 64);
      expect(seen !== null, "the device may read");
      expectEqual(textOf(seen), textOf(memory.subarray(0, 64)), "what the device sees");
      await bench.deviceWrite(mapping.segments[0].address, new Uint8Array(64).fill(0xaa));
      bench.port.unmap(mapping);
      expect(
        memory.subarray(0, 64).every((byte) => byte === 0xaa),
        "what the device wrote is there",
      );
      expectEqual(textOf(memory.subarray(64)), textOf(sample(1024).subarray(64)), "the rest");
    },
  },
  {
    name: "a mapping for reading is not written to, where an IOMMU translates",
    run: async (bench) => {
      if (!bench.port.isTranslated) return;
      const memory = bench.allocate(256);
      memory.set(sample(256));
      const mapping = mapped(bench, memory, DmaDirection.deviceReads);
      await bench.deviceWrite(mapping.segments[0].address, new Uint8Array(256));
      bench.port.unmap(mapping);
      expectEqual(textOf(memory), textOf(sample(256)), "contents");
    },
  },
  {
    name: "after unmap the device reaches nothing, where an IOMMU translates",
    run: async (bench) => {
      if (!bench.port.isTranslated) return;
      const memory = bench.allocate(256);
      const mapping = mapped(bench, memory, DmaDirection.both);
      bench.port.unmap(mapping);
      await bench.deviceWrite(mapping.segments[0].address, sample(256));
      expect(
        memory.every((byte) => byte === 0),
        "nothing was written",
      );
    },
  },
  {
    name: "nothing, no direction and too few address bits are refused",
    run: async (bench) => {
      const { port } = bench;
      expectEqual(port.map(new Uint8Array(0), DmaDirection.both, "x"), DmaRefusal.badRequest, "no memory");
      expectEqual(
        port.map(bench.allocate(16), DmaDirection.none, "x"),
        DmaRefusal.badRequest,
        "no direction",
      );
      const few = { addressBits: 8, alignmentBytes: 1 };
      expectEqual(port.map(bench.allocate(16), DmaDirection.both, "x", few), DmaRefusal.badRequest, "8 bits");
    },
  },
  {
    name: "24 address bits: below 16 MiB or refused, never above and never cut short",
    run: async (bench) => {
      const limits = { addressBits: 24, alignmentBytes: 1 };
      const mapping = bench.port.map(bench.allocate(8192), DmaDirection.both, "x", limits);
      if (mapping === DmaRefusal.noRoom) return;
      if (typeof mapping === "number") throw new Error(`refused with ${mapping}`);
      for (const { address, lengthBytes } of mapping.segments)
        expect(address + lengthBytes <= 2 ** 24, "below 16 MiB");
      bench.port.unmap(mapping);
    },
  },
  {
    name: "32 address bits and an alignment are kept",
    run: async (bench) => {
      const memory = new Uint8Array(5000).subarray(3);
      const mapping = bench.port.map(memory, DmaDirection.both, "x", {
        addressBits: 32,
        alignmentBytes: 512,
      });
      if (typeof mapping === "number") throw new Error(`refused with ${mapping}`);
      for (const { address, lengthBytes } of mapping.segments)
        expect(address + lengthBytes <= 2 ** 32, "below 4 GiB");
      expectEqual(mapping.segments[0].address % 512, 0, "alignment");
      bench.port.unmap(mapping);
    },
  },
  {
    name: "mappings are counted, and a second unmap is a violation",
    run: async (bench) => {
      const { port } = bench;
      const before = port.mappingCount;
      const many = Array.from({ length: 40 }, () => mapped(bench, bench.allocate(4096), DmaDirection.both));
      expectEqual(port.mappingCount, before + 40, "mappings");
      const addresses = new Set(many.map(({ segments }) => segments[0].address));
      expectEqual(addresses.size, 40, "addresses of their own");
      for (const mapping of many) port.unmap(mapping);
      expectEqual(port.mappingCount, before, "mappings afterwards");
      let isCaught = false;
      try {
        port.unmap(many[0]);
      } catch {
        isCaught = true;
      }
      expect(isCaught, "the second unmap throws");
    },
  },
];

/** Bytes as text, to be compared. */
function textOf(bytes: Uint8Array): string {
  return [...bytes].join(" ");
}
