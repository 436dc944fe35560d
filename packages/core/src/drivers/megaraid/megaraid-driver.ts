// A MegaRAID host adapter as a PCI dext: MFI frames from the kernel's SCSI tasks; no register is read at work.

import { getU32le, putU16le, putU32le } from "../../base/bytes.ts";
import { IOReturns } from "../../base/io-return.ts";
import { hex } from "../../base/text.ts";
import { millisecond, second } from "../../base/units.ts";
import {
  controllerInfoBytes,
  decodeEvent,
  decodeLogicalDrives,
  decodePhysicalDrives,
  describeMfiStatus,
  encodeQueueInfo,
  eventDetailBytes,
  eventInfoBytes,
  frameBytes,
  initInfoBytes,
  ldListBytes,
  MfiAddressSpace,
  MfiCommand,
  MfiDcmd,
  MfiDoorbell,
  MfiFlag,
  MfiFrame,
  type MfiGeneration,
  type MfiPhysicalDrive,
  MfiRegister,
  MfiStatus,
  mfiDeviceIds,
  mfiReplyBits,
  putAddress,
  putSge,
  SgeFormat,
  sgeFlags,
} from "../../codec/mfi/mfi.ts";
import { PciCommand, PciConfig } from "../../codec/pci/config-space.ts";
import {
  IOPCIDevice,
  kIOPCIAccessLatencyTolerantHint,
  kPCIBARTypeIO,
} from "../../families/pci/io-pci-device.ts";
import {
  auxiliaryQueueName,
  interruptQueueName,
  type SCSIUserParallelTask,
} from "../../families/scsi/io-user-scsi-parallel-interface-controller.ts";
import {
  kSCSIDataTransfer_FromInitiatorToTarget,
  kSCSIDataTransfer_FromTargetToInitiator,
  kSCSIServiceResponse_FUNCTION_COMPLETE,
  kSCSIServiceResponse_FUNCTION_REJECTED,
  kSCSIServiceResponse_Request_In_Process,
  kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE,
  kSCSITaskStatus_BUSY,
  kSCSITaskStatus_GOOD,
} from "../../families/scsi/scsi-task.ts";
import type { OSAction } from "../../runtime/action.ts";
import { IODispatchQueue } from "../../runtime/dispatch-queue.ts";
import { kIOInterruptTypePCIMessagedX } from "../../runtime/dispatch-source.ts";
import type { Completion } from "../../runtime/scheduler.ts";
import type { IOService } from "../../runtime/service.ts";
import { DmaBuffer } from "../dma-buffer.ts";
import { HostAdapterDriver, oneSegment } from "../host-adapter-driver.ts";
import { bringFirmwareUp } from "./megaraid-firmware.ts";

/** Tasks at once, and frames besides for the driver's own commands. */
const tasksMaximum = 128;
const ownFrames = 8;
const senseBytes = 96;
const senseStride = 128;
/** Logical drives are targets of their own number; the adapter itself is beyond them. */
const highestTarget = 63;
const initiatorId = 255;
const pollNs = 1 * millisecond;
const commandTimeoutNs = 10 * second;
const generations = 256;
/** Entries of a command without data: QEMU wants one that is not empty. */
const scratchBytes = 64;

/** One frame and what it was sent for. */
interface Slot {
  isBusy: boolean;
  generation: number;
  taskId: number;
  targetId: number;
  bytes: number;
  completion: Completion<number> | null;
}

/** Where what a driver may do wrong differs from what this one does: overridden by the drivers of cases. */
export interface RaidHabits {
  readonly sgeFormat: SgeFormat;
  /** Whose memory its scatter entries name. */
  readonly addressSpace: number;
  /** Plain reads and writes of logical drives go as frames of their own kind, without a CDB. */
  readonly nativeIo?: boolean;
}

