// One device slot of a controller: contexts, endpoints as the device's settings change, the order of its commands.

import { putU32le } from "../../base/bytes.ts";
import {
  type EndpointCompanion,
  type EndpointDescriptor,
  TransferType,
} from "../../codec/usb/descriptors.ts";
import { Recipient, type Setup, StandardRequest } from "../../codec/usb/setup.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import {
  contextsOfDevice,
  contextsOfInput,
  endpointContextFor,
  firstPacketBytes,
  streamContextBytes,
  writeEndpointContext,
  writeSlotContext,
  writeStreamContext,
  xhciSpeedOf,
} from "../../codec/xhci/contexts.ts";
import {
  contextIndexOf,
  describeXhciCode,
  endpointAddressOf,
  highHalf,
  lowHalf,
  TrbFlag,
  TrbType,
  trbCommandNames,
  XhciCode,
} from "../../codec/xhci/trb.ts";
import { mostPerInterval, UsbEndpointTable } from "../../dissect/usb-endpoints.ts";
import type { DmaPort } from "../../ports/dma.ts";
import { UsbStatus as Status, type UsbStatus } from "../../ports/usb-host.ts";
import { ProducerRing } from "./producer-ring.ts";
import { runSteps, type Steps } from "./steps.ts";
import { type EndpointHost, ringBytes, streamRingBytes, XhciEndpoint } from "./xhci-endpoint.ts";
import { type SharedBlock, type XhciMemory, XhciMemoryError } from "./xhci-memory.ts";
import { type PortDevice, XhciPort } from "./xhci-port.ts";
import type { XhciTransfer } from "./xhci-transfer.ts";

/** Most streams that an endpoint is given, each with a ring of its own. */
const streamsMaximum = 255;
/** The transport's own requests to a device that says nothing. */
export const requestPatienceNs = 5e9;

/** The controller, as its devices use it. */
export interface DeviceHost {
  readonly dma: DmaPort;
  readonly memory: XhciMemory;
  readonly contextBytes: number;
  /** Stream contexts of one endpoint, 0 for none. */
  readonly streamArray: number;
  soon(run: () => void, delayNs?: number): void;
  command(low: number, high: number, status: number, control: number): Steps<number>;
  ringDoorbell(slotId: number, target: number): void;
  /** True once the root port says that nobody is there. */
  hasLeft(rootPort: number): Steps<boolean>;
  /** Takes the device out, resets its root port, and brings up what is there then. */
  resetPort(rootPort: number): void;
  complain(text: string): void;
  problem(text: string): void;
}

export class XhciSlot implements EndpointHost, PortDevice {
  readonly slotId: number;
  readonly rootPort: number;
  readonly speed: UsbSpeed;
  readonly port: XhciPort;
  /** By context index. */
  readonly endpoints: (XhciEndpoint | undefined)[] = [];
  /** Written by the controller. */
  readonly output: SharedBlock;
  readonly #input: SharedBlock;
  readonly #host: DeviceHost;
  readonly #table = new UsbEndpointTable();
  readonly #waiting: (() => Steps)[] = [];
  #isBusy = false;
  #isLeaving = false;
  #isOver = false;

  /** XhciMemoryError when there is no memory for its contexts. */
  constructor(
    host: DeviceHost,
    place: { slotId: number; rootPort: number; speed: UsbSpeed; locationId: number },
  ) {
    this.#host = host;
    this.slotId = place.slotId;
    this.rootPort = place.rootPort;
    this.speed = place.speed;
    this.output = host.memory.allocate(host.contextBytes * contextsOfDevice, "xHCI device context");
    this.#input = host.memory.allocate(host.contextBytes * contextsOfInput, "xHCI input context");
    this.endpoints[1] = new XhciEndpoint(this, {
      address: 0,
      contextIndex: 1,
      transferType: TransferType.control,
      packetBytes: firstPacketBytes(place.speed),
      streams: 0,
      mostBytes: 0,
      block: host.memory.allocate(ringBytes, "xHCI endpoint 0"),
    });
    this.port = new XhciPort(this, place.speed, place.locationId);
  }

  get dma(): DmaPort {
    return this.#host.dma;
  }

  get isCopied(): boolean {
    return this.#host.memory.isApart;
  }

