// An xHCI controller behind a PCI port, from its registers to devices that are UsbHostPorts (xHCI 1.2 §4).

import { getU32le, putU32le } from "../../base/bytes.ts";
import type { Clock, TimerHandle } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { millisecond, second } from "../../base/units.ts";
import { decodeMsiX, msiXControlOffset, msiXEnable } from "../../codec/pci/capabilities.ts";
import { PciCommand, PciConfig } from "../../codec/pci/config-space.ts";
import {
  decodeXhciCapabilities,
  type XhciCapabilities,
  XhciCapability,
  XhciCommand,
  XhciExtendedId,
  XhciInterrupter,
  XhciLegacy,
  XhciOperational,
  XhciRuntime,
  XhciStatus,
  xhciClassCode,
  xhciPortStride,
} from "../../codec/xhci/registers.ts";
import {
  addressOf,
  describeXhciCode,
  highHalf,
  lowHalf,
  newTrb,
  readTrb,
  TrbFlag,
  TrbType,
  trbBytes,
  trbCodeOf,
  trbCommandNames,
  trbEndpointOf,
  trbResidualOf,
  trbSlotOf,
  trbTypeOf,
  XhciCode,
} from "../../codec/xhci/trb.ts";
import type { DmaPort, HostMemory } from "../../ports/dma.ts";
import type { PciHostClient, PciHostPort, PciStatus } from "../../ports/pci-host.ts";
import type { UsbHostPort } from "../../ports/usb-host.ts";
import { PciAccess } from "./pci-access.ts";
import { ProducerRing } from "./producer-ring.ts";
import { runSteps, type Steps } from "./steps.ts";
import { type SharedBlock, XhciMemory, XhciMemoryError } from "./xhci-memory.ts";
import { RootPorts } from "./xhci-root-ports.ts";
import type { DeviceHost, XhciSlot } from "./xhci-slot.ts";

const commandTrbs = 256;
const eventTrbs = 256;
/** A command that says nothing for so long was never executed: the controller is given up. */
const commandPatienceNs = 5 * second;
/** After so many things that cannot be, nothing of the controller is believed. */
const complaintsMaximum = 32;
const pageBytes = 4096;
/** Halt and reset, in milliseconds (§5.4.1, §5.4.1.1 say 16 for the first and nothing for the second). */
const haltPatience = 100;
const resetPatience = 1000;

export interface XhciHostOptions {
  readonly port: PciHostPort;
  readonly clock: Clock;
  /** Memory that the controller reaches without a copy; ordinary arrays where the port needs none. */
  readonly memory?: HostMemory | null;
  /** Told of each device, with a port that nobody has connected to yet: as SimUsbBus tells it. */
  readonly onAttach: (port: UsbHostPort) => void;
  /** Why a device does not come up, what was refused, what the controller says that cannot be. */
  readonly onProblem?: (reason: string) => void;
  /** The top byte of locations. Default 4. */
  readonly busNumber?: number;
}

export interface XhciCounters {
  /** Things that the controller said and that cannot be. */
  complaints: number;
  events: number;
  commands: number;
}

/** A controller that is no good; the message says why. */
class ControllerFailure extends Error {
  override readonly name = "ControllerFailure";
}

interface PendingCommand {
  readonly low: number;
  readonly high: number;
  readonly status: number;
  readonly control: number;
  readonly resume: (answer: number) => void;
}

/**
 * Brings the controller up and offers each device behind its root ports. A device that leaves, or a port that is reset, ends
 * that device's port; the controller's end is everybody's. It is never asked for anything without an end: a controller
 * that lies, is silent or dies is given up with `failure` saying why, and every transfer ends with `gone`.
 */
export class XhciHost implements PciHostClient, DeviceHost {
  readonly counters: XhciCounters = { complaints: 0, events: 0, commands: 0 };
  readonly memory: XhciMemory;
  readonly clock: Clock;
  readonly #options: XhciHostOptions;
  readonly #port: PciHostPort;
  readonly #access: PciAccess;
  readonly #devices: (XhciSlot | undefined)[] = [];
  readonly #commands: PendingCommand[] = [];
  readonly #trb = newTrb();
  #capabilities: XhciCapabilities | null = null;
  #ports: RootPorts | null = null;
  #contexts: SharedBlock | null = null;
  #events: SharedBlock | null = null;
  #commandRing: ProducerRing<PendingCommand> | null = null;
  #running: PendingCommand | null = null;
  #patience: TimerHandle = 0;
  #eventAt = 0;
  #eventCycle = 1;
  #failure: string | null = null;
  #isRunning = false;
  /** Nothing is begun any more. */
  #isOver = false;
  #isReleased = false;
  #isDetached = false;
  #isAskingStatus = false;

