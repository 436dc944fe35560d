// Transfers that a foreign host has under way, by the number it gave them: slots, buffers, and their bound.

/** Why a transfer gets no slot. */
export const SlotRefusal = {
  /** All slots are taken, or the bytes of buffers would pass the bound. */
  full: -1,
  /** A transfer with this number is under way. */
  duplicate: -2,
} as const;

/**
 * Foreign hosts number transfers as they like; ports want small slots. Columns, not objects: the data path allocates
 * only the buffers.
 */
export class TransferSlots<Id extends number | bigint> {
  readonly ids: Id[];
  /** Bytes asked for or offered. */
  readonly lengths: Uint32Array;
  /** Addresses with the direction of the data. */
  readonly endpoints: Uint8Array;
  readonly buffers: (Uint8Array | null)[];
  /** SETUP bytes of control transfers, else null. */
  readonly setups: (Uint8Array | null)[];
  readonly #free: number[] = [];
  readonly #slotOf = new Map<Id, number>();
  readonly #memoryMaximum: number;
  #memory = 0;

  /** `reserved` slots from 0 on are never given out. */
  constructor(slotCount: number, memoryMaximum: number, none: Id, reserved = 0) {
    for (let slot = slotCount - 1; slot >= reserved; slot--) this.#free.push(slot);
    this.ids = new Array<Id>(slotCount).fill(none);
    this.lengths = new Uint32Array(slotCount);
    this.endpoints = new Uint8Array(slotCount);
    this.buffers = new Array<Uint8Array | null>(slotCount).fill(null);
    this.setups = new Array<Uint8Array | null>(slotCount).fill(null);
    this.#memoryMaximum = memoryMaximum;
  }

  /** Transfers under way. */
  get size(): number {
    return this.#slotOf.size;
  }

  /** Bytes of their buffers. */
  get memory(): number {
    return this.#memory;
  }

  /** A slot for a transfer of `length` bytes, or a SlotRefusal. */
  take(id: Id, length: number): number {
    if (this.#slotOf.has(id)) return SlotRefusal.duplicate;
    if (this.#memory + length > this.#memoryMaximum) return SlotRefusal.full;
    const slot = this.#free.pop();
    if (slot === undefined) return SlotRefusal.full;
    this.ids[slot] = id;
    this.lengths[slot] = length;
    this.#memory += length;
    this.#slotOf.set(id, slot);
    return slot;
  }

  find(id: Id): number | undefined {
    return this.#slotOf.get(id);
  }

  /** The transfer is over, or was refused by the port. */
  release(slot: number): void {
    this.#slotOf.delete(this.ids[slot]);
    this.#memory -= this.lengths[slot];
    this.buffers[slot] = null;
    this.setups[slot] = null;
    this.#free.push(slot);
  }
}
