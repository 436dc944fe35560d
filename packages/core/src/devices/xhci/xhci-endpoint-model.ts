// An endpoint of the controller model: transfer descriptors become transfers of a USB port below, their ends events.

import { directionIn } from "../../codec/usb/setup.ts";
import { EndpointState } from "../../codec/xhci/contexts.ts";
import { addressOf, endpointAddressOf, TrbFlag, TrbType, trbTypeOf, XhciCode } from "../../codec/xhci/trb.ts";
import {
  newUsbPackets,
  UsbPacketStatus,
  type UsbPackets,
  UsbStatus,
  UsbSubmit,
} from "../../ports/usb-host.ts";
import { type BusMemory, type FetchedTrb, RingReader } from "./xhci-rings.ts";
import type { ModelRootPort } from "./xhci-root-port.ts";

/** TRBs of one transfer, and its bytes: more is refused as a TRB error. */
const trbsMaximum = 4096;
const bytesMaximum = 1 << 24;

/** The controller, as its endpoints use it. */
export interface EndpointOwner {
  readonly memory: BusMemory;
  /** It was not used. */
  giveUsbSlot(port: ModelRootPort, usbSlot: number): void;
  /** A free slot of the USB port below, bound to the lane; -1: none is free now. */
  takeUsbSlot(port: ModelRootPort, lane: ModelLane): number;
  event(lane: ModelLane, trbAddress: number, code: number, residual: number): void;
  /** The endpoint's state has changed by itself. */
  stateChanged(endpoint: ModelEndpoint): void;
  /** Memory was refused: the controller stops. */
  systemError(): void;
}

/** Packets that are given to the bus below at once: enough that none of its intervals goes by. */
const flightsMaximum = 32;

/** An isochronous packet on its way through the bus below. */
interface Flight {
  readonly trbs: readonly FetchedTrb[];
  readonly packets: UsbPackets;
  readonly buffer: Uint8Array;
  /** Where its transfer descriptor begins. */
  readonly start: RingReader;
}

/** One ring of an endpoint: its own, or that of a stream. */
export class ModelLane {
  readonly endpoint: ModelEndpoint;
  readonly stream: number;
  readonly reader = new RingReader();
  /** Where the transfer under way begins. */
  readonly start = new RingReader();
  trbs: FetchedTrb[] = [];
  buffer: Uint8Array = new Uint8Array(0);
  /** Bytes of the transfer that an earlier run of it has moved. */
  resumeAt = 0;
  usbSlot = -1;
  /** Isochronous: by slot of the USB port below, in order. */
  readonly flights = new Map<number, Flight>();
  /** Isochronous: where a stopped ring goes on. */
  resume: RingReader | null = null;
  /** The bus below has let go of it: it ends when software stops the endpoint. */
  isLost = false;

  constructor(endpoint: ModelEndpoint, stream: number) {
    this.endpoint = endpoint;
    this.stream = stream;
  }
}

export class ModelEndpoint {
  readonly slotId: number;
  readonly contextIndex: number;
  readonly address: number;
  readonly port: ModelRootPort;
  state: number = EndpointState.running;
  /** Address of the stream array, 0 for none, and its size. */
  streamArray = 0;
  streams = 0;
  readonly plain = new ModelLane(this, 0);
  readonly lanes = new Map<number, ModelLane>();
  isIsochronous = false;
  /** Told when nothing is under way any more. */
  onStopped: (() => void) | null = null;
  readonly #owner: EndpointOwner;

  constructor(owner: EndpointOwner, slotId: number, contextIndex: number, port: ModelRootPort) {
    this.#owner = owner;
    this.slotId = slotId;
    this.contextIndex = contextIndex;
    this.address = endpointAddressOf(contextIndex);
    this.port = port;
  }

  *all(): Generator<ModelLane> {
    yield this.plain;
    yield* this.lanes.values();
  }

  /** The ring of a stream; where it begins is asked when it is first used. Null: nobody says. */
  lane(
    stream: number,
    begin: () => { readonly address: number; readonly cycle: number } | null,
  ): ModelLane | null {
    const known = this.lanes.get(stream);
    if (known !== undefined) return known;
    const place = begin();
    if (place === null) return null;
    const lane = new ModelLane(this, stream);
    lane.reader.set(place.address, place.cycle);
    this.lanes.set(stream, lane);
    return lane;
  }

