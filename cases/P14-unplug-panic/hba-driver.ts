// P14: what both drivers of the host adapter share: open, memory for counters, commands under way, one completion each.

import { type IOReturn, IOReturns } from "@drydock/core/base/io-return";
import { PciCommand, PciConfig } from "@drydock/core/codec/pci/config-space";
import { IOPCIDevice } from "@drydock/core/families/pci/io-pci-device";
import type { OSAction } from "@drydock/core/runtime/action";
import { IODispatchQueue } from "@drydock/core/runtime/dispatch-queue";
import {
  cancelAndWait,
  IOInterruptDispatchSource,
  IOTimerDispatchSource,
  kIOInterruptTypePCIMessagedX,
} from "@drydock/core/runtime/dispatch-source";
import { IODMACommand } from "@drydock/core/runtime/dma-command";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "@drydock/core/runtime/memory";
import { IOService, type ServiceClass } from "@drydock/core/runtime/service";

/** Registers of the adapter. */
export const HbaRegister = {
  identity: 0x00,
  /** What the posts' driver polls: offset 8 of BAR 0. */
  status: 0x08,
  engine: 0x20,
  counterLow: 0x24,
  counterHigh: 0x28,
  work: 0x2c,
} as const;

/** Commands that the driver keeps under way. */
const depth = 4;
const queueName = "Interrupt";

/** What became of commands, over all drivers of a bench. */
export interface HbaLedger {
  submitted: number;
  completed: number;
  /** Ended with kIOReturnNoDevice. */
  notPresent: number;
  /** Ended more than once: never. */
  twice: number;
}

export const newLedger = (): HbaLedger => ({ submitted: 0, completed: 0, notPresent: 0, twice: 0 });

export abstract class HbaDriver extends IOService {
  static override readonly queueNames: Readonly<Record<string, string>> = {
    InterruptOccurred: queueName,
    TimerOccurred: queueName,
  };
  protected device: IOPCIDevice | null = null;
  protected counters: IOBufferMemoryDescriptor | null = null;
  protected interrupt: IOInterruptDispatchSource | null = null;
  protected timer: IOTimerDispatchSource | null = null;
  protected abstract readonly ledger: HbaLedger;
  #command: IODMACommand | null = null;
  readonly #actions: OSAction[] = [];
  #seen = 0;
  readonly #pending = new Set<number>();
  #next = 0;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOPCIDevice))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", "no PCI device");
    this.device = provider;
    await provider.open(this);
    const command = await provider.configurationRead16(PciConfig.command);
    provider.configurationWrite16(PciConfig.command, command | PciCommand.memorySpace | PciCommand.busMaster);
    await this.meet(provider);
    await provider.configureInterrupts(kIOInterruptTypePCIMessagedX, 1, 1);
    this.#makeCounters(provider);
    this.#makeSources(provider);
    provider.memoryWrite32(0, HbaRegister.engine, 1);
    for (let slot = 0; slot < depth; slot++) this.submit();
    this.registerService();
  }

  /** First contact: is it the adapter that we know? */
  protected abstract meet(device: IOPCIDevice): Promise<void>;
  protected abstract interruptOccurred(action: OSAction, count: number): void | Promise<void>;
  protected timerOccurred(_action: OSAction): void | Promise<void> {}

  /** Begins a command: a doorbell, which is a write. */
  protected submit(): void {
    this.#pending.add(this.#next++);
    this.ledger.submitted++;
    this.device?.memoryWrite32(0, HbaRegister.work, 0);
  }

  /** Completes what the adapter has counted in host memory since last time, and begins as many again. */
  protected completeCounted(): void {
    const bytes = this.counters?.bytes;
    if (bytes === undefined) return;
    let count = 0;
    for (let at = 5; at >= 0; at--) count = count * 256 + bytes[at];
    while (this.#seen < count) {
      this.#seen++;
      this.#end(IOReturns.kIOReturnSuccess);
      this.submit();
    }
  }

  /** From software's own state, without a look at the device. */
  protected failAll(): void {
    while (this.#pending.size > 0) this.#end(IOReturns.kIOReturnNoDevice);
  }

  protected async cancelSources(): Promise<void> {
    await cancelAndWait(this.kernel.scheduler, [this.interrupt, this.timer, ...this.#actions]);
    this.interrupt = null;
    this.timer = null;
    this.#actions.length = 0;
  }

  protected releaseMemory(): void {
    if (this.#command?.isPrepared === true) this.#command.completeDMA(0);
    this.counters?.release();
    this.counters = null;
    this.#command = null;
  }

  #end(status: IOReturn): void {
    const [first] = this.#pending;
    if (first === undefined) {
      this.ledger.twice++;
      return;
    }
    this.#pending.delete(first);
    if (status === IOReturns.kIOReturnSuccess) this.ledger.completed++;
    else this.ledger.notPresent++;
  }

  #makeCounters(device: IOPCIDevice): void {
    const memory = IOBufferMemoryDescriptor.create(this.process.memory, kIOMemoryDirectionOutIn, 4096, 4096);
    const command = IODMACommand.create(device, 0, { maxAddressBits: 64 }, "adapter's counters");
    if (memory.value === null || command.value === null)
      throw this.failure(IOReturns.kIOReturnNoMemory, "counters");
    this.counters = memory.value;
    this.#command = command.value;
    const { status, segments } = command.value.prepareForDMA(0, memory.value, 0, 0);
    if (status !== IOReturns.kIOReturnSuccess) throw this.failure(status, "prepareForDMA");
    device.memoryWrite32(0, HbaRegister.counterLow, segments[0].address);
    device.memoryWrite32(0, HbaRegister.counterHigh, 0);
  }

  #makeSources(device: IOPCIDevice): void {
    const queue = IODispatchQueue.create(this.process, queueName);
    this.setDispatchQueue(queueName, queue);
    let index = 0;
    while (
      ((device.interruptType(index) ?? kIOInterruptTypePCIMessagedX) & kIOInterruptTypePCIMessagedX) ===
      0
    )
      index++;
    const { status, source } = IOInterruptDispatchSource.create(device, index, queue);
    if (source === null) throw this.failure(status, "IOInterruptDispatchSource.create");
    this.interrupt = source;
    this.timer = IOTimerDispatchSource.create(queue);
    const occurred = this.createAction("InterruptOccurred", (action, count) =>
      this.interruptOccurred(action, count),
    );
    const ticked = this.createAction("TimerOccurred", (action) => this.timerOccurred(action));
    this.#actions.push(occurred, ticked);
    source.setHandler(occurred);
    this.timer.setHandler(ticked);
    source.setEnable(true);
    this.timer.setEnable(true);
  }
}

export function hbaBundle(name: string, cls: ServiceClass): DriverBundle {
  const identifier = `org.drydock.case.p14.${name}`;
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
        IOUserClass: "P14Driver",
        IOUserServerName: identifier,
        IOProviderClass: "IOPCIDevice",
        IOPCIMatch: "0x0b0a1d1d",
        IOPCITunnelCompatible: true,
        IOPCIPauseCompatible: true,
      },
    },
    classes: { P14Driver: cls },
  };
}
