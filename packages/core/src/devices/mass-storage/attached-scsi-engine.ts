// USB Attached SCSI, device's side: T10 UAS-3; with streams at SuperSpeed, with READY IUs below it.

import { DecodeError } from "../../base/errors.ts";
import {
  decodeCommandIu,
  decodeTaskManagementIu,
  IuId,
  iuTag,
  newCommandIu,
  putReadyIu,
  putResponseIu,
  putSenseIu,
  ResponseCode,
  TaskFunction,
} from "../../codec/mass-storage/attached-scsi.ts";
import { ScsiDirection, ScsiStatus, ScsiTask } from "../../ports/scsi-target.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { type EngineDevice, roomFor, type TransportEngine } from "./engine.ts";
import { StatusQueue } from "./status-queue.ts";

export interface AttachedScsiPipes {
  readonly command: number;
  readonly status: number;
  readonly dataIn: number;
  readonly dataOut: number;
}

const State = { free: 0, wantsData: 1, executing: 2, hasData: 3, dying: 4 } as const;
type State = (typeof State)[keyof typeof State];

/** One command under way. */
class Command {
  readonly number: number;
  task = new ScsiTask();
  state: State = State.free;
  staging: Uint8Array = new Uint8Array(0);
  planned = 0;
  moved = 0;
  /** Whole packets, less than the host's transfer: a zero-length packet ends it. */
  owesZeroPacket = false;

  constructor(number: number) {
    this.number = number;
  }
}

/** Counted for tests, cases and the lab. */
export interface AttachedScsiCounts {
  commands: number;
  taskManagement: number;
  /** READ READY and WRITE READY units sent. */
  readyUnits: number;
  invalidUnits: number;
  /** Data OUT that came before its command unit and was held (NAK) until it was known. */
  earlyData: number;
}

/** Statistics and limits of the engine: commands it takes at once. */
const noSense = new Uint8Array(0);

/**
 * Tags name commands. With streams, a command's data and status move on the stream of its tag; data OUT that comes
 * early is held. Without streams the device announces each data phase and serves one per direction at a time.
 */
export class AttachedScsiEngine implements TransportEngine {
  readonly counts: AttachedScsiCounts = {
    commands: 0,
    taskManagement: 0,
    readyUnits: 0,
    invalidUnits: 0,
    earlyData: 0,
  };
  readonly #device: EngineDevice;
  readonly #pipes: AttachedScsiPipes;
  readonly #hasStreams: boolean;
  readonly #commands: Command[] = [];
  readonly #status = new StatusQueue();
  readonly #unit = newCommandIu();
  /** Without streams: the command whose data phase is announced, and those waiting for theirs. */
  #readActive: Command | null = null;
  #writeActive: Command | null = null;
  readonly #readWaiting: Command[] = [];
  readonly #writeWaiting: Command[] = [];

  constructor(device: EngineDevice, pipes: AttachedScsiPipes, depth: number, hasStreams: boolean) {
    this.#device = device;
    this.#pipes = pipes;
    this.#hasStreams = hasStreams;
    for (let number = 0; number < depth; number++) this.#commands.push(new Command(number));
  }