  /** A doorbell. */
  ring(lane: ModelLane): void {
    if (this.state === EndpointState.stopped) {
      this.state = EndpointState.running;
      this.#owner.stateChanged(this);
    }
    this.kick(lane);
  }

  kick(lane: ModelLane): void {
    if (this.isIsochronous) {
      this.#launch(lane);
      return;
    }
    if (this.state !== EndpointState.running || lane.usbSlot >= 0 || lane.isLost || this.onStopped !== null)
      return;
    lane.start.copyFrom(lane.reader);
    const trbs = this.#fetch(lane);
    if (trbs === "refused") {
      this.#owner.systemError();
      return;
    }
    if (trbs === null) {
      lane.reader.copyFrom(lane.start);
      return;
    }
    lane.trbs = trbs;
    this.#submit(lane);
  }

  /** Packets for the intervals to come, as long as software has made some. */
  #launch(lane: ModelLane): void {
    const { usb } = this.port;
    while (
      usb !== null &&
      this.state === EndpointState.running &&
      this.onStopped === null &&
      lane.flights.size < flightsMaximum
    ) {
      const start = new RingReader();
      start.copyFrom(lane.reader);
      const trbs = this.#fetch(lane);
      if (trbs === "refused") {
        this.#owner.systemError();
        return;
      }
      const slot = trbs === null ? -1 : this.#owner.takeUsbSlot(this.port, lane);
      if (trbs === null || slot < 0) {
        lane.reader.copyFrom(start);
        return;
      }
      const total = trbs.reduce((sum, trb) => sum + bytesOf(trb), 0);
      const flight = { trbs, packets: newUsbPackets([total]), buffer: new Uint8Array(total), start };
      lane.trbs = trbs;
      lane.buffer = flight.buffer;
      if ((this.address & directionIn) === 0 && !this.#gather(lane)) {
        this.#owner.systemError();
        return;
      }
      this.port.touch();
      const submit = usb.isochronous(slot, this.address, flight.buffer, 0, flight.packets);
      if (submit === UsbSubmit.accepted) lane.flights.set(slot, flight);
      else {
        this.#owner.giveUsbSlot(this.port, slot);
        const code = submit === UsbSubmit.badRequest ? XhciCode.trbError : XhciCode.transactionError;
        this.#owner.event(lane, (trbs.at(-1) as FetchedTrb).address, code, total);
      }
    }
  }

  /** A packet below is over. */
  packetEnded(lane: ModelLane, usbSlot: number, status: UsbStatus): void {
    const flight = lane.flights.get(usbSlot);
    if (flight === undefined) return;
    lane.flights.delete(usbSlot);
    const { buffer, packets, start, trbs } = flight;
    const [moved] = packets.actualBytes;
    if (status === UsbStatus.cancelled) {
      // Where software finds the ring when it looks: at the first packet that was not on the wire.
      if (lane.resume === null) lane.resume = start;
    } else {
      lane.trbs = [...trbs];
      lane.buffer = buffer;
      if ((this.address & directionIn) !== 0 && moved > 0) this.#scatter(lane, 0, moved);
      const at = placeOf(trbs, moved);
      const last = trbs[trbs.length - 1];
      const isShort = moved < buffer.length;
      const code =
        status === UsbStatus.ok
          ? packetCodes[packets.statuses[0] as UsbPacketStatus](isShort)
          : XhciCode.transactionError;
      this.#owner.event(lane, isShort ? at.trb.address : last.address, code, isShort ? at.residual : 0);
    }
    if (this.onStopped !== null) this.#whenStopped();
    else this.kick(lane);
  }

  /** Ends what is under way; `onStopped` when all of it has ended. */
  stop(then: () => void): void {
    const busy = [...this.all()].filter(({ usbSlot }) => usbSlot >= 0);
    this.onStopped = then;
    for (const { usbSlot } of busy) this.port.usb?.cancel(usbSlot);
    for (const { flights } of this.all()) {
      for (const slot of flights.keys()) this.port.usb?.cancel(slot);
      if (this.port.usb === null) flights.clear();
    }
    if (this.port.usb === null) for (const lane of busy) lane.usbSlot = -1;
    this.#whenStopped();
  }

  /** The transfer below has ended. */
  ended(lane: ModelLane, status: UsbStatus, actualBytes: number): void {
    lane.usbSlot = -1;
    const isIn = this.#isIn(lane);
    const moved = lane.resumeAt + actualBytes;
    if (isIn && actualBytes > 0) this.#scatter(lane, lane.resumeAt, actualBytes);
    switch (status) {
      case UsbStatus.ok:
        this.#succeed(lane, moved);
        break;
      case UsbStatus.cancelled:
        lane.resumeAt = moved;
        lane.isLost = true;
        break;
      case UsbStatus.stall:
        this.#halt(lane, moved, XhciCode.stall);
        break;
      case UsbStatus.overflow:
        this.#halt(lane, moved, XhciCode.babble);
        break;
      default:
        this.#halt(lane, moved, XhciCode.transactionError);
    }
    if (this.onStopped !== null) this.#whenStopped();
    else this.kick(lane);
  }

  setDequeue(lane: ModelLane, address: number, cycle: number): void {
    lane.reader.set(address, cycle);
    lane.resumeAt = 0;
    lane.isLost = false;
    lane.trbs = [];
  }

  #whenStopped(): void {
    const then = this.onStopped;
    if (then === null || [...this.all()].some(({ flights, usbSlot }) => usbSlot >= 0 || flights.size > 0))
      return;
    this.onStopped = null;
    for (const lane of this.all()) {
      if (lane.resume !== null) lane.reader.copyFrom(lane.resume);
      lane.resume = null;
      if (!lane.isLost) continue;
      lane.isLost = false;
      lane.reader.copyFrom(lane.start);
      const at = placeOf(lane.trbs, lane.resumeAt);
      this.#owner.event(lane, at.trb.address, XhciCode.stopped, at.residual);
    }
    then();
  }

  /** The TRBs of the next transfer: up to the end of its chain, or of its status stage. Null: it is not whole yet. */
  #fetch(lane: ModelLane): FetchedTrb[] | null | "refused" {
    const trbs: FetchedTrb[] = [];
    while (trbs.length < trbsMaximum) {
      const trb = lane.reader.next(this.#owner.memory);
      if (trb === "refused") return "refused";
      if (trb === null) return null;
      trbs.push(trb);
      const type = trbTypeOf(trb.control);
      const isOver =
        this.contextIndex === 1
          ? type !== TrbType.setup &&
            type !== TrbType.data &&
            (trb.control & TrbFlag.chain) === 0 &&
            isStatus(trbs)
          : (trb.control & TrbFlag.chain) === 0;
      if (isOver) return trbs;
    }
    return trbs;
  }

  #submit(lane: ModelLane): void {
    const { trbs } = lane;
    const isControl = this.contextIndex === 1;
    if (!isControl && trbs.length === 1 && trbTypeOf(trbs[0].control) === TrbType.noOp) {
      if ((trbs[0].control & TrbFlag.interruptOnCompletion) !== 0)
        this.#owner.event(lane, trbs[0].address, XhciCode.success, 0);
      this.kick(lane);
      return;
    }
    const total = trbs.reduce((sum, trb) => sum + bytesOf(trb), 0);
    const isGood =
      total <= bytesMaximum &&
      trbs.length < trbsMaximum &&
      (isControl
        ? trbTypeOf(trbs[0].control) === TrbType.setup && isStatus(trbs)
        : trbs.every((trb) => trbTypeOf(trb.control) === TrbType.normal));
    if (!isGood) {
      this.#halt(lane, 0, XhciCode.trbError);
      return;
    }
    if (lane.buffer.length < total) lane.buffer = new Uint8Array(total);
    if (!this.#isIn(lane) && !this.#gather(lane)) {
      this.#owner.systemError();
      return;
    }
    this.port.touch();
    const { usb } = this.port;
    const slot = usb === null ? -1 : this.#owner.takeUsbSlot(this.port, lane);
    if (usb === null) {
      this.#halt(lane, 0, XhciCode.transactionError);
      return;
    }
    // None free: the next end of a transfer brings it round again.
    if (slot < 0) {
      lane.reader.copyFrom(lane.start);
      return;
    }
    const from = lane.resumeAt;
    const submit = isControl
      ? usb.control(slot, setupOf(trbs[0]), lane.buffer, 0)
      : usb.transfer(slot, this.address, lane.buffer, from, total - from, lane.stream);
    if (submit === UsbSubmit.accepted) {
      lane.usbSlot = slot;
      return;
    }
    this.#halt(lane, 0, submit === UsbSubmit.badRequest ? XhciCode.trbError : XhciCode.transactionError);
  }

  #isIn(lane: ModelLane): boolean {
    if (this.contextIndex !== 1) return (this.address & directionIn) !== 0;
    return lane.trbs.length > 0 && (lane.trbs[0].low & directionIn) !== 0;
  }

  #succeed(lane: ModelLane, moved: number): void {
    let left = moved;
    let isShort = false;
    lane.resumeAt = 0;
    for (const trb of lane.trbs) {
      const { address, control } = trb;
      const size = bytesOf(trb);
      const has = Math.min(size, left);
      left -= has;
      const isLast = trb === lane.trbs[lane.trbs.length - 1];
      if (has < size && !isShort) {
        isShort = true;
        const wants = TrbFlag.interruptOnShort | TrbFlag.interruptOnCompletion;
        if ((control & wants) !== 0) this.#owner.event(lane, address, XhciCode.shortPacket, size - has);
        if (this.contextIndex !== 1) return;
      } else if ((control & TrbFlag.interruptOnCompletion) !== 0 && (!isShort || isLast))
        this.#owner.event(lane, address, XhciCode.success, 0);
    }
  }

  #halt(lane: ModelLane, moved: number, code: number): void {
    const at = placeOf(lane.trbs, moved);
    lane.resumeAt = 0;
    lane.reader.copyFrom(lane.start);
    this.state = code === XhciCode.trbError ? EndpointState.error : EndpointState.halted;
    this.#owner.stateChanged(this);
    this.#owner.event(lane, at.trb.address, code, at.residual);
  }

  #gather(lane: ModelLane): boolean {
    let at = 0;
    const { memory } = this.#owner;
    for (const trb of lane.trbs) {
      const size = bytesOf(trb);
      if (size === 0) continue;
      if (!memory.read(addressOf(trb.low, trb.high), lane.buffer.subarray(at, at + size))) return false;
      at += size;
    }
    return true;
  }

  #scatter(lane: ModelLane, from: number, count: number): void {
    const { memory } = this.#owner;
    const to = from + count;
    let at = 0;
    for (const trb of lane.trbs) {
      const size = bytesOf(trb);
      const first = Math.max(from, at);
      const last = Math.min(to, at + size);
      if (first < last)
        memory.write(addressOf(trb.low, trb.high) + first - at, lane.buffer.subarray(first, last));
      at += size;
    }
  }
}