export class MegaRaidDriver extends HostAdapterDriver {
  readonly counters = { completions: 0, protocolErrors: 0, resets: 0, aborts: 0, events: 0 };
  protected readonly habits: RaidHabits = {
    sgeFormat: SgeFormat.wide,
    addressSpace: MfiAddressSpace.system,
  };
  #device: IOPCIDevice | null = null;
  #generation: MfiGeneration = "gen2";
  #memoryIndex = 0;
  #frames: DmaBuffer | null = null;
  #senses: DmaBuffer | null = null;
  #ring: DmaBuffer | null = null;
  #page: DmaBuffer | null = null;
  #event: DmaBuffer | null = null;
  #entries = 0;
  #consumer = 0;
  #auxiliary: IODispatchQueue | null = null;
  /** Tasks that came while the controller was being reset. */
  readonly #deferred: number[] = [];
  #isGateOpen = false;
  #isRecovering = false;
  #isStopping = false;
  readonly #slots: Slot[] = Array.from({ length: tasksMaximum + ownFrames }, () => ({
    isBusy: false,
    generation: 0,
    taskId: 0,
    targetId: 0,
    bytes: 0,
    completion: null,
  }));

  override async start(provider: IOService): Promise<void> {
    if (!(provider instanceof IOPCIDevice))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", "the provider is no IOPCIDevice");
    this.#device = provider;
    await provider.open(this);
    // Both before super's Start: the kernel looks for them (driverkit-families.md §5.5).
    this.#auxiliary = IODispatchQueue.create(this.process, auxiliaryQueueName);
    this.setDispatchQueue(auxiliaryQueueName, this.#auxiliary);
    this.interruptQueue = IODispatchQueue.create(this.process, interruptQueueName);
    this.setDispatchQueue(interruptQueueName, this.interruptQueue);
    await super.start(provider);
  }

  override async stop(provider: IOService): Promise<void> {
    this.#isStopping = true;
    if (this.#device !== null) await this.#takeDown(this.#device);
    await super.stop(provider);
  }

  // What the adapter is.

  override userReportInitiatorIdentifier(): number {
    return initiatorId;
  }

  override userReportHighestSupportedDeviceID(): number {
    return highestTarget;
  }

  override userReportMaximumTaskCount(): number {
    return Math.min(tasksMaximum, this.#entries - ownFrames);
  }

  override userDoesHBAPerformDeviceManagement(): boolean {
    return true;
  }

  override async userInitializeTargetForID(_targetId: number): Promise<void> {}

  // Bring-up.

  override async userInitializeController(): Promise<void> {
    const device = this.#device;
    if (device === null) throw this.failure(IOReturns.kIOReturnNotOpen, "UserInitializeController");
    this.#memoryIndex = memoryRangeOf(device);
    const deviceId = await device.configurationRead16(PciConfig.deviceId);
    this.#generation = deviceId === mfiDeviceIds["1078"] ? "1078" : "gen2";
    const command = await device.configurationRead16(PciConfig.command);
    device.configurationWrite16(PciConfig.command, command | PciCommand.memorySpace | PciCommand.busMaster);
    this.#isGateOpen = true;
    await this.#waitReady();
    await device.configureInterrupts(kIOInterruptTypePCIMessagedX, 1, 1);
    this.#makeMemory(device);
    this.makeInterrupt(device, this.#interruptOccurred);
    await this.#initialize();
    await this.#identify();
    this.userReportHBAConstraints(oneSegment);
  }

  override async userStartController(): Promise<void> {
    // Not here: the probing of each target arrives on this queue.
    this.process.spawn("MegaRAID targets", async () => {
      await this.#refreshDrives();
      await this.#waitForEvent();
    });
  }

  async #waitReady(): Promise<void> {
    const { scheduler } = this.kernel;
    const { maximumCommands, problem } = await bringFirmwareUp({
      read: () => this.#read(MfiRegister.state),
      tell: (value) => this.#write(MfiRegister.inboundDoorbell, value),
      now: () => this.nowNs,
      sleep: (ns) => scheduler.sleep(ns),
    });
    if (problem !== null) throw this.failure(problem.code, "MegaRAID state", problem.why);
    this.#entries = maximumCommands;
    if (maximumCommands <= ownFrames)
      throw this.failure(IOReturns.kIOReturnUnsupported, "MegaRAID state", `${maximumCommands} commands`);
  }

  #makeMemory(device: IOPCIDevice): void {
    const make = (bytes: number, owner: string) => DmaBuffer.create(this, device, bytes, owner);
    const count = tasksMaximum + ownFrames;
    this.#frames = make(count * frameBytes, "MFI frames");
    this.#senses = make(count * senseStride, "sense buffers");
    // Producer, consumer, then the entries: exactly as many as the firmware has commands.
    this.#ring = make(16 + (this.#entries + 1) * 4, "reply ring");
    this.#page = make(controllerInfoBytes + scratchBytes, "answers");
    this.#event = make(eventDetailBytes, "event detail");
  }

  /** INIT, polled in its frame; then interrupts, without which QEMU's ring does not move. */
  async #initialize(): Promise<void> {
    const ring = this.#ring as DmaBuffer;
    ring.bytes.fill(0);
    this.#consumer = 0;
    const page = this.#page as DmaBuffer;
    page.bytes.set(
      encodeQueueInfo({
        flags: 0,
        entries: this.#entries,
        producer: ring.address,
        consumer: ring.address + 4,
        replies: ring.address + 16,
      }),
    );
    const slot = this.#takeOwn();
    const frame = this.#frameOf(slot);
    frame.fill(0);
    frame[MfiFrame.command] = MfiCommand.init;
    frame[MfiFrame.commandStatus] = MfiStatus.pending;
    putU16le(frame, MfiFrame.flags, MfiFlag.dontPost);
    putU32le(frame, MfiFrame.dataLength, initInfoBytes);
    putAddress(frame, MfiFrame.initInfo, page.address);
    this.#slots[slot].isBusy = true;
    this.#ringQueue(slot);
    const deadline = this.nowNs + commandTimeoutNs;
    while (frame[MfiFrame.commandStatus] === MfiStatus.pending) {
      if (this.nowNs >= deadline) throw this.failure(IOReturns.kIOReturnTimeout, "MegaRAID INIT");
      await this.kernel.scheduler.sleep(pollNs);
    }
    this.#slots[slot].isBusy = false;
    const status = frame[MfiFrame.commandStatus];
    if (status !== MfiStatus.ok)
      throw this.failure(IOReturns.kIOReturnIOError, "MegaRAID INIT", describeMfiStatus(status));
    this.#write(MfiRegister.outboundMask, ~mfiReplyBits[this.#generation]);
  }

  async #identify(): Promise<void> {
    const page = this.#page as DmaBuffer;
    const status = await this.#dcmd(
      MfiDcmd.controllerInfo,
      page.address,
      controllerInfoBytes,
      commandTimeoutNs,
    );
    if (status !== MfiStatus.ok)
      throw this.failure(IOReturns.kIOReturnIOError, "MegaRAID controller info", describeMfiStatus(status));
    const text = (at: number, length: number): string => {
      let found = "";
      for (let index = 0; index < length && page.bytes[at + index] >= 0x20; index++)
        found += String.fromCharCode(page.bytes[at + index] & 0x7f);
      return found;
    };
    this.userSetHBAProperties({ "Vendor Name": "MegaRAID", "Product Name": text(1344, 80) });
  }

  // Drives.

  /** Creates targets for logical drives that are new and destroys those of drives that are gone. */
  async #refreshDrives(): Promise<void> {
    const page = this.#page;
    if (page === null || this.#isStopping) return;
    const status = await this.#dcmd(MfiDcmd.ldList, page.address, ldListBytes, commandTimeoutNs);
    if (status !== MfiStatus.ok || this.#isStopping || this.#page === null) return;
    const there = new Set(decodeLogicalDrives(page.bytes.slice(0, ldListBytes)).map(({ target }) => target));
    for (let target = 0; target <= highestTarget; target++) {
      const isPresent = this.userTargetPresentForID(target);
      if (isPresent && !there.has(target)) this.userDestroyTargetForID(target);
      if (isPresent || !there.has(target) || this.#isStopping) continue;
      try {
        await this.userCreateTargetForID(target);
      } catch (error) {
        if (this.#isStopping) return;
        this.log(`MegaRAID: target ${target} was not created: ${String(error)}`, "error");
      }
    }
  }

  /** Event info, then wait for the next one; on each, look at the drives again. QEMU's wait never ends. */
  async #waitForEvent(): Promise<void> {
    const page = this.#page;
    const event = this.#event;
    if (page === null || event === null || this.#isStopping) return;
    if (
      (await this.#dcmd(MfiDcmd.eventInfo, page.address, eventInfoBytes, commandTimeoutNs)) !== MfiStatus.ok
    )
      return;
    let sequence = getU32le(page.bytes, 0) + 1;
    while (!this.#isStopping) {
      const status = await this.#dcmd(MfiDcmd.eventWait, event.address, eventDetailBytes, 0, sequence);
      if (status !== MfiStatus.ok || this.#isStopping || this.#event === null) return;
      this.counters.events++;
      const detail = decodeEvent(event.bytes);
      sequence = detail.sequence + 1;
      // Events without end must not take the driver's whole time.
      await this.kernel.scheduler.sleep(10 * millisecond);
      await this.#refreshDrives();
    }
  }

  // Tasks.

  override userProcessParallelTask(request: SCSIUserParallelTask, _completion: OSAction | null): number {
    const { fControllerTaskIdentifier: taskId, fTargetID: targetId } = request;
    const slot = this.#slots[taskId - 1];
    if (!this.#isGateOpen || slot === undefined || slot.isBusy)
      return kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
    slot.taskId = taskId;
    slot.targetId = targetId;
    slot.bytes = request.fRequestedTransferCount;
    this.#fillScsi(taskId - 1, request);
    if (this.#isRecovering) {
      // It waits for the controller to come back.
      slot.isBusy = true;
      this.#deferred.push(taskId - 1);
    } else this.#send(taskId - 1);
    return kSCSIServiceResponse_Request_In_Process;
  }

  #fillScsi(index: number, request: SCSIUserParallelTask): void {
    const frame = this.#frameOf(index);
    const { sgeFormat } = this.habits;
    const { fTransferDirection: direction, fRequestedTransferCount: bytes } = request;
    const way =
      direction === kSCSIDataTransfer_FromTargetToInitiator
        ? MfiFlag.read
        : direction === kSCSIDataTransfer_FromInitiatorToTarget
          ? MfiFlag.write
          : 0;
    frame.fill(0);
    frame[MfiFrame.senseLength] = senseBytes;
    frame[MfiFrame.target] = request.fTargetID;
    frame[MfiFrame.lun] = request.fLogicalUnitBytes[1];
    if (this.habits.nativeIo === true && this.#fillNative(index, frame, request, way)) return;
    frame[MfiFrame.command] = MfiCommand.ldScsi;
    frame[MfiFrame.cdbLength] = request.fCommandSize;
    frame[MfiFrame.sgeCount] = 1;
    putU16le(frame, MfiFrame.flags, sgeFlags[sgeFormat] | way);
    // Without data, too, the length is what the entry covers: QEMU compares the two.
    putU32le(frame, MfiFrame.dataLength, bytes > 0 ? bytes : scratchBytes);
    const senses = this.#senses as DmaBuffer;
    putAddress(frame, MfiFrame.senseAddress, senses.address + index * senseStride);
    for (let at = 0; at < 16; at++) frame[MfiFrame.cdb + at] = request.fCommandDescriptorBlock[at];
    if (bytes > 0)
      putSge(frame, MfiFrame.scsiSges, sgeFormat, this.dataAddress(request), bytes, this.habits.addressSpace);
    else putSge(frame, MfiFrame.scsiSges, sgeFormat, this.#scratch, scratchBytes);
  }

  /** READ (10), WRITE (10) and their like without DPO, FUA or protection: blocks and an address say all. False: it needs its CDB. */
  #fillNative(index: number, frame: Uint8Array, request: SCSIUserParallelTask, way: number): boolean {
    const cdb = request.fCommandDescriptorBlock;
    const io = plainBlocks(cdb);
    if (io === null || request.fRequestedTransferCount === 0) return false;
    frame[MfiFrame.command] = io.isRead ? MfiCommand.ldRead : MfiCommand.ldWrite;
    frame[MfiFrame.sgeCount] = 1;
    putU16le(frame, MfiFrame.flags, sgeFlags[this.habits.sgeFormat] | way);
    putU32le(frame, MfiFrame.dataLength, io.blocks);
    putAddress(frame, MfiFrame.senseAddress, (this.#senses as DmaBuffer).address + index * senseStride);
    putAddress(frame, MfiFrame.ldLba, io.lba);
    const { fRequestedTransferCount: bytes } = request;
    putSge(
      frame,
      MfiFrame.ldSges,
      this.habits.sgeFormat,
      this.dataAddress(request),
      bytes,
      this.habits.addressSpace,
    );
    return true;
  }

  /** What the hardware is told: the address that the kernel prepared, untouched. */
  protected dataAddress(request: SCSIUserParallelTask): number {
    return request.fBufferIOVMAddr;
  }

  get #scratch(): number {
    return (this.#page as DmaBuffer).address + controllerInfoBytes;
  }

  /** Gives the frame a context of this time, and the queue port its address. */
  #send(index: number): void {
    const slot = this.#slots[index];
    const frame = this.#frameOf(index);
    slot.isBusy = true;
    slot.generation = (slot.generation + 1) % generations;
    frame[MfiFrame.commandStatus] = MfiStatus.pending;
    putU32le(frame, MfiFrame.context, index + slot.generation * 1024);
    this.#ringQueue(index);
  }

  #ringQueue(index: number): void {
    const device = this.#device;
    if (device === null || !this.#isGateOpen) return;
    const address = (this.#frames as DmaBuffer).address + index * frameBytes;
    if (this.#generation === "1078") {
      device.memoryWrite32(this.#memoryIndex, MfiRegister.queuePort, address);
      return;
    }
    device.memoryWrite32(this.#memoryIndex, MfiRegister.queuePortHigh, Math.floor(address / 4294967296));
    device.memoryWrite32(this.#memoryIndex, MfiRegister.queuePortLow, address >>> 0);
  }

  #frameOf(index: number): Uint8Array {
    const known = this.#views[index];
    if (known !== undefined) return known;
    const { bytes } = this.#frames as DmaBuffer;
    const view = bytes.subarray(index * frameBytes, (index + 1) * frameBytes);
    this.#views[index] = view;
    return view;
  }

  readonly #views: Uint8Array[] = [];

  /** InterruptOccurred: every context that was posted. The indices are in host memory. */
  readonly #interruptOccurred = (): void => {
    const ring = this.#ring;
    if (ring === null) return;
    const { bytes } = ring;
    let problem: string | null = null;
    let budget = this.#entries;
    while (problem === null && budget-- > 0 && !this.#isRecovering) {
      const producer = getU32le(bytes, 0);
      if (producer === this.#consumer) break;
      if (producer >= this.#entries) {
        problem = `a producer index of ${producer} in a ring of ${this.#entries}`;
        break;
      }
      const context = getU32le(bytes, 16 + this.#consumer * 4);
      this.#consumer = (this.#consumer + 1) % this.#entries;
      problem = this.#posted(context);
    }
    putU32le(bytes, 4, this.#consumer);
    if (problem === null) return;
    this.counters.protocolErrors++;
    this.log(`MegaRAID: ${problem}`, "error");
    this.#recoverSoon("a broken reply");
  };

  #posted(context: number): string | null {
    const index = context % 1024;
    const slot = this.#slots[index];
    if (slot === undefined || !slot.isBusy || slot.generation !== Math.floor(context / 1024))
      return `a reply for context 0x${hex(context)}, which is not under way`;
    const frame = this.#frameOf(index);
    slot.isBusy = false;
    this.counters.completions++;
    const status = frame[MfiFrame.commandStatus];
    if (slot.completion !== null) {
      const { completion } = slot;
      slot.completion = null;
      completion.succeed(status);
    } else this.#complete(index, slot, status, frame[MfiFrame.scsiStatus]);
    return null;
  }

  #complete(index: number, slot: Slot, status: number, scsiStatus: number): void {
    const response = this.responseFor(slot, kSCSITaskStatus_GOOD);
    if (status === MfiStatus.ok) response.fBytesTransferred = this.bytesTransferred(slot.bytes);
    else if (status === MfiStatus.scsiError) {
      response.fCompletionStatus = scsiStatus;
      response.fSenseLength = senseBytes;
      const { bytes } = this.#senses as DmaBuffer;
      for (let at = 0; at < senseBytes; at++) response.fSenseBuffer[at] = bytes[index * senseStride + at];
    } else {
      response.fServiceResponse = kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
      if (status === MfiStatus.deviceNotFound) this.#driveGone(slot.targetId);
      else this.log(`MegaRAID: command failed: ${describeMfiStatus(status)}`, "error");
    }
    this.parallelTaskCompletion(response);
  }

  /** MFI frames count nothing back: what was asked for has moved when the firmware says so. */
  protected bytesTransferred(requested: number): number {
    return requested;
  }

  #driveGone(targetId: number): void {
    if (this.#isStopping || !this.userTargetPresentForID(targetId)) return;
    this.process.spawn("MegaRAID drives", () => this.#refreshDrives());
  }

  // Commands of its own.

  #takeOwn(): number {
    for (let index = tasksMaximum; index < this.#slots.length; index++)
      if (!this.#slots[index].isBusy) return index;
    return -1;
  }

  /** A DCMD with one buffer for its answer; resolves with the MFI status, `pending` when nothing came in time. */
  async #dcmd(
    opcode: number,
    address: number,
    lengthBytes: number,
    timeoutNs: number,
    mailbox = 0,
  ): Promise<number> {
    const index = this.#takeOwn();
    if (index < 0 || !this.#isGateOpen || this.#isRecovering) return MfiStatus.pending;
    const frame = this.#frameOf(index);
    frame.fill(0);
    frame[MfiFrame.command] = MfiCommand.dcmd;
    frame[MfiFrame.sgeCount] = lengthBytes > 0 ? 1 : 0;
    putU16le(frame, MfiFrame.flags, sgeFlags[SgeFormat.wide] | MfiFlag.read);
    putU32le(frame, MfiFrame.dataLength, lengthBytes);
    putU32le(frame, MfiFrame.dcmdOpcode, opcode);
    putU32le(frame, MfiFrame.dcmdMailbox, mailbox);
    if (lengthBytes > 0) putSge(frame, MfiFrame.dcmdSges, SgeFormat.wide, address, lengthBytes);
    return this.#ask(index, timeoutNs, `DCMD ${hex(opcode, 8)}`);
  }

  // Physical drives.

  /** Disks behind the controller, whether a logical drive uses them or not, as PD SCSI frames name them. Empty: it does not say. */
  async physicalDrives(): Promise<readonly MfiPhysicalDrive[]> {
    const page = this.#page;
    if (page === null) return [];
    const status = await this.#dcmd(MfiDcmd.pdList, page.address, controllerInfoBytes, commandTimeoutNs);
    return status === MfiStatus.ok && this.#page !== null
      ? decodePhysicalDrives(page.bytes.slice(0, controllerInfoBytes))
      : [];
  }

  /**
   * A command past the logical drives, for tools: its data, `lengthBytes` of it at most 2048. Rejects with kIOReturnNoDevice
   * (no such drive), kIOReturnIOError (MFI or SCSI status in words), kIOReturnBusy (no frame free).
   */
  async physicalCommand(id: number, cdb: readonly number[], lengthBytes: number): Promise<Uint8Array> {
    const page = this.#page;
    const index = this.#takeOwn();
    if (page === null || index < 0 || !this.#isGateOpen || this.#isRecovering)
      throw this.failure(IOReturns.kIOReturnBusy, "MegaRAID PD SCSI");
    if (lengthBytes < 0 || lengthBytes > controllerInfoBytes || cdb.length < 6 || cdb.length > 16)
      throw this.failure(IOReturns.kIOReturnBadArgument, "MegaRAID PD SCSI");
    const frame = this.#frameOf(index);
    frame.fill(0);
    frame[MfiFrame.command] = MfiCommand.pdScsi;
    frame[MfiFrame.senseLength] = senseBytes;
    frame[MfiFrame.target] = id >>> 8;
    frame[MfiFrame.lun] = id & 0xff;
    frame[MfiFrame.cdbLength] = cdb.length;
    frame[MfiFrame.sgeCount] = 1;
    frame.set(cdb, MfiFrame.cdb);
    putU16le(frame, MfiFrame.flags, sgeFlags[SgeFormat.wide] | MfiFlag.read);
    const bytes = Math.max(lengthBytes, scratchBytes);
    putU32le(frame, MfiFrame.dataLength, bytes);
    putAddress(frame, MfiFrame.senseAddress, (this.#senses as DmaBuffer).address + index * senseStride);
    putSge(frame, MfiFrame.scsiSges, SgeFormat.wide, page.address, bytes);
    page.bytes.fill(0, 0, bytes);
    const status = await this.#ask(index, commandTimeoutNs, "PD SCSI");
    if (status === MfiStatus.ok) return page.bytes.slice(0, lengthBytes);
    const isMissing = status === MfiStatus.deviceNotFound;
    throw this.failure(
      isMissing ? IOReturns.kIOReturnNoDevice : IOReturns.kIOReturnIOError,
      "MegaRAID PD SCSI",
      `${describeMfiStatus(status)}, SCSI status ${frame[MfiFrame.scsiStatus]}`,
    );
  }

  #ask(index: number, timeoutNs: number, what: string): Promise<number> {
    const { scheduler } = this.kernel;
    const slot = this.#slots[index];
    return scheduler.block<number>(
      what,
      (completion) => {
        slot.completion = completion;
        this.#send(index);
        if (timeoutNs === 0) return;
        const { generation } = slot;
        scheduler.after(
          timeoutNs,
          () => {
            if (slot.completion !== completion || slot.generation !== generation) return;
            slot.completion = null;
            completion.succeed(MfiStatus.pending);
            this.#recoverSoon(`no answer to ${what}`);
          },
          undefined,
        );
      },
      undefined,
      // A wait for events may last for ever: nobody is stuck in it.
      timeoutNs === 0,
    );
  }

  override async userAbortTaskRequest(_targetId: number, _lun: number, taskId: number): Promise<number> {
    const slot = this.#slots[taskId - 1];
    if (slot === undefined || !slot.isBusy || this.#isStopping) return kSCSIServiceResponse_FUNCTION_REJECTED;
    this.counters.aborts++;
    // What is in memory counts, not the message: its interrupt may have been lost.
    this.#interruptOccurred();
    if (!slot.isBusy) return kSCSIServiceResponse_FUNCTION_COMPLETE;
    const index = this.#takeOwn();
    if (index < 0 || !this.#isGateOpen || this.#isRecovering) return kSCSIServiceResponse_FUNCTION_REJECTED;
    const { generation } = slot;
    const frame = this.#frameOf(index);
    frame.fill(0);
    frame[MfiFrame.command] = MfiCommand.abort;
    putU32le(frame, MfiFrame.abortContext, taskId - 1 + generation * 1024);
    putAddress(frame, MfiFrame.abortAddress, (this.#frames as DmaBuffer).address + (taskId - 1) * frameBytes);
    const status = await this.#ask(index, 2 * second, "ABORT");
    if (status === MfiStatus.ok && slot.isBusy && slot.generation === generation) {
      slot.isBusy = false;
      return kSCSIServiceResponse_FUNCTION_COMPLETE;
    }
    if (!slot.isBusy) return kSCSIServiceResponse_FUNCTION_COMPLETE;
    this.#recoverSoon("a command cannot be aborted");
    return kSCSIServiceResponse_FUNCTION_REJECTED;
  }

  /** Firmware of this kind has no task management beyond ABORT: each of a set is aborted by itself. */
  override async userAbortTaskSetRequest(targetId: number, lun: number): Promise<number> {
    for (const slot of this.#slots)
      if (slot.isBusy && slot.completion === null && slot.targetId === targetId)
        await this.userAbortTaskRequest(targetId, lun, slot.taskId);
    return kSCSIServiceResponse_FUNCTION_COMPLETE;
  }

  // Recovery.

  #recoverSoon(why: string): void {
    if (this.#isRecovering || this.#isStopping || !this.#isGateOpen) return;
    this.#isRecovering = true;
    this.log(`MegaRAID: resetting the controller: ${why}`, "error");
    this.process.spawn("MegaRAID recovery", () => this.#recover());
  }

  /** Soft reset and a new INIT: late replies cannot come. What was under way ends as BUSY, and is sent again from above. */
  async #recover(): Promise<void> {
    this.counters.resets++;
    const device = this.#device;
    let isBack = false;
    try {
      if (device === null || (await device.configurationRead16(PciConfig.vendorId)) === 0xffff)
        throw this.failure(IOReturns.kIOReturnNoDevice, "MegaRAID recovery");
      this.#write(
        MfiRegister.inboundDoorbell,
        MfiDoorbell.abortAll | MfiDoorbell.ready | MfiDoorbell.mfiMode,
      );
      await this.#waitReady();
      this.#freeOwn();
      await this.#initialize();
      isBack = true;
    } catch {
      if (this.#isStopping) return;
      this.log("MegaRAID: the controller does not come back", "error");
      this.#isGateOpen = false;
      // The mappings of the tasks end with them: the hardware must not reach memory any more.
      device?.configurationWrite16(PciConfig.command, PciCommand.memorySpace);
      if (device !== null) await device.configurationRead16(PciConfig.command);
    }
    const deferred = isBack ? this.#deferred.splice(0) : [];
    this.#deferred.length = 0;
    this.#endAll(isBack ? kSCSITaskStatus_BUSY : null, deferred);
    this.#isRecovering = false;
    for (const index of deferred) this.#send(index);
    if (isBack && !this.#isStopping) this.process.spawn("MegaRAID events", () => this.#waitForEvent());
  }

  /** The firmware has forgotten the driver's own commands; who waits for one hears of it in the end. */
  #freeOwn(): void {
    for (const slot of this.#slots.slice(tasksMaximum)) {
      slot.isBusy = false;
      const { completion } = slot;
      slot.completion = null;
      completion?.succeed(MfiStatus.pending);
    }
  }

  /** Everything that was under way: with a status, or as not delivered. `kept`: tasks that have not been sent yet. */
  #endAll(status: number | null, kept: readonly number[] = []): void {
    for (const [index, slot] of this.#slots.entries()) {
      if (kept.includes(index)) continue;
      const { completion } = slot;
      if (completion !== null) {
        slot.completion = null;
        slot.isBusy = false;
        completion.succeed(MfiStatus.pending);
      } else if (slot.isBusy) {
        slot.isBusy = false;
        this.parallelTaskCompletion(this.responseFor(slot, status));
      }
    }
  }

  // Stop.

  /** Gate, firmware, bus master, read-back, sources, tasks, memory, session: in this order on every way out (posts.md F12). */
  async #takeDown(device: IOPCIDevice): Promise<void> {
    const isPresent = (await device.configurationRead16(PciConfig.vendorId)) !== 0xffff;
    if (isPresent && this.#isGateOpen && !this.#isRecovering && this.#frames !== null) {
      // Leaves the drives' caches on their media; then nothing is posted any more.
      await this.#dcmd(MfiDcmd.cacheFlush, 0, 0, commandTimeoutNs);
      await this.#dcmd(MfiDcmd.shutdown, 0, 0, commandTimeoutNs);
      this.#write(MfiRegister.inboundDoorbell, MfiDoorbell.abortAll | MfiDoorbell.ready);
    }
    this.stopInterrupt();
    this.#isGateOpen = false;
    device.configurationWrite16(PciConfig.command, PciCommand.interruptDisable);
    await device.configurationRead16(PciConfig.command);
    await this.cancelInterrupt();
    this.#auxiliary?.release();
    this.#auxiliary = null;
    this.#endAll(null);
    for (const buffer of [this.#frames, this.#senses, this.#ring, this.#page, this.#event]) buffer?.release();
    this.#frames = null;
    this.#senses = null;
    this.#ring = null;
    this.#page = null;
    this.#event = null;
    device.close(this);
    this.#device = null;
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
}

/** Plain I/O in a CDB of 6, 10, 12 or 16 bytes (SBC-3 §5); null: anything else, or with bits that a block frame cannot say. */
function plainBlocks(cdb: Uint8Array): { isRead: boolean; lba: number; blocks: number } | null {
  const view = (at: number) => cdb[at] * 0x1000000 + (cdb[at + 1] << 16) + (cdb[at + 2] << 8) + cdb[at + 3];
  switch (cdb[0]) {
    case 0x28:
    case 0x2a:
      return cdb[1] === 0 ? { isRead: cdb[0] === 0x28, lba: view(2), blocks: cdb[7] * 256 + cdb[8] } : null;
    case 0xa8:
    case 0xaa:
      return cdb[1] === 0 ? { isRead: cdb[0] === 0xa8, lba: view(2), blocks: view(6) } : null;
    case 0x88:
    case 0x8a:
      return cdb[1] === 0
        ? { isRead: cdb[0] === 0x88, lba: view(2) * 4294967296 + view(6), blocks: view(10) }
        : null;
    default:
      return null;
  }
}

/** Plain reads and writes without CDBs. */
export class NativeIoMegaRaidDriver extends MegaRaidDriver {
  protected override readonly habits: RaidHabits = {
    sgeFormat: SgeFormat.wide,
    addressSpace: MfiAddressSpace.system,
    nativeIo: true,
  };
}

/** The registers' range: the first that is memory; the two generations have it in different places. */
function memoryRangeOf(device: IOPCIDevice): number {
  for (let bar = 0; bar < 6; bar++) {
    try {
      const { memoryIndex, barType } = device.getBARInfo(bar);
      if (barType !== kPCIBARTypeIO) return memoryIndex;
    } catch {
      // No such BAR.
    }
  }
  throw device.failure(IOReturns.kIOReturnNoMemory, "MegaRAID registers");
}
