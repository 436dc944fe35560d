// A device behind an xHCI controller as a UsbHostPort: transfers become TRBs, an empty port is a removal.

import { TransferType } from "../../codec/usb/descriptors.ts";
import { decodeSetup, directionIn, newSetup, type Setup, StandardRequest } from "../../codec/usb/setup.ts";
import type { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { contextIndexOf } from "../../codec/xhci/trb.ts";
import { DmaDirection, type DmaMapping, type DmaPort } from "../../ports/dma.ts";
import {
  packetsFit,
  type UsbHostClient,
  type UsbHostPort,
  UsbPacketStatus,
  type UsbPackets,
  UsbStatus,
  UsbSubmit,
} from "../../ports/usb-host.ts";
import type { Steps } from "./steps.ts";
import type { XhciEndpoint } from "./xhci-endpoint.ts";
import { trbsFor, XhciTransfer } from "./xhci-transfer.ts";

const slots = 256;
/** One more, for what the transport asks itself while it brings the device up. */
const ownSlot = slots;

/** The device behind a port, as the port uses it. */
export interface PortDevice {
  readonly dma: DmaPort;
  /** Ordinary memory is no memory of the controller's: transfers go through copies. */
  readonly isCopied: boolean;
  /** By context index. */
  readonly endpoints: readonly (XhciEndpoint | undefined)[];
  soon(run: () => void): void;
  exclusive(steps: () => Steps): void;
  mayUse(endpoint: XhciEndpoint, stream: number): boolean;
  wantStreams(endpoint: XhciEndpoint): void;
  resetPort(): void;
  /**
   * What must be done before a request is made; null: nothing. Streams are given back before their setting changes, as
   * Linux does: QEMU parts with a usbredir device whose host refuses to free them afterwards.
   */
  prepare(setup: Setup): Steps | null;
  /** What a request that succeeded has changed must be done before its caller hears of it; null: nothing. */
  follow(setup: Setup, data: Uint8Array): Steps<boolean> | null;
}

/** Made by {@link XhciHost} for each device that a root port shows. */
export class XhciPort implements UsbHostPort {
  readonly speed: UsbSpeed;
  readonly locationId: number;
  readonly slotCount = slots;
  readonly #device: PortDevice;
  readonly #transfers: XhciTransfer[] = [];
  /** Accepted for endpoint 0 and not in its ring: one control transfer runs at a time. */
  readonly #controls: XhciTransfer[] = [];
  readonly #setup: Setup = newSetup();
  #running: XhciTransfer | null = null;
  #ownDone: ((status: UsbStatus, actualBytes: number) => void) | null = null;
  #client: UsbHostClient | null = null;
  #isLeaving = false;
  #isOver = false;
  #isDetached = false;

  constructor(device: PortDevice, speed: UsbSpeed, locationId: number) {
    this.#device = device;
    this.speed = speed;
    this.locationId = locationId;
    for (let slot = 0; slot <= slots; slot++) this.#transfers.push(new XhciTransfer(slot));
  }

  connect(client: UsbHostClient): void {
    this.#client = client;
    // It may be over already, between attachment and connect.
    if (this.#isOver) this.#device.soon(() => this.#tellDetached());
  }

  control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    if (slot >= slots) return UsbSubmit.badRequest;
    return this.#control(slot, setup, buffer, offset);
  }

  transfer(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream = 0,
  ): UsbSubmit {
    if (this.#isLeaving) return UsbSubmit.gone;
    const transfer = this.#free(slot);
    if (transfer === null || offset < 0 || length < 0 || offset + length > buffer.length)
      return UsbSubmit.badRequest;
    const target = (endpoint & 0x0f) === 0 ? undefined : this.#device.endpoints[contextIndexOf(endpoint)];
    if (target === undefined || target.transferType === TransferType.isochronous) return UsbSubmit.noEndpoint;
    if (target.isHalted) return UsbSubmit.halted;
    if (!this.#device.mayUse(target, stream)) return UsbSubmit.badRequest;
    transfer.endpoint = target;
    const status = this.#begin(transfer, buffer, offset, length, target.isIn);
    if (status !== UsbSubmit.accepted) return status;
    if (trbsFor(transfer) > target.capacity(stream)) {
      this.#forget(transfer);
      return UsbSubmit.badRequest;
    }
    if (stream !== 0) this.#device.wantStreams(target);
    target.submit(transfer, target.lane(stream));
    return UsbSubmit.accepted;
  }

  isochronous(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    packets: UsbPackets,
  ): UsbSubmit {
    if (this.#isLeaving) return UsbSubmit.gone;
    const transfer = this.#free(slot);
    const target = (endpoint & 0x0f) === 0 ? undefined : this.#device.endpoints[contextIndexOf(endpoint)];
    if (target === undefined || target.transferType !== TransferType.isochronous) return UsbSubmit.noEndpoint;
    if (transfer === null || !packetsFit(packets, buffer, offset, target.mostBytes))
      return UsbSubmit.badRequest;
    packets.actualBytes.fill(0);
    packets.statuses.fill(UsbPacketStatus.missed);
    transfer.endpoint = target;
    const length = packets.lengths.reduce((sum, size) => sum + size, 0);
    const status = this.#begin(transfer, buffer, offset, length, target.isIn);
    if (status !== UsbSubmit.accepted) return status;
    transfer.packets = packets;
    transfer.nextPacket = 0;
    transfer.toldPacket = 0;
    target.submit(transfer, target.plain);
    return UsbSubmit.accepted;
  }

  cancel(slot: number): void {
    const transfer = this.#transfers[slot];
    if (slot >= slots || transfer?.endpoint == null || transfer.isCancelled) return;
    this.#cancel(transfer);
  }

  clearHalt(endpoint: number): void {
    const target = this.#device.endpoints[contextIndexOf(endpoint)];
    if (target !== undefined) target.isHalted = false;
  }

  reset(): void {
    if (!this.#isLeaving) this.#device.resetPort();
  }

  /** A request of the transport's own. `done` is called once. */
  ask(
    setup: Uint8Array,
    buffer: Uint8Array | null,
    done: (status: UsbStatus, actualBytes: number) => void,
  ): void {
    this.#ownDone = done;
    if (this.#control(ownSlot, setup, buffer, 0) === UsbSubmit.accepted) return;
    this.#device.soon(() => this.#endOwn(UsbStatus.gone, 0));
  }

  /** Ends the transport's own request. */
  cancelOwn(): void {
    const transfer = this.#transfers[ownSlot];
    if (transfer.endpoint !== null && !transfer.isCancelled) this.#cancel(transfer);
  }

  /** Nothing is accepted any more; what is pending ends when the controller has let go of it. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** The controller uses nothing of the device's any more: everything ends with `gone`, then comes `detached`. */
  over(): void {
    if (this.#isOver) return;
    this.#isLeaving = true;
    this.#isOver = true;
    for (const endpoint of this.#device.endpoints)
      for (const transfer of endpoint?.drain() ?? []) this.ended(transfer, UsbStatus.gone);
    for (const transfer of this.#controls.splice(0)) this.ended(transfer, UsbStatus.gone);
    // One that has had its answer and waits for endpoints to follow it.
    if (this.#running !== null) this.ended(this.#running, UsbStatus.gone);
    if (this.#client !== null) this.#tellDetached();
  }

  /** From an endpoint: the transfer is out of its ring. */
  completed(transfer: XhciTransfer, status: UsbStatus): void {
    if (transfer !== this.#running || status !== UsbStatus.ok) {
      this.ended(transfer, status);
      return;
    }
    decodeSetup(transfer.setup, this.#setup);
    this.#unmap(transfer);
    const data = transfer.buffer?.subarray(0, transfer.movedBytes) ?? none;
    const follow = this.#device.follow(this.#setup, data);
    if (follow === null) {
      this.ended(transfer, status);
      return;
    }
    this.#device.exclusive(() => this.#follow(transfer, follow));
  }

  *#follow(transfer: XhciTransfer, follow: Steps<boolean>): Steps {
    const isGood = yield* follow;
    if (this.#running === transfer) this.ended(transfer, isGood ? UsbStatus.ok : UsbStatus.protocolError);
  }

  /** The caller's again: buffer, slot, and the word. */
  ended(transfer: XhciTransfer, status: UsbStatus): void {
    const moved = transfer.movedBytes;
    const wasRunning = transfer === this.#running;
    this.#forget(transfer);
    if (wasRunning) this.#running = null;
    if (transfer.slot === ownSlot) this.#endOwn(status, moved);
    else this.#client?.completed(transfer.slot, status, moved);
    if (wasRunning) this.#nextControl();
  }

  #control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    if (this.#isLeaving) return UsbSubmit.gone;
    const transfer = this.#free(slot);
    if (transfer === null || setup.length < 8) return UsbSubmit.badRequest;
    const length = setup[6] | (setup[7] << 8);
    if (length > 0 && (buffer === null || offset < 0 || offset + length > buffer.length))
      return UsbSubmit.badRequest;
    // The controller's own business: Address Device.
    if (setup[0] === 0 && setup[1] === StandardRequest.setAddress) return UsbSubmit.badRequest;
    transfer.setup.set(setup.length === 8 ? setup : setup.subarray(0, 8));
    transfer.endpoint = this.#device.endpoints[1] ?? null;
    const isIn = (setup[0] & directionIn) !== 0;
    const status = this.#begin(transfer, buffer ?? none, offset, length, isIn);
    if (status !== UsbSubmit.accepted) return status;
    this.#controls.push(transfer);
    // Its completion may only come later; the ring may be given it now.
    this.#nextControl();
    return UsbSubmit.accepted;
  }

  #nextControl(): void {
    const endpoint = this.#device.endpoints[1];
    if (this.#running !== null || endpoint === undefined || this.#isOver) return;
    const next = this.#controls.shift();
    if (next === undefined) return;
    this.#running = next;
    const before = this.#device.prepare(decodeSetup(next.setup, this.#setup));
    if (before === null) endpoint.submit(next, endpoint.plain);
    else this.#device.exclusive(() => this.#begun(endpoint, next, before));
  }

  *#begun(endpoint: XhciEndpoint, transfer: XhciTransfer, before: Steps): Steps {
    yield* before;
    if (this.#running !== transfer) return;
    if (transfer.isCancelled) this.ended(transfer, UsbStatus.cancelled);
    else endpoint.submit(transfer, endpoint.plain);
  }

  #cancel(transfer: XhciTransfer): void {
    const { endpoint, lane } = transfer;
    // It has had its answer already: what follows from that is on its way.
    if (transfer === this.#running && lane !== null && !lane.queue.includes(transfer)) return;
    if (lane !== null) {
      endpoint?.cancel(transfer);
      return;
    }
    transfer.isCancelled = true;
    this.#device.soon(() => {
      const at = this.#controls.indexOf(transfer);
      if (at >= 0) {
        this.#controls.splice(at, 1);
        this.ended(transfer, UsbStatus.cancelled);
      } else if (transfer.lane !== null) transfer.endpoint?.cancel(transfer);
    });
  }

  #free(slot: number): XhciTransfer | null {
    const transfer = this.#transfers[slot];
    return transfer !== undefined && transfer.endpoint === null ? transfer : null;
  }

  #begin(
    transfer: XhciTransfer,
    buffer: Uint8Array,
    offset: number,
    length: number,
    isIn: boolean,
  ): UsbSubmit {
    const data = buffer.subarray(offset, offset + length);
    let mapping: DmaMapping | null = null;
    if (length > 0) {
      // A copy comes back whole: what the device does not write must be in it as it was.
      const inward = this.#device.isCopied ? DmaDirection.both : DmaDirection.deviceWrites;
      const direction = isIn ? inward : DmaDirection.deviceReads;
      const found = this.#device.dma.map(data, direction, "USB transfer");
      if (typeof found === "number") {
        transfer.endpoint = null;
        return UsbSubmit.busy;
      }
      mapping = found;
    }
    transfer.buffer = data;
    transfer.mapping = mapping;
    transfer.isIn = isIn;
    transfer.lengthBytes = length;
    transfer.movedBytes = 0;
    transfer.isShort = false;
    transfer.isCancelled = false;
    transfer.isSilent = false;
    transfer.lane = null;
    return UsbSubmit.accepted;
  }

  #unmap(transfer: XhciTransfer): void {
    if (transfer.mapping !== null) this.#device.dma.unmap(transfer.mapping);
    transfer.mapping = null;
  }

  #forget(transfer: XhciTransfer): void {
    this.#unmap(transfer);
    transfer.buffer = null;
    transfer.packets = null;
    transfer.endpoint = null;
    transfer.lane = null;
  }

  #endOwn(status: UsbStatus, actualBytes: number): void {
    const done = this.#ownDone;
    this.#ownDone = null;
    done?.(status, actualBytes);
  }

  #tellDetached(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    this.#client?.detached();
  }
}

const none = new Uint8Array(0);
