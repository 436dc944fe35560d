// An NVM Express 1.4 controller: registers, reset, queues and interrupts. Commands are in nvme-admin.ts and nvme-io.ts.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { PlacedList } from "../../base/placed-list.ts";
import type { Random } from "../../base/random.ts";
import { hex } from "../../base/text.ts";
import { microsecond, millisecond } from "../../base/units.ts";
import {
  describeStatus,
  encodeEvent,
  NvmeStatus,
  newCommand,
  newCompletion,
  readCommand,
} from "../../codec/nvme/commands.ts";
import {
  encodeCapabilities,
  NvmeConfiguration,
  NvmeControllerStatus,
  NvmeRegister,
  nvmeSubsystemResetWord,
} from "../../codec/nvme/registers.ts";
import { MemoryDisk } from "../memory-disk/memory-disk-device.ts";
import { PciFunctionModel } from "../pci-function-model.ts";
import { NvmeAdminCommands } from "./nvme-admin.ts";
import type { NvmeController, NvmeInFlight } from "./nvme-controller.ts";
import { NvmeData } from "./nvme-data.ts";
import { NvmeIoCommands } from "./nvme-io.ts";
import { nvmeQueueEntriesMaximum } from "./nvme-limits.ts";
import { mischiefAt, type NvmeMischief, type NvmeMischiefKind } from "./nvme-mischief.ts";
import { type CompletionQueue, NvmeQueues, type SubmissionQueue } from "./nvme-queues.ts";

export interface NvmeDeviceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** One namespace each. Default: one of 64 MiB. */
  readonly namespaces?: readonly { readonly blockCount: number; readonly blockBytes?: number }[];
  /** Default true: writes are volatile until flushed or forced. */
  readonly hasWriteCache?: boolean;
  /** Answers flush and forced writes before the medium has them: a lie (posts.md F14). */
  readonly liesAboutFlush?: boolean;
  /** How long an I/O command takes, drawn between the two; default 4 to 40 us. [0, 0]: all of a doorbell at once. */
  readonly latencyNs?: readonly [least: number, most: number];
  readonly mischief?: readonly NvmeMischief[];
  /** RDY never comes. */
  readonly isNeverReady?: boolean;
  readonly serialNumber?: string;
  /** CAP.MQES + 1: entries that a queue may have at most, from 2 on. Default 1024. */
  readonly queueEntries?: number;
  /** Vectors of MSI-X; default 16. */
  readonly vectors?: number;
}

const barBytes = 0x4000;
const msiXTable = 0x2000;
const msiXPending = 0x3000;
const readyNs = 2 * millisecond;
const shutdownNs = 5 * millisecond;

const prpClause = "§4.3: every PRP entry but the first points to a page's beginning";
const reachClause =
  "§4.3: PRP entries point to memory that the controller may use, and PRP2 is needed beyond a page";

/** Statuses of admin commands that tell a slip of the host's; what a host may ask for on trial is none. */
const hostFaultsOfAdmin: Readonly<Record<number, string>> = {
  [NvmeStatus.prpOffset]: prpClause,
  [NvmeStatus.transferError]: reachClause,
  [NvmeStatus.invalidQueueSize]: "§5.3, §5.4: the size counts from zero, and ends at CAP.MQES",
};

const hostFaults: Readonly<Record<number, string>> = {
  ...hostFaultsOfAdmin,
  [NvmeStatus.lbaRange]: "§6: blocks beyond the namespace's size",
  [NvmeStatus.invalidField]: "§6: a field that is reserved or too large",
  [NvmeStatus.invalidNamespace]: "§6: there is no such namespace",
};

/** "NVMe", vendor and device of our own; see the device's page for what is modelled. */
export class NvmeDevice extends PciFunctionModel implements NvmeController {
  readonly queues = new NvmeQueues();
  readonly data = new NvmeData();
  readonly disks: readonly MemoryDisk[];
  readonly options: NvmeDeviceOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly admin: NvmeAdminCommands;
  readonly io: NvmeIoCommands;
  /** I/O commands since power-on. */
  commandCount = 0;
  unsafeShutdowns = 0;
  #configuration = 0;
  #status = 0;
  #queueAttributes = 0;
  readonly #queueBases = new Float64Array(2);
  #timer: TimerHandle = 0;
  #isProcessing = false;
  #isShutDown = true;
  readonly #inFlight = new PlacedList<NvmeInFlight>();
  readonly #idle: NvmeInFlight[] = [];
  readonly #completion = newCompletion();
  readonly #leastNs: number;
  readonly #mostNs: number;

