// IOPCIDevice: one PCI function as PCIDriverKit shows it, with reads that are plain loads (posts.md T5).

import { ContractViolation, DecodeError } from "../../base/errors.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { hex } from "../../base/text.ts";
import { millisecond } from "../../base/units.ts";
import {
  decodeMsiX,
  type MsiXCapability,
  msiXEntryBytes,
  pmControlOffset,
} from "../../codec/pci/capabilities.ts";
import {
  allOnes,
  listCapabilities,
  listExtendedCapabilities,
  PciCapabilityId,
  PciCommand,
  PciConfig,
} from "../../codec/pci/config-space.ts";
import type { DmaPort } from "../../ports/dma.ts";
import {
  isPciAccess,
  type PciHostClient,
  type PciHostPort,
  PciStatus,
  PciSubmit,
} from "../../ports/pci-host.ts";
import { MemoryFault } from "../../runtime/address-space.ts";
import type { InterruptProvider } from "../../runtime/dispatch-source.ts";
import type { DmaProvider, IODMACommand } from "../../runtime/dma-command.ts";
import type { Completion } from "../../runtime/scheduler.ts";
import { IOService, type ServiceContext } from "../../runtime/service.ts";
import type { Thread } from "../../runtime/thread.ts";
import { PciInterrupts } from "./pci-interrupts.ts";
import { RegisterReads } from "./pci-reads.ts";

/** Options of the accessors: the read goes through the kernel, and a dead link is all ones instead of a bus error. */
export const kIOPCIAccessLatencyTolerantHint = 1;

/** BAR types of GetBARInfo. */
export const kPCIBARTypeM32 = 0x00;
export const kPCIBARTypeIO = 0x01;
export const kPCIBARTypeM64 = 0x04;
export const kPCIBARTypeM32PF = 0x08;
export const kPCIBARTypeM64PF = 0x0c;

/** What the family does for a device: the parts that need the machine. */
export interface PciDeviceFamily {
  /** A processor's load found a dead link. True: the machine has panicked, the read never ends. */
  deadLinkLoad(device: IOPCIDevice, address: number, thread: Thread): boolean;
  detached(device: IOPCIDevice): void;
}

/** 64 bits in two halves, as registers have them. */
export interface Register64 {
  readonly low: number;
  readonly high: number;
}

interface PendingRead {
  completion: Completion<Register64>;
  sizeBytes: number;
  /** A plain load of the processor, not a call into the kernel. */
  isLoad: boolean;
  address: number;
  record: { status: PciStatus | null } | null;
}

const ones64: Register64 = { low: 0xffffffff, high: 0xffffffff };
/** From a dext into the kernel and back, beside the bus itself. */
const kernelCallNs = 1500;
const kPCIRangesMaximum = 7;
const d0 = 0;

/**
 * The nub of one function, and the client of its port. A driver opens it, reads and writes, and closes it; every read
 * is a promise, because a read takes the time of the bus.
 *
 * A memory read is a load from the driver's own mapping, unless the range has none, the client has the property
 * IOPCIKernelMemoryAccess, or the options say kIOPCIAccessLatencyTolerantHint: then the kernel reads, and whatever goes
 * wrong is all ones. What a load from a dead link does is the platform's: a panic on Apple silicon.
 */
export class IOPCIDevice extends IOService implements PciHostClient, InterruptProvider, DmaProvider {
  readonly port: PciHostPort;
  readonly preparedCommands = new Set<IODMACommand>();
  readonly interrupts: PciInterrupts;
  readonly reads = new RegisterReads();
  /** Configuration space as it was at enumeration. */
  config: Uint8Array = new Uint8Array(0);
  readonly #family: PciDeviceFamily;
  readonly #pending: (PendingRead | null)[];
  readonly #waitingForSlot: Completion<void>[] = [];
  #session: IOService | null = null;
  /** What Close leaves behind: the count of ranges, without the mappings. */
  #wasClosed = false;
  #isGone = false;

