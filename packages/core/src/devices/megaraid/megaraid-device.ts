// A RAID controller that speaks MegaRAID firmware interface (MFI), with SCSI targets as its logical drives.

import { getU16le, getU32le, putU32be, putU32le } from "../../base/bytes.ts";
import type { Clock, TimerHandle } from "../../base/clock.ts";
import { PlacedList } from "../../base/placed-list.ts";
import type { Random } from "../../base/random.ts";
import { encodeUtf8 } from "../../base/text.ts";
import { microsecond, millisecond } from "../../base/units.ts";
import {
  controllerInfoBytes,
  controllerInfoProduct,
  controllerInfoSerial,
  decodeQueueInfo,
  encodeEvent,
  encodeLogicalDrives,
  encodePhysicalDrives,
  encodeState,
  formatOf,
  frameBytes,
  getAddress,
  initInfoBytes,
  ldListBytes,
  ldOptimal,
  MfiCommand,
  MfiDcmd,
  MfiDoorbell,
  MfiEvent,
  type MfiEventDetail,
  MfiFlag,
  MfiFrame,
  type MfiGeneration,
  type MfiQueueInfo,
  MfiRegister,
  MfiState,
  MfiStatus,
  mfiDeviceIds,
  mfiReplyBits,
  mfiVendorId,
  pdListLeast,
} from "../../codec/mfi/mfi.ts";
import {
  ScsiDirection,
  ScsiStatus,
  type ScsiTargetPort,
  ScsiTask,
  scsiCdbMaximum,
} from "../../ports/scsi-target.ts";
import { PciFunctionModel } from "../pci-function-model.ts";
import { RaidMemory } from "./megaraid-memory.ts";
import { type RaidMischief, type RaidMischiefKind, raidMischiefAt } from "./megaraid-mischief.ts";

export interface MegaRaidOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Logical drives by target number. */
  readonly drives: readonly ScsiTargetPort[];
  readonly generation?: MfiGeneration;
  /** Blocks of each drive, for the list; what a drive itself says counts. */
  readonly driveBlocks?: readonly number[];
  /** From a command's fetch to its end, drawn between the two. Default 10 to 60 us; 0 and 0: at once. */
  readonly latencyNs?: readonly [least: number, most: number];
  readonly maximumCommands?: number;
  readonly mischief?: readonly RaidMischief[];
  /** States that the firmware goes through after power-on before it is ready. Default boot and device scan. */
  readonly startStates?: readonly MfiState[];
  /** The state that it never leaves. */
  readonly stuckIn?: MfiState;
}

const maximumSges = 69;
const eventsMaximum = 64;
const stateNs = 20 * millisecond;
const senseMaximum = 252;
/** Frames of one command: header and entries. */
const commandFramesMaximum = 16;
const commandBytesMaximum = 4 << 20;

/** A command between its fetch and its reply; used again. */
class RaidCommand extends ScsiTask {
  readonly device: MegaRaidDevice;
  readonly frame = new Uint8Array(frameBytes * commandFramesMaximum);
  address = 0;
  context = 0;
  buffer = new Uint8Array(0);
  mischief: RaidMischiefKind | null = null;
  timer: TimerHandle = 0;
  /** Counts resets: what was begun before is not finished after. */
  epoch = 0;
  isUnderWay = false;
  /** In the list of those under way. */
  place = -1;
  /** Where the scatter entries of this kind of frame begin. */
  sgesAt: number = MfiFrame.scsiSges;
  /** Bytes of `frame` that hold something. */
  filledBytes = 0;

  constructor(device: MegaRaidDevice) {
    super();
    this.device = device;
  }
}

