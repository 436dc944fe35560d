// What a PCI function is to the bus that carries it: configuration, registers, reset, and the way up to memory.

/** What a function may do on its own. Given at `plug`; dead after `unplugged`. */
export interface PciUpstream {
  /**
   * A memory read request: fills `into` from `offset`. False: nobody allowed it (bus master off, no mapping, direction);
   * what was refused reads as all ones.
   */
  read(address: number, into: Uint8Array, offset: number, lengthBytes: number): boolean;
  /** A memory write request. It is posted: nobody says whether it was allowed. */
  write(address: number, from: Uint8Array, offset: number, lengthBytes: number): void;
  /**
   * The same under the requester id of another function of the device, as a second engine or a bridge's alias writes. Left
   * out by buses that know no such thing.
   */
  writeAs?(
    functionNumber: number,
    address: number,
    from: Uint8Array,
    offset: number,
    lengthBytes: number,
  ): void;
  /** A message-signalled interrupt: a posted write of one dword, after all writes before it. */
  message(address: number, data: number): void;
  /** The legacy line (INTA). */
  setLine(isRaised: boolean): void;
  /** An uncorrectable error for the root port to report: a bit of AER's uncorrectable status. */
  reportError(bit: number): void;
  /** As `misused` of UsbUpstream: what the driver did that the function's specification forbids. Left out by buses that keep no list. */
  misused?(text: string): void;
}

/**
 * One function. All calls come from the bus, none from inside a call of the upstream. Registers are dwords or smaller:
 * the bus splits 8 bytes, low half first.
 */
export interface PciDevicePort {
  plug(upstream: PciUpstream): void;
  /** The link is dead: power may be gone too. Nothing of the upstream may be used any more. */
  unplugged(): void;
  /** `function`: FLR; `power`: also what only power takes away (sticky bits, volatile caches). */
  reset(kind: "function" | "power"): void;
  /** All ones where nothing is. */
  configRead(offset: number, sizeBytes: number): number;
  configWrite(offset: number, sizeBytes: number, value: number): void;
  /** Null: no answer, the requester sees a completion timeout. `bar` is the register's index. */
  memoryRead(bar: number, offset: number, sizeBytes: number): number | null;
  memoryWrite(bar: number, offset: number, sizeBytes: number, value: number): void;
  /** True while the function may begin accesses to memory: what a teardown must end first (posts.md F12). */
  readonly isEngineOn: boolean;
}
