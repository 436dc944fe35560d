// Answers of a device that are wrong on purpose, within and beyond the standards: same type in, same type out.

import type { Random } from "../base/random.ts";
import { type UsbHostPort, UsbStatus, type UsbSubmit } from "../ports/usb-host.ts";
import { UsbHostFilter } from "../ports/usb-host-filter.ts";

export interface UsbMutationParts {
  readonly random: Random;
  /** 0 to 1: which part of the answers is changed. */
  readonly probability: number;
  /** Longer answers pass unchanged: data are anybody's, descriptors and statuses are not. Default 512. */
  readonly longestBytes?: number;
}

const directionIn = 0x80;
/** Old answers kept to be told again: a status with another command's tag, a descriptor of another kind. */
const remembered = 32;

/**
 * Changes IN answers that ended well: bits, bytes, limits of number fields, all zeros or ones, another length, an older
 * answer in place of this one, or STALL. Driven by the seed alone. `mutations` counts.
 */
export class MutatingUsbPort extends UsbHostFilter {
  /** False: everything passes. */
  isActive = true;
  mutations = 0;
  readonly #random: Random;
  readonly #probability: number;
  readonly #longestBytes: number;
  readonly #endpoints: Uint8Array;
  readonly #lengths: Uint32Array;
  readonly #offsets: Uint32Array;
  readonly #buffers: (Uint8Array | null)[];
  readonly #old: Uint8Array[] = [];

  constructor(port: UsbHostPort, parts: UsbMutationParts) {
    super(port);
    this.#random = parts.random;
    this.#probability = parts.probability;
    this.#longestBytes = parts.longestBytes ?? 512;
    this.#endpoints = new Uint8Array(port.slotCount);
    this.#lengths = new Uint32Array(port.slotCount);
    this.#offsets = new Uint32Array(port.slotCount);
    this.#buffers = new Array<Uint8Array | null>(port.slotCount).fill(null);
  }

  override control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    const submitted = this.port.control(slot, setup, buffer, offset);
    if (submitted === 0) this.#note(slot, setup[0] & directionIn, buffer, offset, setup[6] | (setup[7] << 8));
    return submitted;
  }

  override transfer(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream = 0,
  ): UsbSubmit {
    const submitted = this.port.transfer(slot, endpoint, buffer, offset, length, stream);
    if (submitted === 0) this.#note(slot, endpoint, buffer, offset, length);
    return submitted;
  }

  override completed(slot: number, status: UsbStatus, actualBytes: number): void {
    const buffer = this.#buffers[slot];
    this.#buffers[slot] = null;
    let bytes = actualBytes;
    let end = status;
    if (
      this.isActive &&
      status === UsbStatus.ok &&
      buffer !== null &&
      (this.#endpoints[slot] & directionIn) !== 0 &&
      actualBytes > 0 &&
      actualBytes <= this.#longestBytes
    ) {
      const answer = buffer.subarray(this.#offsets[slot], this.#offsets[slot] + this.#lengths[slot]);
      this.#remember(answer.slice(0, actualBytes));
      if (this.#random.chance(this.#probability)) {
        this.mutations++;
        if (this.#endpoints[slot] === directionIn && this.#random.chance(0.1)) {
          end = UsbStatus.stall;
          bytes = 0;
        } else bytes = this.#mutate(answer, actualBytes);
      }
    }
    this.client?.completed(slot, end, bytes);
  }

  #note(slot: number, endpoint: number, buffer: Uint8Array | null, offset: number, length: number): void {
    this.#endpoints[slot] = endpoint;
    this.#buffers[slot] = buffer;
    this.#offsets[slot] = offset;
    this.#lengths[slot] = length;
  }

  #remember(answer: Uint8Array): void {
    if (this.#old.length < remembered) this.#old.push(answer);
    else this.#old[this.#random.below(remembered)] = answer;
  }

  /** Changes `answer`, which has room beyond `bytes`, and answers how long it is now. */
  #mutate(answer: Uint8Array, bytes: number): number {
    const random = this.#random;
    switch (random.below(8)) {
      case 0:
        answer[random.below(bytes)] ^= 1 << random.below(8);
        return bytes;
      case 1:
        answer[random.below(bytes)] = random.below(256);
        return bytes;
      case 2: {
        // A number field of up to four bytes at its limit.
        const at = random.below(bytes);
        const limit = [0x00, 0x7f, 0x80, 0xff][random.below(4)];
        answer.fill(limit, at, Math.min(bytes, at + 1 + random.below(4)));
        return bytes;
      }
      case 3:
        answer.fill(random.chance(0.5) ? 0xff : 0x00, 0, bytes);
        return bytes;
      case 4:
        return random.below(bytes);
      case 5: {
        const longer = bytes + random.below(answer.length - bytes + 1);
        for (let at = bytes; at < longer; at++) answer[at] = random.below(256);
        return longer;
      }
      case 6: {
        const old = this.#old[random.below(this.#old.length)];
        const count = Math.min(old.length, answer.length);
        answer.set(old.subarray(0, count));
        return count;
      }
      default:
        for (let at = 0; at < bytes; at++) answer[at] = random.below(256);
        return bytes;
    }
  }
}