export class MegaRaidDevice extends PciFunctionModel {
  readonly memory = new RaidMemory();
  readonly generation: MfiGeneration;
  readonly options: MegaRaidOptions;
  /** SCSI commands since power-on. */
  commandCount = 0;
  /** Of these, reads and writes without a CDB. */
  nativeCount = 0;
  /** Frames that made no sense. */
  badFrames = 0;
  readonly #registers = new Map<number, number>();
  readonly #drives: (ScsiTargetPort | null)[];
  #state: MfiState = MfiState.boot;
  #stateTimer: TimerHandle = 0;
  #replies: MfiQueueInfo | null = null;
  #producer = 0;
  #isMasked = true;
  #queueHigh = 0;
  #epoch = 0;
  /** Words of the queue port, and the place for the next ones while they are taken. */
  #arrived: number[] = [];
  #arrivedCount = 0;
  #taken: number[] = [];
  #isFetching = false;
  readonly #idle: RaidCommand[] = [];
  readonly #underWay = new PlacedList<RaidCommand>();
  #eventWait: RaidCommand | null = null;
  #eventSequence = 0;
  /** The newest events, for a host that asks late. */
  readonly #events: MfiEventDetail[] = [];
  #isReplyDue = false;
  readonly #word = new Uint8Array(4);

