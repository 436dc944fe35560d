// A small host adapter: rings in host memory, SCSI targets behind it, and firmware that can be told to err.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { PlacedList } from "../../base/placed-list.ts";
import type { Random } from "../../base/random.ts";
import { microsecond, millisecond } from "../../base/units.ts";
import {
  newRingHbaReply,
  newRingHbaRequest,
  RingHbaControl,
  RingHbaRegister,
  RingHbaSpace,
  RingHbaState,
  RingHbaStatus,
  readRingHbaRequest,
  replyBytes,
  requestBytes,
  ringHbaDeviceId,
  ringHbaEntriesMaximum,
  ringHbaIdentity,
  ringHbaVendorId,
  writeRingHbaReply,
} from "../../codec/ring-hba/ring-hba.ts";
import { ScsiDirection, ScsiStatus, type ScsiTargetPort, ScsiTask } from "../../ports/scsi-target.ts";
import { ControllerMemory } from "../controller-memory.ts";
import { PciFunctionModel } from "../pci-function-model.ts";
import type { FirmwareFault, RingHbaMischief, RingHbaMischiefKind } from "./ring-hba-firmware.ts";

export interface RingHbaOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** By target number, 32 at most. */
  readonly drives: readonly ScsiTargetPort[];
  /** From a command's fetch to its end, drawn between the two. Default 10 to 60 us. */
  readonly latencyNs?: readonly [least: number, most: number];
  /** What becomes of data to the host. */
  readonly fault?: FirmwareFault;
  readonly mischief?: readonly RingHbaMischief[];
  /** The state that it never leaves; `fault` instead of ready: it dies while it boots. */
  readonly stuckIn?: RingHbaState;
}

const commandBytesMaximum = 1 << 20;
const bootNs = 5 * millisecond;
/** How long after its reply the data of a hasty firmware follows. */
const lateNs = 50 * microsecond;

/** A command between its fetch and its reply. */
class HbaCommand extends ScsiTask {
  readonly device: RingHbaDevice;
  readonly request = newRingHbaRequest();
  place = -1;
  timer: TimerHandle = 0;
  mischief: RingHbaMischiefKind | null = null;

  constructor(device: RingHbaDevice) {
    super();
    this.device = device;
  }
}

export class RingHbaDevice extends PciFunctionModel {
  readonly memory = new ControllerMemory();
  readonly options: RingHbaOptions;
  /** Commands since power-on. */
  commandCount = 0;
  /** Requests that made no sense, and doorbells that pointed nowhere. */
  badRequests = 0;
  /** What was told in the newest replies: for ledgers. */
  readonly reports: { readonly atNs: number; readonly tag: number; readonly movedBytes: number }[] = [];
  #state: RingHbaState = RingHbaState.off;
  #timer: TimerHandle = 0;
  readonly #registers = new Uint32Array(16);
  #fetched = 0;
  #isFetching = false;
  #posted = 0;
  #phase = 1;
  readonly #underWay = new PlacedList<HbaCommand>();
  readonly #entry = new Uint8Array(requestBytes);
  readonly #reply = newRingHbaReply();