  reset(): void {
    for (const command of this.#commands) this.#kill(command);
    this.#status.clear();
    this.#readActive = null;
    this.#writeActive = null;
    this.#readWaiting.length = 0;
    this.#writeWaiting.length = 0;
  }

  haltCleared(_endpoint: number): void {}

  in(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream: number): number {
    if (endpoint === this.#pipes.status) {
      const count = this.#status.take(stream, buffer, offset, length);
      return count === 0 ? UsbNak : count;
    }
    if (endpoint !== this.#pipes.dataIn) return UsbStall;
    const command = this.#hasStreams ? this.#find(stream) : this.#readActive;
    return command === null ? UsbNak : this.#give(command, buffer, offset, length);
  }

  out(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream: number): number {
    if (endpoint === this.#pipes.command) {
      this.#receive(buffer, offset, length);
      return length;
    }
    if (endpoint !== this.#pipes.dataOut) return UsbStall;
    const command = this.#hasStreams ? this.#find(stream) : this.#writeActive;
    if (command === null || command.state !== State.wantsData) {
      if (command === null) this.counts.earlyData++;
      return UsbNak;
    }
    return this.#take(command, buffer, offset, length);
  }

  finished(task: ScsiTask): void {
    for (const command of this.#commands) {
      if (command.task !== task) continue;
      if (command.state === State.executing) this.#executed(command);
      else if (command.state === State.dying) command.state = State.free;
      return;
    }
  }

  #find(tag: number): Command | null {
    // Hosts that use tags 1 to depth hit at once.
    const guess = this.#commands[tag - 1];
    if (
      guess !== undefined &&
      guess.state !== State.free &&
      guess.state !== State.dying &&
      guess.task.tag === tag
    )
      return guess;
    for (const command of this.#commands) {
      if (command.state !== State.free && command.state !== State.dying && command.task.tag === tag)
        return command;
    }
    return null;
  }

  #claim(tag: number): Command | null {
    const guess = this.#commands[tag - 1];
    if (guess !== undefined && guess.state === State.free) return guess;
    for (const command of this.#commands) if (command.state === State.free) return command;
    return null;
  }

  #receive(buffer: Uint8Array, offset: number, length: number): void {
    const id = length > 0 ? buffer[offset] : 0;
    const tag = length >= 4 ? iuTag(buffer, offset) : 0;
    try {
      if (id === IuId.taskManagement) this.#manage(buffer, offset, length);
      else this.#command(buffer, offset, length);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.counts.invalidUnits++;
      this.#respond(tag, ResponseCode.invalidIu);
    }
  }

  #command(buffer: Uint8Array, offset: number, length: number): void {
    const unit = decodeCommandIu(buffer, offset, length, this.#unit);
    this.counts.commands++;
    const running = this.#find(unit.tag);
    if (running !== null) {
      // UAS-3 §5.6: both are aborted.
      this.#kill(running);
      this.#respond(unit.tag, ResponseCode.overlappedTag);
      return;
    }
    const command = this.#claim(unit.tag);
    if (command === null) {
      this.#say(unit.tag, ScsiStatus.taskSetFull, noSense, 0);
      return;
    }
    const { task } = command;
    task.initiator = 0;
    task.lun = unit.lun;
    task.tag = unit.tag;
    task.cdb.set(unit.cdb);
    task.cdbBytes = unit.cdbBytes;
    // A command IU says nothing about data: firmware that asks for a length finds none (posts.md P09).
    task.dataBytes = 0;
    command.planned = 0;
    command.moved = 0;
    command.owesZeroPacket = false;
    if (this.#device.target.begin(task)) {
      this.#say(task.tag, task.status, task.sense, task.senseBytes);
      return;
    }
    const bytes = task.direction === ScsiDirection.none ? 0 : task.transferBytes;
    command.planned = bytes;
    command.staging = roomFor(command.staging, bytes);
    task.data = command.staging;
    task.dataOffset = 0;
    task.dataBytes = bytes;
    if (bytes === 0 || task.direction === ScsiDirection.in) {
      this.#execute(command);
      return;
    }
    command.state = State.wantsData;
    if (this.#hasStreams) this.#device.ready(this.#pipes.dataOut, task.tag);
    else if (this.#writeActive === null) this.#announceWrite(command);
    else this.#writeWaiting.push(command);
  }

  #execute(command: Command): void {
    command.state = State.executing;
    if (this.#device.target.execute(command.task)) this.#executed(command);
  }

  #executed(command: Command): void {
    const { task } = command;
    if (task.direction !== ScsiDirection.in || task.movedBytes === 0) {
      this.#end(command);
      return;
    }
    command.planned = Math.min(task.movedBytes, command.planned);
    command.moved = 0;
    command.state = State.hasData;
    if (this.#hasStreams) this.#device.ready(this.#pipes.dataIn, task.tag);
    else if (this.#readActive === null) this.#announceRead(command);
    else this.#readWaiting.push(command);
  }

  #announceRead(command: Command): void {
    this.#readActive = command;
    this.#announce(IuId.readReady, command);
    this.#device.ready(this.#pipes.dataIn);
  }

  #announceWrite(command: Command): void {
    this.#writeActive = command;
    this.#announce(IuId.writeReady, command);
    this.#device.ready(this.#pipes.dataOut);
  }

  #announce(id: number, command: Command): void {
    this.counts.readyUnits++;
    this.#status.commit(putReadyIu(this.#status.next(), 0, id, command.task.tag), 0);
    this.#device.ready(this.#pipes.status);
  }

  #give(command: Command, buffer: Uint8Array, offset: number, length: number): number {
    if (command.state !== State.hasData) return UsbNak;
    if (command.owesZeroPacket) {
      this.#gave(command);
      return 0;
    }
    const count = Math.min(length, command.planned - command.moved);
    buffer.set(command.staging.subarray(command.moved, command.moved + count), offset);
    command.moved += count;
    if (command.moved < command.planned) return count;
    if (count < length && count % this.#device.packetBytes === 0) command.owesZeroPacket = true;
    else this.#gave(command);
    return count;
  }

  #gave(command: Command): void {
    this.#leaveRead(command);
    this.#end(command);
  }

