// A PCI board of our own for tests and cases: registers, a DMA engine, interrupts on demand.

import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { microsecond } from "../../base/units.ts";
import { PciFunctionModel } from "../pci-function-model.ts";

/** Registers in BAR 0. */
export const PciBoardRegister = {
  /** Reads 0x0B0A0D01. */
  identity: 0x00,
  /** Holds what was written. */
  scratch: 0x04,
  /** 1 while the board lives: what bad drivers poll. */
  status: 0x08,
  /** Write n: the vector n is raised. */
  raise: 0x0c,
  dmaLow: 0x10,
  dmaHigh: 0x14,
  dmaLength: 0x18,
  /** Write 1: from memory into the board's buffer; 2: from the buffer into memory; 4 besides: vector 0 when done. */
  dmaControl: 0x1c,
  /** Write 1 to let the heartbeat go, 0 to stop it. */
  engine: 0x20,
  /** Where completed work is counted in host memory, and how often since the engine started. */
  counterLow: 0x24,
  counterHigh: 0x28,
  /** Write n: a command for vector n; a little later it is done. */
  work: 0x2c,
  buffer: 0x1000,
} as const;

export const pciBoardIdentity = 0x0b0a0d01;
const bufferBytes = 0x1000;

export interface PciBoardOptions {
  readonly clock: Clock;
  /** MSI-X vectors; default 5. */
  readonly vectors?: number;
  /** A legacy pin: its specifier comes first. Default true. */
  readonly hasLine?: boolean;
  readonly vendorId?: number;
  readonly deviceId?: number;
  /** Draws how long a command takes, between the two of `workNs`; left out: always the least. */
  readonly random?: Random;
  /** Default 20 to 200 us. */
  readonly workNs?: readonly [least: number, most: number];
}

/** Does what it is told, at once. */
export class PciBoardDevice extends PciFunctionModel {
  readonly buffer = new Uint8Array(bufferBytes);
  /** Interrupts raised, by vector. */
  readonly raised: Float64Array;
  readonly #registers = new Uint32Array(16);
  readonly #counter = new Uint8Array(8);
  readonly #options: PciBoardOptions;
  /** Counts plugs and resets: what was begun before is not finished after. */
  #generation = 0;

  constructor(options: PciBoardOptions) {
    super({
      vendorId: options.vendorId ?? 0x1d1d,
      deviceId: options.deviceId ?? 0x0b0a,
      classCode: 0x010700,
      bars: [{ index: 0, kind: "memory64", lengthBytes: 0x4000 }],
      msiX: { vectors: options.vectors ?? 5, bar: 0, tableOffset: 0x2000, pendingOffset: 0x3000 },
      hasLine: options.hasLine ?? true,
    });
    this.#options = options;
    this.raised = new Float64Array(options.vectors ?? 5);
  }

  get isEngineOn(): boolean {
    return this.#registers[PciBoardRegister.engine >>> 2] !== 0;
  }

  get isPlugged(): boolean {
    return this.upstream !== null;
  }

  /** An interrupt, as work that is done causes one. */
  interrupt(vector: number): void {
    if (this.upstream === null) return;
    this.raised[vector]++;
    this.raise(vector);
  }

  /** Work is done: the count in host memory goes up and the vector is raised. */
  finishWork(vector: number): void {
    const { upstream } = this;
    if (upstream === null || !this.isEngineOn) return;
    const at = vector * 8;
    const base =
      this.#registers[PciBoardRegister.counterHigh >>> 2] * 4294967296 +
      this.#registers[PciBoardRegister.counterLow >>> 2];
    const counter = this.#counter;
    const count = this.raised[vector] + 1;
    for (let index = 0; index < 6; index++) counter[index] = Math.floor(count / 256 ** index) % 256;
    upstream.write(base + at, counter, 0, 8);
    this.interrupt(vector);
  }

  protected override registerRead(bar: number, offset: number, sizeBytes: number): number {
    if (bar !== 0 || sizeBytes !== 4) return 0;
    if (offset === PciBoardRegister.identity) return pciBoardIdentity;
    if (offset === PciBoardRegister.status) return 1;
    if (offset < 0x40) return this.#registers[offset >>> 2];
    return 0;
  }

  protected override registerWrite(bar: number, offset: number, sizeBytes: number, value: number): void {
    if (bar !== 0 || sizeBytes !== 4 || offset >= 0x40) return;
    this.#registers[offset >>> 2] = value;
    if (offset === PciBoardRegister.raise && value < this.raised.length) this.interrupt(value);
    if (offset === PciBoardRegister.dmaControl) this.#copy(value);
    if (offset === PciBoardRegister.engine && value !== 0) this.raised.fill(0);
    if (offset === PciBoardRegister.work && value < this.raised.length) this.#begin(value);
  }

  #begin(vector: number): void {
    const { clock, random, workNs = [20 * microsecond, 200 * microsecond] } = this.#options;
    const generation = this.#generation;
    const delay = random === undefined ? workNs[0] : random.between(workNs[0], workNs[1]);
    clock.after(
      delay,
      () => {
        if (generation === this.#generation) this.finishWork(vector);
      },
      undefined,
    );
  }

  protected override functionReset(): void {
    this.#generation++;
    this.#registers.fill(0);
    this.raised.fill(0);
  }

  protected override linkLost(): void {
    this.#generation++;
    this.#registers.fill(0);
  }

  #copy(control: number): void {
    const { upstream } = this;
    if (upstream === null) return;
    const registers = this.#registers;
    const address =
      registers[PciBoardRegister.dmaHigh >>> 2] * 4294967296 + registers[PciBoardRegister.dmaLow >>> 2];
    const length = Math.min(registers[PciBoardRegister.dmaLength >>> 2], bufferBytes);
    if ((control & 1) !== 0) upstream.read(address, this.buffer, 0, length);
    if ((control & 2) !== 0) upstream.write(address, this.buffer, 0, length);
    if ((control & 4) !== 0) this.interrupt(0);
  }
}
