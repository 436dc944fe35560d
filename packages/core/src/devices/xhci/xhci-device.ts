// An xHCI controller as a PCI function: registers, commands, events; in its root ports sit USB ports of a bus.

import { getU16le, putU32le } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import {
  contextsOfDevice,
  contextsOfInput,
  EndpointState,
  putSlotState,
  readEndpointContext,
  readSlotContext,
  SlotState,
  streamContextBytes,
  writeEndpointContext,
} from "../../codec/xhci/contexts.ts";
import {
  XhciCapability,
  XhciCommand,
  XhciInterrupter,
  XhciOperational,
  XhciRuntime,
  XhciStatus,
  xhciClassCode,
  xhciPortStride,
} from "../../codec/xhci/registers.ts";
import {
  addressOf,
  highHalf,
  lowHalf,
  type Trb,
  TrbFlag,
  TrbType,
  trbEndpointOf,
  trbSlotOf,
  trbTypeOf,
  XhciCode,
} from "../../codec/xhci/trb.ts";
import type { UsbHostPort, UsbStatus } from "../../ports/usb-host.ts";
import { PciFunctionModel } from "../pci-function-model.ts";
import { type EndpointOwner, ModelEndpoint, type ModelLane } from "./xhci-endpoint-model.ts";
import { mischiefAt, spoil, type XhciMischief } from "./xhci-mischief.ts";
import { type BusMemory, EventRing, pointerTrb, RingReader } from "./xhci-rings.ts";
import { ModelRootPort, type RootPortOwner } from "./xhci-root-port.ts";

export interface XhciDeviceOptions {
  readonly clock: Clock;
  /** For mischief that is noise. */
  readonly random: Random;
  /** SuperSpeed root ports come first. Default 4 and 4. */
  readonly superPorts?: number;
  readonly highPorts?: number;
  /** Default 32. */
  readonly slots?: number;
  /** 32 (default) or 64. */
  readonly contextBytes?: 32 | 64;
  /** Pages that software gives the controller. Default 0. */
  readonly scratchpads?: number;
  readonly mischief?: readonly XhciMischief[];
}

const operationalAt = 0x40;
const runtimeAt = 0x1000;
const doorbellsAt = 0x2000;
const extendedAt = 0x20;
const barBytes = 0x4000;

interface ModelSlot {
  readonly id: number;
  port: ModelRootPort | null;
  /** By context index. */
  readonly endpoints: (ModelEndpoint | undefined)[];
}

/** Vendor and device are pid.codes' and nobody's: no driver of another's matches it. */
export class XhciDevice extends PciFunctionModel implements EndpointOwner, RootPortOwner {
  readonly memory: BusMemory;
  readonly ports: readonly ModelRootPort[];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #slots: number;
  readonly #contextBytes: number;
  readonly #scratchpads: number;
  readonly #mischief: readonly XhciMischief[];
  readonly #superPorts: number;
  readonly #events = new EventRing();
  readonly #commands = new RingReader();
  readonly #devices: (ModelSlot | undefined)[] = [];
  /** By port, by slot of its USB port: who waits. */
  readonly #lanes = new Map<ModelRootPort, (ModelLane | undefined)[]>();
  #command = 0;
  #status: number = XhciStatus.halted;
  #contextArray = 0;
  #configured = 0;
  #management = 0;
  #segmentTable = 0;
  #segments = 0;
  #dequeueHigh = 0;
  #contextArrayLow = 0;
  #commandRingLow = 0;
  #segmentTableLow = 0;
  #isBusy = false;
  #isCommanding = false;
  #eventCount = 0;
  /** Counts resets: what was begun before one is nobody's. */
  #generation = 0;

