// P11: what both drivers of the RAID adapter share: five vectors, five queues, counters in host memory.

import { IOReturns } from "@drydock/core/base/io-return";
import { PciCommand, PciConfig } from "@drydock/core/codec/pci/config-space";
import { IOPCIDevice } from "@drydock/core/families/pci/io-pci-device";
import type { OSAction } from "@drydock/core/runtime/action";
import { type DispatchRules, dispatchRules, IODispatchQueue } from "@drydock/core/runtime/dispatch-queue";
import {
  cancelAndWait,
  IOInterruptDispatchSource,
  kIOInterruptTypePCIMessagedX,
} from "@drydock/core/runtime/dispatch-source";
import { IODMACommand } from "@drydock/core/runtime/dma-command";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "@drydock/core/runtime/memory";
import { IOService, type ServiceClass } from "@drydock/core/runtime/service";

/** Registers of the adapter. */
const engineRegister = 0x20;
const counterRegister = 0x24;
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
  #memory: IOBufferMemoryDescriptor | null = null;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOPCIDevice))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", "no PCI device");
    this.device = provider;
    await provider.open(this);
    const command = await provider.configurationRead16(PciConfig.command);
    provider.configurationWrite16(PciConfig.command, command | PciCommand.memorySpace | PciCommand.busMaster);
    await provider.configureInterrupts(kIOInterruptTypePCIMessagedX, 1, vectorCount);
    this.#makeCounters(provider);
    this.makeChannels(provider);
    provider.memoryWrite32(0, engineRegister, 1);
    this.registerService();
  }

  /** Which specifiers it takes, and how: where the two drivers differ. */
  protected abstract makeChannels(device: IOPCIDevice): void;

  protected handle(vector: number, count: number): void {
    const { ledger } = this;
    ledger.callbacks++;
    ledger.interrupts += count;
    if (count > 1) ledger.folded++;
    const bytes = this.#memory?.bytes;
    if (bytes === undefined) return;
    let done = 0;
    for (let at = 5; at >= 0; at--) done = done * 256 + bytes[vector * 8 + at];
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

  #makeCounters(device: IOPCIDevice): void {
    const memory = IOBufferMemoryDescriptor.create(this.process.memory, kIOMemoryDirectionOutIn, 4096, 4096);
    const command = IODMACommand.create(device, 0, { maxAddressBits: 64 }, "adapter's counters");
    if (memory.value === null || command.value === null)
      throw this.failure(IOReturns.kIOReturnNoMemory, "counters");
    this.#memory = memory.value;
    const { segments } = command.value.prepareForDMA(0, memory.value, 0, 0);
    device.memoryWrite32(0, counterRegister, segments[0].address);
    device.memoryWrite32(0, counterRegister + 4, 0);
  }
}

export function raidBundle(name: string, cls: ServiceClass): DriverBundle {
  const identifier = `org.drydock.case.p11.${name}`;
  return {
    identifier,
    version: "1",
    teamIdentifier: "CASE000001",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.pci": [{ IOPCIMatch: "0x0b0a1d1d" }],
    },
    personalities: {
      Adapter: {
        CFBundleIdentifier: identifier,
        IOClass: "IOUserService",
        IOUserClass: "P11Driver",
        IOUserServerName: identifier,
        IOProviderClass: "IOPCIDevice",
        IOPCIMatch: "0x0b0a1d1d",
        IOPCITunnelCompatible: true,
      },
    },
    classes: { P11Driver: cls },
  };
}
