// P11: what both drivers of the RAID adapter share: five vectors, five queues, counters in host memory.

import type { IOPCIDevice } from "@drydock/core/families/pci/io-pci-device";
import type { OSAction } from "@drydock/core/runtime/action";
import { type DispatchRules, dispatchRules, IODispatchQueue } from "@drydock/core/runtime/dispatch-queue";
import {
  cancelAndWait,
  IOInterruptDispatchSource,
  kIOInterruptTypePCIMessagedX,
} from "@drydock/core/runtime/dispatch-source";
import { IOService } from "@drydock/core/runtime/service";
import { BoardCounters, BoardRegister, openBoard } from "../board-driver.ts";

export const vectorCount = 5;

/** What a bench reads afterwards. */
export interface RaidLedger {
  callbacks: number;
  /** Counts that came with the callbacks. */
  interrupts: number;
  /** Callbacks with a count above one. */
  folded: number;
  /** Work that the adapter counted in host memory and the driver has seen. */
  completions: number;
  sync: number;
  async: number;
  resets: number;
}

export const newRaidLedger = (): RaidLedger => ({
  callbacks: 0,
  interrupts: 0,
  folded: 0,
  completions: 0,
  sync: 0,
  async: 0,
  resets: 0,
});

/** One vector with its queue. */
export interface Channel {
  readonly index: number;
  queue: IODispatchQueue;
  source: IOInterruptDispatchSource;
  action: OSAction;
}

export abstract class RaidDriver extends IOService {
  readonly channels: Channel[] = [];
  protected device: IOPCIDevice | null = null;
  protected abstract readonly ledger: RaidLedger;
  protected readonly rules: DispatchRules = dispatchRules;
  readonly #seen = new Float64Array(vectorCount);
  #counters: BoardCounters | null = null;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const device = await openBoard(this, provider);
    this.device = device;
    await device.configureInterrupts(kIOInterruptTypePCIMessagedX, 1, vectorCount);
    this.#counters = new BoardCounters(this, device);
    this.makeChannels(device);
    device.memoryWrite32(0, BoardRegister.engine, 1);
    this.registerService();
  }

  /** Which specifiers it takes, and how: where the two drivers differ. */
  protected abstract makeChannels(device: IOPCIDevice): void;

  protected handle(vector: number, count: number): void {
    const { ledger } = this;
    ledger.callbacks++;
    ledger.interrupts += count;
    if (count > 1) ledger.folded++;
    if (this.#counters === null) return;
    const done = this.#counters.read(vector);
    ledger.completions += done - this.#seen[vector];
    this.#seen[vector] = done;
  }

  protected makeChannel(device: IOPCIDevice, index: number, vector: number, name: string): void {
    const queue = IODispatchQueue.create(this.process, name, 0, 0, this.rules);
    const { status, source } = IOInterruptDispatchSource.create(device, index, queue);
    if (source === null) throw this.failure(status, "IOInterruptDispatchSource.create", `index ${index}`);
    const action = this.createAction("InterruptOccurred", (_action, count) => this.occurred(vector, count));
    // The context before the source is enabled: it may fire at once.
    action.reference = vector;
    source.setHandler(action);
    this.channels.push({ index, queue, source, action });
    source.setEnable(true);
  }

  protected occurred(vector: number, count: number): void | Promise<void> {
    this.handle(vector, count);
  }

  noteDeliveries(): void {
    for (const { source } of this.channels) {
      this.ledger.sync += source.syncDeliveries;
      this.ledger.async += source.asyncDeliveries;
    }
  }

  override async stop(provider: IOService): Promise<void> {
    for (const { source, action, queue } of this.channels.splice(0)) {
      source.setEnable(false);
      await cancelAndWait(this.kernel.scheduler, [source, action]);
      queue.release();
    }
    this.device?.close(this);
    await super.stop(provider);
  }
}