  constructor(options: MegaRaidOptions) {
    const generation = options.generation ?? "gen2";
    const registers = generation === "gen2" ? 1 : 0;
    super({
      vendorId: mfiVendorId,
      deviceId: mfiDeviceIds[generation],
      subsystemVendorId: 0x1d1d,
      subsystemId: 0x3108,
      classCode: 0x010400,
      bars: [{ index: registers, kind: "memory32", lengthBytes: 0x4000 }],
      msiX: { vectors: 15, bar: registers, tableOffset: 0x2000, pendingOffset: 0x3800 },
      hasLine: true,
    });
    this.options = options;
    this.generation = generation;
    this.#drives = [...options.drives];
    for (const drive of options.drives)
      drive.connect({ finished: (task) => this.#driveFinished(task as RaidCommand) });
    this.#powerOn();
  }

  get isEngineOn(): boolean {
    return this.#state === MfiState.operational;
  }

  get state(): MfiState {
    return this.#state;
  }

  /** A drive is taken out while the controller works: its commands end as "device not found", the host gets an event. */
  removeDrive(target: number): void {
    this.#drives[target] = null;
    for (const command of [...this.#underWay.items])
      if (command.frame[MfiFrame.command] === MfiCommand.ldScsi && command.frame[MfiFrame.target] === target)
        this.#finish(command, MfiStatus.deviceNotFound);
    this.#tell(MfiEvent.ldDeleted, target, "a logical drive was deleted");
  }

  addDrive(target: number, drive: ScsiTargetPort): void {
    this.#drives[target] = drive;
    drive.connect({ finished: (task) => this.#driveFinished(task as RaidCommand) });
    this.#tell(MfiEvent.ldCreated, target, "a logical drive was created");
  }

  protected override registerRead(_bar: number, offset: number, sizeBytes: number): number {
    if (sizeBytes !== 4) return 0;
    if (offset === MfiRegister.state)
      return encodeState(this.#state, maximumSges, this.options.maximumCommands ?? 1008);
    if (offset === MfiRegister.outboundStatus) return this.#isReplyDue ? mfiReplyBits[this.generation] : 0;
    return this.#registers.get(offset) ?? 0;
  }

  protected override registerWrite(_bar: number, offset: number, sizeBytes: number, value: number): void {
    if (sizeBytes !== 4) return;
    switch (offset) {
      case MfiRegister.inboundDoorbell:
        this.#doorbell(value);
        return;
      case MfiRegister.outboundMask:
        // Observed on QEMU: all ones is a soft reset.
        if (value === 0xffffffff) this.#softReset();
        this.#isMasked = (value & mfiReplyBits[this.generation]) !== 0;
        return;
      case MfiRegister.outboundDoorbellClear:
        this.#isReplyDue = false;
        this.setLine(false);
        return;
      case MfiRegister.queuePort:
        if (this.generation === "1078") this.#queue(value);
        return;
      case MfiRegister.queuePortHigh:
        this.#queueHigh = value;
        return;
      case MfiRegister.queuePortLow:
        if (this.generation === "gen2") this.#queue(this.#queueHigh * 4294967296 + value);
        return;
      default:
        this.#registers.set(offset, value);
    }
  }

  protected override functionReset(kind: "function" | "power"): void {
    this.#forget();
    if (kind === "power") this.commandCount = 0;
    this.#powerOn();
  }

  protected override linkLost(): void {
    this.#forget();
    // The cable carries the power: the cache of each drive is at chance's mercy.
    for (const drive of this.#drives) drive?.powerCycle();
    this.#powerOn();
  }

  /** Boots again: for firmware that was stuck or has died. */
  #powerOn(): void {
    const states = this.options.startStates ?? [MfiState.boot, MfiState.deviceScan];
    this.options.clock.cancel(this.#stateTimer);
    this.#goOn([...states, MfiState.ready]);
  }

  #goOn(states: readonly MfiState[]): void {
    const [state, ...rest] = states;
    this.#state = state;
    const waits = state === MfiState.waitHandshake || state === MfiState.bootMessage;
    this.#rest = rest;
    if (rest.length === 0 || waits || state === this.options.stuckIn) return;
    const isQuick = this.#mostNs === 0;
    this.#stateTimer = this.options.clock.after(isQuick ? 0 : stateNs, () => this.#goOn(rest), undefined);
  }

  #rest: readonly MfiState[] = [];

  get #mostNs(): number {
    return (this.options.latencyNs ?? defaultLatency)[1];
  }

  #doorbell(value: number): void {
    const waits =
      (this.#state === MfiState.waitHandshake && (value & MfiDoorbell.clearHandshake) !== 0) ||
      (this.#state === MfiState.bootMessage && (value & MfiDoorbell.hotPlug) !== 0);
    if (waits && this.#state !== this.options.stuckIn) {
      this.#goOn(this.#rest);
      return;
    }
    if ((value & MfiDoorbell.stop) !== 0) this.#die();
    else if ((value & (MfiDoorbell.ready | MfiDoorbell.abortAll)) !== 0) this.#softReset();
  }

  /** Back to ready: outstanding commands and the reply ring are forgotten. */
  #softReset(): void {
    if (this.options.stuckIn === this.#state) return;
    const isBooting = this.#state !== MfiState.operational && this.#state !== MfiState.fault;
    if (isBooting) return;
    this.#forget();
    this.#state = MfiState.ready;
  }

  #die(): void {
    this.#forget();
    this.#state = MfiState.fault;
  }

  #forget(): void {
    this.#epoch++;
    // A drive may still hold one of them: they are not used again.
    for (const command of this.#underWay.items) {
      this.options.clock.cancel(command.timer);
      command.isUnderWay = false;
    }
    this.#underWay.clear();
    this.#arrivedCount = 0;
    this.#replies = null;
    this.#producer = 0;
    this.#eventWait = null;
    this.#isMasked = true;
    this.#isReplyDue = false;
  }

  #queue(word: number): void {
    if (this.#state !== MfiState.ready && this.#state !== MfiState.operational) return;
    this.#arrived[this.#arrivedCount++] = word;
    if (this.#isFetching) return;
    this.#isFetching = true;
    const { clock, random } = this.options;
    clock.after(this.#mostNs === 0 ? 0 : 500 + random.below(1500), fetchFrames, this as MegaRaidDevice);
  }

  /** Takes every frame that was queued. Called by the clock. */
  fetch(): void {
    this.#isFetching = false;
    const words = this.#arrived;
    const count = this.#arrivedCount;
    this.#arrived = this.#taken;
    this.#taken = words;
    this.#arrivedCount = 0;
    for (let at = 0; at < count; at++) this.#take(words[at]);
    this.#flushInterrupt();
  }

  #take(word: number): void {
    const { upstream } = this;
    if (upstream === null) return;
    const command = this.#idle.pop() ?? new RaidCommand(this);
    const frames = Math.min(commandFramesMaximum, Math.floor((word % 32) / 2) + 1);
    command.address = word - (word % 32);
    if (command.filledBytes > frames * frameBytes) command.frame.fill(0, frames * frameBytes);
    command.filledBytes = frames * frameBytes;
    command.mischief = null;
    command.epoch = this.#epoch;
    command.isUnderWay = true;
    this.#underWay.add(command);
    if (!upstream.read(command.address, command.frame, 0, frames * frameBytes)) {
      // Whoever cannot be read cannot be answered.
      this.badFrames++;
      this.#release(command);
      return;
    }
    command.context = getU32le(command.frame, MfiFrame.context);
    const kind = command.frame[MfiFrame.command];
    if (kind !== MfiCommand.init && this.#state !== MfiState.operational) {
      this.#finish(command, MfiStatus.wrongState);
      return;
    }
    if (kind === MfiCommand.ldScsi || kind === MfiCommand.pdScsi) this.#beginScsi(command);
    else if (kind === MfiCommand.ldRead || kind === MfiCommand.ldWrite) this.#beginScsi(command);
    else if (kind === MfiCommand.init) this.#init(command);
    else if (kind === MfiCommand.dcmd) this.#dcmd(command);
    else if (kind === MfiCommand.abort) this.#abort(command);
    else this.#finish(command, MfiStatus.invalidCommand);
  }

  #init(command: RaidCommand): void {
    const { upstream } = this;
    const bytes = new Uint8Array(initInfoBytes);
    if (
      upstream === null ||
      !upstream.read(getAddress(command.frame, MfiFrame.initInfo), bytes, 0, bytes.length)
    ) {
      this.#finish(command, MfiStatus.invalidParameter);
      return;
    }
    const info = decodeQueueInfo(bytes);
    if (info.entries < 1 || info.entries > (this.options.maximumCommands ?? 1008) + 1) {
      this.#finish(command, MfiStatus.invalidParameter);
      return;
    }
    this.#replies = info;
    this.#producer = 0;
    this.#state = MfiState.operational;
    this.#finish(command, MfiStatus.ok);
  }

  #beginScsi(command: RaidCommand): void {
    const number = ++this.commandCount;
    command.mischief = raidMischiefAt(this.options.mischief ?? [], number);
    if (command.mischief === "fault") {
      this.#die();
      return;
    }
    if (command.mischief === "never") return;
    const [leastNs, mostNs] = this.options.latencyNs ?? defaultLatency;
    if (mostNs === 0) this.#executeScsi(command);
    else {
      const delay = this.options.random.between(leastNs, mostNs);
      command.timer = this.options.clock.after(delay, executeLater, command);
    }
  }

  /** Called by the clock. */
  executeLater(command: RaidCommand): void {
    if (command.epoch !== this.#epoch) return;
    this.#executeScsi(command);
    this.#flushInterrupt();
  }

  #executeScsi(command: RaidCommand): void {
    const { frame, mischief } = command;
    const { upstream } = this;
    if (upstream === null) return;
    if (mischief === "stray-write")
      upstream.write(this.options.random.below(2 ** 31), new Uint8Array(64), 0, 64);
    const drive = this.#drives[frame[MfiFrame.target]] ?? null;
    if (drive === null) {
      this.#finish(command, MfiStatus.deviceNotFound);
      return;
    }
    if (mischief === "error") {
      this.#finish(command, MfiStatus.ioFailed);
      return;
    }
    const flags = getU16le(frame, MfiFrame.flags);
    const format = formatOf(flags);
    const isNative = isNativeIo(frame);
    command.sgesAt = isNative ? MfiFrame.ldSges : MfiFrame.scsiSges;
    const room = this.memory.lengthOf(frame, command.sgesAt, frame[MfiFrame.sgeCount], format);
    const cdbBytes = frame[MfiFrame.cdbLength];
    if (room < 0 || room > commandBytesMaximum || (!isNative && cdbBytes > 16)) {
      this.badFrames++;
      this.#finish(command, MfiStatus.invalidSgl);
      return;
    }
    command.lun = frame[MfiFrame.lun];
    if (isNative) {
      if (!this.#isInside(frame)) {
        this.#finish(command, MfiStatus.lbaOutOfRange);
        return;
      }
      this.nativeCount++;
      putNativeCdb(command, frame);
    } else {
      command.cdbBytes = cdbBytes;
      for (let at = 0; at < scsiCdbMaximum; at++)
        command.cdb[at] = at < cdbBytes ? frame[MfiFrame.cdb + at] : 0;
    }
    command.senseBytes = 0;
    command.movedBytes = 0;
    if (drive.begin(command)) {
      this.#driveFinished(command);
      return;
    }
    const isData = command.direction !== ScsiDirection.none;
    const length = isData ? Math.min(room, command.transferBytes) : 0;
    if (command.buffer.length < length) command.buffer = new Uint8Array(length);
    command.data = command.buffer;
    command.dataOffset = 0;
    command.dataBytes = length;
    if (command.direction === ScsiDirection.out && !this.#moveData(command, length, false)) {
      this.#finish(command, MfiStatus.invalidSgl);
      return;
    }
    if (drive.execute(command)) this.#driveFinished(command);
  }

  /** Blocks of a native read or write; a drive whose size is not known judges by itself. */
  #isInside(frame: Uint8Array): boolean {
    const known = this.options.driveBlocks?.[frame[MfiFrame.target]];
    const blocks = getU32le(frame, MfiFrame.dataLength);
    return blocks > 0 && (known === undefined || getAddress(frame, MfiFrame.ldLba) + blocks <= known);
  }

  #moveData(command: RaidCommand, lengthBytes: number, isToHost: boolean): boolean {
    const { frame, buffer } = command;
    const format = formatOf(getU16le(frame, MfiFrame.flags));
    const count = frame[MfiFrame.sgeCount];
    const { upstream } = this;
    if (upstream === null) return false;
    return this.memory.move(upstream, frame, command.sgesAt, count, format, buffer, 0, lengthBytes, isToHost);
  }

  #driveFinished(command: RaidCommand): void {
    if (!command.isUnderWay || command.epoch !== this.#epoch) return;
    if (command.direction === ScsiDirection.in && command.movedBytes > 0)
      this.#moveData(command, command.movedBytes, true);
    this.#finish(command, command.status === ScsiStatus.good ? MfiStatus.ok : MfiStatus.scsiError);
    // A drive that was slow finishes outside any batch of ours.
    if (!this.#isFetching) this.#flushInterrupt();
  }

  #dcmd(command: RaidCommand): void {
    const { frame } = command;
    const format = formatOf(getU16le(frame, MfiFrame.flags));
    const room = this.memory.lengthOf(frame, MfiFrame.dcmdSges, frame[MfiFrame.sgeCount], format);
    if (room < 0) {
      this.badFrames++;
      this.#finish(command, MfiStatus.invalidSgl);
      return;
    }
    switch (getU32le(frame, MfiFrame.dcmdOpcode)) {
      case MfiDcmd.controllerInfo:
        this.#answer(command, this.#controllerInfo(), room, room >= controllerInfoBytes);
        return;
      case MfiDcmd.ldList: {
        const drives = this.#drives.flatMap((drive, target) =>
          drive === null
            ? []
            : [{ target, state: ldOptimal, blocks: this.options.driveBlocks?.[target] ?? 0 }],
        );
        this.#answer(command, encodeLogicalDrives(drives), room, room <= ldListBytes);
        return;
      }
      case MfiDcmd.pdList: {
        // One disk behind each logical drive, of its number.
        const drives = this.#drives.flatMap((drive, target) =>
          drive === null ? [] : [{ id: target << 8, type: 0 }],
        );
        this.#answer(command, encodePhysicalDrives(drives), room, room >= pdListLeast);
        return;
      }
      case MfiDcmd.eventInfo: {
        const bytes = new Uint8Array(20);
        putU32le(bytes, 0, this.#eventSequence);
        this.#answer(command, bytes, room, room >= bytes.length);
        return;
      }
      case MfiDcmd.eventWait:
        this.#eventWait = command;
        this.#replayEvent(getU32le(frame, MfiFrame.dcmdMailbox));
        if (this.#hasEventStorm) this.#tell(MfiEvent.ldStateChanged, 0, "nothing in particular");
        return;
      case MfiDcmd.cacheFlush:
      case MfiDcmd.shutdown:
        // The drives' own caches are the drives' business: a controller asks each.
        for (const drive of this.#drives) this.#synchronize(drive);
        this.#finish(command, MfiStatus.ok);
        return;
      default:
        // Unknown ones succeed and touch nothing, as QEMU's do.
        this.#finish(command, MfiStatus.ok);
    }
  }

  get #hasEventStorm(): boolean {
    return this.options.mischief?.some(({ kind }) => kind === "event-storm") ?? false;
  }

  #synchronize(drive: ScsiTargetPort | null): void {
    if (drive === null) return;
    const task = new RaidCommand(this);
    task.cdb[0] = 0x35;
    task.cdbBytes = 10;
    if (!drive.begin(task)) drive.execute(task);
  }

  #answer(command: RaidCommand, bytes: Uint8Array, room: number, isRightSize: boolean): void {
    const { frame } = command;
    const { upstream } = this;
    if (upstream === null) return;
    if (!isRightSize) {
      this.#finish(command, MfiStatus.invalidParameter);
      return;
    }
    const format = formatOf(getU16le(frame, MfiFrame.flags));
    const count = frame[MfiFrame.sgeCount];
    const length = Math.min(room, bytes.length);
    this.memory.move(upstream, frame, MfiFrame.dcmdSges, count, format, bytes, 0, length, true);
    this.#finish(command, MfiStatus.ok);
  }