const packetCodes: Readonly<Record<UsbPacketStatus, (isShort: boolean) => number>> = {
  [UsbPacketStatus.ok]: (isShort) => (isShort ? XhciCode.shortPacket : XhciCode.success),
  [UsbPacketStatus.missed]: () => XhciCode.missedService,
  [UsbPacketStatus.overflow]: () => XhciCode.babble,
  [UsbPacketStatus.damaged]: () => XhciCode.transactionError,
};

/** Data bytes of a TRB: none of a setup or status stage. */
function bytesOf(trb: FetchedTrb): number {
  const type = trbTypeOf(trb.control);
  const hasData = type === TrbType.normal || type === TrbType.data || type === TrbType.isochronous;
  return hasData ? trb.status & 0x1_ffff : 0;
}

const isStatus = (trbs: readonly FetchedTrb[]): boolean =>
  trbTypeOf(trbs[trbs.length - 1].control) === TrbType.status;

function setupOf(trb: FetchedTrb): Uint8Array {
  const bytes = new Uint8Array(8);
  for (let at = 0; at < 4; at++) {
    bytes[at] = (trb.low >>> (at * 8)) & 0xff;
    bytes[at + 4] = (trb.high >>> (at * 8)) & 0xff;
  }
  return bytes;
}

/** The TRB in which `moved` bytes end, and how many of its bytes are left. */
function placeOf(trbs: readonly FetchedTrb[], moved: number): { trb: FetchedTrb; residual: number } {
  let left = moved;
  let found = { trb: trbs[0], residual: bytesOf(trbs[0]) };
  for (const trb of trbs) {
    const size = bytesOf(trb);
    if (size === 0) continue;
    found = { trb, residual: size - Math.min(size, left) };
    if (left < size) break;
    left -= size;
  }
  return found;
}
