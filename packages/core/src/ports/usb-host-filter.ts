// A USB port in front of another one: same type on both sides; everything passes unless a subclass steps in.

import type { UsbHostClient, UsbHostPort, UsbPackets, UsbStatus, UsbSubmit } from "./usb-host.ts";

/**
 * What a trace, a fault, a mutation or a policy does to transfers on their way: it is the port of who stands above and the
 * client of what lies below. A subclass that answers a submission itself owes exactly one completion for it.
 */
export class UsbHostFilter implements UsbHostPort, UsbHostClient {
  readonly speed: UsbHostPort["speed"];
  readonly locationId: number;
  readonly slotCount: number;
  protected readonly port: UsbHostPort;
  /** Who stands above; null before `connect`. */
  protected client: UsbHostClient | null = null;

  constructor(port: UsbHostPort) {
    this.port = port;
    this.speed = port.speed;
    this.locationId = port.locationId;
    this.slotCount = port.slotCount;
  }

  connect(client: UsbHostClient): void {
    this.client = client;
    this.port.connect(this);
  }

  control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    return this.port.control(slot, setup, buffer, offset);
  }

  transfer(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream = 0,
  ): UsbSubmit {
    return this.port.transfer(slot, endpoint, buffer, offset, length, stream);
  }

  isochronous(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    packets: UsbPackets,
  ): UsbSubmit {
    return this.port.isochronous(slot, endpoint, buffer, offset, packets);
  }

  cancel(slot: number): void {
    this.port.cancel(slot);
  }

  clearHalt(endpoint: number): void {
    this.port.clearHalt(endpoint);
  }

  reset(): void {
    this.port.reset();
  }

  completed(slot: number, status: UsbStatus, actualBytes: number): void {
    this.client?.completed(slot, status, actualBytes);
  }

  detached(): void {
    this.client?.detached();
  }
}
