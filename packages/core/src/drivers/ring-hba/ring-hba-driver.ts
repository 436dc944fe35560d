// The small host adapter's dext: the kernel's SCSI tasks into a ring, replies out of another; no register read at work.

import { IOReturns } from "../../base/io-return.ts";
import { hex } from "../../base/text.ts";
import { millisecond, second } from "../../base/units.ts";
import { PciCommand, PciConfig } from "../../codec/pci/config-space.ts";
import {
  newRingHbaReply,
  newRingHbaRequest,
  RingHbaControl,
  RingHbaRegister,
  RingHbaSpace,
  RingHbaState,
  RingHbaStatus,
  readRingHbaReply,
  replyBytes,
  requestBytes,
  ringHbaIdentity,
  writeRingHbaRequest,
} from "../../codec/ring-hba/ring-hba.ts";
import { IOPCIDevice, kIOPCIAccessLatencyTolerantHint } from "../../families/pci/io-pci-device.ts";
import {
  interruptQueueName,
  type SCSIUserParallelTask,
} from "../../families/scsi/io-user-scsi-parallel-interface-controller.ts";
import {
  kSCSIServiceResponse_FUNCTION_COMPLETE,
  kSCSIServiceResponse_FUNCTION_REJECTED,
  kSCSIServiceResponse_Request_In_Process,
  kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE,
  kSCSITaskStatus_BUSY,
} from "../../families/scsi/scsi-task.ts";
import type { OSAction } from "../../runtime/action.ts";
import { IODispatchQueue } from "../../runtime/dispatch-queue.ts";
import { kIOInterruptTypePCIMessagedX } from "../../runtime/dispatch-source.ts";
import type { IOService } from "../../runtime/service.ts";
import { DmaBuffer } from "../dma-buffer.ts";
import { HostAdapterDriver, oneSegment } from "../host-adapter-driver.ts";

const entries = 64;
/** One less than the ring holds. */
const tasksMaximum = entries - 1;
const senseBytes = 96;
const initiatorId = 31;
const highestTarget = 7;
const readyTimeoutNs = 5 * second;
const pollNs = 1 * millisecond;
/** How long an aborted task may take to be replied to. */
const abortNs = 1 * second;
/** Tags: the task and how often it has been sent, so that a late reply is known. */
const generations = 256;

interface Slot {
  isBusy: boolean;
  generation: number;
  taskId: number;
  targetId: number;
}

/**
 * The kernel makes the targets (UserDoesHBAPerformDeviceManagement: no); those that are not there refuse their
 * initialization. What a reply says is checked: one that belongs to nothing resets the adapter.
 */
