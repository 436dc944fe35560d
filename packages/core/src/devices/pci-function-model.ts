// The base of PCI device models: configuration space with write masks, BAR decode, MSI-X table, function reset.

import { getU16le, getU32le, putU16le, putU32le } from "../base/bytes.ts";
import {
  encodeMsiX,
  expressEndpoint,
  expressFunctionReset,
  msiXControlOffset,
  msiXEnable,
  msiXEntryBytes,
  msiXVectorMasked,
  PciExpress,
  pmControlOffset,
} from "../codec/pci/capabilities.ts";
import {
  allOnes,
  extendedConfigBytes,
  PciCapabilityId,
  PciCommand,
  PciConfig,
  PciStatusBits,
} from "../codec/pci/config-space.ts";
import type { PciDevicePort, PciUpstream } from "../ports/pci-device.ts";

export interface PciFunctionDescription {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly revision?: number;
  /** Base class, subclass, programming interface. */
  readonly classCode: number;
  readonly subsystemVendorId?: number;
  readonly subsystemId?: number;
  /** Ranges by the index of their first register. */
  readonly bars: readonly {
    readonly index: number;
    readonly kind: "io" | "memory32" | "memory64";
    readonly lengthBytes: number;
  }[];
  /** Where MSI-X table and pending array lie; left out: no MSI-X. */
  readonly msiX?: {
    readonly vectors: number;
    readonly bar: number;
    readonly tableOffset: number;
    readonly pendingOffset: number;
  };
  /** A legacy line on pin A. */
  readonly hasLine?: boolean;
}

const powerAt = 0x40;
const expressAt = 0x50;
const msiXAt = 0xb0;

/**
 * What every function does the same way. A model gives `registerRead` and `registerWrite` for everything outside the
 * MSI-X table, and `functionReset`; it raises interrupts with `raise`.
 */
export abstract class PciFunctionModel implements PciDevicePort {
  readonly description: PciFunctionDescription;
  protected upstream: PciUpstream | null = null;
  readonly #config = new Uint8Array(extendedConfigBytes);
  /** Bits that software may change. */
  readonly #writable = new Uint8Array(extendedConfigBytes);
  readonly #table: Uint8Array;
  readonly #pending: Uint8Array;

  constructor(description: PciFunctionDescription) {
    this.description = description;
    const vectors = description.msiX?.vectors ?? 0;
    this.#table = new Uint8Array(vectors * msiXEntryBytes);
    this.#pending = new Uint8Array(Math.ceil(vectors / 64) * 8);
    this.#buildConfig();
  }

  abstract readonly isEngineOn: boolean;

  plug(upstream: PciUpstream): void {
    this.upstream = upstream;
  }

  unplugged(): void {
    this.upstream = null;
    this.linkLost();
  }

