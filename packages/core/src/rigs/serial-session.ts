// A program at a serial port, inside the machine: for scenarios, campaigns and tests.

import {
  defaultLineSettings,
  type LineSettings,
  type ModemStatus,
  type ReceiveErrors,
  type SerialClient,
  type SerialPort,
} from "../ports/serial.ts";
import type { SerialRig } from "./serial-rig.ts";

/** Writes what it is given as room allows and keeps what it reads. */
export class SerialSession implements SerialClient {
  readonly port: SerialPort;
  readonly received: number[] = [];
  readonly modemChanges: ModemStatus[] = [];
  readonly errors: ReceiveErrors[] = [];
  hangUps = 0;
  #toSend: Uint8Array = new Uint8Array(0);
  #sent = 0;
  readonly #block = new Uint8Array(4096);

  constructor(port: SerialPort) {
    this.port = port;
    const refusal = port.open(this);
    if (refusal !== null) throw new Error(refusal);
  }

  /** Bytes accepted by the port so far. */
  get sent(): number {
    return this.#sent;
  }

  configure(change: Partial<LineSettings>): void {
    this.port.configure({ ...defaultLineSettings, ...change });
  }

  send(bytes: Uint8Array): void {
    const rest = this.#toSend.subarray(this.#sent);
    const all = new Uint8Array(rest.length + bytes.length);
    all.set(rest);
    all.set(bytes, rest.length);
    this.#toSend = all;
    this.#sent = 0;
    this.#pump();
  }

  /** Opens again after a close. */
  reopen(): void {
    const refusal = this.port.open(this);
    if (refusal !== null) throw new Error(refusal);
    this.#pump();
  }

  readable(): void {
    for (let count = this.#read(); count > 0; count = this.#read());
  }

  writable(): void {
    this.#pump();
  }

  modemChanged(status: ModemStatus): void {
    this.modemChanges.push(status);
  }

  receiveError(errors: ReceiveErrors): void {
    this.errors.push(errors);
  }

  hungUp(): void {
    this.hangUps++;
  }

  #read(): number {
    const count = this.port.read(this.#block, 0, this.#block.length);
    for (let index = 0; index < count; index++) this.received.push(this.#block[index]);
    return count;
  }

  #pump(): void {
    while (this.#sent < this.#toSend.length) {
      const taken = this.port.write(this.#toSend, this.#sent, this.#toSend.length - this.#sent);
      if (taken === 0) return;
      this.#sent += taken;
    }
  }
}

/** How long a port may take to come up after its device was plugged in, virtual nanoseconds. */
const appearanceNs = 2_000_000_000;

/** Runs the rig until its first port is there, opens it and waits until the driver is active. */
export async function openSerialSession(rig: SerialRig, index = 0): Promise<SerialSession> {
  const limit = rig.machine.scheduler.nowNs() + appearanceNs;
  await rig.machine.scheduler.run(limit, () => rig.ports.length > index);
  const port = rig.ports[index];
  if (port === undefined) {
    const reasons = rig.machine.matchReports.map(
      (report) => `${report.candidate.personalityName}: ${report.outcome}`,
    );
    throw new Error(
      `no serial port came up: ${[...reasons, ...rig.family.failures.map((entry) => entry.reason)].join("; ")}`,
    );
  }
  const session = new SerialSession(port);
  await rig.machine.scheduler.run(rig.machine.scheduler.nowNs() + appearanceNs, () => port.isReady);
  return session;
}
