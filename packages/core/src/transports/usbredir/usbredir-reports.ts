// Interrupt IN endpoints of a usbredir host: reports are pushed, reads wait for them.

import type { Clock } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { type UsbredirId, UsbredirStatus } from "../../codec/usbredir/usbredir.ts";
import type { UsbredirMessage, UsbredirPeriodicPacket } from "../../codec/usbredir/usbredir-messages.ts";
import { UsbStatus } from "../../ports/usb-host.ts";

/** Reports that wait for reads before the host is told to stop, so that the device keeps the next ones. */
const queueMaximum = 16;
/** A host that goes on pushing all the same is let go at so many. */
const floodMaximum = 256;

interface Read {
  readonly slot: number;
  readonly buffer: Uint8Array;
  readonly offset: number;
  readonly length: number;
  moved: number;
  isCancelled: boolean;
}

interface Endpoint {
  readonly address: number;
  packetBytes: number;
  /**
   * `starting`: asked for, and what comes before the host's word is of an earlier time. `stopping`: what comes before the
   * host's word still counts.
   */
  state: "off" | "starting" | "on" | "stopping";
  readonly reads: Read[];
  readonly reports: Uint8Array[];
}

/** The port, as its reports use it. */
export interface ReportSource {
  complete(slot: number, status: UsbStatus, actualBytes: number): void;
  halt(endpoint: number): void;
}

export interface ReportLink {
  readonly clock: Clock;
  takeId(): number;
  send(message: UsbredirMessage, id: UsbredirId): void;
}

/** Receiving starts with the first read of an endpoint and goes on between reads, so that no report is missed. */
export class UsbredirReports {
  readonly #link: ReportLink;
  readonly #source: ReportSource;
  readonly #endpoints = new Map<number, Endpoint>();

  constructor(link: ReportLink, source: ReportSource) {
    this.#link = link;
    this.#source = source;
  }

  /** A read of `length` bytes, ended by a report that is shorter than a packet. */
  wait(
    slot: number,
    address: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    packetBytes: number,
  ): void {
    let endpoint = this.#endpoints.get(address);
    if (endpoint === undefined) {
      endpoint = { address, packetBytes, state: "off", reads: [], reports: [] };
      this.#endpoints.set(address, endpoint);
    }
    endpoint.packetBytes = packetBytes;
    endpoint.reads.push({ slot, buffer, offset, length, moved: 0, isCancelled: false });
    if (endpoint.reports.length > 0) this.#link.clock.after(0, this.#serve, endpoint);
    else this.#start(endpoint);
  }

  /** True when the slot is a read of ours: it ends later. */
  cancel(slot: number): boolean {
    for (const endpoint of this.#endpoints.values()) {
      const read = endpoint.reads.find((entry) => entry.slot === slot);
      if (read === undefined) continue;
      read.isCancelled = true;
      this.#link.clock.after(0, this.#dropCancelled, endpoint);
      return true;
    }
    return false;
  }

  report({ endpoint: address, status, data }: UsbredirPeriodicPacket): void {
    const endpoint = this.#endpoints.get(address);
    if (endpoint === undefined || endpoint.state === "off" || endpoint.state === "starting") return;
    if (status !== UsbredirStatus.ok) {
      this.status(address, status);
      return;
    }
    if (endpoint.reports.length >= floodMaximum)
      throw new DecodeError("usbredir host", 0, `${floodMaximum} reports after it was told to stop`);
    endpoint.reports.push(data.slice());
    this.#serve(endpoint);
    if (endpoint.reports.length < queueMaximum || endpoint.state !== "on") return;
    endpoint.state = "stopping";
    this.#link.send({ kind: "stopInterruptReceiving", endpoint: address }, this.#link.takeId());
  }

  /** The host's word on a start or a stop, or that it has stopped by itself. */
  status(address: number, status: number): void {
    const endpoint = this.#endpoints.get(address);
    if (endpoint === undefined) return;
    if (status === UsbredirStatus.ok) {
      if (endpoint.state === "starting") endpoint.state = "on";
      else if (endpoint.state === "stopping") {
        endpoint.state = "off";
        if (endpoint.reads.length > 0 && endpoint.reports.length === 0) this.#start(endpoint);
      }
      return;
    }
    endpoint.state = "off";
    const isStall = status === UsbredirStatus.stall;
    this.#source.halt(address);
    for (const { slot } of endpoint.reads.splice(0))
      this.#source.complete(slot, isStall ? UsbStatus.stall : UsbStatus.protocolError, 0);
  }

  /** Settings have changed: hosts stop receiving then. Reads of endpoints that are still there go on. */
  beginAnew(isStale: (endpoint: number) => boolean, exists: (endpoint: number) => boolean): void {
    for (const endpoint of this.#endpoints.values()) {
      if (!isStale(endpoint.address)) continue;
      endpoint.state = "off";
      endpoint.reports.length = 0;
      if (exists(endpoint.address)) {
        if (endpoint.reads.length > 0) this.#start(endpoint);
        continue;
      }
      for (const { slot, moved } of endpoint.reads.splice(0))
        this.#source.complete(slot, UsbStatus.cancelled, moved);
    }
  }

  #start(endpoint: Endpoint): void {
    if (endpoint.state !== "off") return;
    endpoint.state = "starting";
    this.#link.send({ kind: "startInterruptReceiving", endpoint: endpoint.address }, this.#link.takeId());
  }

  readonly #serve = (endpoint: Endpoint): void => {
    const { reads, reports } = endpoint;
    while (reads.length > 0 && reports.length > 0) {
      const [read] = reads;
      if (read.isCancelled) break;
      const report = reports.shift() as Uint8Array;
      const room = read.length - read.moved;
      const taken = Math.min(room, report.length);
      read.buffer.set(report.subarray(0, taken), read.offset + read.moved);
      read.moved += taken;
      const isShort = report.length === 0 || report.length % endpoint.packetBytes !== 0;
      if (report.length <= room && read.moved < read.length && !isShort) continue;
      reads.shift();
      const status = report.length > room ? UsbStatus.overflow : UsbStatus.ok;
      this.#source.complete(read.slot, status, read.moved);
    }
    if (reads.length > 0 && reports.length === 0) this.#start(endpoint);
  };

  readonly #dropCancelled = (endpoint: Endpoint): void => {
    const { reads } = endpoint;
    for (let index = reads.length - 1; index >= 0; index--) {
      const read = reads[index];
      if (!read.isCancelled) continue;
      reads.splice(index, 1);
      this.#source.complete(read.slot, UsbStatus.cancelled, read.moved);
    }
    this.#serve(endpoint);
  };
}