  constructor(options: XhciHostOptions) {
    this.#options = options;
    this.#port = options.port;
    this.clock = options.clock;
    this.memory = new XhciMemory(options.port.dma, options.memory ?? null);
    const range = options.port.ranges.findIndex(({ barIndex, kind }) => barIndex === 0 && kind !== "io");
    this.#access = new PciAccess(options.port, Math.max(0, range), (offset) => this.#silent(offset));
    options.port.connect(this);
    runSteps(this.#bringUp(range), (error) => {
      if (error === null || this.#isOver) return;
      const isKnown =
        error instanceof ControllerFailure ||
        error instanceof DecodeError ||
        error instanceof XhciMemoryError;
      if (!isKnown) throw error;
      this.fail(error.message);
    });
  }

  /** Why the controller was given up; null while it is good. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Its ports and slots are known, and it runs. */
  get isRunning(): boolean {
    return this.#isRunning && !this.#isOver;
  }

  get dma(): DmaPort {
    return this.#port.dma;
  }

  get contextBytes(): number {
    return this.#capabilities?.contextBytes ?? 32;
  }

  get streamArray(): number {
    return this.#capabilities?.streamArray ?? 0;
  }

  /** Every device leaves, the controller is halted, its memory given back. Twice is ignored. */
  close(): void {
    this.#end(null);
  }