  constructor(options: XhciDeviceOptions) {
    super({
      vendorId: 0x1209,
      deviceId: 0x0010,
      classCode: xhciClassCode,
      bars: [{ index: 0, kind: "memory64", lengthBytes: barBytes }],
      msiX: { vectors: 1, bar: 0, tableOffset: 0x3000, pendingOffset: 0x3800 },
    });
    this.#clock = options.clock;
    this.#random = options.random;
    this.#slots = options.slots ?? 32;
    this.#contextBytes = options.contextBytes ?? 32;
    this.#scratchpads = options.scratchpads ?? 0;
    this.#mischief = options.mischief ?? [];
    this.#superPorts = options.superPorts ?? 4;
    const count = this.#superPorts + (options.highPorts ?? 4);
    this.ports = Array.from(
      { length: count },
      (_, index) => new ModelRootPort(this, options.clock, index + 1, index < this.#superPorts),
    );
    this.memory = {
      read: (address, into) => this.upstream?.read(address, into, 0, into.length) ?? false,
      write: (address, from) => this.upstream?.write(address, from, 0, from.length),
    };
  }

  get isEngineOn(): boolean {
    return (this.#command & XhciCommand.run) !== 0 && (this.#status & XhciStatus.halted) === 0;
  }

  /** A device of a bus, from attach to detach: it appears at a root port. False: every port of its kind is taken. */
  attach(usb: UsbHostPort): boolean {
    const back = this.ports.find(
      (port) => port.usb === null && !port.isFree && port.locationId === usb.locationId,
    );
    const isSuper = usb.speed >= UsbSpeed.super;
    const port = back ?? this.ports.find((candidate) => candidate.isFree && candidate.isSuper === isSuper);
    if (port === undefined) return false;
    this.#lanes.set(port, []);
    port.attach(usb);
    return true;
  }

  portChanged(number: number): void {
    this.#status |= XhciStatus.portChange;
    if (this.isEngineOn)
      this.#event({
        low: (number << 24) >>> 0,
        high: 0,
        status: (XhciCode.success << 24) >>> 0,
        control: TrbType.portStatusChange << 10,
      });
  }

  transferEnded(port: ModelRootPort, usbSlot: number, status: UsbStatus, actualBytes: number): void {
    const lanes = this.#lanes.get(port);
    const lane = lanes?.[usbSlot];
    if (lanes === undefined || lane === undefined) return;
    lanes[usbSlot] = undefined;
    if (lane.endpoint.isIsochronous) lane.endpoint.packetEnded(lane, usbSlot, status);
    else if (lane.usbSlot === usbSlot) lane.endpoint.ended(lane, status, actualBytes);
  }

  giveUsbSlot(port: ModelRootPort, usbSlot: number): void {
    const lanes = this.#lanes.get(port);
    if (lanes !== undefined) lanes[usbSlot] = undefined;
  }

  takeUsbSlot(port: ModelRootPort, lane: ModelLane): number {
    const lanes = this.#lanes.get(port);
    const count = Math.min(64, port.usb?.slotCount ?? 0);
    for (let slot = 0; lanes !== undefined && slot < count; slot++) {
      if (lanes[slot] !== undefined) continue;
      lanes[slot] = lane;
      return slot;
    }
    return -1;
  }

  event(lane: ModelLane, trbAddress: number, code: number, residual: number): void {
    const { contextIndex, slotId } = lane.endpoint;
    const control = (TrbType.transferEvent << 10) | (contextIndex << 16) | (slotId << 24);
    this.#event(pointerTrb(trbAddress, (code << 24) | residual, control));
  }

  stateChanged(endpoint: ModelEndpoint): void {
    this.#putEndpointState(endpoint);
  }

  systemError(): void {
    this.#status |= XhciStatus.hostSystemError | XhciStatus.halted;
    this.#command &= ~XhciCommand.run;
    this.raise(0);
  }

