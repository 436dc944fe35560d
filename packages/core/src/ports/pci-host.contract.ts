// The contract of PciHostPort as a list of checks. The function is freshly enumerated and nobody else's.

import { type ContractCheck, expect, expectEqual } from "./contract.ts";
import { type PciHostClient, type PciHostPort, PciStatus, PciSubmit } from "./pci-host.ts";

/** Records what a port tells, and notices calls from inside a call of it. */
export class RecordingPciClient implements PciHostClient {
  readonly reads: { slot: number; status: PciStatus; low: number; high: number }[] = [];
  readonly vectors: number[] = [];
  detachments = 0;
  afterDetached = 0;
  isInsideCall = false;
  calledInside = 0;

  readCompleted(slot: number, status: PciStatus, low: number, high: number): void {
    this.#note();
    this.reads.push({ slot, status, low, high });
  }

  message(vector: number): void {
    this.#note();
    this.vectors.push(vector);
  }

  line(): void {
    this.#note();
  }

  detached(): void {
    if (this.isInsideCall) this.calledInside++;
    this.detachments++;
  }

  of(slot: number): { status: PciStatus; low: number; high: number }[] {
    return this.reads.filter((read) => read.slot === slot);
  }

  #note(): void {
    if (this.isInsideCall) this.calledInside++;
    if (this.detachments > 0) this.afterDetached++;
  }
}

/** What a check is given. */
export interface PciHostBench {
  readonly port: PciHostPort;
  /** Connected to `port`. */
  readonly client: RecordingPciClient;
  /** Runs until nothing more happens by itself. */
  settle(): Promise<void>;
  /** A dword register that answers `expected(value)` after `value` was written, with memory space on. */
  readonly register: {
    readonly range: number;
    readonly offset: number;
    readonly expected: (value: number) => number;
  };
  /** Takes the function away; null where that cannot be done. */
  readonly unplug: (() => void) | null;
}

type Check = ContractCheck<PciHostBench>;

const commandOffset = 4;
const memorySpaceAndMaster = 6;

function inside<T>(bench: PciHostBench, call: () => T): T {
  bench.client.isInsideCall = true;
  const result = call();
  bench.client.isInsideCall = false;
  return result;
}

async function readConfig(bench: PciHostBench, offset: number, sizeBytes: number): Promise<number> {
  const before = bench.client.of(0).length;
  expectEqual(
    inside(bench, () => bench.port.configRead(0, offset, sizeBytes)),
    PciSubmit.accepted,
    "configuration read",
  );
  await bench.settle();
  const answers = bench.client.of(0);
  expectEqual(answers.length, before + 1, "completions of one read");
  return answers[before].low;
}

function switchOn(bench: PciHostBench): void {
  bench.port.configWrite(commandOffset, 2, memorySpaceAndMaster);
}