  soon(run: () => void): void {
    this.#host.soon(run);
  }

  /** For a device that leaves no answer comes: its end is that of everything. */
  *command(type: number, low: number, high: number, status: number, control: number): Steps<number> {
    if (this.#isLeaving) yield () => {};
    const code = yield* this.#command(type, low, high, status, control);
    if (this.#isLeaving) yield () => {};
    return code;
  }

  *#command(type: number, low: number, high: number, status: number, control: number): Steps<number> {
    return yield* this.#host.command(low, high, status, ((type << 10) | control | (this.slotId << 24)) >>> 0);
  }

  ringDoorbell(contextIndex: number, stream: number): void {
    if (!this.#isOver) this.#host.ringDoorbell(this.slotId, (contextIndex | (stream << 16)) >>> 0);
  }

  complain(text: string): void {
    this.#host.complain(text);
  }

  problem(text: string): void {
    this.#host.problem(`port ${this.rootPort}: ${text}`);
  }

  complete(transfer: XhciTransfer, status: UsbStatus): void {
    this.port.completed(transfer, status);
  }

  *hasLeft(): Steps<boolean> {
    return yield* this.#host.hasLeft(this.rootPort);
  }

  resetPort(): void {
    this.#host.resetPort(this.rootPort);
  }

  exclusive(steps: () => Steps): void {
    this.#waiting.push(steps);
    if (this.#isBusy) return;
    this.#isBusy = true;
    // Not inside the call of a port that asks for it: what it does may end transfers.
    this.#host.soon(() => this.#next());
  }

  #next(): void {
    const steps = this.#isOver ? undefined : this.#waiting.shift();
    this.#isBusy = steps !== undefined;
    if (steps === undefined) return;
    runSteps(steps(), (error) => {
      if (error instanceof XhciMemoryError) this.problem(error.message);
      else if (error !== null) throw error;
      this.#next();
    });
  }

  /** Address Device (§4.3.3): the slot's first contexts. Answers the completion code. */
  *address(): Steps<number> {
    this.#beginInput(0b11, 0, 1);
    this.#putEndpointZero(firstPacketBytes(this.speed));
    return yield* this.#inputCommand(TrbType.addressDevice, 0);
  }

  /** Full speed only: endpoint 0 has the packet size that the device says (§4.3.4). */
  *learnPacketSize(): Steps {
    const bytes = new Uint8Array(8);
    const status = yield* this.ask(Uint8Array.of(0x80, 6, 0, 1, 0, 0, 8, 0), bytes);
    const said = bytes[7];
    if (status !== Status.ok || ![8, 16, 32].includes(said)) return;
    this.#beginInput(0b10, 0, 1);
    this.#putEndpointZero(said);
    const code = yield* this.#inputCommand(TrbType.evaluateContext, 0);
    if (code !== XhciCode.success)
      this.problem(`packets of ${said} bytes are refused: ${describeXhciCode(code)}`);
  }

  /** A request of the transport's own, with an end. */
  *ask(setup: Uint8Array, buffer: Uint8Array): Steps<UsbStatus> {
    let isOver = false;
    return (yield (resume) => {
      this.port.ask(setup, buffer, (status) => {
        isOver = true;
        resume(status);
      });
      this.#host.soon(() => {
        if (!isOver) this.port.cancelOwn();
      }, requestPatienceNs);
    }) as UsbStatus;
  }

  mayUse(endpoint: XhciEndpoint, stream: number): boolean {
    if (stream === 0) return endpoint.streamsState === "none" || endpoint.streamsState === "refused";
    if (!(stream > 0 && stream <= endpoint.streams) || endpoint.streamsState === "refused") return false;
    return endpoint.streamsState !== "none" || endpoint.plain.queue.length === 0;
  }

