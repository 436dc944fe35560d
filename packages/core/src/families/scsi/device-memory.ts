// What the kernel remembers of a device across its resets: what it never answered, and resets that did not help.

/** Port resets in a row without a block read or written: after that a device is left alone. */
const resetMaximum = 3;
/** Devices remembered per machine; the oldest goes. */
const deviceMaximum = 64;

/**
 * A device that was reset comes back as another one, with new services. Without this, a command that it never answers
 * would be sent again, and end in the next reset, for ever.
 */
export class DeviceMemory {
  /** Commands, by name, that timed out once too often: not sent again. */
  readonly silent = new Set<string>();
  /** The device says of data that is whole by definition that nothing moved: what moved on the bus counts. */
  residueLies = false;
  #resets = 0;
  #isResetting = false;

  /** A transport driver starts on the device: unless it was reset just now, it was plugged in, and may be in order. */
  started(): void {
    if (!this.#isResetting) this.#resets = 0;
    this.#isResetting = false;
  }

  /** Before a port reset. False: enough of them; the device is to be left alone. */
  mayReset(): boolean {
    if (this.#resets >= resetMaximum) return false;
    this.#resets++;
    this.#isResetting = true;
    return true;
  }

  /** Blocks were read or written. */
  worked(): void {
    if (this.#resets !== 0) this.#resets = 0;
  }
}

const memories = new WeakMap<object, Map<string, DeviceMemory>>();

/** `machine`: whoever lives as long as the machine. `key`: what stays the same of a device that is reset. */
export function deviceMemory(machine: object, key: string): DeviceMemory {
  let known = memories.get(machine);
  if (known === undefined) {
    known = new Map();
    memories.set(machine, known);
  }
  let memory = known.get(key);
  if (memory === undefined) {
    memory = new DeviceMemory();
    known.set(key, memory);
    if (known.size > deviceMaximum) known.delete(known.keys().next().value as string);
  }
  return memory;
}
