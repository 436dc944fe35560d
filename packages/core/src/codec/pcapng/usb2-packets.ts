// Packets of the wire (link type 288, from hardware analysers) put together to transfers. USB 2.0, chapter 8.

import { DecodeError } from "../../base/errors.ts";

export const linkTypeUsb2 = 288;

const Pid = {
  out: 0xe1,
  in: 0x69,
  setup: 0x2d,
  data0: 0xc3,
  data1: 0x4b,
  data2: 0x87,
  mdata: 0x0f,
  ack: 0xd2,
  stall: 0x1e,
  nak: 0x5a,
  nyet: 0x96,
  split: 0x78,
} as const;

/** A hub's part of a slower transaction (§8.4.2): the host gives it away, and asks later what became of it. */
type Split = "start" | "complete";

export interface WireTransfer {
  readonly device: number;
  readonly endpoint: number;
  readonly kind: "control" | "bulk";
  readonly setup: Uint8Array | null;
  readonly data: Uint8Array;
  readonly requested: number;
  readonly moved: number;
  readonly result: "ok" | "stall";
}

interface Control {
  readonly setup: Uint8Array;
  data: number[];
}

/** Bytes of a data stage that are kept; the rest is only counted. */
const kept = 4096;

/**
 * Takes one packet after the other. A control transfer is whole at its status stage or STALL; on other endpoints every
 * answered transaction counts as a transfer, because the wire does not say where a driver's transfer ends.
 */
export class UsbPacketAssembler {
  #token: { pid: number; device: number; endpoint: number; split: Split | null } | null = null;
  #split: Split | null = null;
  /** What hubs were given for a device's endpoint, until they say what became of it. */
  readonly #givenToHub = new Map<number, Uint8Array>();
  #data: Uint8Array | null = null;
  readonly #controls = new Map<number, Control>();

  /** Throws DecodeError for an empty packet or a PID whose halves do not agree; the assembler goes on after it. */
  take(packet: Uint8Array): WireTransfer[] {
    if (packet.length === 0) throw new DecodeError("USB packet of link type 288", 0, "is empty");
    const pid = packet[0];
    if ((pid & 15) !== (~(pid >> 4) & 15))
      throw new DecodeError("USB packet of link type 288", 0, "its PID is damaged");
    switch (pid) {
      case Pid.out:
      case Pid.in:
      case Pid.setup:
        if (packet.length < 3)
          throw new DecodeError("USB packet of link type 288", packet.length, "a token has 3 bytes");
        this.#token = {
          pid,
          device: packet[1] & 0x7f,
          endpoint: (packet[1] >> 7) | ((packet[2] & 7) << 1),
          split: this.#split,
        };
        this.#split = null;
        this.#data = null;
        return [];
      case Pid.split:
        if (packet.length < 4)
          throw new DecodeError("USB packet of link type 288", packet.length, "a split token has 4 bytes");
        this.#split = (packet[1] & 0x80) === 0 ? "start" : "complete";
        return [];
      case Pid.data0:
      case Pid.data1:
      case Pid.data2:
      case Pid.mdata:
        this.#data = packet.subarray(1, Math.max(1, packet.length - 2)).slice();
        // A hub's IN data need no handshake.
        return this.#token?.split === "complete" && this.#token.pid === Pid.in ? this.#answered("ok") : [];
      case Pid.ack:
        return this.#answered("ok");
      case Pid.nyet:
        // Of a hub: not yet. Of a device: taken, and no room for more.
        return this.#token?.split === "complete" ? [] : this.#answered("ok");
      case Pid.stall:
        return this.#answered("stall");
      default:
        return [];
    }
  }

  #answered(result: "ok" | "stall"): WireTransfer[] {
    const token = this.#token;
    let data = this.#data ?? new Uint8Array(0);
    this.#token = null;
    this.#data = null;
    if (token === null) return [];
    const { device } = token;
    const place = device * 16 + token.endpoint;
    if (token.split === "start") {
      if (token.pid !== Pid.in) this.#givenToHub.set(place, data);
      return [];
    }
    if (token.split === "complete" && token.pid !== Pid.in) {
      data = this.#givenToHub.get(place) ?? data;
      this.#givenToHub.delete(place);
    }
    if (token.endpoint !== 0) {
      const endpoint = token.endpoint | (token.pid === Pid.in ? 0x80 : 0);
      return [
        {
          device,
          endpoint,
          kind: "bulk",
          setup: null,
          data,
          requested: -1,
          moved: result === "ok" ? data.length : 0,
          result,
        },
      ];
    }
    if (token.pid === Pid.setup) {
      if (data.length === 8 && this.#controls.size < 128)
        this.#controls.set(device, { setup: data, data: [] });
      return [];
    }
    const control = this.#controls.get(device);
    if (control === undefined) return [];
    const isIn = (control.setup[0] & 0x80) !== 0;
    const wanted = control.setup[6] | (control.setup[7] << 8);
    const isStatus = result === "ok" && (wanted === 0 || isIn !== (token.pid === Pid.in));
    if (result === "ok" && !isStatus) {
      if (control.data.length < kept) control.data.push(...data);
      return [];
    }
    this.#controls.delete(device);
    const bytes = Uint8Array.from(
      result === "stall" && !isIn && control.data.length === 0 ? data : control.data,
    );
    return [
      {
        device,
        endpoint: isIn ? 0x80 : 0,
        kind: "control",
        setup: control.setup,
        data: bytes,
        requested: wanted,
        moved: result === "ok" ? bytes.length : 0,
        result,
      },
    ];
  }
}