  /** An endpoint gets its streams when one is used for the first time (§4.12, §8.12.1.4 of USB 3.2). */
  wantStreams(endpoint: XhciEndpoint): void {
    if (endpoint.streamsState !== "none") return;
    endpoint.streamsState = "wanted";
    this.exclusive(() => this.#makeStreams(endpoint));
  }

  prepare(setup: Setup): Steps | null {
    const { bmRequestType, bRequest, wIndex } = setup;
    const isAll = bmRequestType === Recipient.device && bRequest === StandardRequest.setConfiguration;
    const isOne = bmRequestType === Recipient.interface && bRequest === StandardRequest.setInterface;
    if (!isAll && !isOne) return null;
    const streamed = this.endpoints.filter(
      (endpoint): endpoint is XhciEndpoint =>
        endpoint?.streamsState === "ready" &&
        (isAll || this.#table.interfaceOf(endpoint.address) === (wIndex & 0xff)),
    );
    return streamed.length === 0 ? null : this.#freeStreams(streamed);
  }

  follow(setup: Setup, data: Uint8Array): Steps<boolean> | null {
    const change = this.#table.note(setup, data);
    if (change === "endpoints") return this.#configure(null);
    if (change === "interface") return this.#configure(setup.wIndex & 0xff);
    if (change === "halt-cleared") {
      const endpoint = this.endpoints[contextIndexOf(setup.wIndex & 0xff)];
      return endpoint === undefined || endpoint.contextIndex === 1 ? null : this.#beginAnew(endpoint);
    }
    return null;
  }

  /** Nothing is begun any more; what is pending ends when the controller has let go of it. */
  leave(): void {
    this.#isLeaving = true;
    this.port.leave();
  }

  /** Everything is the caller's again: the controller has let go of the slot, or is no more. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.port.over();
    const { memory } = this.#host;
    for (const endpoint of this.endpoints) if (endpoint !== undefined) this.#release(endpoint);
    memory.release(this.output);
    memory.release(this.#input);
  }

  /** Toggle and flag begin anew on both sides (USB 2.0 §9.4.5): dropped and added again. */
  *#beginAnew(endpoint: XhciEndpoint): Steps<boolean> {
    endpoint.isHalted = false;
    yield* endpoint.stop();
    endpoint.rewind();
    const bit = 1 << endpoint.contextIndex;
    this.#beginInput(1 | bit, bit, this.#lastContext());
    this.#putEndpoint(endpoint);
    const code = yield* this.#inputCommand(TrbType.configureEndpoint, 0);
    endpoint.resume();
    return this.#isGood(code, TrbType.configureEndpoint);
  }

  /**
   * Configure Endpoint (§4.6.6) for what the device has now. `changed`: the interface that was set, null when all were. What
   * was pending on an endpoint that is no more is cancelled, and so are all streams of those that begin anew.
   */
  *#configure(changed: number | null): Steps<boolean> {
    const wanted = new Map<number, EndpointDescriptor>();
    for (const descriptor of this.#table.endpoints())
      wanted.set(contextIndexOf(descriptor.bEndpointAddress), descriptor);
    const dropped: XhciEndpoint[] = [];
    let drops = 0;
    for (const endpoint of this.endpoints) {
      if (endpoint === undefined || endpoint.contextIndex === 1) continue;
      const isKept =
        changed !== null &&
        wanted.has(endpoint.contextIndex) &&
        this.#table.interfaceOf(endpoint.address) !== changed;
      if (isKept) continue;
      dropped.push(endpoint);
      drops |= 1 << endpoint.contextIndex;
      yield* endpoint.stop();
    }
    const left = new Map<number, XhciTransfer[]>();
    for (const endpoint of dropped) {
      const pending = endpoint.drain();
      const isSame = wanted.get(endpoint.contextIndex) !== undefined && endpoint.streamsState === "none";
      left.set(endpoint.contextIndex, isSame ? pending.filter(({ isCancelled }) => !isCancelled) : []);
      for (const transfer of pending)
        if (!isSame || transfer.isCancelled) this.port.ended(transfer, Status.cancelled);
      this.endpoints[endpoint.contextIndex] = undefined;
    }
    let adds = 1;
    for (const [index, descriptor] of wanted) {
      if (this.endpoints[index] !== undefined) continue;
      const made = this.#makeEndpoint(index, descriptor);
      if (made === null) {
        this.#dropAdded(adds);
        for (const transfers of left.values())
          for (const transfer of transfers) this.port.ended(transfer, Status.cancelled);
        for (const endpoint of dropped) this.#release(endpoint);
        return false;
      }
      this.endpoints[index] = made;
      adds |= 1 << index;
    }
    const isEmpty = wanted.size === 0;
    this.#beginInput(adds, drops, this.#lastContext());
    for (const endpoint of this.endpoints)
      if (endpoint !== undefined && endpoint.contextIndex > 1 && (adds & (1 << endpoint.contextIndex)) !== 0)
        this.#putEndpoint(endpoint);
    // Nothing to configure: the slot goes back to Addressed.
    const code = yield* this.#inputCommand(TrbType.configureEndpoint, isEmpty ? TrbFlag.special : 0);
    for (const endpoint of dropped) this.#release(endpoint);
    const isGood = this.#isGood(code, TrbType.configureEndpoint);
    for (const [index, transfers] of left) {
      const endpoint = this.endpoints[index];
      for (const transfer of transfers) {
        if (!isGood || endpoint === undefined) this.port.ended(transfer, Status.cancelled);
        else {
          transfer.endpoint = endpoint;
          endpoint.submit(transfer, endpoint.plain);
        }
      }
    }
    if (!isGood) this.#dropAdded(adds);
    return isGood;
  }

  /** Endpoints that the controller did not take are none. */
  #dropAdded(adds: number): void {
    for (const endpoint of this.endpoints) {
      if (
        endpoint === undefined ||
        endpoint.contextIndex === 1 ||
        (adds & (1 << endpoint.contextIndex)) === 0
      )
        continue;
      this.endpoints[endpoint.contextIndex] = undefined;
      this.#release(endpoint);
    }
  }