export class RingHbaDriver extends HostAdapterDriver {
  readonly counters = { completions: 0, protocolErrors: 0, resets: 0, aborts: 0 };
  #device: IOPCIDevice | null = null;
  #requests: DmaBuffer | null = null;
  #replies: DmaBuffer | null = null;
  #senses: DmaBuffer | null = null;
  #targets = 0;
  #producer = 0;
  #consumer = 0;
  #phase = 1;
  #isGateOpen = false;
  #isRecovering = false;
  #isStopping = false;
  readonly #request = newRingHbaRequest();
  readonly #reply = newRingHbaReply();
  readonly #slots: Slot[] = Array.from({ length: tasksMaximum }, () => ({
    isBusy: false,
    generation: 0,
    taskId: 0,
    targetId: 0,
  }));

  override async start(provider: IOService): Promise<void> {
    if (!(provider instanceof IOPCIDevice))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", "the provider is no IOPCIDevice");
    this.#device = provider;
    await provider.open(this);
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
    return tasksMaximum;
  }

  override userDoesHBAPerformDeviceManagement(): boolean {
    return false;
  }

  override async userInitializeTargetForID(targetId: number): Promise<void> {
    if ((this.#targets & (1 << targetId)) === 0)
      throw this.failure(IOReturns.kIOReturnNoDevice, "UserInitializeTargetForID", `target ${targetId}`);
  }

  // Bring-up.

  override async userInitializeController(): Promise<void> {
    const device = this.#device;
    if (device === null) throw this.failure(IOReturns.kIOReturnNotOpen, "UserInitializeController");
    const command = await device.configurationRead16(PciConfig.command);
    device.configurationWrite16(PciConfig.command, command | PciCommand.memorySpace | PciCommand.busMaster);
    this.#isGateOpen = true;
    const identity = await this.#read(RingHbaRegister.identity);
    if (identity !== ringHbaIdentity)
      throw this.failure(IOReturns.kIOReturnUnsupported, "adapter identity", `0x${hex(identity, 8)}`);
    await device.configureInterrupts(kIOInterruptTypePCIMessagedX, 1, 1);
    this.#requests = DmaBuffer.create(this, device, entries * requestBytes, "request ring");
    this.#replies = DmaBuffer.create(this, device, entries * replyBytes, "reply ring");
    this.#senses = DmaBuffer.create(this, device, tasksMaximum * senseBytes, "sense buffers");
    this.makeInterrupt(device, this.#interruptOccurred);
    await this.#enable();
    this.userReportHBAConstraints(oneSegment);
  }

  override async userStartController(): Promise<void> {}

  /** Reset, the rings from their beginnings, enable, and a wait for the firmware. */
  async #enable(): Promise<void> {
    const requests = this.#requests as DmaBuffer;
    const replies = this.#replies as DmaBuffer;
    this.#write(RingHbaRegister.control, RingHbaControl.reset);
    replies.bytes.fill(0);
    this.#producer = 0;
    this.#consumer = 0;
    this.#phase = 1;
    this.#writeAddress(RingHbaRegister.requestsLow, requests.address);
    this.#writeAddress(RingHbaRegister.repliesLow, replies.address);
    this.#write(RingHbaRegister.entries, entries);
    this.#write(RingHbaRegister.control, RingHbaControl.enable);
    const deadline = this.nowNs + readyTimeoutNs;
    for (;;) {
      const state = await this.#read(RingHbaRegister.state);
      if (state === RingHbaState.ready) break;
      if (state === 0xffffffff) throw this.failure(IOReturns.kIOReturnNoDevice, "adapter state");
      if (state === RingHbaState.fault)
        throw this.failure(IOReturns.kIOReturnIOError, "adapter state", "fault");
      if (this.nowNs >= deadline)
        throw this.failure(IOReturns.kIOReturnTimeout, "adapter state", `still ${state} after 5 s`);
      await this.kernel.scheduler.sleep(pollNs);
    }
    this.#targets = await this.#read(RingHbaRegister.targets);
  }

  // Tasks.

  override userProcessParallelTask(task: SCSIUserParallelTask, _completion: OSAction | null): number {
    const { fControllerTaskIdentifier: taskId, fTargetID: targetId } = task;
    const index = taskId - 1;
    const slot = this.#slots[index];
    if (!this.#isGateOpen || this.#isStopping || slot === undefined || slot.isBusy)
      return kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
    slot.taskId = taskId;
    slot.targetId = targetId;
    slot.isBusy = true;
    slot.generation = (slot.generation + 1) % generations;
    // While the adapter comes back nothing reaches it: the task ends as BUSY with the others, and is sent again from above.
    if (this.#isRecovering) return kSCSIServiceResponse_Request_In_Process;
    const request = this.#request;
    request.tag = index + slot.generation * entries;
    request.target = targetId;
    request.lun = task.fLogicalUnitBytes[1];
    request.cdbBytes = task.fCommandSize;
    for (let at = 0; at < 16; at++) request.cdb[at] = task.fCommandDescriptorBlock[at];
    request.senseAddress = (this.#senses as DmaBuffer).address + index * senseBytes;
    request.address = task.fBufferIOVMAddr;
    request.lengthBytes = task.fRequestedTransferCount;
    request.space = RingHbaSpace.system;
    writeRingHbaRequest((this.#requests as DmaBuffer).bytes, this.#producer * requestBytes, request);
    this.#producer = (this.#producer + 1) % entries;
    this.#write(RingHbaRegister.producer, this.#producer);
    return kSCSIServiceResponse_Request_In_Process;
  }

  /** InterruptOccurred: every reply whose phase says that it is there. */
  readonly #interruptOccurred = (): void => {
    const reply = this.#reply;
    const { bytes } = this.#replies ?? { bytes: null };
    if (bytes === null || this.#isRecovering) return;
    let problem: string | null = null;
    for (let budget = entries; problem === null && budget > 0; budget--) {
      readRingHbaReply(bytes, this.#consumer * replyBytes, reply);
      if (reply.phase !== this.#phase) break;
      this.#consumer++;
      if (this.#consumer === entries) {
        this.#consumer = 0;
        this.#phase ^= 1;
      }
      const index = reply.tag % entries;
      const slot = this.#slots[index];
      if (slot === undefined || !slot.isBusy || slot.generation !== Math.floor(reply.tag / entries))
        problem = `a reply for tag 0x${hex(reply.tag)}, which is not under way`;
      else this.#complete(index, slot);
    }
    this.#write(RingHbaRegister.consumer, this.#consumer);
    if (problem === null) return;
    this.counters.protocolErrors++;
    this.log(`adapter: ${problem}`, "error");
    this.#recoverSoon();
  };

  #complete(index: number, slot: Slot): void {
    const reply = this.#reply;
    this.counters.completions++;
    slot.isBusy = false;
    // Whoever asked for the abort ends the task.
    if (reply.status === RingHbaStatus.aborted) return;
    const isAnswer = reply.status === RingHbaStatus.good || reply.status === RingHbaStatus.scsi;
    const response = this.responseFor(slot, isAnswer ? reply.scsiStatus : null);
    response.fBytesTransferred = isAnswer ? reply.movedBytes : 0;
    response.fSenseLength = Math.min(reply.senseBytes, senseBytes);
    const { bytes } = this.#senses as DmaBuffer;
    for (let at = 0; at < response.fSenseLength; at++)
      response.fSenseBuffer[at] = bytes[index * senseBytes + at];
    if (!isAnswer) this.log(`adapter: request ended with status ${reply.status}`, "error");
    this.parallelTaskCompletion(response);
  }

  override async userAbortTaskRequest(_targetId: number, _lun: number, taskId: number): Promise<number> {
    const slot = this.#slots[taskId - 1];
    if (slot === undefined || !slot.isBusy || this.#isStopping) return kSCSIServiceResponse_FUNCTION_REJECTED;
    this.counters.aborts++;
    // What is in memory counts: its interrupt may have been lost.
    this.#interruptOccurred();
    const { generation } = slot;
    if (slot.isBusy) this.#write(RingHbaRegister.abort, taskId - 1 + generation * entries);
    const deadline = this.nowNs + abortNs;
    while (slot.isBusy && slot.generation === generation && this.nowNs < deadline)
      await this.kernel.scheduler.sleep(pollNs);
    if (!slot.isBusy || slot.generation !== generation) return kSCSIServiceResponse_FUNCTION_COMPLETE;
    this.#recoverSoon();
    return kSCSIServiceResponse_FUNCTION_REJECTED;
  }

  override async userAbortTaskSetRequest(targetId: number, lun: number): Promise<number> {
    for (const slot of this.#slots)
      if (slot.isBusy && slot.targetId === targetId)
        await this.userAbortTaskRequest(targetId, lun, slot.taskId);
    return kSCSIServiceResponse_FUNCTION_COMPLETE;
  }

  // Recovery and Stop.

  #recoverSoon(): void {
    if (this.#isRecovering || this.#isStopping || !this.#isGateOpen) return;
    this.#isRecovering = true;
    this.process.spawn("adapter recovery", () => this.#recover());
  }

  /** After the reset nothing late can come: what was under way ends as BUSY and is sent again from above. */
  async #recover(): Promise<void> {
    this.counters.resets++;
    const device = this.#device;
    let status: number | null = kSCSITaskStatus_BUSY;
    try {
      if (device === null || (await device.configurationRead16(PciConfig.vendorId)) === 0xffff)
        throw this.failure(IOReturns.kIOReturnNoDevice, "adapter recovery");
      await this.#enable();
    } catch (error) {
      if (this.#isStopping) return;
      this.log(`adapter: it does not come back: ${String(error)}`, "error");
      this.#isGateOpen = false;
      // The mappings of the tasks end with them: the hardware must not reach memory any more.
      device?.configurationWrite16(PciConfig.command, PciCommand.memorySpace);
      if (device !== null) await device.configurationRead16(PciConfig.command);
      status = null;
    }
    if (this.#isStopping) return;
    this.#endAll(status);
    this.#isRecovering = false;
  }

  #endAll(status: number | null): void {
    for (const slot of this.#slots) {
      if (!slot.isBusy) continue;
      slot.isBusy = false;
      this.parallelTaskCompletion(this.responseFor(slot, status));
    }
  }

  /** Gate, firmware, bus master, read-back, sources, tasks, memory, session: in this order on every way out (posts.md F12). */
  async #takeDown(device: IOPCIDevice): Promise<void> {
    this.#write(RingHbaRegister.control, RingHbaControl.reset);
    this.stopInterrupt();
    this.#isGateOpen = false;
    device.configurationWrite16(PciConfig.command, PciCommand.interruptDisable);
    await device.configurationRead16(PciConfig.command);
    await this.cancelInterrupt();
    this.#endAll(null);
    for (const buffer of [this.#requests, this.#replies, this.#senses]) buffer?.release();
    this.#requests = null;
    this.#replies = null;
    this.#senses = null;
    device.close(this);
    this.#device = null;
  }

  // Registers.

  #read(offset: number): Promise<number> {
    const device = this.#device;
    if (device === null || !device.isOpen) return Promise.resolve(0xffffffff);
    return device.memoryRead32(0, offset, kIOPCIAccessLatencyTolerantHint);
  }

  #write(offset: number, value: number): void {
    if (this.#isGateOpen) this.#device?.memoryWrite32(0, offset, value >>> 0);
  }

  #writeAddress(offset: number, address: number): void {
    this.#write(offset, address >>> 0);
    this.#write(offset + 4, Math.floor(address / 4294967296));
  }
}
