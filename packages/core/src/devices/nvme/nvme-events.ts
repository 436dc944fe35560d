// Asynchronous events of an NVMe controller: requests that wait, events that wait, and the mask until the log is read.

import type { NvmeController, NvmeInFlight } from "./nvme-controller.ts";

export const eventRequestsMaximum = 4;
/** Event types that have a log: error, health, notice. */
const typesWithLog = 3;

/** NVM Express 1.4 §5.2. One event of a type at a time: it is masked until its log page has been read. */
export class NvmeEvents {
  readonly #device: NvmeController;
  readonly #requests: NvmeInFlight[] = [];
  readonly #waiting: { readonly type: number; readonly result: number }[] = [];
  #masked = 0;

  constructor(device: NvmeController) {
    this.#device = device;
  }

  reset(): void {
    this.#requests.length = 0;
    this.#waiting.length = 0;
    this.#masked = 0;
  }

  holds(entry: NvmeInFlight): boolean {
    return this.#requests.includes(entry);
  }

  /** False: too many already. */
  request(entry: NvmeInFlight): boolean {
    if (this.#requests.length >= eventRequestsMaximum) return false;
    this.#requests.push(entry);
    this.#deliver();
    return true;
  }

  report(type: number, result: number): void {
    if (this.#waiting.some((event) => event.result === result)) return;
    this.#waiting.push({ type, result });
    this.#deliver();
  }

  /** The log that belongs to a type was read without "retain". */
  unmask(logPage: number): void {
    if (logPage >= 1 && logPage <= typesWithLog) this.#masked &= ~(1 << (logPage - 1));
    if (logPage === 4) this.#masked &= ~4;
    this.#deliver();
  }

  #deliver(): void {
    for (let at = 0; at < this.#waiting.length && this.#requests.length > 0; ) {
      const event = this.#waiting[at];
      if ((this.#masked & (1 << event.type)) !== 0) {
        at++;
        continue;
      }
      this.#waiting.splice(at, 1);
      this.#masked |= 1 << event.type;
      this.#device.complete(this.#requests.shift() as NvmeInFlight, 0, event.result);
    }
  }
}
