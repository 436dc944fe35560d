// The host of a recording, played against a device: is each answer the recorded one?

import { type UsbDevicePort, UsbNak, UsbStall } from "../ports/usb-device.ts";
import { UsbStatus } from "../ports/usb-host.ts";
import { TraceKind, type TraceRow, TraceTransfer, type UsbTraceLog } from "../trace/usb-trace-log.ts";

export interface HostReplay {
  /** Transfers that had ended in the recording, and were played. */
  readonly transfers: number;
  /** Bytes of answers that were compared. */
  readonly bytes: number;
  /** One line for each answer that is another: which transfer, what was recorded, what came. */
  readonly differences: readonly string[];
}

const directionIn = 0x80;
const longestAnswer = 1 << 20;

/**
 * Plays every ended transfer of a device in the trace, in the order of their ends, on a port that nobody else has: transactions as
 * a carrier makes them (ports/usb-device.ts), without any time. What ended for other reasons (cancelled, unplugged) is left out.
 */
export function playRecordedHost(log: UsbTraceLog, device: number, port: UsbDevicePort): HostReplay {
  const replay = new Replay(port);
  const open = new Map<number, TraceRow>();
  port.plug({ ready: () => {}, reconnect: () => {} });
  for (const row of log.all()) {
    if (row.device !== device) continue;
    if (row.kind === TraceKind.submit) open.set(row.id, row);
    if (row.kind !== TraceKind.complete) continue;
    const asked = open.get(row.id);
    open.delete(row.id);
    if (asked !== undefined && (row.status === UsbStatus.ok || row.status === UsbStatus.stall))
      replay.play(asked, row);
  }
  port.unplug();
  const { bytes, differences, transfers } = replay;
  return { transfers, bytes, differences };
}

class Replay {
  transfers = 0;
  bytes = 0;
  readonly differences: string[] = [];
  readonly #port: UsbDevicePort;
  readonly #buffer = new Uint8Array(longestAnswer);

  constructor(port: UsbDevicePort) {
    this.#port = port;
  }

  play(asked: TraceRow, ended: TraceRow): void {
    this.transfers++;
    const { endpoint, setup } = asked;
    const isIn = (endpoint & directionIn) !== 0;
    const wanted = ended.status === UsbStatus.stall ? "stall" : isIn ? hexOf(ended.data) : "taken";
    const came = setup !== null ? this.#control(setup, asked) : isIn ? this.#in(ended) : this.#out(asked);
    if (isIn && wanted !== "stall") this.bytes += ended.data.length;
    if (came === wanted) return;
    const what = setup === null ? `endpoint 0x${endpoint.toString(16)}` : `request ${hexOf(setup)}`;
    this.differences.push(`transfer ${asked.id}, ${what}: recorded ${wanted}, came ${came}`);
  }

  #control(setup: Uint8Array, { data }: TraceRow): string {
    this.#port.setup(setup);
    const isIn = (setup[0] & directionIn) !== 0;
    const length = setup[6] | (setup[7] << 8);
    if (isIn && length > 0) {
      const answer = this.#port.in(directionIn, this.#buffer, 0, length);
      if (answer < 0) return wordOf(answer);
      this.#port.out(0, this.#buffer, 0, 0);
      return hexOf(this.#buffer.subarray(0, answer));
    }
    if (data.length > 0) {
      const taken = this.#port.out(0, data, 0, data.length);
      if (taken < 0) return wordOf(taken);
    }
    const status = this.#port.in(directionIn, this.#buffer, 0, 0);
    return status < 0 ? wordOf(status) : "taken";
  }

  #in({ data, endpoint, packets, status, transfer }: TraceRow): string {
    if (transfer === TraceTransfer.isochronous)
      return this.#isochronousIn(endpoint, packets ?? [data.length]);
    // A STALL is asked for once; data until all of it is there.
    let length = 0;
    do {
      const count = this.#port.in(endpoint, this.#buffer, length, longestAnswer - length);
      if (count < 0) return length === 0 ? wordOf(count) : hexOf(this.#buffer.subarray(0, length));
      length += count;
      if (count === 0) break;
    } while (length < data.length && status === UsbStatus.ok);
    return hexOf(this.#buffer.subarray(0, length));
  }

  #isochronousIn(endpoint: number, packets: readonly number[]): string {
    let length = 0;
    for (const each of packets) {
      const count = this.#port.in(endpoint, this.#buffer, length, longestAnswer - length);
      if (Math.max(0, count) !== each) return `a packet of ${count} bytes for one of ${each}`;
      length += each;
    }
    return hexOf(this.#buffer.subarray(0, length));
  }

  #out({ data, endpoint, packets, stream }: TraceRow): string {
    let from = 0;
    for (const each of packets ?? [data.length]) {
      const taken = this.#port.out(endpoint, data, from, each, stream);
      if (taken < 0) return wordOf(taken);
      from += each;
    }
    return "taken";
  }
}

function wordOf(answer: number): string {
  return answer === UsbStall ? "stall" : answer === UsbNak ? "nothing" : String(answer);
}

const hexOf = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
