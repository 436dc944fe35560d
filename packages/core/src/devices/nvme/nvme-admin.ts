// Admin commands of the NVMe model: identify, queues, features, logs, abort, events (NVM Express 1.4 §5).

import { putU16le, putU32le } from "../../base/bytes.ts";
import { NvmeAdmin, NvmeFeature, NvmeLog, NvmeStatus, putU64le } from "../../codec/nvme/commands.ts";
import { encodeController, encodeNamespace, IdentifyWhat, identifyBytes } from "../../codec/nvme/identify.ts";
import type { NvmeController, NvmeInFlight } from "./nvme-controller.ts";
import { eventRequestsMaximum, NvmeEvents } from "./nvme-events.ts";
import { nvmeQueuePairsMaximum, nvmeTransferPages } from "./nvme-limits.ts";

const healthBytes = 512;
const roomKelvin = 313;
const powerStates = 3;

interface ErrorEntry {
  readonly count: number;
  readonly queue: number;
  readonly commandId: number;
  readonly status: number;
}

export class NvmeAdminCommands {
  readonly events: NvmeEvents;
  readonly #device: NvmeController;
  readonly #errors: ErrorEntry[] = [];
  #errorCount = 0;
  #temperatureKelvin = roomKelvin;
  #threshold = 343;
  #isCacheOn = true;
  #power = 0;
  #eventConfiguration = 0;
  #pairsGranted = 0;

  constructor(device: NvmeController) {
    this.#device = device;
    this.events = new NvmeEvents(device);
  }

  powerOn(): void {
    this.#errors.length = 0;
    this.#isCacheOn = true;
  }

  /** Controller reset: events and features that are not saved. */
  reset(): void {
    this.events.reset();
    this.#threshold = 343;
    this.#eventConfiguration = 0;
    this.#power = 0;
    this.#pairsGranted = 0;
  }

  /** False while the host has switched the volatile cache off: every write is then durable. */
  get isCacheOn(): boolean {
    return this.#isCacheOn;
  }

  /** The composite temperature changes; above the threshold the host hears of it if it wanted to. */
  setTemperature(kelvin: number): void {
    this.#temperatureKelvin = kelvin;
    if (kelvin > this.#threshold && (this.#eventConfiguration & 2) !== 0) {
      this.#device.notify(1, 1, NvmeLog.health);
      this.#device.flushInterrupts();
    }
  }

  /** An entry for log page 1; the newest first. */
  logError(queue: number, commandId: number, status: number): void {
    this.#errors.unshift({ count: ++this.#errorCount, queue, commandId, status });
    if (this.#errors.length > 64) this.#errors.pop();
  }

  execute(entry: NvmeInFlight): void {
    const { command } = entry;
    switch (command.opcode) {
      case NvmeAdmin.identify:
        this.#identify(entry);
        return;
      case NvmeAdmin.createCompletionQueue:
        this.#createCompletion(entry);
        return;
      case NvmeAdmin.createSubmissionQueue:
        this.#createSubmission(entry);
        return;
      case NvmeAdmin.deleteSubmissionQueue:
        this.#deleteSubmission(entry);
        return;
      case NvmeAdmin.deleteCompletionQueue:
        this.#deleteCompletion(entry);
        return;
      case NvmeAdmin.getLogPage:
        this.#log(entry);
        return;
      case NvmeAdmin.setFeatures:
      case NvmeAdmin.getFeatures:
        this.#features(entry, command.opcode === NvmeAdmin.setFeatures);
        return;
      case NvmeAdmin.abort: {
        const isGone = this.#device.abort(command.dw10 & 0xffff, command.dw10 >>> 16);
        this.#end(entry, NvmeStatus.success, isGone ? 0 : 1);
        return;
      }
      case NvmeAdmin.asynchronousEventRequest:
        if (!this.events.request(entry)) this.#end(entry, NvmeStatus.eventLimit);
        return;
      case NvmeAdmin.keepAlive:
        this.#end(entry, NvmeStatus.success);
        return;
      default:
        this.#end(entry, NvmeStatus.invalidOpcode);
    }
  }

  #end(entry: NvmeInFlight, status: number, result = 0): void {
    if (status !== NvmeStatus.success) this.logError(0, entry.command.commandId, status);
    this.#device.complete(entry, status, result, status !== NvmeStatus.success);
  }

