// Registers of one PCI function as steps: reads wait for a slot of the port, answers resume who asked.

import { PciCapabilityId, PciConfig } from "../../codec/pci/config-space.ts";
import { type PciHostPort, PciStatus, PciSubmit } from "../../ports/pci-host.ts";
import type { Step, Steps } from "./steps.ts";

interface Waiting {
  readonly isConfig: boolean;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly resume: (answer: number) => void;
}

const slots = 16;

export class PciAccess {
  readonly #port: PciHostPort;
  /** Index of the range with the registers. */
  readonly #range: number;
  /** Told of a read that nobody answered; who asked is then never resumed. */
  readonly #onSilence: (offset: number) => void;
  readonly #asked: (Waiting | null)[] = new Array(slots).fill(null);
  readonly #waiting: Waiting[] = [];

  constructor(port: PciHostPort, range: number, onSilence: (offset: number) => void) {
    this.#port = port;
    this.#range = range;
    this.#onSilence = onSilence;
  }

  read(offset: number): Step {
    return (resume) => this.#ask({ isConfig: false, offset, sizeBytes: 4, resume });
  }

  readConfig(offset: number, sizeBytes: number): Step {
    return (resume) => this.#ask({ isConfig: true, offset, sizeBytes, resume });
  }

  write(offset: number, value: number): void {
    this.#port.memoryWrite(this.#range, offset, 4, value >>> 0, 0);
  }

  writeConfig(offset: number, sizeBytes: number, value: number): void {
    this.#port.configWrite(offset, sizeBytes, value);
  }

  /** Offset of a capability, 0 when the function has none. A list that comes back ends after as many as there can be. */
  *findCapability(id: number): Steps<number> {
    let at = (yield this.readConfig(PciConfig.capabilityPointer, 1)) & 0xfc;
    for (let count = 0; count < 48 && at >= 0x40; count++) {
      const header = yield this.readConfig(at, 2);
      if ((header & 0xff) === id) return at;
      at = (header >>> 8) & 0xfc;
    }
    return 0;
  }

  *findMsiX(): Steps<number> {
    return yield* this.findCapability(PciCapabilityId.msiX);
  }

  /** From the port's client. */
  completed(slot: number, status: PciStatus, low: number): void {
    const asked = this.#asked[slot];
    if (asked === null || asked === undefined) return;
    this.#asked[slot] = null;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#ask(next);
    if (status === PciStatus.ok) asked.resume(low);
    else this.#onSilence(asked.offset);
  }

  #ask(waiting: Waiting): void {
    const slot = this.#asked.indexOf(null);
    if (slot < 0) {
      this.#waiting.push(waiting);
      return;
    }
    const { isConfig, offset, sizeBytes } = waiting;
    this.#asked[slot] = waiting;
    const submit = isConfig
      ? this.#port.configRead(slot, offset, sizeBytes)
      : this.#port.memoryRead(slot, this.#range, offset, sizeBytes);
    // Detached: the port has said so, or will.
    if (submit !== PciSubmit.accepted) this.#asked[slot] = null;
  }
}