  /** The controller is given up. */
  fail(reason: string): void {
    if (this.#isOver) return;
    this.#failure = reason;
    this.#options.onProblem?.(`the xHCI controller is given up: ${reason}`);
    this.#end(reason);
  }

  complain(text: string): void {
    this.counters.complaints++;
    this.#options.onProblem?.(`the xHCI controller says what cannot be: ${text}`);
    if (this.counters.complaints >= complaintsMaximum)
      this.fail(`${this.counters.complaints} times it said what cannot be, last: ${text}`);
  }

  problem(text: string): void {
    this.#options.onProblem?.(text);
  }

  soon(run: () => void, delayNs = 0): void {
    this.clock.after(delayNs, run, undefined);
  }

  ringDoorbell(slotId: number, target: number): void {
    if (this.#capabilities === null || this.#isOver) return;
    this.#access.write(this.#capabilities.doorbellsAt + slotId * 4, target);
  }

  *hasLeft(rootPort: number): Steps<boolean> {
    return (yield* this.#ports?.look(rootPort) ?? gone()) === false;
  }

  resetPort(rootPort: number): void {
    this.#ports?.reset(rootPort);
  }

  readPort(number: number): ReturnType<PciAccess["read"]> {
    return this.#access.read(this.#portAt(number));
  }

  writePort(number: number, value: number): void {
    this.#access.write(this.#portAt(number), value);
  }

  sleep(delayNs: number): (resume: (answer: number) => void) => void {
    return (resume) => this.soon(() => resume(0), delayNs);
  }

  /** One command; the completion code. Never more than one is under way. */
  *command(low: number, high: number, status: number, control: number): Steps<number> {
    return (
      (yield (resume) => {
        this.#commands.push({ low, high, status, control, resume });
        this.#nextCommand();
      }) & 0xff
    );
  }

  /** Enable Slot: its id, or 0 with the reason told. */
  *enableSlot(): Steps<number> {
    const answer = yield (resume) => {
      const control = TrbType.enableSlot << 10;
      this.#commands.push({ low: 0, high: 0, status: 0, control, resume });
      this.#nextCommand();
    };
    const code = answer & 0xff;
    const slotId = answer >>> 8;
    if (code !== XhciCode.success) {
      this.problem(`the controller gives no slot: ${describeXhciCode(code)}`);
      return 0;
    }
    if (slotId === 0 || slotId > (this.#capabilities?.slots ?? 0) || this.#devices[slotId] !== undefined) {
      this.complain(`slot ${slotId} is given, which is in use or none`);
      return 0;
    }
    return slotId;
  }

  /** The controller finds the slot's contexts. */
  place(device: XhciSlot): void {
    this.#devices[device.slotId] = device;
    const { address } = device.output;
    const bytes = (this.#contexts as SharedBlock).bytes;
    putU32le(bytes, device.slotId * 8, lowHalf(address));
    putU32le(bytes, device.slotId * 8 + 4, highHalf(address));
  }

  /** The slot is given back, and with it everything that the device had. */
  *remove(device: XhciSlot): Steps {
    device.leave();
    const control = ((TrbType.disableSlot << 10) | (device.slotId << 24)) >>> 0;
    const code = yield* this.command(0, 0, 0, control);
    if (code !== XhciCode.success)
      this.problem(`slot ${device.slotId} is not given back: ${describeXhciCode(code)}`);
    this.#devices[device.slotId] = undefined;
    const bytes = (this.#contexts as SharedBlock).bytes;
    putU32le(bytes, device.slotId * 8, 0);
    putU32le(bytes, device.slotId * 8 + 4, 0);
    device.over();
  }

  attach(device: XhciSlot): void {
    this.#options.onAttach(device.port);
  }

  locationOf(rootPort: number): number {
    return ((this.#options.busNumber ?? 4) << 24) | ((rootPort & 0xf) << 20) | ((rootPort >>> 4) << 16);
  }

  /** PciHostClient. */
  readCompleted(slot: number, status: PciStatus, low: number): void {
    this.#access.completed(slot, status, low);
  }

  /** PciHostClient. */
  message(): void {
    this.#takeEvents();
  }

  /** PciHostClient: the legacy line is off. */
  line(): void {}

  /** PciHostClient: the controller itself has left. */
  detached(): void {
    this.#isDetached = true;
    this.#end("the controller has left");
    this.#release();
  }

  /** §4.2, with the function's own registers first. */
  *#bringUp(range: number): Steps {
    const access = this.#access;
    const classCode = (yield access.readConfig(PciConfig.revision, 4)) >>> 8;
    if (classCode !== xhciClassCode)
      throw new ControllerFailure(
        `a function of class ${classCode.toString(16).padStart(6, "0")} is no xHCI`,
      );
    if (range < 0) throw new ControllerFailure("BAR 0 is no memory");
    const command = yield access.readConfig(PciConfig.command, 2);
    const wanted = PciCommand.memorySpace | PciCommand.busMaster | PciCommand.interruptDisable;
    access.writeConfig(PciConfig.command, 2, command | wanted);
    const capabilities = decodeXhciCapabilities(
      {
        lengthAndVersion: yield access.read(XhciCapability.lengthAndVersion),
        structural1: yield access.read(XhciCapability.structural1),
        structural2: yield access.read(XhciCapability.structural2),
        capability1: yield access.read(XhciCapability.capability1),
        doorbellOffset: yield access.read(XhciCapability.doorbellOffset),
        runtimeOffset: yield access.read(XhciCapability.runtimeOffset),
      },
      this.#port.ranges[range].lengthBytes,
    );
    this.#capabilities = capabilities;
    const majors = yield* this.#readExtended(capabilities, this.#port.ranges[range].lengthBytes);
    yield* this.#halt();
    this.#writeOperational(XhciOperational.command, XhciCommand.reset);
    yield* this.#until(
      XhciOperational.command,
      XhciCommand.reset,
      0,
      resetPatience,
      "does not end its reset",
    );
    yield* this.#until(
      XhciOperational.status,
      XhciStatus.notReady,
      0,
      resetPatience,
      "does not become ready",
    );
    const pages = yield access.read(capabilities.operationalAt + XhciOperational.pageSize);
    if ((pages & 1) === 0) throw new ControllerFailure(`page sizes 0x${pages.toString(16)} without 4 KiB`);
    this.#makeRings(capabilities);
    yield* this.#makeInterrupt();
    this.#writeOperational(
      XhciOperational.command,
      XhciCommand.run | XhciCommand.interrupts | XhciCommand.hostErrors,
    );
    yield* this.#until(XhciOperational.status, XhciStatus.halted, 0, haltPatience, "does not start");
    this.#isRunning = true;
    this.#ports = new RootPorts(this, majors);
    this.#ports.lookAtAll();
  }

  /** §7: who owned the controller before, and which ports speak what. By port, from 1 on; 0 is unknown. */
  *#readExtended(capabilities: XhciCapabilities, rangeBytes: number): Steps<Uint8Array> {
    const majors = new Uint8Array(capabilities.ports + 1);
    let at = capabilities.extendedAt;
    for (let count = 0; count < 64 && at > 0 && at + 12 <= rangeBytes; count++) {
      const header = yield this.#access.read(at);
      const id = header & 0xff;
      if (id === XhciExtendedId.legacySupport && (header & XhciLegacy.firmwareOwns) !== 0) {
        this.#access.write(at, header | XhciLegacy.systemOwns);
        for (let tries = 0; tries < 100; tries++) {
          if (((yield this.#access.read(at)) & XhciLegacy.firmwareOwns) === 0) break;
          yield this.sleep(10 * millisecond);
        }
      }
      if (id === XhciExtendedId.supportedProtocol) {
        const span = yield this.#access.read(at + 8);
        const first = span & 0xff;
        const last = Math.min(first + ((span >>> 8) & 0xff) - 1, capabilities.ports);
        for (let port = Math.max(1, first); port <= last; port++) majors[port] = header >>> 24;
      }
      const next = ((header >>> 8) & 0xff) * 4;
      if (next === 0) return majors;
      at += next;
    }
    return majors;
  }

  *#halt(): Steps {
    this.#writeOperational(XhciOperational.command, 0);
    yield* this.#until(
      XhciOperational.status,
      XhciStatus.halted,
      XhciStatus.halted,
      haltPatience,
      "does not halt",
    );
  }

  *#until(register: number, mask: number, value: number, patience: number, otherwise: string): Steps {
    const at = (this.#capabilities as XhciCapabilities).operationalAt + register;
    for (let tries = 0; tries < patience; tries++) {
      const found = yield this.#access.read(at);
      if (found === 0xffff_ffff) throw new ControllerFailure("its registers read as all ones");
      if ((found & mask) === value) return;
      yield this.sleep(millisecond);
    }
    throw new ControllerFailure(`it ${otherwise}`);
  }

  /** Device contexts, scratchpads, command and event ring (§4.2, §6.1, §6.5, §6.6). */
  #makeRings(capabilities: XhciCapabilities): void {
    const { memory } = this;
    const { scratchpads, slots } = capabilities;
    this.#contexts = memory.allocate((slots + 1) * 8, "xHCI context array");
    if (scratchpads > 0) {
      const array = memory.allocate(scratchpads * 8, "xHCI scratchpad array");
      const pages = memory.allocate(scratchpads * pageBytes, "xHCI scratchpads");
      for (let page = 0; page < scratchpads; page++) {
        putU32le(array.bytes, page * 8, lowHalf(pages.address + page * pageBytes));
        putU32le(array.bytes, page * 8 + 4, highHalf(pages.address + page * pageBytes));
      }
      putU32le(this.#contexts.bytes, 0, lowHalf(array.address));
      putU32le(this.#contexts.bytes, 4, highHalf(array.address));
    }
    const commands = memory.allocate(commandTrbs * trbBytes, "xHCI command ring");
    this.#commandRing = new ProducerRing(commands.bytes, commands.address);
    this.#events = memory.allocate(eventTrbs * trbBytes, "xHCI event ring");
    const table = memory.allocate(64, "xHCI event segments");
    putU32le(table.bytes, 0, lowHalf(this.#events.address));
    putU32le(table.bytes, 4, highHalf(this.#events.address));
    putU32le(table.bytes, 8, eventTrbs);
    this.#writeOperational(XhciOperational.configure, slots);
    this.#writeAddress(capabilities.operationalAt + XhciOperational.contextArrayLow, this.#contexts.address);
    this.#writeAddress(
      capabilities.operationalAt + XhciOperational.commandRingLow,
      commands.address + this.#commandRing.cycle,
    );
    const runtime = capabilities.runtimeAt;
    this.#access.write(runtime + XhciRuntime.segmentCount, 1);
    this.#writeDequeue();
    this.#writeAddress(runtime + XhciRuntime.segmentTableLow, table.address);
  }

  /** MSI-X vector 0 is the interrupter's (§5.2.8.3). */
  *#makeInterrupt(): Steps {
    const access = this.#access;
    const at = yield* access.findMsiX();
    if (at === 0) throw new ControllerFailure("it has no MSI-X");
    const bytes = new Uint8Array(12);
    for (let word = 0; word < 12; word += 4) putU32le(bytes, word, yield access.readConfig(at + word, 4));
    const { tableBar, tableOffset } = decodeMsiX(bytes, 0);
    const range = this.#port.ranges.findIndex(({ barIndex }) => barIndex === tableBar);
    if (range < 0 || tableOffset + 16 > this.#port.ranges[range].lengthBytes)
      throw new ControllerFailure(`its MSI-X table lies at 0x${tableOffset.toString(16)} of BAR ${tableBar}`);
    const [message] = this.#port.messages(1);
    if (message === undefined) throw new ControllerFailure("this host has no interrupt left for it");
    const write = (offset: number, value: number): void =>
      this.#port.memoryWrite(range, tableOffset + offset, 4, value >>> 0, 0);
    write(0, lowHalf(message.address));
    write(4, highHalf(message.address));
    write(8, message.data);
    write(12, 0);
    const control = getU32le(bytes, 0) >>> 16;
    access.writeConfig(at + msiXControlOffset, 2, (control & ~0x4000) | msiXEnable);
    const runtime = (this.#capabilities as XhciCapabilities).runtimeAt;
    access.write(runtime + XhciRuntime.moderation, 0);
    access.write(runtime + XhciRuntime.management, XhciInterrupter.enabled | XhciInterrupter.pending);
  }

  #portAt(number: number): number {
    const { operationalAt } = this.#capabilities as XhciCapabilities;
    return operationalAt + XhciOperational.ports + (number - 1) * xhciPortStride;
  }

  #writeOperational(register: number, value: number): void {
    if (this.#capabilities !== null) this.#access.write(this.#capabilities.operationalAt + register, value);
  }

  #writeAddress(offset: number, address: number): void {
    this.#access.write(offset, lowHalf(address));
    this.#access.write(offset + 4, highHalf(address));
  }

  /** High half first: the low half is what takes effect. */
  #writeDequeue(): void {
    const runtime = (this.#capabilities as XhciCapabilities).runtimeAt;
    const address = (this.#events as SharedBlock).address + this.#eventAt * trbBytes;
    this.#access.write(runtime + XhciRuntime.dequeueHigh, highHalf(address));
    this.#access.write(runtime + XhciRuntime.dequeueLow, (lowHalf(address) | XhciInterrupter.busy) >>> 0);
  }

  #nextCommand(): void {
    if (this.#running !== null || this.#isOver || this.#commandRing === null) return;
    const next = this.#commands.shift();
    if (next === undefined) return;
    this.#running = next;
    this.counters.commands++;
    const { low, high, status, control } = next;
    this.#commandRing.push({ low, high, status, control }, next, 0, 0);
    this.#commandRing.handOver();
    this.ringDoorbell(0, 0);
    this.#patience = this.clock.after(commandPatienceNs, this.#giveUp, next);
  }

  readonly #giveUp = (command: PendingCommand): void => {
    if (this.#running !== command) return;
    const name = trbCommandNames[trbTypeOf(command.control)] ?? "a command";
    this.fail(`${name} had no answer for ${commandPatienceNs / second} s`);
  };

  /** Events that are there, at most a ring of them; more come in a call of their own. */
  #takeEvents(): void {
    if (this.#isOver || this.#events === null || !this.#isRunning) return;
    const { bytes } = this.#events;
    const trb = this.#trb;
    let count = 0;
    while (count < eventTrbs) {
      readTrb(bytes, this.#eventAt * trbBytes, trb);
      if ((trb.control & TrbFlag.cycle) !== this.#eventCycle) break;
      count++;
      this.#eventAt++;
      if (this.#eventAt === eventTrbs) {
        this.#eventAt = 0;
        this.#eventCycle ^= 1;
      }
      this.#event(trb.low, trb.high, trb.status, trb.control);
      if (this.#isOver) return;
    }
    this.counters.events += count;
    if (count === 0) {
      this.#lookAtStatus();
      return;
    }
    this.#writeDequeue();
    if (count === eventTrbs) this.soon(() => this.#takeEvents());
  }

  #event(low: number, high: number, status: number, control: number): void {
    const type = trbTypeOf(control);
    const code = trbCodeOf(status);
    switch (type) {
      case TrbType.transferEvent: {
        const device = this.#devices[trbSlotOf(control)];
        const endpoint = device?.endpoints[trbEndpointOf(control)];
        if (endpoint !== undefined) {
          endpoint.transferEvent(addressOf(low, high), code, trbResidualOf(status));
          return;
        }
        this.complain(
          `a transfer event of slot ${trbSlotOf(control)}, context ${trbEndpointOf(control)}, which are none`,
        );
        return;
      }
      case TrbType.commandCompletion:
        this.#commandOver(addressOf(low, high), code, trbSlotOf(control));
        return;
      case TrbType.portStatusChange: {
        const port = low >>> 24;
        if (this.#ports?.changed(port) !== true) this.complain(`a change of port ${port}, which is none`);
        return;
      }
      case TrbType.hostController:
        this.fail(`it reports ${describeXhciCode(code)} of itself`);
        return;
      case TrbType.frameWrap:
        return;
      default:
        this.complain(`an event of type ${type}`);
    }
  }

  #commandOver(pointer: number, code: number, slotId: number): void {
    const ring = this.#commandRing as ProducerRing<PendingCommand>;
    const command = this.#running;
    if (command === null || ring.indexOf(pointer) !== ring.lastIndex) {
      this.complain(`the end of a command at 0x${pointer.toString(16)} that was not given`);
      return;
    }
    this.clock.cancel(this.#patience);
    this.#running = null;
    ring.free(ring.lastIndex, 1);
    const wanted = trbSlotOf(command.control);
    // QEMU names no slot where a command has failed.
    if (code === XhciCode.success && wanted !== 0 && slotId !== wanted)
      this.complain(`a command of slot ${wanted} ends in slot ${slotId}`);
    if (this.#isOver) return;
    command.resume(code | (slotId << 8));
    this.#nextCommand();
  }

  /** An interrupt without an event: the controller may have stopped. */
  #lookAtStatus(): void {
    if (this.#isAskingStatus) return;
    this.#isAskingStatus = true;
    const at = (this.#capabilities as XhciCapabilities).operationalAt + XhciOperational.status;
    this.#access.read(at)((status) => {
      this.#isAskingStatus = false;
      if ((status & XhciStatus.hostSystemError) !== 0)
        this.fail("host system error: memory was refused to it");
      else if ((status & XhciStatus.controllerError) !== 0) this.fail("controller error");
      else if ((status & XhciStatus.halted) !== 0) this.fail("it has halted by itself");
    });
  }

  /** A read that ended without an answer. */
  #silent(offset: number): void {
    if (this.#isOver) this.#release();
    else this.fail(`register 0x${offset.toString(16)} did not answer`);
  }

  /** `reason` null: on purpose. Devices end once the controller can reach no memory any more. */
  #end(reason: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure ??= reason;
    this.clock.cancel(this.#patience);
    this.#running = null;
    this.#commands.length = 0;
    for (const device of this.#devices) device?.leave();
    if (this.#isDetached) return;
    runSteps(this.#shutDown());
  }

  *#shutDown(): Steps {
    const access = this.#access;
    this.#writeOperational(XhciOperational.command, 0);
    const command = yield access.readConfig(PciConfig.command, 2);
    access.writeConfig(PciConfig.command, 2, command & ~PciCommand.busMaster);
    // What was on its way has arrived when this is answered (PCI Express 3.0 §2.4).
    yield access.readConfig(PciConfig.command, 2);
    this.#release();
  }

  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    for (const device of this.#devices.splice(0)) device?.over();
    this.memory.releaseAll();
  }
}

// biome-ignore lint/correctness/useYield: a controller without ports has nobody there
function* gone(): Steps<boolean> {
  return false;
}