  protected override registerRead(bar: number, offset: number, sizeBytes: number): number | null {
    if (bar !== 0 || sizeBytes !== 4) return 0;
    if (offset < operationalAt) return this.#readCapability(offset) >>> 0;
    if (offset < runtimeAt) return this.#readOperational(offset - operationalAt) >>> 0;
    switch (offset - runtimeAt) {
      case XhciRuntime.frameIndex:
        return Math.floor(this.#clock.nowNs() / 125_000) & 0x3fff;
      case XhciRuntime.management:
        return this.#management;
      case XhciRuntime.segmentCount:
        return this.#segments;
      case XhciRuntime.dequeueLow:
        return (lowHalf(this.#events.dequeue) | (this.#isBusy ? XhciInterrupter.busy : 0)) >>> 0;
      case XhciRuntime.dequeueHigh:
        return highHalf(this.#events.dequeue);
      default:
        return 0;
    }
  }

  protected override registerWrite(bar: number, offset: number, sizeBytes: number, value: number): void {
    if (bar !== 0 || sizeBytes !== 4) return;
    const word = value >>> 0;
    if (offset >= doorbellsAt) this.#doorbell((offset - doorbellsAt) / 4, word);
    else if (offset >= runtimeAt) this.#writeRuntime(offset - runtimeAt, word);
    else if (offset >= operationalAt) this.#writeOperational(offset - operationalAt, word);
  }

  protected override functionReset(): void {
    this.#reset();
  }

  protected override linkLost(): void {
    this.#reset();
  }

  #readCapability(offset: number): number {
    switch (offset) {
      case XhciCapability.lengthAndVersion:
        return 0x0100_0000 | operationalAt;
      case XhciCapability.structural1:
        return this.#slots | (1 << 8) | (this.ports.length << 24);
      case XhciCapability.structural2:
        return 0xf | ((this.#scratchpads & 0x1f) << 27) | ((this.#scratchpads >>> 5) << 21);
      case XhciCapability.capability1:
        return 1 | (this.#contextBytes === 64 ? 4 : 0) | (7 << 12) | ((extendedAt / 4) << 16);
      case XhciCapability.doorbellOffset:
        return doorbellsAt;
      case XhciCapability.runtimeOffset:
        return runtimeAt;
      // Supported protocols (§7.2): USB 3 for the first ports, USB 2 for the others.
      case extendedAt:
        return 0x0300_0402;
      case extendedAt + 4:
      case extendedAt + 0x14:
        return 0x2042_5355;
      case extendedAt + 8:
        return 1 | (this.#superPorts << 8);
      case extendedAt + 0x10:
        return 0x0200_0002;
      case extendedAt + 0x18:
        return (this.#superPorts + 1) | ((this.ports.length - this.#superPorts) << 8);
      default:
        return 0;
    }
  }

  #readOperational(offset: number): number {
    const port = this.ports[(offset - XhciOperational.ports) / xhciPortStride];
    if (port !== undefined) return port.read();
    switch (offset) {
      case XhciOperational.command:
        return this.#command;
      case XhciOperational.status:
        return this.#status;
      case XhciOperational.pageSize:
        return 1;
      case XhciOperational.configure:
        return this.#configured;
      default:
        return 0;
    }
  }

  #writeOperational(offset: number, value: number): void {
    const port = this.ports[(offset - XhciOperational.ports) / xhciPortStride];
    if (port !== undefined) {
      port.write(value);
      return;
    }
    switch (offset) {
      case XhciOperational.command:
        this.#writeCommand(value);
        return;
      case XhciOperational.status:
        this.#status &= ~(
          value &
          (XhciStatus.hostSystemError | XhciStatus.eventInterrupt | XhciStatus.portChange)
        );
        return;
      case XhciOperational.commandRingLow:
        this.#commandRingLow = value;
        return;
      case XhciOperational.commandRingHigh:
        this.#commands.set(addressOf(this.#commandRingLow & ~0x3f, value), this.#commandRingLow & 1);
        return;
      case XhciOperational.contextArrayLow:
        this.#contextArrayLow = value;
        return;
      case XhciOperational.contextArrayHigh:
        this.#contextArray = addressOf(this.#contextArrayLow, value);
        return;
      case XhciOperational.configure:
        this.#configured = value & 0xff;
    }
  }

  #writeCommand(value: number): void {
    if ((value & XhciCommand.reset) !== 0) {
      this.#reset();
      return;
    }
    this.#command = value & (XhciCommand.run | XhciCommand.interrupts | XhciCommand.hostErrors);
    if ((value & XhciCommand.run) !== 0) this.#status &= ~XhciStatus.halted;
    else this.#status |= XhciStatus.halted;
  }

  #writeRuntime(offset: number, value: number): void {
    switch (offset) {
      case XhciRuntime.management:
        this.#management = value & XhciInterrupter.enabled;
        return;
      case XhciRuntime.segmentCount:
        this.#segments = value & 0xffff;
        return;
      case XhciRuntime.segmentTableLow:
        this.#segmentTableLow = value;
        return;
      case XhciRuntime.segmentTableHigh:
        this.#segmentTable = addressOf(this.#segmentTableLow, value);
        this.#startEvents();
        return;
      case XhciRuntime.dequeueHigh:
        this.#dequeueHigh = value;
        return;
      case XhciRuntime.dequeueLow:
        this.#events.dequeue = addressOf(value & ~0xf, this.#dequeueHigh);
        if ((value & XhciInterrupter.busy) !== 0) this.#isBusy = false;
        this.#events.flush(this.memory);
        if (this.#events.isBehind) this.#interrupt();
    }
  }

  #startEvents(): void {
    const entry = new Uint8Array(16);
    if (this.#segments === 0 || !this.memory.read(this.#segmentTable, entry)) return;
    const word = (at: number): number => (getU16le(entry, at) | (getU16le(entry, at + 2) << 16)) >>> 0;
    this.#events.start(addressOf(word(0) & ~0x3f, word(4)), getU16le(entry, 8));
  }

  #doorbell(slotId: number, value: number): void {
    if (!this.isEngineOn) return;
    if (slotId === 0) {
      this.#nextCommand();
      return;
    }
    const endpoint = this.#devices[slotId]?.endpoints[value & 0xff];
    if (endpoint === undefined) return;
    const stream = value >>> 16;
    const lane = stream === 0 ? endpoint.plain : this.#streamLane(endpoint, stream);
    if (lane !== null && (stream !== 0) === endpoint.streams > 0) endpoint.ring(lane);
  }

  /** Its ring is read from its context when the stream is first used (§4.12.2). */
  #streamLane(endpoint: ModelEndpoint, stream: number): ModelLane | null {
    if (stream >= endpoint.streams) return null;
    return endpoint.lane(stream, () => {
      const bytes = new Uint8Array(streamContextBytes);
      if (!this.memory.read(endpoint.streamArray + stream * streamContextBytes, bytes)) return null;
      const { dequeue } = readEndpointContext(
        new Uint8Array([...new Uint8Array(8), ...bytes, 0, 0, 0, 0]),
        0,
      );
      return { address: dequeue, cycle: bytes[0] & 1 };
    });
  }

  #nextCommand(): void {
    if (this.#isCommanding || !this.isEngineOn) return;
    const trb = this.#commands.next(this.memory);
    if (trb === "refused") {
      this.systemError();
      return;
    }
    if (trb === null) return;
    this.#isCommanding = true;
    const generation = this.#generation;
    let isOver = false;
    const end = (code: number, slotId = trbSlotOf(trb.control)): void => {
      if (generation !== this.#generation || isOver) return;
      isOver = true;
      this.#isCommanding = false;
      const control = (TrbType.commandCompletion << 10) | (slotId << 24);
      this.#event(pointerTrb(trb.address, code << 24, control));
      this.#nextCommand();
    };
    if (trbTypeOf(trb.control) === TrbType.enableSlot) {
      const slotId = this.#enableSlot();
      end(slotId === 0 ? XhciCode.noSlots : XhciCode.success, slotId);
      return;
    }
    const code = this.#perform(trb, end);
    if (code !== null) end(code);
  }

  /** The completion code; null when `end` will be told it. */
  #perform(trb: Trb, end: (code: number) => void): number | null {
    const type = trbTypeOf(trb.control);
    if (type === TrbType.noOpCommand) return XhciCode.success;
    const slot = this.#devices[trbSlotOf(trb.control)];
    if (slot === undefined) return XhciCode.slotNotEnabled;
    const input = addressOf(trb.low & ~0xf, trb.high);
    const isSpecial = (trb.control & TrbFlag.special) !== 0;
    switch (type) {
      case TrbType.disableSlot:
        this.#stopAll(slot, 1, () => {
          this.#devices[slot.id] = undefined;
          end(XhciCode.success);
        });
        return null;
      case TrbType.addressDevice:
        return this.#address(slot, input, isSpecial);
      case TrbType.configureEndpoint:
        return isSpecial ? this.#deconfigure(slot, end) : this.#configure(slot, input, end);
      case TrbType.evaluateContext:
        return this.#evaluate(slot, input);
      case TrbType.resetDevice:
        this.#stopAll(slot, 2, () => end(XhciCode.success));
        return null;
    }
    const endpoint = slot.endpoints[trbEndpointOf(trb.control)];
    return endpoint === undefined ? XhciCode.endpointNotEnabled : this.#performOn(type, endpoint, trb, end);
  }