  reset(kind: "function" | "power"): void {
    this.#buildConfig();
    this.#table.fill(0);
    for (let at = 12; at < this.#table.length; at += msiXEntryBytes) this.#table[at] = msiXVectorMasked;
    this.#pending.fill(0);
    this.functionReset(kind);
  }

  configRead(offset: number, sizeBytes: number): number {
    if (offset + sizeBytes > extendedConfigBytes) return allOnes(sizeBytes);
    let value = 0;
    for (let index = sizeBytes - 1; index >= 0; index--) value = value * 256 + this.#config[offset + index];
    return value;
  }

  /** See PciUpstream.misused. */
  protected misused(text: string): void {
    this.upstream?.misused?.(text);
  }

  /** The command register, as the system has set it. */
  protected get command(): number {
    return getU16le(this.#config, PciConfig.command);
  }

  configWrite(offset: number, sizeBytes: number, value: number): void {
    for (let index = 0; index < sizeBytes; index++) {
      const at = offset + index;
      const mask = this.#writable[at];
      this.#config[at] = (this.#config[at] & ~mask) | ((value >>> (index * 8)) & mask);
    }
    const isControl =
      offset <= expressAt + PciExpress.deviceControl + 1 &&
      offset + sizeBytes > expressAt + PciExpress.deviceControl + 1;
    if (
      isControl &&
      (getU16le(this.#config, expressAt + PciExpress.deviceControl) & expressFunctionReset) !== 0
    ) {
      putU16le(this.#config, expressAt + PciExpress.deviceControl, 0);
      this.reset("function");
    }
    if (this.isMsiXEnabled) this.#sendPending();
  }

  memoryRead(bar: number, offset: number, sizeBytes: number): number | null {
    const { msiX } = this.description;
    if (msiX !== undefined && bar === msiX.bar) {
      const inTable = offset - msiX.tableOffset;
      if (inTable >= 0 && inTable < this.#table.length) return read(this.#table, inTable, sizeBytes);
      const inPending = offset - msiX.pendingOffset;
      if (inPending >= 0 && inPending < this.#pending.length)
        return read(this.#pending, inPending, sizeBytes);
    }
    return this.registerRead(bar, offset, sizeBytes);
  }

  memoryWrite(bar: number, offset: number, sizeBytes: number, value: number): void {
    const { msiX } = this.description;
    if (msiX !== undefined && bar === msiX.bar) {
      const inTable = offset - msiX.tableOffset;
      if (inTable >= 0 && inTable < this.#table.length) {
        for (let index = 0; index < sizeBytes && inTable + index < this.#table.length; index++)
          this.#table[inTable + index] = (value >>> (index * 8)) & 0xff;
        this.#sendPending();
        return;
      }
      const inPending = offset - msiX.pendingOffset;
      if (inPending >= 0 && inPending < this.#pending.length) return;
    }
    this.registerWrite(bar, offset, sizeBytes, value);
  }

  get isMsiXEnabled(): boolean {
    return (
      this.description.msiX !== undefined &&
      (getU16le(this.#config, msiXAt + msiXControlOffset) & msiXEnable) !== 0
    );
  }

  /** D0 to D3hot, as software asked. */
  get powerState(): number {
    return this.#config[powerAt + pmControlOffset] & 3;
  }

  protected abstract registerRead(bar: number, offset: number, sizeBytes: number): number | null;
  protected abstract registerWrite(bar: number, offset: number, sizeBytes: number, value: number): void;
  protected abstract functionReset(kind: "function" | "power"): void;
  /** The link died: stop everything. */
  protected abstract linkLost(): void;

  /**
   * An interrupt of `vector`: a message when MSI-X is on, kept pending while masked. Without MSI-X nothing: what a model
   * with a line does then is its own business (`setLine`).
   */
  protected raise(vector: number): void {
    const at = vector * msiXEntryBytes;
    if (this.upstream === null || !this.isMsiXEnabled || at >= this.#table.length) return;
    const isMasked =
      (this.#table[at + 12] & msiXVectorMasked) !== 0 ||
      (getU16le(this.#config, msiXAt + msiXControlOffset) & 0x4000) !== 0;
    if (isMasked) {
      this.#pending[vector >>> 3] |= 1 << (vector & 7);
      return;
    }
    const address = getU32le(this.#table, at + 4) * 4294967296 + getU32le(this.#table, at);
    this.upstream.message(address, getU32le(this.#table, at + 8));
  }

  protected setLine(isRaised: boolean): void {
    const status = getU16le(this.#config, PciConfig.status);
    putU16le(
      this.#config,
      PciConfig.status,
      isRaised ? status | PciStatusBits.interrupt : status & ~PciStatusBits.interrupt,
    );
    const isDisabled = (getU16le(this.#config, PciConfig.command) & PciCommand.interruptDisable) !== 0;
    if (this.description.hasLine === true && !(isRaised && isDisabled)) this.upstream?.setLine(isRaised);
  }

  #sendPending(): void {
    for (let vector = 0; vector * msiXEntryBytes < this.#table.length; vector++) {
      const bit = 1 << (vector & 7);
      if ((this.#pending[vector >>> 3] & bit) === 0) continue;
      this.#pending[vector >>> 3] &= ~bit;
      // Still masked: it is set again.
      this.raise(vector);
    }
  }

  #buildConfig(): void {
    const { description } = this;
    const config = this.#config;
    const writable = this.#writable;
    config.fill(0);
    writable.fill(0);
    putU16le(config, PciConfig.vendorId, description.vendorId);
    putU16le(config, PciConfig.deviceId, description.deviceId);
    putU16le(
      writable,
      PciConfig.command,
      (description.bars.some(({ kind }) => kind === "io") ? PciCommand.ioSpace : 0) |
        PciCommand.memorySpace |
        PciCommand.busMaster |
        PciCommand.parityResponse |
        PciCommand.serr |
        PciCommand.interruptDisable,
    );
    putU16le(config, PciConfig.status, PciStatusBits.capabilityList);
    putU32le(config, PciConfig.revision, ((description.classCode << 8) | (description.revision ?? 0)) >>> 0);
    putU16le(config, PciConfig.subsystemVendorId, description.subsystemVendorId ?? description.vendorId);
    putU16le(config, PciConfig.subsystemId, description.subsystemId ?? description.deviceId);
    config[PciConfig.interruptPin] = description.hasLine === true ? 1 : 0;
    writable[PciConfig.interruptLine] = 0xff;
    for (const bar of description.bars) {
      const at = PciConfig.bar0 + bar.index * 4;
      const isIo = bar.kind === "io";
      putU32le(config, at, isIo ? 1 : bar.kind === "memory64" ? 4 : 0);
      putU32le(writable, at, (~(bar.lengthBytes - 1) & (isIo ? 0xfffffffc : 0xfffffff0)) >>> 0);
      if (bar.kind === "memory64") putU32le(writable, at + 4, 0xffffffff);
    }
    config[PciConfig.capabilityPointer] = powerAt;
    config[powerAt] = PciCapabilityId.powerManagement;
    config[powerAt + 1] = expressAt;
    putU16le(config, powerAt + 2, 0x0003);
    writable[powerAt + pmControlOffset] = 0x03;
    config[expressAt] = PciCapabilityId.express;
    putU16le(config, expressAt + PciExpress.capabilities, 2 | (expressEndpoint << 4));
    // Function-level reset is there.
    putU32le(config, expressAt + PciExpress.deviceCapabilities, 0x1000_0000);
    putU16le(writable, expressAt + PciExpress.deviceControl, 0xffff);
    const { msiX } = description;
    if (msiX === undefined) return;
    config[expressAt + 1] = msiXAt;
    encodeMsiX(config, msiXAt, {
      vectors: msiX.vectors,
      isEnabled: false,
      isFunctionMasked: false,
      tableBar: msiX.bar,
      tableOffset: msiX.tableOffset,
      pendingBar: msiX.bar,
      pendingOffset: msiX.pendingOffset,
    });
    writable[msiXAt + msiXControlOffset + 1] = 0xc0;
  }
}

function read(bytes: Uint8Array, offset: number, sizeBytes: number): number {
  let value = 0;
  for (let index = sizeBytes - 1; index >= 0; index--) value = value * 256 + (bytes[offset + index] ?? 0);
  return value;
}