  #controllerInfo(): Uint8Array {
    const bytes = new Uint8Array(controllerInfoBytes);
    putU32le(bytes, 0, this.description.vendorId | (this.description.deviceId << 16));
    bytes.set(encodeUtf8("Drydock RAID"), controllerInfoProduct);
    bytes.set(encodeUtf8("DRYDOCK-0001"), controllerInfoSerial);
    return bytes;
  }

  #abort(command: RaidCommand): void {
    const address = getAddress(command.frame, MfiFrame.abortAddress);
    const target = this.#underWay.items.find((other) => other !== command && other.address === address);
    if (target === undefined) {
      this.#finish(command, MfiStatus.abortNotPossible);
      return;
    }
    if (this.#eventWait === target) this.#eventWait = null;
    this.options.clock.cancel(target.timer);
    // An aborted command is not posted: its frame keeps what it had.
    target.isUnderWay = false;
    this.#underWay.delete(target);
    this.#drives[target.frame[MfiFrame.target]]?.abort(target);
    this.#finish(command, MfiStatus.ok);
  }

  /** The first event from `sequence` on that is there already. */
  #replayEvent(sequence: number): void {
    const event = this.#events.find((known) => known.sequence >= sequence);
    if (event !== undefined && sequence > 0) this.#answerEvent(event);
  }

  #tell(code: number, target: number, text: string): void {
    const event = { sequence: ++this.#eventSequence, code, target, text };
    this.#events.push(event);
    if (this.#events.length > eventsMaximum) this.#events.shift();
    this.#answerEvent(event);
  }

  #answerEvent(event: MfiEventDetail): void {
    const wait = this.#eventWait;
    if (wait === null) return;
    this.#eventWait = null;
    const bytes = encodeEvent(event);
    this.#answer(wait, bytes, bytes.length, true);
    this.#flushInterrupt();
  }

  /** Status into the frame, context into the ring. */
  #finish(command: RaidCommand, status: number): void {
    const { frame, mischief } = command;
    const { upstream } = this;
    const flags = getU16le(frame, MfiFrame.flags);
    if (upstream !== null && command.isUnderWay) {
      if (status === MfiStatus.scsiError) this.#writeSense(command, frame[MfiFrame.senseLength]);
      this.#word[0] = status;
      this.#word[1] = status === MfiStatus.scsiError ? command.status : 0;
      upstream.write(command.address + MfiFrame.commandStatus, this.#word, 0, 2);
      if ((flags & MfiFlag.dontPost) === 0) {
        const context = mischief === "wrong-context" ? 0xdead_beef : command.context;
        this.#post(context);
        if (mischief === "twice") this.#post(context);
        if (mischief === "lost-interrupt") this.#isPosted = false;
      }
    }
    this.#release(command);
  }

  #writeSense(command: RaidCommand, room: number): void {
    const length = Math.min(room, command.senseBytes, senseMaximum);
    const flags = getU16le(command.frame, MfiFrame.flags);
    const address =
      (flags & MfiFlag.sense64) !== 0
        ? getAddress(command.frame, MfiFrame.senseAddress)
        : getU32le(command.frame, MfiFrame.senseAddress);
    if (length > 0) this.upstream?.write(address, command.sense, 0, length);
  }

  #isPosted = false;

  #post(context: number): void {
    const { upstream } = this;
    const replies = this.#replies;
    if (upstream === null || replies === null) return;
    putU32le(this.#word, 0, context);
    upstream.write(replies.replies + this.#producer * 4, this.#word, 0, 4);
    // While masked the index does not move, and every reply lands in the same place (observed on QEMU).
    if (this.#isMasked) return;
    this.#producer = (this.#producer + 1) % replies.entries;
    putU32le(this.#word, 0, this.#producer);
    upstream.write(replies.producer, this.#word, 0, 4);
    this.#isPosted = true;
  }

  #flushInterrupt(): void {
    if (!this.#isPosted) return;
    this.#isPosted = false;
    this.#isReplyDue = true;
    if (this.isMsiXEnabled) this.raise(0);
    else this.setLine(true);
  }

  #release(command: RaidCommand): void {
    if (!command.isUnderWay) return;
    command.isUnderWay = false;
    this.#underWay.delete(command);
    if (command.buffer.length > 1 << 20) command.buffer = new Uint8Array(0);
    this.#idle.push(command);
  }
}

function isNativeIo(frame: Uint8Array): boolean {
  return frame[MfiFrame.command] === MfiCommand.ldRead || frame[MfiFrame.command] === MfiCommand.ldWrite;
}

/** What firmware asks a disk for when it is told to read or write blocks: READ (16) or WRITE (16) (SBC-3 §5.11, §5.36). */
function putNativeCdb(command: RaidCommand, frame: Uint8Array): void {
  const { cdb } = command;
  cdb.fill(0);
  cdb[0] = frame[MfiFrame.command] === MfiCommand.ldRead ? 0x88 : 0x8a;
  putU32be(cdb, 2, getU32le(frame, MfiFrame.ldLba + 4));
  putU32be(cdb, 6, getU32le(frame, MfiFrame.ldLba));
  putU32be(cdb, 10, getU32le(frame, MfiFrame.dataLength));
  command.cdbBytes = 16;
}

const defaultLatency: readonly [number, number] = [10 * microsecond, 60 * microsecond];

function fetchFrames(device: MegaRaidDevice): void {
  device.fetch();
}

function executeLater(command: RaidCommand): void {
  command.device.executeLater(command);
}