  constructor(options: NvmeDeviceOptions) {
    super({
      vendorId: 0x1d1d,
      deviceId: 0x0401,
      classCode: 0x010802,
      bars: [{ index: 0, kind: "memory64", lengthBytes: barBytes }],
      msiX: { vectors: options.vectors ?? 16, bar: 0, tableOffset: msiXTable, pendingOffset: msiXPending },
    });
    this.options = options;
    this.clock = options.clock;
    this.random = options.random;
    [this.#leastNs, this.#mostNs] = options.latencyNs ?? [4 * microsecond, 40 * microsecond];
    this.disks = (options.namespaces ?? [{ blockCount: 131_072 }]).map(
      (namespace, index) =>
        new MemoryDisk({
          clock: options.clock,
          random: options.random.fork(`namespace ${index + 1}`),
          blockCount: namespace.blockCount,
          blockBytes: namespace.blockBytes ?? 512,
          hasWriteCache: options.hasWriteCache ?? true,
        }),
    );
    this.admin = new NvmeAdminCommands(this);
    this.io = new NvmeIoCommands(this);
  }

  get isEngineOn(): boolean {
    return (this.#configuration & NvmeConfiguration.enable) !== 0;
  }

  get queueEntriesMaximum(): number {
    return this.options.queueEntries ?? nvmeQueueEntriesMaximum;
  }

  get upstreamPort() {
    return this.upstream;
  }

  /** Commands under way. */
  get inFlight(): readonly NvmeInFlight[] {
    return this.#inFlight.items;
  }

  protected override registerRead(bar: number, offset: number, sizeBytes: number): number {
    if (bar !== 0) return 0xffffffff;
    // Doorbells are write only and read as zero (§3.1.24); what lies between is reserved.
    const word = this.#dword(offset & ~3);
    if (sizeBytes === 4) return word;
    return (word >>> ((offset & 3) * 8)) & (sizeBytes === 1 ? 0xff : 0xffff);
  }

  protected override registerWrite(bar: number, offset: number, sizeBytes: number, value: number): void {
    if (bar !== 0 || sizeBytes !== 4) return;
    if (offset >= NvmeRegister.doorbells) {
      this.#doorbell((offset - NvmeRegister.doorbells) >>> 2, value);
      return;
    }
    switch (offset) {
      case NvmeRegister.configuration:
        this.#configure(value);
        return;
      case NvmeRegister.subsystemReset:
        if (value === nvmeSubsystemResetWord) this.#stop(true);
        return;
      case NvmeRegister.adminQueueAttributes:
        this.#queueAttributes = value;
        return;
      case NvmeRegister.adminSubmissionLow:
      case NvmeRegister.adminCompletionLow: {
        const index = offset === NvmeRegister.adminSubmissionLow ? 0 : 1;
        this.#queueBases[index] = Math.floor(this.#queueBases[index] / 4294967296) * 4294967296 + value;
        return;
      }
      case NvmeRegister.adminSubmissionHigh:
      case NvmeRegister.adminCompletionHigh: {
        const index = offset === NvmeRegister.adminSubmissionHigh ? 0 : 1;
        this.#queueBases[index] = value * 4294967296 + (this.#queueBases[index] % 4294967296);
      }
    }
  }

  protected override functionReset(kind: "function" | "power"): void {
    this.#stop(true);
    this.#status = 0;
    if (kind === "power") {
      this.commandCount = 0;
      this.admin.powerOn();
    }
  }

  protected override linkLost(): void {
    // The cable carries the power: what was not flushed is at chance's mercy.
    if (!this.#isShutDown) this.unsafeShutdowns++;
    for (const entry of this.#inFlight.items) this.io.cut(entry);
    this.#stop(true);
    for (const disk of this.disks) disk.loseCache();
    this.#isShutDown = true;
  }

  /** The controller cannot go on: CSTS.CFS until it is reset. */
  fail(): void {
    this.#status |= NvmeControllerStatus.fatal;
  }

  /** Tells the host of something by an asynchronous event, when it asked for one. */
  notify(type: number, information: number, logPage: number): void {
    this.admin.events.report(type, encodeEvent({ type, information, logPage }));
  }

  /** Takes a completion to its queue. Interrupts follow when the batch is over (`flushInterrupts`). */
  complete(entry: NvmeInFlight, status: number, result = 0, isFinal = false): void {
    this.#judge(entry, status);
    if (this.#inFlight.delete(entry)) this.queues.expect(entry.queue, -1);
    this.postCompletion(entry.queue, entry.command.commandId, status, result, isFinal, entry.mischief);
    this.#idle.push(entry);
  }

  /** A status that says that the host asked for what the specification does not allow. */
  #judge({ command, mischief, queue }: NvmeInFlight, status: number): void {
    const clause = queue === 0 ? hostFaultsOfAdmin[status] : hostFaults[status];
    if (clause === undefined || mischief !== null || this.upstream === null) return;
    this.misused(
      `${queue === 0 ? "admin" : "I/O"} command 0x${hex(command.opcode, 2)} was refused: ${describeStatus(status)} (NVM Express 1.4 ${clause})`,
    );
  }

  postCompletion(
    queueId: number,
    commandId: number,
    status: number,
    result: number,
    isFinal: boolean,
    mischief: NvmeMischiefKind | null = null,
  ): void {
    const submission = this.queues.submission[queueId];
    if (submission === undefined || submission === null || this.upstream === null) return;
    const queue = this.queues.completion[submission.completionQueue];
    if (queue === undefined || queue === null) return;
    const completion = this.#completion;
    completion.result = result;
    completion.submissionHead = submission.head;
    completion.submissionQueue = queueId;
    completion.commandId = commandId;
    completion.phase = queue.phase;
    completion.status = status;
    completion.isFinal = isFinal;
    if (mischief !== null) this.#spoil(mischief);
    this.queues.post(this.upstream, queue, completion);
    if (mischief === "duplicate") {
      completion.phase = queue.phase;
      this.queues.post(this.upstream, queue, completion);
    }
    if (mischief === "lost-interrupt") queue.isDue = false;
  }

  /** One message per completion queue that got entries. */
  flushInterrupts(): void {
    for (const queue of this.queues.completion) {
      if (queue === null || !queue.isDue) continue;
      queue.isDue = false;
      if (queue.hasInterrupt) this.raise(queue.vector);
    }
  }

  /** Ends the command that a host wants gone; false when it is not there any more. */
  abort(queueId: number, commandId: number): boolean {
    const entry = this.#inFlight.items.find(
      (candidate) => candidate.queue === queueId && candidate.command.commandId === commandId,
    );
    if (entry === undefined || this.admin.events.holds(entry)) return false;
    this.clock.cancel(entry.timer);
    entry.mischief = null;
    this.complete(entry, NvmeStatus.abortRequested);
    return true;
  }

  /** Commands of a queue that is deleted are never completed (§7.3.3 lets them abort; this model drops them). */
  dropQueue(queueId: number): void {
    for (const entry of [...this.#inFlight.items]) {
      if (entry.queue !== queueId) continue;
      this.clock.cancel(entry.timer);
      this.complete(entry, NvmeStatus.submissionQueueDeleted);
    }
  }

  #dword(offset: number): number {
    const capabilities = encodeCapabilities({
      queueEntries: this.queueEntriesMaximum,
      timeoutMs: 2000,
      doorbellStride: 4,
      pageBytesMinimum: 4096,
      pageBytesMaximum: 65536,
      hasSubsystemReset: true,
    });
    switch (offset) {
      case NvmeRegister.capLow:
        return capabilities.low;
      case NvmeRegister.capHigh:
        return capabilities.high;
      case NvmeRegister.version:
        return 0x00010400;
      case NvmeRegister.configuration:
        return this.#configuration;
      case NvmeRegister.status:
        return this.#status;
      case NvmeRegister.adminQueueAttributes:
        return this.#queueAttributes;
      case NvmeRegister.adminSubmissionLow:
        return this.#queueBases[0] % 4294967296;
      case NvmeRegister.adminSubmissionHigh:
        return Math.floor(this.#queueBases[0] / 4294967296);
      case NvmeRegister.adminCompletionLow:
        return this.#queueBases[1] % 4294967296;
      case NvmeRegister.adminCompletionHigh:
        return Math.floor(this.#queueBases[1] / 4294967296);
      default:
        return 0;
    }
  }

  #configure(value: number): void {
    const before = this.#configuration;
    this.#configuration = value;
    const isOn = (value & NvmeConfiguration.enable) !== 0;
    const wasOn = (before & NvmeConfiguration.enable) !== 0;
    if (isOn && !wasOn) this.#start();
    if (!isOn && wasOn) this.#stop(false);
    const isShuttingDown = (value & NvmeConfiguration.shutdownMask) !== 0;
    if (isShuttingDown && (before & NvmeConfiguration.shutdownMask) === 0) this.#shutDown();
  }

  /** EN became 1 (§3.1.5): judged at once, ready a little later. */
  #start(): void {
    this.#status &= ~(NvmeControllerStatus.fatal | NvmeControllerStatus.shutdownMask);
    const pageBytes = 4096 << ((this.#configuration >>> NvmeConfiguration.pageShift) & 0xf);
    const submissionEntries = (this.#queueAttributes & 0xfff) + 1;
    const completionEntries = ((this.#queueAttributes >>> 16) & 0xfff) + 1;
    const [submissionBase, completionBase] = this.#queueBases;
    const isLegal =
      pageBytes <= 65536 &&
      ((this.#configuration >>> 4) & 7) === 0 &&
      submissionBase % pageBytes === 0 &&
      completionBase % pageBytes === 0 &&
      submissionEntries >= 2 &&
      completionEntries >= 2;
    if (!isLegal) {
      this.fail();
      return;
    }
    this.data.pageBytes = pageBytes;
    this.queues.clear();
    this.queues.addCompletion(0, completionBase, completionEntries, 0, true);
    this.queues.addSubmission(0, submissionBase, submissionEntries, 0);
    this.#isShutDown = false;
    if (this.options.isNeverReady === true) return;
    const delay = this.#mostNs === 0 ? 0 : readyNs + this.random.below(readyNs);
    this.#timer = this.clock.after(delay, becomeReady, this as NvmeDevice);
  }

  becomeReady(): void {
    if (this.isEngineOn) this.#status |= NvmeControllerStatus.ready;
  }

  /** EN became 0, or a reset: queues and commands are forgotten; the admin queue's registers stay. */
  #stop(isWhole: boolean): void {
    this.clock.cancel(this.#timer);
    for (const entry of this.#inFlight.items) {
      this.clock.cancel(entry.timer);
      this.#idle.push(entry);
    }
    this.#inFlight.clear();
    this.queues.clear();
    this.admin.reset();
    this.#status &= ~(NvmeControllerStatus.ready | NvmeControllerStatus.fatal);
    this.#configuration &= ~NvmeConfiguration.enable;
    if (!isWhole) return;
    this.#configuration = 0;
    this.#queueAttributes = 0;
    this.#queueBases.fill(0);
  }

  #shutDown(): void {
    this.#status = (this.#status & ~NvmeControllerStatus.shutdownMask) | NvmeControllerStatus.shutdownGoing;
    this.clock.after(this.#mostNs === 0 ? 0 : shutdownNs, finishShutdown, this as NvmeDevice);
  }

  finishShutdown(): void {
    if (this.upstream === null) return;
    for (const disk of this.disks) disk.flush();
    this.#isShutDown = true;
    this.#status = (this.#status & ~NvmeControllerStatus.shutdownMask) | NvmeControllerStatus.shutdownDone;
  }

  #doorbell(index: number, value: number): void {
    if ((this.#status & NvmeControllerStatus.ready) === 0) return;
    const queue =
      (index & 1) === 0 ? this.queues.submission[index >>> 1] : this.queues.completion[index >>> 1];
    const before = queue == null ? -1 : (index & 1) === 0 ? (queue as SubmissionQueue).tail : queue.head;
    // What was announced and not fetched grows with each doorbell; where it shrinks, the tail has gone round onto it.
    const waiting = (at: number): number =>
      queue == null ? 0 : (at - queue.head + queue.entries) % queue.entries;
    const isOverrun =
      (index & 1) === 0 && queue != null && value < queue.entries && waiting(value) < waiting(before);
    const problem = this.queues.ring(index, value);
    if (isOverrun)
      this.misused(
        `the submission queue doorbell of queue ${index >>> 1} went round onto commands that are not fetched: the queue was filled whole, and one entry has to stay free (NVM Express 1.4 §4.1.2, full queue)`,
      );
    if (problem !== null || value === before) {
      const name = `the ${(index & 1) === 0 ? "submission" : "completion"} queue doorbell of queue ${index >>> 1}`;
      this.misused(
        queue == null
          ? `${name} was written, and there is no such queue (NVM Express 1.4 §5.2, invalid doorbell register)`
          : value === before
            ? `${name} was written with ${value}, which it had: a queue that is full, or nothing new (NVM Express 1.4 §5.2, invalid doorbell write value)`
            : value >= queue.entries
              ? `${name} was written with ${value}, and the queue has ${queue.entries} entries (NVM Express 1.4 §5.2, invalid doorbell write value)`
              : `${name} was written with ${value}, past what was posted: entries of an earlier round were taken for new ones (NVM Express 1.4 §4.6, phase tag)`,
      );
    }
    if (problem !== null) {
      this.notify(0, problem, 1);
      this.flushInterrupts();
      return;
    }
    if ((index & 1) === 1 && !this.#hasWork()) return;
    if (this.#isProcessing) return;
    this.#isProcessing = true;
    const delay = this.#mostNs === 0 ? 0 : 500 + this.random.below(1500);
    this.clock.after(delay, processQueues, this as NvmeDevice);
  }

  #hasWork(): boolean {
    return this.queues.submission.some((queue) => queue !== null && queue.head !== queue.tail);
  }

  /** Fetches what the doorbells announced, queue by queue. Called by the clock. */
  processQueues(): void {
    this.#isProcessing = false;
    const { upstream } = this;
    if (upstream === null || (this.#status & NvmeControllerStatus.ready) === 0) return;
    for (let id = 0; id < this.queues.submission.length; id++) {
      const queue = this.queues.submission[id];
      if (queue === null || queue === undefined) continue;
      const completion = this.queues.completion[queue.completionQueue];
      if (completion === null || completion === undefined) continue;
      this.#drain(queue, completion);
      if ((this.#status & NvmeControllerStatus.fatal) !== 0) break;
    }
    this.flushInterrupts();
  }

  #drain(queue: SubmissionQueue, completion: CompletionQueue): void {
    const { upstream } = this;
    if (upstream === null) return;
    while (queue.head !== queue.tail && this.queues.hasRoom(completion)) {
      const bytes = this.queues.fetch(upstream, queue);
      if (bytes === null) {
        // Nobody lets the controller read its own queue: nothing it could report would arrive either.
        this.fail();
        return;
      }
      const entry = this.#take(queue.id);
      readCommand(bytes, 0, entry.command);
      this.#inFlight.add(entry);
      this.queues.expect(queue.id, 1);
      if (queue.id === 0) this.admin.execute(entry);
      else this.#begin(entry);
      if (this.upstream === null || (this.#status & NvmeControllerStatus.fatal) !== 0) return;
      if (this.queues.submission[queue.id] !== queue) return;
    }
  }

  #begin(entry: NvmeInFlight): void {
    entry.number = ++this.commandCount;
    const plan = this.options.mischief;
    entry.mischief = plan === undefined ? null : mischiefAt(plan, entry.number);
    if (entry.mischief === "silent") return;
    if (entry.mischief === "fatal") {
      this.fail();
      return;
    }
    if (entry.mischief === "stray-write" || entry.mischief === "stray-read") this.#stray(entry.mischief);
    if (this.#mostNs === 0) {
      this.io.execute(entry);
      return;
    }
    const delay = this.random.between(this.#leastNs, this.#mostNs);
    entry.timer = this.clock.after(delay, finishCommand, entry);
  }

  finish(entry: NvmeInFlight): void {
    this.io.execute(entry);
    this.flushInterrupts();
    // Room in a full completion queue lets waiting commands in.
    if (this.#hasWork()) this.processQueues();
  }

  #take(queue: number): NvmeInFlight {
    const entry = this.#idle.pop() ?? {
      command: newCommand(),
      queue,
      number: 0,
      mischief: null,
      timer: 0,
      place: -1,
      device: this,
    };
    entry.queue = queue;
    entry.number = 0;
    entry.mischief = null;
    entry.timer = 0;
    return entry;
  }

  #spoil(mischief: NvmeMischiefKind): void {
    const completion = this.#completion;
    if (mischief === "wrong-phase") completion.phase ^= 1;
    if (mischief === "wrong-id") completion.commandId = 0xbeef;
    if (mischief === "wrong-queue") completion.submissionQueue = 0x7777;
    if (mischief === "head-stuck") completion.submissionHead = 0xffff;
    if (mischief === "error" || mischief === "final-error") {
      completion.status = NvmeStatus.writeFault;
      completion.isFinal = mischief === "final-error";
    }
  }

  #stray(kind: NvmeMischiefKind): void {
    const { upstream } = this;
    if (upstream === null) return;
    const bytes = new Uint8Array(64);
    const address = this.random.below(2 ** 31) * 4;
    if (kind === "stray-write") upstream.write(address, bytes, 0, bytes.length);
    else upstream.read(address, bytes, 0, bytes.length);
  }
}

function becomeReady(device: NvmeDevice): void {
  device.becomeReady();
}

function finishShutdown(device: NvmeDevice): void {
  device.finishShutdown();
}

function processQueues(device: NvmeDevice): void {
  device.processQueues();
}

function finishCommand(entry: NvmeInFlight): void {
  entry.device.finish(entry);
}