  constructor(options: RingHbaOptions) {
    super({
      vendorId: ringHbaVendorId,
      deviceId: ringHbaDeviceId,
      classCode: 0x010700,
      bars: [{ index: 0, kind: "memory64", lengthBytes: 0x4000 }],
      msiX: { vectors: 1, bar: 0, tableOffset: 0x2000, pendingOffset: 0x3000 },
    });
    this.options = options;
    for (const drive of options.drives)
      drive.connect({ finished: (task) => this.#driveFinished(task as HbaCommand) });
  }

  get isEngineOn(): boolean {
    return this.#state === RingHbaState.ready;
  }

  protected override registerRead(_bar: number, offset: number, sizeBytes: number): number {
    if (sizeBytes !== 4) return 0xffffffff;
    switch (offset) {
      case RingHbaRegister.identity:
        return ringHbaIdentity;
      case RingHbaRegister.state:
        return this.#state;
      case RingHbaRegister.targets:
        return this.options.drives.length >= 32 ? 0xffffffff : 2 ** this.options.drives.length - 1;
      default:
        return offset < 64 ? this.#registers[offset >>> 2] : 0;
    }
  }

  protected override registerWrite(_bar: number, offset: number, sizeBytes: number, value: number): void {
    if (sizeBytes !== 4 || offset >= 64) return;
    if (offset === RingHbaRegister.control) this.#control(value);
    else if (offset === RingHbaRegister.producer) this.#doorbell(value);
    else if (offset === RingHbaRegister.abort) this.#abort(value);
    else this.#registers[offset >>> 2] = value;
  }

  protected override functionReset(kind: "function" | "power"): void {
    this.#forget();
    this.#state = RingHbaState.off;
    this.#registers.fill(0);
    if (kind === "power") this.commandCount = 0;
  }

  protected override linkLost(): void {
    this.functionReset("power");
    for (const drive of this.options.drives) drive.powerCycle();
  }

  #control(value: number): void {
    if ((value & RingHbaControl.reset) !== 0) {
      this.#forget();
      this.#state = RingHbaState.off;
    }
    if ((value & RingHbaControl.enable) === 0) {
      this.#forget();
      this.#state = RingHbaState.off;
      return;
    }
    if (this.#state !== RingHbaState.off) return;
    this.#state = RingHbaState.booting;
    if (this.options.stuckIn === RingHbaState.booting) return;
    this.#timer = this.options.clock.after(bootNs, booted, this as RingHbaDevice);
  }

  /** Called by the clock: the rings are judged as they stand now. */
  booted(): void {
    const entries = this.#registers[RingHbaRegister.entries >>> 2];
    const isLegal = entries >= 2 && entries <= ringHbaEntriesMaximum;
    const dies = this.options.stuckIn === RingHbaState.fault;
    this.#state = isLegal && !dies ? RingHbaState.ready : RingHbaState.fault;
  }

  #forget(): void {
    const { clock, drives } = this.options;
    clock.cancel(this.#timer);
    for (const command of [...this.#underWay.items]) {
      clock.cancel(command.timer);
      this.#underWay.delete(command);
      drives[command.request.target]?.abort(command);
    }
    this.#fetched = 0;
    this.#posted = 0;
    this.#phase = 1;
    this.#registers[RingHbaRegister.producer >>> 2] = 0;
    this.#registers[RingHbaRegister.consumer >>> 2] = 0;
  }

  #doorbell(value: number): void {
    if (this.#state !== RingHbaState.ready) return;
    if (value >= this.#registers[RingHbaRegister.entries >>> 2]) {
      this.badRequests++;
      this.misused(
        `the producer doorbell was written with ${value}, and the request ring has ${this.#registers[RingHbaRegister.entries >>> 2]} entries`,
      );
      return;
    }
    this.#registers[RingHbaRegister.producer >>> 2] = value;
    if (this.#isFetching) return;
    this.#isFetching = true;
    this.options.clock.after(500 + this.options.random.below(500), fetch, this as RingHbaDevice);
  }

  /** Takes every request that was announced. Called by the clock. */
  fetch(): void {
    this.#isFetching = false;
    const entries = this.#registers[RingHbaRegister.entries >>> 2];
    while (
      this.#state === RingHbaState.ready &&
      this.#fetched !== this.#registers[RingHbaRegister.producer >>> 2]
    ) {
      const at = this.#address(RingHbaRegister.requestsLow) + this.#fetched * requestBytes;
      this.#fetched = (this.#fetched + 1) % entries;
      if (this.upstream?.read(at, this.#entry, 0, requestBytes) !== true) {
        // Nobody lets it read its own ring: it has no way to say so but to die.
        this.#die();
        return;
      }
      const command = new HbaCommand(this);
      readRingHbaRequest(this.#entry, 0, command.request);
      this.#begin(command);
    }
  }

  #begin(command: HbaCommand): void {
    const number = ++this.commandCount;
    const { clock, mischief, random } = this.options;
    command.mischief = mischief?.find(({ atCommand }) => atCommand === number)?.kind ?? null;
    this.#underWay.add(command);
    if (command.mischief === "fault") {
      this.#die();
      return;
    }
    const [least, most] = this.options.latencyNs ?? [10 * microsecond, 60 * microsecond];
    command.timer = clock.after(random.between(least, most), execute, command);
  }

  /** Called by the clock. */
  execute(command: HbaCommand): void {
    const { request } = command;
    const drive = this.options.drives[request.target];
    const isLegal =
      request.cdbBytes >= 6 && request.cdbBytes <= 16 && request.lengthBytes <= commandBytesMaximum;
    if (!isLegal) this.badRequests++;
    if (drive === undefined || !isLegal) {
      this.#finish(command, isLegal ? RingHbaStatus.noTarget : RingHbaStatus.badRequest, 0);
      return;
    }
    command.lun = request.lun;
    command.cdbBytes = request.cdbBytes;
    command.cdb.fill(0);
    command.cdb.set(request.cdb.subarray(0, request.cdbBytes));
    if (drive.begin(command)) {
      this.#ended(command);
      return;
    }
    const length =
      command.direction === ScsiDirection.none ? 0 : Math.min(request.lengthBytes, command.transferBytes);
    command.data = new Uint8Array(length);
    command.dataOffset = 0;
    command.dataBytes = length;
    const isReadable = command.direction !== ScsiDirection.out || length === 0 || this.#fromHost(command);
    if (!isReadable) this.#finish(command, RingHbaStatus.transfer, 0);
    else if (drive.execute(command)) this.#ended(command);
  }

  #driveFinished(command: HbaCommand): void {
    if (this.#underWay.has(command)) this.#ended(command);
  }

  #ended(command: HbaCommand): void {
    const isIn = command.direction === ScsiDirection.in && command.movedBytes > 0;
    const moved = command.movedBytes;
    if (isIn && this.options.fault === "replies-early") {
      const { upstream } = this;
      const { address } = command.request;
      const late = (): void => {
        if (this.upstream === upstream) upstream?.write(address, command.data, 0, moved);
      };
      this.options.clock.after(lateNs, late, undefined);
    } else if (isIn) this.#toHost(command);
    const status = command.status === ScsiStatus.good ? RingHbaStatus.good : RingHbaStatus.scsi;
    this.#finish(command, status, isIn && this.options.fault === "counts-nothing" ? 0 : moved);
  }

  #fromHost({ request, data }: HbaCommand): boolean {
    if (request.space !== RingHbaSpace.system) {
      this.memory.move(request.address, data, 0, data.length, false);
      return true;
    }
    return this.upstream?.read(request.address, data, 0, data.length) === true;
  }

  #toHost({ request, data, movedBytes }: HbaCommand): void {
    const { address, senseAddress } = request;
    const { fault } = this.options;
    if (request.space !== RingHbaSpace.system || fault === "local-address")
      this.memory.move(address, data, 0, movedBytes, true);
    else if (fault === "other-requester") this.upstream?.writeAs?.(1, address, data, 0, movedBytes);
    else if (fault === "swapped-address") this.upstream?.write(swapped(address), data, 0, movedBytes);
    else if (fault === "other-buffer") this.upstream?.write(senseAddress, data, 0, Math.min(movedBytes, 96));
    else this.upstream?.write(address, data, 0, movedBytes);
  }

  #finish(command: HbaCommand, status: number, movedBytes: number): void {
    if (command.mischief === "never" || !this.#underWay.delete(command) || this.upstream === null) return;
    const senseBytes = status === RingHbaStatus.scsi ? command.senseBytes : 0;
    if (senseBytes > 0) this.upstream.write(command.request.senseAddress, command.sense, 0, senseBytes);
    const reply = this.#reply;
    reply.tag = command.mischief === "wrong-tag" ? 0xbeef : command.request.tag;
    reply.status = command.mischief === "error" ? RingHbaStatus.transfer : status;
    reply.scsiStatus = command.status;
    reply.movedBytes = movedBytes;
    reply.senseBytes = senseBytes;
    this.#post(command.mischief === "wrong-phase");
    if (command.mischief === "twice") this.#post(false);
    this.raise(0);
    this.reports.push({ atNs: this.options.clock.nowNs(), tag: command.request.tag, movedBytes });
    if (this.reports.length > 100) this.reports.shift();
  }

  #post(isUnseen: boolean): void {
    const entries = this.#registers[RingHbaRegister.entries >>> 2];
    const bytes = new Uint8Array(replyBytes);
    this.#reply.phase = isUnseen ? this.#phase ^ 1 : this.#phase;
    writeRingHbaReply(bytes, 0, this.#reply);
    this.upstream?.write(
      this.#address(RingHbaRegister.repliesLow) + this.#posted * replyBytes,
      bytes,
      0,
      replyBytes,
    );
    this.#posted++;
    if (this.#posted < entries) return;
    this.#posted = 0;
    this.#phase ^= 1;
  }

  #abort(tag: number): void {
    const command = this.#underWay.items.find(({ request }) => request.tag === tag);
    if (command === undefined) return;
    this.options.clock.cancel(command.timer);
    command.mischief = null;
    this.options.drives[command.request.target]?.abort(command);
    this.#finish(command, RingHbaStatus.aborted, 0);
  }

  #die(): void {
    this.#forget();
    this.#state = RingHbaState.fault;
  }

  #address(low: number): number {
    return this.#registers[(low >>> 2) + 1] * 4294967296 + this.#registers[low >>> 2];
  }
}

/** The low four bytes of an address, the other way round. */
function swapped(address: number): number {
  return new DataView(new Uint32Array([address >>> 0]).buffer).getUint32(0, false);
}

function booted(device: RingHbaDevice): void {
  device.booted();
}

function fetch(device: RingHbaDevice): void {
  device.fetch();
}

function execute(command: HbaCommand): void {
  command.device.execute(command);
}