  /** Commands that have an endpoint. */
  #performOn(type: number, endpoint: ModelEndpoint, trb: Trb, end: (code: number) => void): number | null {
    switch (type) {
      case TrbType.stopEndpoint:
        if (endpoint.state !== EndpointState.running) return XhciCode.contextStateError;
        endpoint.stop(() => {
          // It may have halted on the way.
          const isStopped = endpoint.state === EndpointState.running;
          if (isStopped) this.#putEndpointState(endpoint, EndpointState.stopped);
          end(isStopped ? XhciCode.success : XhciCode.contextStateError);
        });
        return null;
      case TrbType.resetEndpoint:
        if (endpoint.state !== EndpointState.halted) return XhciCode.contextStateError;
        endpoint.port.usb?.clearHalt(endpoint.address);
        this.#putEndpointState(endpoint, EndpointState.stopped);
        return XhciCode.success;
      case TrbType.setDequeue:
        return this.#setDequeue(endpoint, trb);
      default:
        return XhciCode.trbError;
    }
  }

  /** 0: none is left. */
  #enableSlot(): number {
    for (let id = 1; id <= Math.min(this.#slots, this.#configured); id++) {
      if (this.#devices[id] !== undefined) continue;
      this.#devices[id] = { id, port: null, endpoints: [] };
      return id;
    }
    return 0;
  }

  /** Endpoints from context `first` on are no more. */
  #stopAll(slot: ModelSlot, first: number, then: () => void): void {
    const endpoint = slot.endpoints.find((found) => found !== undefined && found.contextIndex >= first);
    if (endpoint === undefined) {
      then();
      return;
    }
    slot.endpoints[endpoint.contextIndex] = undefined;
    endpoint.stop(() => this.#stopAll(slot, first, then));
  }

  #readInput(address: number): Uint8Array | null {
    const bytes = new Uint8Array(this.#contextBytes * contextsOfInput);
    if (this.memory.read(address, bytes)) return bytes;
    this.systemError();
    return null;
  }

  #outputOf(slotId: number): number {
    const entry = new Uint8Array(8);
    if (!this.memory.read(this.#contextArray + slotId * 8, entry)) return 0;
    const word = (at: number): number => (getU16le(entry, at) | (getU16le(entry, at + 2) << 16)) >>> 0;
    return addressOf(word(0), word(4));
  }

  #address(slot: ModelSlot, input: number, isBlocked: boolean): number {
    const bytes = this.#readInput(input);
    if (bytes === null) return XhciCode.parameterError;
    const wanted = readSlotContext(bytes, this.#contextBytes);
    const port = this.ports[wanted.rootPort - 1];
    if ((bytes[4] & 3) !== 3 || port === undefined) return XhciCode.parameterError;
    if (!port.isEnabled || port.usb === null) return XhciCode.transactionError;
    port.touch();
    slot.port = port;
    const output = this.#outputOf(slot.id);
    if (output === 0) return XhciCode.parameterError;
    const own = bytes.slice(this.#contextBytes, this.#contextBytes * 3);
    putSlotState(own, 0, isBlocked ? 0 : slot.id, isBlocked ? SlotState.default : SlotState.addressed);
    this.#addEndpoint(slot, 1, own, this.#contextBytes);
    this.memory.write(output, own);
    return XhciCode.success;
  }

  #deconfigure(slot: ModelSlot, end: (code: number) => void): number | null {
    if (slot.port === null) return XhciCode.contextStateError;
    this.#stopAll(slot, 2, () => {
      this.#putSlot(slot, SlotState.addressed, 1);
      end(XhciCode.success);
    });
    return null;
  }

  #configure(slot: ModelSlot, input: number, end: (code: number) => void): number | null {
    if (slot.port === null) return XhciCode.contextStateError;
    const bytes = this.#readInput(input);
    if (bytes === null) return XhciCode.parameterError;
    const word = (at: number): number => (getU16le(bytes, at) | (getU16le(bytes, at + 2) << 16)) >>> 0;
    const drops = word(0);
    const adds = word(4);
    if ((drops & 3) !== 0 || (adds & 3) !== 1) return XhciCode.trbError;
    for (let index = 2; index < contextsOfDevice; index++) {
      if ((adds & (1 << index)) === 0) continue;
      const { packetBytes, type } = readEndpointContext(bytes, this.#contextBytes * (index + 1));
      if (type === 0 || packetBytes === 0 || packetBytes > 1024) return XhciCode.parameterError;
      if (slot.endpoints[index] !== undefined && (drops & (1 << index)) === 0) return XhciCode.parameterError;
    }
    this.#dropEndpoints(slot, drops, 2, () => {
      for (let index = 2; index < contextsOfDevice; index++)
        if ((adds & (1 << index)) !== 0) {
          const at = this.#contextBytes * (index + 1);
          this.#addEndpoint(slot, index, bytes, at);
          const output = this.#outputOf(slot.id) + this.#contextBytes * index;
          this.memory.write(output, bytes.subarray(at, at + this.#contextBytes));
        }
      this.#putSlot(slot, SlotState.configured, readSlotContext(bytes, this.#contextBytes).lastContext);
      end(XhciCode.success);
    });
    return null;
  }

  #dropEndpoints(slot: ModelSlot, drops: number, from: number, then: () => void): void {
    for (let index = from; index < contextsOfDevice; index++) {
      const endpoint = slot.endpoints[index];
      if ((drops & (1 << index)) === 0 || endpoint === undefined) continue;
      slot.endpoints[index] = undefined;
      endpoint.stop(() => this.#dropEndpoints(slot, drops, index + 1, then));
      return;
    }
    then();
  }

  #addEndpoint(slot: ModelSlot, index: number, bytes: Uint8Array, at: number): void {
    const context = readEndpointContext(bytes, at);
    const endpoint = new ModelEndpoint(this, slot.id, index, slot.port as ModelRootPort);
    if (context.streamsLog2 > 0) {
      endpoint.streamArray = context.dequeue;
      endpoint.streams = 2 ** (context.streamsLog2 + 1);
    } else endpoint.plain.reader.set(context.dequeue, context.dequeueCycle);
    // Isochronous OUT and IN (table 6-9).
    endpoint.isIsochronous = context.type === 1 || context.type === 5;
    slot.endpoints[index] = endpoint;
    bytes[at] = (bytes[at] & ~7) | EndpointState.running;
  }

  #evaluate(slot: ModelSlot, input: number): number {
    const bytes = this.#readInput(input);
    const endpoint = slot.endpoints[1];
    if (bytes === null || endpoint === undefined) return XhciCode.parameterError;
    if ((bytes[4] & 2) === 0) return XhciCode.success;
    const { packetBytes } = readEndpointContext(bytes, this.#contextBytes * 2);
    const output = this.#outputOf(slot.id) + this.#contextBytes;
    const own = new Uint8Array(this.#contextBytes);
    if (!this.memory.read(output, own)) return XhciCode.parameterError;
    writeEndpointContext(own, 0, { ...readEndpointContext(own, 0), packetBytes });
    this.memory.write(output, own);
    return XhciCode.success;
  }

  #setDequeue(endpoint: ModelEndpoint, trb: Trb): number {
    if (endpoint.state !== EndpointState.stopped && endpoint.state !== EndpointState.error)
      return XhciCode.contextStateError;
    const stream = trb.status >>> 16;
    if ((stream !== 0) !== endpoint.streams > 0) return XhciCode.trbError;
    const lane = stream === 0 ? endpoint.plain : this.#streamLane(endpoint, stream);
    if (lane === null) return XhciCode.invalidStreamId;
    endpoint.setDequeue(lane, addressOf(trb.low & ~0xf, trb.high), trb.low & 1);
    this.#putEndpointState(endpoint, EndpointState.stopped);
    return XhciCode.success;
  }

  #putEndpointState(endpoint: ModelEndpoint, state: number = endpoint.state): void {
    endpoint.state = state;
    const output = this.#outputOf(endpoint.slotId);
    if (output === 0) return;
    const bytes = new Uint8Array(4);
    const at = output + this.#contextBytes * endpoint.contextIndex;
    if (!this.memory.read(at, bytes)) return;
    bytes[0] = (bytes[0] & ~7) | endpoint.state;
    this.memory.write(at, bytes);
  }

  #putSlot(slot: ModelSlot, state: number, lastContext: number): void {
    const output = this.#outputOf(slot.id);
    const bytes = new Uint8Array(16);
    if (output === 0 || !this.memory.read(output, bytes)) return;
    putU32le(bytes, 0, ((readSlotContext(bytes, 0).speed << 20) | (lastContext << 27)) >>> 0);
    putSlotState(bytes, 0, slot.id, state);
    this.memory.write(output, bytes);
  }

  #event(trb: Trb): void {
    const kind = mischiefAt(this.#mischief, ++this.#eventCount);
    if (kind === "lost") return;
    if (kind === "stops") {
      this.#command &= ~XhciCommand.run;
      this.#status |= XhciStatus.halted;
      this.raise(0);
      return;
    }
    if (kind !== null) spoil(kind, trb, () => this.#random.next32());
    this.#events.push(trb);
    if (kind === "twice") this.#events.push(trb);
    this.#events.flush(this.memory);
    this.#status |= XhciStatus.eventInterrupt;
    if (kind !== "lost-interrupt") this.#interrupt();
  }

  /** §4.17.2: one message until software has said how far it has read. */
  #interrupt(): void {
    if (this.#isBusy || (this.#management & XhciInterrupter.enabled) === 0) return;
    if ((this.#command & XhciCommand.interrupts) === 0) return;
    this.#isBusy = true;
    this.raise(0);
  }

  #reset(): void {
    this.#generation++;
    for (const slot of this.#devices.splice(0))
      for (const endpoint of slot?.endpoints ?? []) endpoint?.stop(() => {});
    this.#command = 0;
    this.#status = XhciStatus.halted;
    this.#isBusy = false;
    this.#isCommanding = false;
    this.#management = 0;
    this.#configured = 0;
    this.#events.reset();
    for (const port of this.ports) port.begin();
  }
}