  #answer(entry: NvmeInFlight, bytes: Uint8Array, lengthBytes: number): void {
    const upstream = this.#device.upstreamPort;
    if (upstream === null) return;
    const status = this.#device.data.move(upstream, entry.command, bytes, 0, lengthBytes, true);
    this.#end(entry, status);
  }

  #identify(entry: NvmeInFlight): void {
    const { command } = entry;
    const { disks, options } = this.#device;
    const bytes = new Uint8Array(identifyBytes);
    switch (command.dw10 & 0xff) {
      case IdentifyWhat.controller:
        bytes.set(
          encodeController({
            vendorId: this.#device.description.vendorId,
            serialNumber: options.serialNumber ?? "DRYDOCK-NVME-0001",
            modelNumber: "Drydock NVMe model",
            firmware: "1.0",
            maximumTransferPages: nvmeTransferPages,
            version: 0x00010400,
            abortLimit: 4,
            eventLimit: eventRequestsMaximum,
            namespaceCount: disks.length,
            hasVolatileCache: options.hasWriteCache ?? true,
            hasSgl: true,
            hasWriteZeroes: true,
            hasDatasetManagement: true,
            hasCompare: true,
            lastPowerState: powerStates - 1,
          }),
        );
        break;
      case IdentifyWhat.namespace: {
        const disk = disks[command.namespaceId - 1];
        if (disk === undefined && command.namespaceId !== 0xffffffff) {
          // An inactive namespace of a valid number is all zeros; a number beyond is an error.
          this.#end(entry, NvmeStatus.invalidNamespace);
          return;
        }
        if (disk !== undefined) {
          const { blockBytes, blockCount } = disk.geometry;
          bytes.set(
            encodeNamespace({
              blockCount,
              capacity: blockCount,
              used: Math.ceil(disk.allocatedBytes / blockBytes),
              blockBytes,
              metadataBytes: 0,
            }),
          );
        }
        break;
      }
      case IdentifyWhat.activeNamespaces: {
        let at = 0;
        for (let id = 1; id <= disks.length; id++) {
          if (id <= command.namespaceId) continue;
          putU32le(bytes, at, id);
          at += 4;
        }
        break;
      }
      case IdentifyWhat.descriptors:
        if (disks[command.namespaceId - 1] === undefined) {
          this.#end(entry, NvmeStatus.invalidNamespace);
          return;
        }
        // EUI-64 (§5.15.2.3): type, length, two reserved bytes, then the number.
        bytes.set([1, 8, 0, 0, 0x02, 0x1d, 0x1d, 0xff, 0xfe, 0, 0, command.namespaceId]);
        break;
      default:
        this.#end(entry, NvmeStatus.invalidField);
        return;
    }
    this.#answer(entry, bytes, identifyBytes);
  }

  #createCompletion(entry: NvmeInFlight): void {
    const { command } = entry;
    const { queues, description } = this.#device;
    const id = command.dw10 & 0xffff;
    const entries = (command.dw10 >>> 16) + 1;
    const vector = command.dw11 >>> 16;
    const hasInterrupt = (command.dw11 & 2) !== 0;
    if (id === 0 || id > nvmeQueuePairsMaximum || queues.completion[id] != null)
      this.#end(entry, NvmeStatus.invalidQueueId);
    else if (entries < 2 || entries > this.#device.queueEntriesMaximum)
      this.#end(entry, NvmeStatus.invalidQueueSize);
    else if ((command.dw11 & 1) === 0) this.#end(entry, NvmeStatus.invalidField);
    else if (command.prp1 % this.#device.data.pageBytes !== 0) this.#end(entry, NvmeStatus.prpOffset);
    else if (hasInterrupt && vector >= (description.msiX?.vectors ?? 1))
      this.#end(entry, NvmeStatus.invalidVector);
    else {
      queues.addCompletion(id, command.prp1, entries, vector, hasInterrupt);
      this.#end(entry, NvmeStatus.success);
    }
  }

  #createSubmission(entry: NvmeInFlight): void {
    const { command } = entry;
    const { queues } = this.#device;
    const id = command.dw10 & 0xffff;
    const entries = (command.dw10 >>> 16) + 1;
    const completion = command.dw11 >>> 16;
    if (id === 0 || id > nvmeQueuePairsMaximum || queues.submission[id] != null)
      this.#end(entry, NvmeStatus.invalidQueueId);
    else if (completion === 0 || queues.completion[completion] == null)
      this.#end(entry, NvmeStatus.invalidCompletionQueue);
    else if (entries < 2 || entries > this.#device.queueEntriesMaximum)
      this.#end(entry, NvmeStatus.invalidQueueSize);
    else if ((command.dw11 & 1) === 0) this.#end(entry, NvmeStatus.invalidField);
    else if (command.prp1 % this.#device.data.pageBytes !== 0) this.#end(entry, NvmeStatus.prpOffset);
    else {
      queues.addSubmission(id, command.prp1, entries, completion);
      this.#end(entry, NvmeStatus.success);
    }
  }

  #deleteSubmission(entry: NvmeInFlight): void {
    const id = entry.command.dw10 & 0xffff;
    const { queues } = this.#device;
    if (id === 0 || queues.submission[id] == null) {
      this.#end(entry, NvmeStatus.invalidQueueId);
      return;
    }
    this.#device.dropQueue(id);
    queues.submission[id] = null;
    this.#end(entry, NvmeStatus.success);
  }

  #deleteCompletion(entry: NvmeInFlight): void {
    const id = entry.command.dw10 & 0xffff;
    const { queues } = this.#device;
    if (id === 0 || queues.completion[id] == null) this.#end(entry, NvmeStatus.invalidQueueId);
    else if (queues.submission.some((queue) => queue?.completionQueue === id))
      this.#end(entry, NvmeStatus.invalidQueueDeletion);
    else {
      queues.completion[id] = null;
      this.#end(entry, NvmeStatus.success);
    }
  }

  #log(entry: NvmeInFlight): void {
    const { command } = entry;
    const page = command.dw10 & 0xff;
    const dwords = (command.dw10 >>> 16) + (command.dw11 & 0xffff) * 65536 + 1;
    const start = command.dw13 * 4294967296 + command.dw12;
    let log: Uint8Array;
    if (page === NvmeLog.errors) log = this.#errorLog();
    else if (page === NvmeLog.health) log = this.#healthLog();
    else if (page === NvmeLog.firmware) log = new Uint8Array(512);
    else if (page === NvmeLog.changedNamespaces) log = new Uint8Array(4096);
    else {
      this.#end(entry, NvmeStatus.invalidLogPage);
      return;
    }
    if (start % 4 !== 0 || start > log.length) {
      this.#end(entry, NvmeStatus.invalidField);
      return;
    }
    const length = Math.min(dwords * 4, log.length - start);
    const isRetained = (command.dw10 & 0x8000) !== 0;
    this.#answer(entry, log.subarray(start), length);
    if (!isRetained) this.events.unmask(page);
  }

  #errorLog(): Uint8Array {
    const log = new Uint8Array(64 * 64);
    for (const [index, error] of this.#errors.entries()) {
      const at = index * 64;
      putU64le(log, at, error.count);
      putU16le(log, at + 8, error.queue);
      putU16le(log, at + 10, error.commandId);
      putU16le(log, at + 12, error.status << 1);
    }
    return log;
  }

  #healthLog(): Uint8Array {
    const log = new Uint8Array(healthBytes);
    log[0] = this.#temperatureKelvin > this.#threshold ? 2 : 0;
    putU16le(log, 1, this.#temperatureKelvin);
    log[3] = 100;
    log[4] = 10;
    putU64le(log, 64, this.#device.io.readCommands);
    putU64le(log, 80, this.#device.io.writeCommands);
    putU64le(log, 144, this.#device.unsafeShutdowns);
    putU64le(log, 176, this.#errorCount);
    return log;
  }

  #features(entry: NvmeInFlight, isSet: boolean): void {
    const { command } = entry;
    const value = command.dw11;
    switch (command.dw10 & 0xff) {
      case NvmeFeature.volatileWriteCache:
        if (isSet) {
          this.#isCacheOn = (value & 1) !== 0;
          if (!this.#isCacheOn) for (const disk of this.#device.disks) disk.flush();
        }
        this.#end(entry, NvmeStatus.success, this.#isCacheOn ? 1 : 0);
        return;
      case NvmeFeature.numberOfQueues: {
        // Once, before the first I/O queue (§5.21.1.7).
        if (isSet && this.#device.queues.completion.length > 1) {
          this.#end(entry, NvmeStatus.sequenceError);
          return;
        }
        if (isSet) {
          if ((value & 0xffff) === 0xffff || value >>> 16 === 0xffff) {
            this.#end(entry, NvmeStatus.invalidField);
            return;
          }
          this.#pairsGranted = Math.min(Math.max(value & 0xffff, value >>> 16) + 1, nvmeQueuePairsMaximum);
        }
        const granted = Math.max(this.#pairsGranted, 1) - 1;
        this.#end(entry, NvmeStatus.success, granted | (granted << 16));
        return;
      }
      case NvmeFeature.temperatureThreshold:
        if (isSet) this.#threshold = value & 0xffff;
        this.#end(entry, NvmeStatus.success, this.#threshold);
        return;
      case NvmeFeature.asynchronousEvents:
        if (isSet) this.#eventConfiguration = value;
        this.#end(entry, NvmeStatus.success, this.#eventConfiguration);
        return;
      case NvmeFeature.powerManagement:
        if (isSet && (value & 0x1f) >= powerStates) {
          this.#end(entry, NvmeStatus.invalidField);
          return;
        }
        if (isSet) this.#power = value & 0x1f;
        this.#end(entry, NvmeStatus.success, this.#power);
        return;
      case NvmeFeature.arbitration:
      case NvmeFeature.errorRecovery:
      case NvmeFeature.interruptCoalescing:
      case NvmeFeature.interruptVector:
      case NvmeFeature.writeAtomicity:
        this.#end(entry, isSet ? NvmeStatus.featureNotChangeable : NvmeStatus.success);
        return;
      default:
        this.#end(entry, NvmeStatus.invalidField);
    }
  }
}