  constructor(context: ServiceContext, port: PciHostPort, family: PciDeviceFamily) {
    super(context);
    this.port = port;
    this.#family = family;
    this.#pending = new Array(port.slotCount).fill(null);
    this.interrupts = new PciInterrupts(port, () => this.nowNs);
  }

  get dmaPort(): DmaPort {
    return this.port.dma;
  }

  get isOpen(): boolean {
    return this.#session !== null;
  }

  /** The system has noticed that the device left. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** kIOReturnError: it is terminating. kIOReturnNotOpen: somebody else has it. kIOReturnBadArgument: the client stopped. */
  async open(forClient: IOService): Promise<void> {
    await this.kernel.scheduler.sleep(kernelCallNs);
    if (this.isInactive || this.#isGone) throw this.failure(IOReturns.kIOReturnError, "IOPCIDevice.open");
    if (this.#session !== null) throw this.failure(IOReturns.kIOReturnNotOpen, "IOPCIDevice.open");
    if (forClient.isStopped || forClient.isInactive)
      throw this.failure(IOReturns.kIOReturnBadArgument, "IOPCIDevice.open");
    this.#session = forClient;
    this.#wasClosed = false;
    forClient.opened.push(this);
  }

  /** Clears bus master and memory enable, unmaps the ranges. Ignored for a client that has not opened it. */
  close(forClient: IOService): void {
    if (this.#session !== forClient) return;
    const at = forClient.opened.indexOf(this);
    if (at >= 0) forClient.opened.splice(at, 1);
    this.#endSession();
  }

  /** Kernel's side: the client stopped or crashed with the session open. */
  forceClose(client: IOService): void {
    if (this.#session !== client) return;
    this.#endSession();
    this.interrupts.unregisterAll();
    const left = [...this.preparedCommands];
    // Bus master is off when the read-back has come: only then may mappings end (posts.md F12).
    this.process.spawn("end of a session", async () => {
      await this.#kernelConfigRead(PciConfig.command, 2);
      for (const command of left) if (command.isPrepared) command.completeDMA(0);
    });
  }

  configurationRead32(offset: number): Promise<number> {
    return this.#configRead(offset, 4);
  }

  configurationRead16(offset: number): Promise<number> {
    return this.#configRead(offset, 2);
  }

  configurationRead8(offset: number): Promise<number> {
    return this.#configRead(offset, 1);
  }

  configurationWrite32(offset: number, value: number): void {
    this.#configWrite(offset, 4, value);
  }

  configurationWrite16(offset: number, value: number): void {
    this.#configWrite(offset, 2, value);
  }

  configurationWrite8(offset: number, value: number): void {
    this.#configWrite(offset, 1, value);
  }

  async memoryRead32(memoryIndex: number, offset: number, options = 0): Promise<number> {
    return (await this.#memoryRead(memoryIndex, offset, 4, options)).low;
  }

  async memoryRead16(memoryIndex: number, offset: number, options = 0): Promise<number> {
    return (await this.#memoryRead(memoryIndex, offset, 2, options)).low;
  }

  async memoryRead8(memoryIndex: number, offset: number, options = 0): Promise<number> {
    return (await this.#memoryRead(memoryIndex, offset, 1, options)).low;
  }

  memoryRead64(memoryIndex: number, offset: number, options = 0): Promise<Register64> {
    return this.#memoryRead(memoryIndex, offset, 8, options);
  }

  memoryWrite32(memoryIndex: number, offset: number, value: number, _options = 0): void {
    this.#memoryWrite(memoryIndex, offset, 4, value, 0);
  }

  memoryWrite16(memoryIndex: number, offset: number, value: number, _options = 0): void {
    this.#memoryWrite(memoryIndex, offset, 2, value, 0);
  }

  memoryWrite8(memoryIndex: number, offset: number, value: number, _options = 0): void {
    this.#memoryWrite(memoryIndex, offset, 1, value, 0);
  }

  memoryWrite64(memoryIndex: number, offset: number, value: Register64, _options = 0): void {
    this.#memoryWrite(memoryIndex, offset, 8, value.low, value.high);
  }

  /** From configuration space as it was at enumeration: 0 when there is none after `searchOffset` (0: the first). */
  findPCICapability(capabilityId: number, searchOffset = 0): number {
    const isExtended = capabilityId >= 0x10000 || capabilityId < 0;
    const entries = isExtended ? listExtendedCapabilities(this.config) : listCapabilities(this.config);
    const start = searchOffset === 0 ? 0 : entries.findIndex(({ offset }) => offset === searchOffset) + 1;
    return entries.slice(start).find(({ id }) => id === (capabilityId & 0xffff))?.offset ?? 0;
  }

  getBusDeviceFunction(): { bus: number; device: number; function: number } {
    return this.port.address;
  }

  /** `memoryIndex` is what the accessors want: it is not the BAR's number. kIOReturnBadArgument: no such BAR. */
  getBARInfo(barIndex: number): { memoryIndex: number; barSize: number; barType: number } {
    const memoryIndex = this.port.ranges.findIndex((range) => range.barIndex === barIndex);
    if (memoryIndex < 0)
      throw this.failure(IOReturns.kIOReturnBadArgument, "IOPCIDevice.getBARInfo", `BAR ${barIndex}`);
    const { kind, isPrefetchable, lengthBytes } = this.port.ranges[memoryIndex];
    const types = { io: kPCIBARTypeIO, memory32: kPCIBARTypeM32, memory64: kPCIBARTypeM64 };
    return { memoryIndex, barSize: lengthBytes, barType: types[kind] | (isPrefetchable ? 8 : 0) };
  }

  /**
   * Allocates message-signalled interrupts; note the order. kIOReturnBadArgument: either is 0 or required > requested.
   * kIOReturnNoResources: fewer than required. kIOReturnUnsupported: the function has no such capability, or one that makes
   * no sense. kIOReturnNoMemory: its table lies in a BAR that is not there, or past its end.
   */
  async configureInterrupts(type: number, required = 1, requested = 1): Promise<void> {
    this.#needSession("configureInterrupts");
    await this.kernel.scheduler.sleep(kernelCallNs);
    // The table lies in memory space, which the kernel opens for itself.
    const command = await this.#kernelConfigRead(PciConfig.command, 2);
    this.port.configWrite(PciConfig.command, 2, command | PciCommand.memorySpace);
    const offset = this.findPCICapability(PciCapabilityId.msiX);
    const capability = offset === 0 ? null : this.#msiXAt(offset);
    const status = this.interrupts.configure(type, required, requested, capability, offset);
    if (status !== IOReturns.kIOReturnSuccess) throw this.failure(status, "IOPCIDevice.configureInterrupts");
  }

  /** The capability, judged: a table where nothing is would take every message with it without a word. */
  #msiXAt(offset: number): MsiXCapability {
    const call = "IOPCIDevice.configureInterrupts";
    let capability: MsiXCapability;
    try {
      capability = decodeMsiX(this.config, offset);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw this.failure(IOReturns.kIOReturnUnsupported, call, error.message);
    }
    const { tableBar, tableOffset, vectors } = capability;
    const range = this.port.ranges.find(({ barIndex }) => barIndex === tableBar);
    const end = tableOffset + vectors * msiXEntryBytes;
    if (range === undefined || end > range.lengthBytes)
      throw this.failure(
        IOReturns.kIOReturnNoMemory,
        call,
        `the MSI-X table of ${vectors} vectors lies ${range === undefined ? `in BAR ${tableBar}, which is not there` : `up to 0x${hex(end)} in BAR ${tableBar}, which ends at 0x${hex(range.lengthBytes)}`}`,
      );
    return capability;
  }

  /** GetInterruptType of IOInterruptDispatchSource: bits, null where the list ends. */
  interruptType(index: number): number | null {
    return this.interrupts.type(index);
  }

  registerInterrupt(index: number, handler: (timeNs: number) => void): IOReturn {
    return this.interrupts.register(index, handler);
  }

  unregisterInterrupt(index: number): void {
    this.interrupts.unregister(index);
  }

  /** Function-level reset; BARs come back, decode and bus master are off afterwards. kIOReturnNotOpen without a session. */
  async reset(): Promise<void> {
    this.#needSession("reset");
    await this.kernel.scheduler.sleep(100 * millisecond);
    this.port.reset();
  }

  /** D0 to D3hot. kIOReturnUnsupported: no power management capability. */
  async enablePCIPowerManagement(state: number): Promise<void> {
    const offset = this.findPCICapability(PciCapabilityId.powerManagement);
    if (offset === 0 || state < d0 || state > 3)
      throw this.failure(IOReturns.kIOReturnUnsupported, "IOPCIDevice.enablePCIPowerManagement");
    const control = await this.#kernelConfigRead(offset + pmControlOffset, 2);
    this.port.configWrite(offset + pmControlOffset, 2, (control & ~3) | state);
    await this.kernel.scheduler.sleep(10 * millisecond);
  }

  // Kernel's side: what the port tells.

  readCompleted(slot: number, status: PciStatus, low: number, high: number): void {
    const read = this.#pending[slot];
    if (read === null) throw new ContractViolation("read-completed-twice", `slot ${slot} of ${this.logName}`);
    this.#pending[slot] = null;
    if (read.record !== null) read.record.status = status;
    const { thread } = read.completion;
    const isDead = status === PciStatus.unreachable && read.isLoad;
    if (isDead && this.#family.deadLinkLoad(this, read.address, thread)) return;
    read.completion.succeed({ low, high });
    this.#waitingForSlot.shift()?.succeed(undefined);
  }

  message(vector: number): void {
    this.interrupts.message(vector);
  }

  line(isRaised: boolean): void {
    this.interrupts.line(isRaised);
  }

  detached(): void {
    this.#isGone = true;
    this.#family.detached(this);
  }

  /** A configuration read of the kernel itself, with or without a session. All ones when nobody answers. */
  kernelConfigRead(offset: number, sizeBytes: number): Promise<number> {
    return this.#kernelConfigRead(offset, sizeBytes);
  }

  #endSession(): void {
    this.#session = null;
    this.#wasClosed = true;
    if (this.#isGone) return;
    this.port.configWrite(PciConfig.command, 2, PciCommand.interruptDisable);
  }

  #needSession(call: string): void {
    if (this.#session === null) throw this.failure(IOReturns.kIOReturnNotOpen, `IOPCIDevice.${call}`);
  }

  async #configRead(offset: number, sizeBytes: number): Promise<number> {
    if (this.#session === null || this.isInactive || this.#isGone) return allOnes(sizeBytes);
    await this.kernel.scheduler.sleep(kernelCallNs);
    return this.#kernelConfigRead(offset, sizeBytes);
  }

  async #kernelConfigRead(offset: number, sizeBytes: number): Promise<number> {
    const slot = await this.#takeSlot();
    const answer = await this.#submit(
      slot,
      `configuration read of 0x${hex(offset)}`,
      { sizeBytes, isLoad: false, address: 0, record: null },
      () => this.port.configRead(slot, offset, sizeBytes),
    );
    return answer.low;
  }

  #configWrite(offset: number, sizeBytes: number, value: number): void {
    if (this.#session === null || this.isInactive || this.#isGone) return;
    this.port.configWrite(offset, sizeBytes, value);
  }

  async #memoryRead(
    memoryIndex: number,
    offset: number,
    sizeBytes: number,
    options: number,
  ): Promise<Register64> {
    const session = this.#session;
    const range = this.port.ranges[memoryIndex];
    if (range === undefined || memoryIndex >= kPCIRangesMaximum) return ones(sizeBytes);
    if (session === null) {
      // Before Open there is no count; after Close there is a count and no array: a load at index * 8.
      if (!this.#wasClosed) return ones(sizeBytes);
      this.kernel.scheduler.current?.stack.push(`PCIDriverKit IOPCIDevice::MemoryRead${sizeBytes * 8}`);
      throw new MemoryFault("read", memoryIndex * 8, "unmapped", "the BAR mappings that Close took away");
    }
    const isKernel =
      (options & kIOPCIAccessLatencyTolerantHint) !== 0 ||
      range.kind === "io" ||
      session.properties.IOPCIKernelMemoryAccess === true;
    if (!isPciAccess(offset, sizeBytes, range.lengthBytes)) {
      if (isKernel) return ones(sizeBytes);
      throw new MemoryFault("read", range.address + offset, "past the end", `BAR${range.barIndex}`);
    }
    if (isKernel) await this.kernel.scheduler.sleep(kernelCallNs);
    if (isKernel && this.#isGone) return ones(sizeBytes);
    const slot = await this.#takeSlot();
    const address = range.address + offset;
    const record = isKernel
      ? null
      : {
          timeNs: this.nowNs,
          barIndex: range.barIndex,
          offset,
          caller: this.#caller(),
          status: null,
        };
    if (record !== null) this.reads.add(record);
    return this.#submit(
      slot,
      `read of BAR${range.barIndex}+0x${hex(offset)}`,
      { sizeBytes, isLoad: !isKernel, address, record },
      () => this.port.memoryRead(slot, memoryIndex, offset, sizeBytes),
    );
  }

  #memoryWrite(memoryIndex: number, offset: number, sizeBytes: number, low: number, high: number): void {
    if (this.#session === null) {
      if (!this.#wasClosed || this.port.ranges[memoryIndex] === undefined) return;
      this.kernel.scheduler.current?.stack.push(`PCIDriverKit IOPCIDevice::MemoryWrite${sizeBytes * 8}`);
      throw new MemoryFault("write", memoryIndex * 8, "unmapped", "the BAR mappings that Close took away");
    }
    this.port.memoryWrite(memoryIndex, offset, sizeBytes, low, high);
  }

  async #takeSlot(): Promise<number> {
    for (;;) {
      const slot = this.#pending.indexOf(null);
      if (slot >= 0) return slot;
      await this.kernel.scheduler.block<void>("a free read slot", (completion) => {
        this.#waitingForSlot.push(completion);
      });
    }
  }

  #submit(
    slot: number,
    what: string,
    read: Omit<PendingRead, "completion">,
    submit: () => PciSubmit,
  ): Promise<Register64> {
    const { scheduler } = this.kernel;
    return scheduler.block<Register64>(what, (completion) => {
      const pending: PendingRead = { ...read, completion };
      this.#pending[slot] = pending;
      const submitted = submit();
      if (submitted === PciSubmit.accepted) return;
      this.#pending[slot] = null;
      const isDead = submitted === PciSubmit.gone && read.isLoad;
      if (read.record !== null) read.record.status = PciStatus.unreachable;
      // The mapping is still there although the port is not: the load goes to a bus without a device.
      if (isDead && this.#family.deadLinkLoad(this, read.address, completion.thread)) return;
      // A load that nobody answers takes its time, too.
      scheduler.after(kernelCallNs, () => completion.succeed(ones(read.sizeBytes)), undefined);
    });
  }

  #caller(): string {
    const thread = this.kernel.scheduler.current;
    const symbol = thread?.stack.findLast((entry) => !entry.includes(" "));
    return symbol ?? thread?.name ?? "unknown";
  }
}

function ones(sizeBytes: number): Register64 {
  return sizeBytes === 8 ? ones64 : { low: allOnes(sizeBytes), high: 0 };
}