  #leaveRead(command: Command): void {
    const at = this.#readWaiting.indexOf(command);
    if (at >= 0) this.#readWaiting.splice(at, 1);
    if (this.#readActive !== command) return;
    this.#readActive = null;
    const next = this.#readWaiting.shift();
    if (next !== undefined) this.#announceRead(next);
  }

  #leaveWrite(command: Command): void {
    const at = this.#writeWaiting.indexOf(command);
    if (at >= 0) this.#writeWaiting.splice(at, 1);
    if (this.#writeActive !== command) return;
    this.#writeActive = null;
    const next = this.#writeWaiting.shift();
    if (next !== undefined) this.#announceWrite(next);
  }

  #take(command: Command, buffer: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, command.planned - command.moved);
    // More than the command says: nothing can make sense of it, and nothing must be lost in silence.
    if (count < length) {
      this.#device.halt(this.#pipes.dataOut);
      return UsbStall;
    }
    command.staging.set(
      offset === 0 && count === buffer.length ? buffer : buffer.subarray(offset, offset + count),
      command.moved,
    );
    command.moved += count;
    if (command.moved === command.planned) {
      this.#leaveWrite(command);
      this.#execute(command);
    }
    return count;
  }

  #end(command: Command): void {
    const { task } = command;
    command.state = State.free;
    this.#say(task.tag, task.status, task.sense, task.status === ScsiStatus.good ? 0 : task.senseBytes);
  }

  #say(tag: number, status: number, sense: Uint8Array, senseBytes: number): void {
    const stream = this.#hasStreams ? tag : 0;
    this.#status.commit(putSenseIu(this.#status.next(), 0, tag, status, sense, senseBytes), stream);
    this.#device.ready(this.#pipes.status, stream);
  }

  #respond(tag: number, code: number): void {
    const stream = this.#hasStreams ? tag : 0;
    this.#status.commit(putResponseIu(this.#status.next(), 0, tag, code), stream);
    this.#device.ready(this.#pipes.status, stream);
  }

  /** Ends a command without a word: aborted, reset. The target may still have its task. */
  #kill(command: Command): void {
    if (command.state === State.free || command.state === State.dying) return;
    const isExecuting = command.state === State.executing;
    command.state = isExecuting ? State.dying : State.free;
    this.#leaveRead(command);
    this.#leaveWrite(command);
    if (isExecuting) this.#device.target.abort(command.task);
  }

  /** UAS-3 §6.2.6 and SAM-5 §7. */
  #manage(buffer: Uint8Array, offset: number, length: number): void {
    const request = decodeTaskManagementIu(buffer, offset, length);
    this.counts.taskManagement++;
    const { target } = this.#device;
    let code: number = ResponseCode.complete;
    switch (request.function) {
      case TaskFunction.abortTask: {
        const command = this.#find(request.managedTag);
        if (command !== null) this.#kill(command);
        if (this.#hasStreams) this.#status.drop(request.managedTag);
        break;
      }
      case TaskFunction.abortTaskSet:
      case TaskFunction.clearTaskSet:
        for (const command of this.#commands) if (command.task.lun === request.lun) this.#kill(command);
        break;
      case TaskFunction.logicalUnitReset:
        if (request.lun < 0) code = ResponseCode.incorrectLun;
        else {
          for (const command of this.#commands) if (command.task.lun === request.lun) this.#kill(command);
          target.resetUnit(request.lun);
        }
        break;
      case TaskFunction.nexusReset:
        for (const command of this.#commands) this.#kill(command);
        target.resetTarget();
        break;
      case TaskFunction.queryTask:
        code = this.#find(request.managedTag) === null ? ResponseCode.complete : ResponseCode.succeeded;
        break;
      case TaskFunction.queryTaskSet:
        code = this.#commands.some(
          (command) => command.state !== State.free && command.task.lun === request.lun,
        )
          ? ResponseCode.succeeded
          : ResponseCode.complete;
        break;
      default:
        code = ResponseCode.notSupported;
    }
    this.#respond(request.tag, code);
  }
}
