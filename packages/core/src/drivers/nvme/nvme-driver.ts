// An NVMe driver as a PCI dext that is a disk (NVM Express 1.4). No register is read while it does I/O.

import { putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { hex } from "../../base/text.ts";
import { millisecond, second } from "../../base/units.ts";
import {
  allNamespaces,
  datasetDeallocate,
  describeStatus,
  forceUnitAccess,
  NvmeAdmin,
  type NvmeCommand,
  NvmeFeature,
  NvmeIo,
  NvmeStatus,
  newCommand,
  newCompletion,
  putU64le,
} from "../../codec/nvme/commands.ts";
import {
  decodeActiveNamespaces,
  decodeController,
  decodeNamespace,
  type IdentifyController,
  type IdentifyNamespace,
  IdentifyWhat,
  identifyBytes,
} from "../../codec/nvme/identify.ts";
import {
  completionDoorbell,
  decodeCapabilities,
  type NvmeCapabilities,
  NvmeConfiguration,
  NvmeControllerStatus,
  NvmeRegister,
} from "../../codec/nvme/registers.ts";
import { PciCommand, PciConfig } from "../../codec/pci/config-space.ts";
import {
  type BlockRange,
  type DeviceParams,
  IOUserBlockStorageDevice,
  kIOUserStorageOptionForceUnitAccess,
} from "../../families/block/io-user-block-storage-device.ts";
import { IOPCIDevice, kIOPCIAccessLatencyTolerantHint } from "../../families/pci/io-pci-device.ts";
import type { OSAction } from "../../runtime/action.ts";
import { IODispatchQueue } from "../../runtime/dispatch-queue.ts";
import {
  cancelAndWait,
  IOInterruptDispatchSource,
  IOTimerDispatchSource,
  kIOInterruptTypePCIMessagedX,
  kIOTimerClockUptimeRaw,
} from "../../runtime/dispatch-source.ts";
import type { IOService } from "../../runtime/service.ts";
import { DmaBuffer } from "../dma-buffer.ts";
import { type AdminResult, NvmeAdminChannel, noAnswer } from "./nvme-admin-channel.ts";
import { NvmeRing } from "./nvme-ring.ts";
import { returnOf } from "./nvme-status.ts";

/** NVMe's page in this driver: the smallest, which every controller knows, whatever the host's pages are. */
const nvmePageBytes = 4096;
/** Requests at once; the queue is twice as deep where the controller has so many entries, and never full. */
const requestsMaximum = 128;
const ioQueueEntries = 256;
const adminQueueEntries = 32;
/** Largest transfer asked for: a PRP list of 32 entries. */
const transferMaximum = 128 * 1024;
const listEntries = transferMaximum / nvmePageBytes;
const listBytes = listEntries * 8;
/** Where so many requests came with one doorbell, the next ones are expected to come together, too; fewer are told of at once. */
const togetherFrom = 4;
/** The watchdog looks this often while requests are under way. */
const watchNs = 1 * second;
/** A request older than this is aborted, and the controller reset if that does not help. */
const timeoutNs = 10 * second;
const adminTimeoutNs = 5 * second;
const pollNs = 1 * millisecond;
/** Resets of one request before it fails. */
const retriesMaximum = 2;
const generations = 256;
const vector = 0;
const interruptQueueName = "Interrupt";

const RequestState = { free: 0, busy: 1 } as const;

interface Request {
  state: number;
  generation: number;
  opcode: number;
  address: number;
  lengthBytes: number;
  lba: number;
  blocks: number;
  isForced: boolean;
  submittedNs: number;
  retries: number;
  isAborted: boolean;
}

/**
 * Bring-up follows §7.6.1 step by step; recovery climbs abort, controller reset, and gives up (§9.1). What completion
 * entries say is checked: one that belongs to nothing resets the controller. Register reads happen only in bring-up and
 * recovery, through the kernel, so that a dead link is all ones and not a panic (posts.md P14).
 */
export class NvmeDriver extends IOUserBlockStorageDevice {
  /** Interrupts have a queue of their own: Start holds the default one while it waits for the first of them. */
  static override readonly queueNames: Readonly<Record<string, string>> = {
    InterruptOccurred: interruptQueueName,
    TimerOccurred: interruptQueueName,
  };
  /** Counts for benches and reports. */
  readonly counters = { resets: 0, aborts: 0, timeouts: 0, protocolErrors: 0, events: 0, retries: 0 };
  #device: IOPCIDevice | null = null;
  #memoryIndex = 0;
  #capabilities: NvmeCapabilities | null = null;
  #controller: IdentifyController | null = null;
  #namespace: IdentifyNamespace | null = null;
  #namespaceId = 1;
  #admin: NvmeAdminChannel | null = null;
  #io: NvmeRing | null = null;
  #lists: DmaBuffer | null = null;
  #page: DmaBuffer | null = null;
  #ranges: DmaBuffer | null = null;
  #queue: IODispatchQueue | null = null;
  #interrupt: IOInterruptDispatchSource | null = null;
  #interruptAction: OSAction | null = null;
  #timer: IOTimerDispatchSource | null = null;
  #timerAction: OSAction | null = null;
  #isTimerSet = false;
  /** Open: the device may be touched. Closed at the first sign that it is gone, and in Stop. */
  #isGateOpen = false;
  #isRecovering = false;
  #isStopping = false;
  #pending = 0;
  #isRingSoon = false;
  /** Requests that no doorbell has told of yet, and how many the last one told of. */
  #untold = 0;
  #rungTogether = 0;
  readonly #requests: Request[] = Array.from({ length: requestsMaximum }, () => ({
    state: RequestState.free,
    generation: 0,
    opcode: 0,
    address: 0,
    lengthBytes: 0,
    lba: 0,
    blocks: 0,
    isForced: false,
    submittedNs: 0,
    retries: 0,
    isAborted: false,
  }));
  readonly #command = newCommand();
  readonly #completion = newCompletion();

  override async start(provider: IOService): Promise<void> {
    if (!(provider instanceof IOPCIDevice))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", "the provider is no IOPCIDevice");
    this.#device = provider;
    await provider.open(this);
    try {
      await this.#bringUp(provider);
    } catch (error) {
      await this.#takeDown(provider);
      throw error;
    }
    await super.start(provider);
  }

  override async stop(provider: IOService): Promise<void> {
    this.#isStopping = true;
    if (this.#device !== null) await this.#takeDown(this.#device);
    await super.stop(provider);
  }

  override getDeviceParams(): DeviceParams {
    const namespace = this.#namespace as IdentifyNamespace;
    const controller = this.#controller as IdentifyController;
    const { maximumTransferPages } = controller;
    const pageBytes = this.#capabilities?.pageBytesMinimum ?? nvmePageBytes;
    const limit = maximumTransferPages === 0 ? transferMaximum : maximumTransferPages * pageBytes;
    return {
      numOfBlocks: namespace.blockCount,
      blockSize: namespace.blockBytes,
      maxIOSize: Math.min(limit, transferMaximum),
      // A ring holds one command less than it has entries (§4.1.2), and some controllers have few.
      numOfOutstandingIOs: Math.min(requestsMaximum, (this.#io?.entries ?? ioQueueEntries) - 1),
      maxNumOfUnmapRegions: 1,
      minSegmentAlignment: 4,
      numOfAddressBits: 64,
      isUnmapSupported: controller.hasDatasetManagement,
      isFUASupported: true,
    };
  }

  override getVendorString(): string {
    return "NVMe";
  }

  override getProductString(): string {
    return this.#controller?.modelNumber ?? "";
  }

  override getRevisionString(): string {
    return this.#controller?.firmware ?? "";
  }

  override reportWriteCache(): boolean {
    return this.#controller?.hasVolatileCache ?? true;
  }

  /** Serial number and what else the controller said, for tools. */
  get identity(): IdentifyController | null {
    return this.#controller;
  }

  override doAsyncReadWrite(
    isRead: boolean,
    requestId: number,
    dmaAddr: number,
    size: number,
    lba: number,
    numOfBlocks: number,
    options: number,
  ): IOReturn {
    const opcode = isRead ? NvmeIo.read : NvmeIo.write;
    const isForced = (options & kIOUserStorageOptionForceUnitAccess) !== 0;
    return this.#accept(requestId, opcode, dmaAddr, size, lba, numOfBlocks, isForced);
  }

  override doAsyncSynchronize(requestId: number, _lba: number, _numOfBlocks: number): IOReturn {
    return this.#accept(requestId, NvmeIo.flush, 0, 0, 0, 0, false);
  }

  override doAsyncUnmapPriv(requestId: number, ranges: readonly BlockRange[]): IOReturn {
    const buffer = this.#ranges;
    if (buffer === null || ranges.length !== 1) return IOReturns.kIOReturnBadArgument;
    const at = requestId * 16;
    putU32le(buffer.bytes, at, 0);
    putU32le(buffer.bytes, at + 4, ranges[0].numOfBlocks);
    putU64le(buffer.bytes, at + 8, ranges[0].startBlock);
    return this.#accept(requestId, NvmeIo.datasetManagement, buffer.address + at, 16, 0, 0, false);
  }

  // Requests.

  #accept(
    requestId: number,
    opcode: number,
    address: number,
    lengthBytes: number,
    lba: number,
    blocks: number,
    isForced: boolean,
  ): IOReturn {
    const request = this.#requests[requestId];
    if (request === undefined || request.state !== RequestState.free) return IOReturns.kIOReturnBadArgument;
    if (this.#isStopping || (!this.#isGateOpen && !this.#isRecovering)) return IOReturns.kIOReturnNoDevice;
    request.state = RequestState.busy;
    request.opcode = opcode;
    request.address = address;
    request.lengthBytes = lengthBytes;
    request.lba = lba;
    request.blocks = blocks;
    request.isForced = isForced;
    request.retries = 0;
    this.#pending++;
    // While the controller is being reset requests wait; recovery submits them.
    if (!this.#isRecovering && this.#push(requestId, request)) {
      if (Math.max(this.#pending, this.#rungTogether) < togetherFrom) this.#ringIo();
      else this.#ringSoon();
    }
    this.#setTimer();
    return IOReturns.kIOReturnSuccess;
  }

  #send(requestId: number, request: Request): void {
    if (this.#push(requestId, request)) this.#ringIo();
  }

  /** After the requests that wait on the same queue: a doorbell costs a crossing of the bus, and says where the tail is. */
  #ringSoon(): void {
    if (this.#isRingSoon) return;
    this.#isRingSoon = true;
    this.defaultQueue.dispatchAsync(this.#ringNow);
  }

  readonly #ringNow = (): void => {
    this.#isRingSoon = false;
    this.#ringIo();
  };

  #ringIo(): void {
    this.#rungTogether = this.#untold;
    this.#untold = 0;
    if (this.#io !== null) this.#ringTail(this.#io);
  }

  /** Into the ring, untold; false: there is none. */
  #push(requestId: number, request: Request): boolean {
    const ring = this.#io;
    if (ring === null) return false;
    request.generation = (request.generation + 1) % generations;
    request.submittedNs = this.nowNs;
    request.isAborted = false;
    const command = this.#command;
    command.opcode = request.opcode;
    command.commandId = requestId + request.generation * requestsMaximum;
    command.namespaceId = this.#namespaceId;
    command.prp1 = request.address;
    command.prp2 = 0;
    command.dw10 = 0;
    command.dw11 = 0;
    command.dw12 = 0;
    if (request.opcode === NvmeIo.read || request.opcode === NvmeIo.write) {
      command.dw10 = request.lba >>> 0;
      command.dw11 = Math.floor(request.lba / 4294967296);
      command.dw12 = ((request.blocks - 1) | (request.isForced ? forceUnitAccess : 0)) >>> 0;
      command.prp2 = this.#secondPointer(requestId, request);
    } else if (request.opcode === NvmeIo.datasetManagement) command.dw11 = datasetDeallocate;
    else command.prp1 = 0;
    ring.push(command);
    this.#untold++;
    return true;
  }

  /** §4.3: nothing, the second page, or a list of pages. */
  #secondPointer(requestId: number, request: Request): number {
    const first = nvmePageBytes - (request.address % nvmePageBytes);
    const rest = request.lengthBytes - first;
    if (rest <= 0) return 0;
    if (rest <= nvmePageBytes) return request.address + first;
    const lists = this.#lists as DmaBuffer;
    const at = requestId * listBytes;
    const pages = Math.ceil(rest / nvmePageBytes);
    for (let page = 0; page < pages; page++)
      putU64le(lists.bytes, at + page * 8, request.address + first + page * nvmePageBytes);
    return lists.address + at;
  }

  #ringTail(ring: NvmeRing): void {
    const tail = ring.tailToRing();
    if (tail >= 0 && this.#isGateOpen)
      this.#device?.memoryWrite32(this.#memoryIndex, ring.submissionDoorbell, tail);
  }

  /** InterruptOccurred: everything that is there, then the doorbells. */
  readonly #interruptOccurred = (): void => {
    if (this.#admin !== null) this.#drainAdmin(this.#admin);
    if (this.#io !== null && !this.#isRecovering) this.#drainIo(this.#io);
  };

  #drainIo(ring: NvmeRing): void {
    const completion = this.#completion;
    let problem: string | null = null;
    let budget = ring.entries;
    while (problem === null && budget-- > 0 && ring.pop(completion)) {
      const requestId = completion.commandId % requestsMaximum;
      const request = this.#requests[requestId];
      const generation = Math.floor(completion.commandId / requestsMaximum);
      if (completion.submissionQueue !== ring.id)
        problem = `a completion for queue ${completion.submissionQueue} in queue ${ring.id}`;
      else if (request.state !== RequestState.busy || request.generation !== generation)
        problem = `a completion of command 0x${hex(completion.commandId)}, which is not under way`;
      else if (completion.submissionHead >= ring.entries)
        problem = `a submission head of ${completion.submissionHead} in a queue of ${ring.entries}`;
      else this.#finish(requestId, request, completion.status, completion.isFinal);
    }
    this.#ringHead(ring);
    if (problem === null) return;
    this.counters.protocolErrors++;
    this.log(`NVMe: ${problem}`, "error");
    this.#recoverSoon("a broken completion");
  }

  #finish(requestId: number, request: Request, status: number, isFinal: boolean): void {
    if (status === NvmeStatus.success) {
      this.#end(requestId, request, IOReturns.kIOReturnSuccess);
      return;
    }
    // Errors of the medium may pass; a command that we aborted ourselves was only slow.
    const isOurs = request.isAborted && status === NvmeStatus.abortRequested;
    const mayRetry = !isFinal && request.retries < retriesMaximum;
    if (mayRetry && (status >>> 8 !== 0 || isOurs)) {
      request.retries++;
      this.counters.retries++;
      this.#send(requestId, request);
      return;
    }
    this.log(`NVMe: command failed: ${describeStatus(status)}`, "error");
    this.#end(requestId, request, returnOf(status));
  }

  #end(requestId: number, request: Request, status: IOReturn): void {
    request.state = RequestState.free;
    this.#pending--;
    const isTransfer = request.opcode === NvmeIo.read || request.opcode === NvmeIo.write;
    const bytes = status === IOReturns.kIOReturnSuccess ? request.lengthBytes : 0;
    if (isTransfer) this.completeIO(requestId, bytes, status);
    else this.complete(requestId, status);
  }

  #failAll(status: IOReturn): void {
    for (const [requestId, request] of this.#requests.entries())
      if (request.state === RequestState.busy) this.#end(requestId, request, status);
  }

  // Admin commands.

  #drainAdmin(admin: NvmeAdminChannel): void {
    admin.drain((status, result) => this.#event(status, result));
    this.#ringHead(admin.ring);
  }

  #ringHead(ring: NvmeRing): void {
    const head = ring.headToRing();
    if (head >= 0 && this.#isGateOpen)
      this.#device?.memoryWrite32(this.#memoryIndex, ring.completionDoorbell, head);
  }

  /** The admin channel's record; the channel is there from bring-up to take-down. */
  #prepare(opcode: number, namespaceId = 0): NvmeCommand {
    return (this.#admin as NvmeAdminChannel).prepare(opcode, namespaceId);
  }

  #sendAdmin(): Promise<AdminResult> {
    if (this.#admin === null || !this.#isGateOpen) return Promise.resolve({ status: noAnswer, result: 0 });
    return this.#admin.send();
  }

  async #adminOrFail(what: string): Promise<number> {
    const { status, result } = await this.#sendAdmin();
    if (status === NvmeStatus.success) return result;
    const why = status === noAnswer ? "no answer" : describeStatus(status);
    throw this.failure(IOReturns.kIOReturnIOError, `NVMe ${what}`, why);
  }

  async #identify(what: number, namespaceId: number): Promise<Uint8Array> {
    const page = this.#page as DmaBuffer;
    const command = this.#prepare(NvmeAdmin.identify, namespaceId);
    command.prp1 = page.address;
    command.dw10 = what;
    await this.#adminOrFail("identify");
    return page.bytes.slice(0, identifyBytes);
  }

  #event(status: number, result: number): void {
    if (status !== NvmeStatus.success) return;
    this.counters.events++;
    this.log(`NVMe: event 0x${hex(result, 8)}`);
    // The log page has to be read, or the type stays masked (§5.2).
    const logPage = (result >>> 16) & 0xff;
    this.process.spawn("NVMe event", async () => {
      const page = this.#page;
      if (page === null || this.#isStopping || this.#isRecovering) return;
      const command = this.#prepare(NvmeAdmin.getLogPage, allNamespaces);
      command.prp1 = page.address;
      command.dw10 = logPage | ((128 - 1) << 16);
      const answer = await this.#sendAdmin();
      if (answer.status === NvmeStatus.success && !this.#isStopping) this.#admin?.requestEvents();
    });
  }

  // Bring-up.

  async #bringUp(device: IOPCIDevice): Promise<void> {
    const bar = device.getBARInfo(0);
    this.#memoryIndex = bar.memoryIndex;
    const before = await device.configurationRead16(PciConfig.command);
    device.configurationWrite16(PciConfig.command, before | PciCommand.memorySpace | PciCommand.busMaster);
    this.#isGateOpen = true;
    const low = await this.#read(NvmeRegister.capLow);
    const high = await this.#read(NvmeRegister.capHigh);
    if (low === 0xffffffff) throw this.failure(IOReturns.kIOReturnNoDevice, "NVMe CAP");
    const capabilities = decodeCapabilities(low, high);
    this.#capabilities = capabilities;
    if (capabilities.pageBytesMinimum > nvmePageBytes || !(capabilities.queueEntries >= 2))
      throw this.failure(
        IOReturns.kIOReturnUnsupported,
        "NVMe CAP",
        `pages of ${capabilities.pageBytesMinimum} bytes, queues of ${capabilities.queueEntries}`,
      );
    const doorbellsEnd = completionDoorbell(1, capabilities.doorbellStride) + 4;
    if (doorbellsEnd > bar.barSize)
      throw this.failure(
        IOReturns.kIOReturnUnsupported,
        "NVMe CAP",
        `doorbells ${capabilities.doorbellStride} bytes apart end at 0x${hex(doorbellsEnd)}, BAR 0 at 0x${hex(bar.barSize)}`,
      );
    // Messages before the controller is enabled: QEMU's binds the admin vector then.
    await device.configureInterrupts(kIOInterruptTypePCIMessagedX, 1, 1);
    this.#makeMemory(device, capabilities);
    this.#makeSources(device);
    await this.#enable(capabilities);
    await this.#discover();
    await this.#makeIoQueue();
    const command = this.#prepare(NvmeAdmin.setFeatures);
    command.dw10 = NvmeFeature.asynchronousEvents;
    command.dw11 = 0x1f;
    await this.#sendAdmin();
    this.#admin?.requestEvents();
  }

  #makeMemory(device: IOPCIDevice, capabilities: NvmeCapabilities): void {
    const make = (bytes: number, owner: string) => DmaBuffer.create(this, device, bytes, owner);
    const { doorbellStride, queueEntries } = capabilities;
    // CAP.MQES bounds the queues that a host creates, not the admin pair (§3.1.1).
    const adminEntries = adminQueueEntries;
    const ioEntries = Math.min(ioQueueEntries, queueEntries);
    const ring = new NvmeRing(
      0,
      adminEntries,
      doorbellStride,
      make(adminEntries * 64, "admin submission queue"),
      make(adminEntries * 16, "admin completion queue"),
    );
    const { scheduler } = this.kernel;
    this.#admin = new NvmeAdminChannel(ring, scheduler, adminTimeoutNs, (due) => this.#ringTail(due));
    this.#io = new NvmeRing(
      1,
      ioEntries,
      doorbellStride,
      make(ioEntries * 64, "I/O submission queue"),
      make(ioEntries * 16, "I/O completion queue"),
    );
    this.#page = make(identifyBytes, "identify page");
    this.#lists = make(requestsMaximum * listBytes, "PRP lists");
    this.#ranges = make(requestsMaximum * 16, "deallocate ranges");
  }

  #makeSources(device: IOPCIDevice): void {
    // By the recorded index: the legacy line may come first (posts.md P11).
    let index = 0;
    while (
      ((device.interruptType(index) ?? kIOInterruptTypePCIMessagedX) & kIOInterruptTypePCIMessagedX) ===
      0
    )
      index++;
    const queue = IODispatchQueue.create(this.process, interruptQueueName);
    this.#queue = queue;
    this.setDispatchQueue(interruptQueueName, queue);
    const { status, source } = IOInterruptDispatchSource.create(device, index + vector, queue);
    if (source === null) throw this.failure(status, "IOInterruptDispatchSource.create");
    this.#interrupt = source;
    this.#interruptAction = this.createAction("InterruptOccurred", this.#interruptOccurred);
    source.setHandler(this.#interruptAction);
    source.setEnable(true);
    this.#timer = IOTimerDispatchSource.create(queue);
    this.#timerAction = this.createAction("TimerOccurred", this.#timerOccurred);
    this.#timer.setHandler(this.#timerAction);
    this.#timer.setEnable(true);
  }

  /** §7.6.1: EN = 0, RDY = 0; admin queue; EN = 1, RDY = 1. */
  async #enable(capabilities: NvmeCapabilities): Promise<void> {
    const { ring: admin } = this.#admin as NvmeAdminChannel;
    await this.#disable(capabilities);
    admin.restart();
    this.#io?.restart();
    this.#write(NvmeRegister.adminQueueAttributes, (admin.entries - 1) | ((admin.entries - 1) << 16));
    this.#writeAddress(NvmeRegister.adminSubmissionLow, admin.submissions.address);
    this.#writeAddress(NvmeRegister.adminCompletionLow, admin.completions.address);
    this.#write(NvmeRegister.configuration, NvmeConfiguration.entrySizes | NvmeConfiguration.enable);
    await this.#waitReady(true, capabilities.timeoutMs);
  }

  async #disable(capabilities: NvmeCapabilities): Promise<void> {
    this.#write(NvmeRegister.configuration, 0);
    await this.#waitReady(false, capabilities.timeoutMs);
  }

  async #waitReady(isReady: boolean, timeoutMs: number): Promise<void> {
    const deadline = this.nowNs + Math.max(timeoutMs, 500) * millisecond;
    for (;;) {
      const status = await this.#read(NvmeRegister.status);
      if (status === 0xffffffff) throw this.failure(IOReturns.kIOReturnNoDevice, "NVMe CSTS");
      if (isReady && (status & NvmeControllerStatus.fatal) !== 0)
        throw this.failure(IOReturns.kIOReturnIOError, "NVMe CSTS", "controller fatal status");
      if (((status & NvmeControllerStatus.ready) !== 0) === isReady) return;
      if (this.nowNs >= deadline)
        throw this.failure(
          IOReturns.kIOReturnTimeout,
          "NVMe CSTS.RDY",
          `${isReady ? "not ready" : "still ready"} after ${timeoutMs} ms`,
        );
      await this.kernel.scheduler.sleep(pollNs);
    }
  }

  async #discover(): Promise<void> {
    try {
      this.#controller = decodeController(await this.#identify(IdentifyWhat.controller, 0));
      const active = decodeActiveNamespaces(await this.#identify(IdentifyWhat.activeNamespaces, 0));
      this.#namespaceId = active[0] ?? 1;
      this.#namespace = decodeNamespace(await this.#identify(IdentifyWhat.namespace, this.#namespaceId));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw this.failure(IOReturns.kIOReturnUnsupported, "NVMe identify", error.message);
    }
    if (this.#namespace.metadataBytes !== 0)
      throw this.failure(IOReturns.kIOReturnUnsupported, "NVMe identify", "blocks with metadata");
    if (this.#namespace.blockCount < 1)
      throw this.failure(IOReturns.kIOReturnNoMedia, "NVMe identify", "an empty namespace");
  }

  async #makeIoQueue(): Promise<void> {
    const ring = this.#io as NvmeRing;
    let command = this.#prepare(NvmeAdmin.setFeatures);
    command.dw10 = NvmeFeature.numberOfQueues;
    command.dw11 = 0;
    await this.#adminOrFail("number of queues");
    command = this.#prepare(NvmeAdmin.createCompletionQueue);
    command.prp1 = ring.completions.address;
    command.dw10 = (ring.id | ((ring.entries - 1) << 16)) >>> 0;
    command.dw11 = 3 | (vector << 16);
    await this.#adminOrFail("create completion queue");
    command = this.#prepare(NvmeAdmin.createSubmissionQueue);
    command.prp1 = ring.submissions.address;
    command.dw10 = (ring.id | ((ring.entries - 1) << 16)) >>> 0;
    command.dw11 = 1 | (ring.id << 16);
    await this.#adminOrFail("create submission queue");
  }

  // Recovery.

  #setTimer(): void {
    if (this.#isTimerSet || this.#timer === null) return;
    this.#isTimerSet = true;
    this.#timer.wakeAtTime(kIOTimerClockUptimeRaw, this.nowNs + watchNs);
  }

  readonly #timerOccurred = (): void => {
    this.#isTimerSet = false;
    if (this.#isStopping || this.#pending === 0) return;
    this.#setTimer();
    if (this.#isRecovering || !this.#isGateOpen) return;
    // A lost interrupt shows here: what is in memory counts, not the message.
    this.#interruptOccurred();
    for (const [requestId, request] of this.#requests.entries()) {
      if (request.state !== RequestState.busy || this.nowNs - request.submittedNs < timeoutNs) continue;
      this.counters.timeouts++;
      if (request.isAborted) this.#recoverSoon("an abort did not help");
      else this.process.spawn("NVMe abort", () => this.#abort(requestId, request));
      return;
    }
  };

  async #abort(requestId: number, request: Request): Promise<void> {
    if (request.state !== RequestState.busy || this.#isRecovering) return;
    const commandId = requestId + request.generation * requestsMaximum;
    request.isAborted = true;
    this.counters.aborts++;
    const command = this.#prepare(NvmeAdmin.abort);
    command.dw10 = (1 | (commandId << 16)) >>> 0;
    const { status, result } = await this.#sendAdmin();
    if (this.#isStopping || request.state !== RequestState.busy) return;
    // Not aborted: the command is lost inside the controller.
    if (status !== NvmeStatus.success || (result & 1) !== 0) this.#recoverSoon("a command got lost");
  }

  #recoverSoon(why: string): void {
    if (this.#isRecovering || this.#isStopping) return;
    this.#isRecovering = true;
    this.log(`NVMe: resetting the controller: ${why}`, "error");
    this.process.spawn("NVMe recovery", () => this.#recover());
  }

  /** Controller reset: afterwards late completions cannot come, and every request is sent again or failed. */
  async #recover(): Promise<void> {
    this.counters.resets++;
    const device = this.#device;
    try {
      // Configuration space says without danger whether anybody is there.
      if (device === null || (await device.configurationRead16(PciConfig.vendorId)) === 0xffff)
        throw this.failure(IOReturns.kIOReturnNoDevice, "NVMe recovery");
      await this.#enable(this.#capabilities as NvmeCapabilities);
      this.#admin?.giveUp();
      await this.#makeIoQueue();
      this.#admin?.requestEvents();
    } catch {
      this.#isRecovering = false;
      this.#isGateOpen = false;
      this.log("NVMe: the controller does not come back", "error");
      this.#admin?.giveUp();
      // The mappings of the requests end with them: the hardware must not reach memory any more.
      device?.configurationWrite16(PciConfig.command, PciCommand.memorySpace);
      this.#failAll(IOReturns.kIOReturnNoDevice);
      return;
    }
    this.#isRecovering = false;
    for (const [requestId, request] of this.#requests.entries()) {
      if (request.state !== RequestState.busy) continue;
      if (request.retries >= retriesMaximum) {
        this.#end(requestId, request, IOReturns.kIOReturnIOError);
        continue;
      }
      request.retries++;
      this.counters.retries++;
      this.#send(requestId, request);
    }
  }

  // Stop.

  /** Gate, sources, controller, bus master, read-back, memory, session: in this order on every way out (posts.md F12). */
  async #takeDown(device: IOPCIDevice): Promise<void> {
    const isPresent = (await device.configurationRead16(PciConfig.vendorId)) !== 0xffff;
    this.#timer?.setEnable(false);
    this.#interrupt?.setEnable(false);
    if (isPresent && this.#isGateOpen && this.#capabilities !== null) await this.#shutDown();
    this.#isGateOpen = false;
    device.configurationWrite16(PciConfig.command, PciCommand.interruptDisable);
    await device.configurationRead16(PciConfig.command);
    await this.#cancelSources();
    this.#admin?.giveUp();
    this.#failAll(IOReturns.kIOReturnNoDevice);
    this.#admin?.ring.release();
    this.#io?.release();
    for (const buffer of [this.#page, this.#lists, this.#ranges]) buffer?.release();
    this.#admin = null;
    this.#io = null;
    this.#page = null;
    this.#lists = null;
    this.#ranges = null;
    device.close(this);
    this.#device = null;
  }

  /** §7.6.2: SHN = normal, wait for SHST = done, so that a volatile cache reaches the medium; then EN = 0. */
  async #shutDown(): Promise<void> {
    const configuration = NvmeConfiguration.entrySizes | NvmeConfiguration.enable;
    this.#write(NvmeRegister.configuration, configuration | NvmeConfiguration.shutdownNormal);
    const deadline = this.nowNs + 5 * second;
    for (;;) {
      const status = await this.#read(NvmeRegister.status);
      const shutdown = status & NvmeControllerStatus.shutdownMask;
      if (status === 0xffffffff || shutdown === NvmeControllerStatus.shutdownDone) break;
      if (this.nowNs >= deadline) break;
      await this.kernel.scheduler.sleep(pollNs);
    }
    this.#write(NvmeRegister.configuration, 0);
    // The read pushes the write: the engine is off when it answers.
    await this.#read(NvmeRegister.status);
  }

  async #cancelSources(): Promise<void> {
    await cancelAndWait(this.kernel.scheduler, [
      this.#interrupt,
      this.#timer,
      this.#interruptAction,
      this.#timerAction,
    ]);
    this.#interrupt = null;
    this.#timer = null;
    this.#interruptAction = null;
    this.#timerAction = null;
    this.#queue?.release();
    this.#queue = null;
  }

  // Registers.

  #read(offset: number): Promise<number> {
    const device = this.#device;
    if (device === null || !device.isOpen) return Promise.resolve(0xffffffff);
    return device.memoryRead32(this.#memoryIndex, offset, kIOPCIAccessLatencyTolerantHint);
  }

  #write(offset: number, value: number): void {
    if (this.#isGateOpen) this.#device?.memoryWrite32(this.#memoryIndex, offset, value >>> 0);
  }

  #writeAddress(offset: number, address: number): void {
    this.#write(offset, address >>> 0);
    this.#write(offset + 4, Math.floor(address / 4294967296));
  }
}