  *#makeStreams(endpoint: XhciEndpoint): Steps {
    // Gone with its setting meanwhile.
    if (this.endpoints[endpoint.contextIndex] !== endpoint) return;
    const { memory } = this.#host;
    const log2 = Math.max(1, Math.ceil(Math.log2(endpoint.streams + 1)) - 1);
    const size = 2 ** (log2 + 1);
    let rings: SharedBlock;
    let contexts: SharedBlock;
    try {
      // The endpoint's at once: should the device leave meanwhile, they go with it.
      rings = endpoint.streamBlock = memory.allocate(
        (endpoint.streams + 1) * streamRingBytes,
        "xHCI stream rings",
      );
      contexts = endpoint.streamContexts = memory.allocate(size * streamContextBytes, "xHCI stream contexts");
    } catch (error) {
      this.#refuseStreams(endpoint);
      throw error;
    }
    yield* endpoint.stop();
    endpoint.rewind();
    for (let stream = 1; stream <= endpoint.streams; stream++) {
      const at = stream * streamRingBytes;
      const bytes = rings.bytes.subarray(at, at + streamRingBytes);
      const ring = new ProducerRing<XhciTransfer>(bytes, rings.address + at);
      endpoint.lane(stream).ring = ring;
      writeStreamContext(contexts.bytes, stream * streamContextBytes, ring.address, 1);
    }
    endpoint.streamsState = "ready";
    const bit = 1 << endpoint.contextIndex;
    this.#beginInput(1 | bit, bit, this.#lastContext());
    this.#putEndpoint(endpoint);
    const code = yield* this.#inputCommand(TrbType.configureEndpoint, 0);
    if (!this.#isGood(code, TrbType.configureEndpoint)) {
      this.#refuseStreams(endpoint);
      return;
    }
    endpoint.resume();
  }

  *#freeStreams(endpoints: readonly XhciEndpoint[]): Steps {
    const { memory } = this.#host;
    for (const endpoint of endpoints) {
      yield* endpoint.stop();
      endpoint.rewind();
      for (const transfer of endpoint.dropStreams()) this.port.ended(transfer, Status.cancelled);
      const bit = 1 << endpoint.contextIndex;
      this.#beginInput(1 | bit, bit, this.#lastContext());
      this.#putEndpoint(endpoint);
      const code = yield* this.#inputCommand(TrbType.configureEndpoint, 0);
      this.#isGood(code, TrbType.configureEndpoint);
      memory.release(endpoint.streamBlock);
      memory.release(endpoint.streamContexts);
      endpoint.streamBlock = null;
      endpoint.streamContexts = null;
      endpoint.resume();
    }
  }

  #refuseStreams(endpoint: XhciEndpoint): void {
    endpoint.streamsState = "refused";
    for (const transfer of endpoint.takeAll()) this.port.ended(transfer, Status.protocolError);
  }

  /** Null when there is no memory for its ring, which is told. */
  #makeEndpoint(index: number, descriptor: EndpointDescriptor): XhciEndpoint | null {
    const address = endpointAddressOf(index);
    let block: SharedBlock;
    try {
      block = this.#host.memory.allocate(ringBytes, `xHCI endpoint 0x${address.toString(16)}`);
    } catch (error) {
      if (!(error instanceof XhciMemoryError)) throw error;
      this.problem(error.message);
      return null;
    }
    const most = Math.min(streamsMaximum, Math.max(0, this.#host.streamArray - 1));
    return new XhciEndpoint(this, {
      address,
      contextIndex: index,
      transferType: descriptor.bmAttributes & 3,
      packetBytes: Math.max(1, descriptor.wMaxPacketSize & 0x7ff),
      streams: this.speed >= UsbSpeed.super ? Math.min(most, this.#table.streamsOf(address)) : 0,
      mostBytes: mostPerInterval(this.speed, descriptor, this.#table.companionOf(address)),
      block,
    });
  }

  #release(endpoint: XhciEndpoint): void {
    const { memory } = this.#host;
    memory.release(endpoint.block);
    memory.release(endpoint.streamBlock);
    memory.release(endpoint.streamContexts);
  }

  #lastContext(): number {
    return this.endpoints.reduce((most, endpoint) => Math.max(most, endpoint?.contextIndex ?? 0), 1);
  }

  /** Input control and slot contexts (§6.2.5); endpoints are put beside them. */
  #beginInput(adds: number, drops: number, lastContext: number): void {
    const { bytes } = this.#input;
    bytes.fill(0);
    putU32le(bytes, 0, drops >>> 0);
    putU32le(bytes, 4, adds >>> 0);
    const slot = { speed: xhciSpeedOf(this.speed), lastContext, rootPort: this.rootPort, route: 0 };
    writeSlotContext(bytes, this.#host.contextBytes, slot);
  }

  #putEndpointZero(packetBytes: number): void {
    const endpoint = this.endpoints[1] as XhciEndpoint;
    const shape = {
      address: 0,
      transferType: TransferType.control,
      wMaxPacketSize: packetBytes,
      bInterval: 0,
      companion: null,
    };
    this.#put(endpoint, endpointContextFor(this.speed, shape), 0);
  }

  #putEndpoint(endpoint: XhciEndpoint): void {
    const descriptor = this.#table.find(endpoint.address);
    const companion: EndpointCompanion | null = this.#table.companionOf(endpoint.address);
    const shape = {
      address: endpoint.address,
      transferType: endpoint.transferType,
      wMaxPacketSize: descriptor?.wMaxPacketSize ?? 0,
      bInterval: descriptor?.bInterval ?? 0,
      companion: this.speed >= UsbSpeed.super ? companion : null,
    };
    const hasStreams = endpoint.streamsState === "ready";
    const log2 = Math.max(1, Math.ceil(Math.log2(endpoint.streams + 1)) - 1);
    this.#put(endpoint, endpointContextFor(this.speed, shape), hasStreams ? log2 : 0);
  }

  #put(endpoint: XhciEndpoint, context: ReturnType<typeof endpointContextFor>, streamsLog2: number): void {
    const at = this.#host.contextBytes * (endpoint.contextIndex + 1);
    const ring = endpoint.plain.ring as ProducerRing<XhciTransfer>;
    const isStreamed = streamsLog2 > 0 && endpoint.streamContexts !== null;
    writeEndpointContext(this.#input.bytes, at, {
      ...context,
      streamsLog2,
      dequeue: isStreamed ? (endpoint.streamContexts as SharedBlock).address : ring.enqueueAddress,
      dequeueCycle: isStreamed ? 0 : ring.cycle,
    });
  }

  *#inputCommand(type: number, flags: number): Steps<number> {
    const { address } = this.#input;
    return yield* this.#command(type, lowHalf(address), highHalf(address), 0, flags);
  }

  #isGood(code: number, type: number): boolean {
    if (code === XhciCode.success) return true;
    if (!this.#isLeaving)
      this.problem(`the controller refuses ${trbCommandNames[type]}: ${describeXhciCode(code)}`);
    return false;
  }
}