export const pciHostContract: readonly Check[] = [
  {
    name: "configuration space answers in bytes, words and dwords alike",
    run: async (bench) => {
      const dword = await readConfig(bench, 0, 4);
      expect((dword & 0xffff) !== 0xffff && (dword & 0xffff) !== 0, "somebody is there");
      expectEqual(await readConfig(bench, 0, 2), dword & 0xffff, "vendor as a word");
      expectEqual(await readConfig(bench, 2, 2), dword >>> 16, "device as a word");
      expectEqual(await readConfig(bench, 3, 1), dword >>> 24, "its upper byte");
      expectEqual(bench.client.calledInside, 0, "completions from inside the call");
    },
  },
  {
    name: "what does not fit is refused and never completes",
    run: async (bench) => {
      const { port, register } = bench;
      const { lengthBytes } = port.ranges[register.range];
      const refused = [
        port.configRead(1, 4096, 4),
        port.configRead(1, 2, 4),
        port.configRead(1, 0, 3),
        port.configRead(1, -4, 4),
        port.configRead(-1, 0, 4),
        port.configRead(port.slotCount, 0, 4),
        port.memoryRead(1, port.ranges.length, 0, 4),
        port.memoryRead(1, register.range, lengthBytes, 4),
        port.memoryRead(1, register.range, 2, 4),
        port.memoryRead(1, register.range, Number.NaN, 4),
      ];
      for (const [index, answer] of refused.entries())
        expectEqual(answer, PciSubmit.badRequest, `bad request ${index}`);
      await bench.settle();
      expectEqual(bench.client.reads.length, 0, "completions");
    },
  },
  {
    name: "a slot that is under way is refused, and free again in its completion",
    run: async (bench) => {
      expectEqual(bench.port.configRead(3, 0, 4), PciSubmit.accepted, "the first");
      expectEqual(bench.port.configRead(3, 8, 4), PciSubmit.badRequest, "the second");
      await bench.settle();
      expectEqual(bench.client.of(3).length, 1, "completions");
      expectEqual(bench.port.configRead(3, 8, 4), PciSubmit.accepted, "afterwards");
      await bench.settle();
      expectEqual(bench.client.of(3).length, 2, "completions");
    },
  },
  {
    name: "a read arrives after the writes before it",
    run: async (bench) => {
      switchOn(bench);
      const { range, offset, expected } = bench.register;
      for (let round = 0; round < 8; round++) {
        const value = (0x01010101 * (round + 1)) >>> 0;
        inside(bench, () => bench.port.memoryWrite(range, offset, 4, value, 0));
        expectEqual(
          inside(bench, () => bench.port.memoryRead(round, range, offset, 4)),
          PciSubmit.accepted,
          "read",
        );
      }
      await bench.settle();
      for (let round = 0; round < 8; round++) {
        const [answer] = bench.client.of(round);
        expectEqual(answer.status, PciStatus.ok, "status");
        expectEqual(answer.low, expected((0x01010101 * (round + 1)) >>> 0), `value of read ${round}`);
      }
      expectEqual(bench.client.calledInside, 0, "completions from inside a call");
    },
  },
  {
    name: "every read completes exactly once, also with every slot in use",
    run: async (bench) => {
      switchOn(bench);
      const { port, client, register } = bench;
      for (let slot = 0; slot < port.slotCount; slot++)
        expectEqual(
          port.memoryRead(slot, register.range, register.offset, 4),
          PciSubmit.accepted,
          `slot ${slot}`,
        );
      await bench.settle();
      for (let slot = 0; slot < port.slotCount; slot++)
        expectEqual(client.of(slot).length, 1, `completions of slot ${slot}`);
    },
  },
  {
    name: "messages are the same list on every call, and no more than asked for",
    run: async (bench) => {
      const first = bench.port.messages(4);
      expect(first.length >= 1 && first.length <= 4, `${first.length} messages`);
      const second = bench.port.messages(4);
      expectEqual(JSON.stringify(second), JSON.stringify(first), "the second list");
      await bench.settle();
    },
  },
  {
    name: "after an unplug every accepted read has completed, detached comes once and last, nothing is accepted",
    run: async (bench) => {
      if (bench.unplug === null) return;
      switchOn(bench);
      const { port, client, register } = bench;
      for (let slot = 0; slot < 8; slot++) {
        if (slot === 4) inside(bench, bench.unplug);
        port.memoryRead(slot, register.range, register.offset, 4);
      }
      await bench.settle();
      expectEqual(client.reads.length, 8, "completions");
      for (const { status, low } of client.reads)
        if (status !== PciStatus.ok) expectEqual(low, 0xffffffff, "a dead read is all ones");
      expectEqual(client.detachments, 1, "detachments");
      expectEqual(client.afterDetached, 0, "calls after detached");
      expectEqual(client.calledInside, 0, "calls from inside a call");
      expectEqual(port.memoryRead(1, register.range, register.offset, 4), PciSubmit.gone, "a later read");
      expectEqual(port.configRead(1, 0, 4), PciSubmit.gone, "a later configuration read");
    },
  },
];
