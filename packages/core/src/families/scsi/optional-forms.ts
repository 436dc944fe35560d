// Forms of commands that a unit need not have: which are left, and which goes out. SBC-3 r36 §4.7, §5.28, §5.43.

import { type DecodedSense, SenseKey } from "../../codec/scsi/sense.ts";
import type { DeviceMemory } from "./device-memory.ts";
import { noLimits, type UnitLimits } from "./unit-commands.ts";

/** What WRITE SAME can look like, the best form first. */
export type SameForm =
  | "WRITE SAME(16) with UNMAP"
  | "WRITE SAME(10) with UNMAP"
  | "WRITE SAME(16)"
  | "WRITE SAME(10)";
export type OptionalForm =
  | "FUA"
  | "GET LBA STATUS"
  | "SYNCHRONIZE CACHE(10)"
  | "SYNCHRONIZE CACHE(16)"
  | "UNMAP"
  | SameForm;

/** What a unit answers about a command, a bit or a length that it does not know (SPC-4 table 53). */
const refusalCodes: readonly number[] = [0x2000, 0x2400, 0x2600, 0x1a00];
const shortBlocks = 0xffff;
const longBlocks = 0xffffffff;
/** Blocks that the short forms reach. */
const shortReach = 0x100000000;

/** One command of a trim or of zeros. */
export interface RangeStep {
  readonly form: "UNMAP" | SameForm;
  readonly blocks: number;
}

/** Of one unit. What it refused, or never answered, is not asked again: another form takes its place. */
export class OptionalForms {
  limits: UnitLimits = noLimits;
  readonly #memory: DeviceMemory;
  readonly #refused = new Set<OptionalForm>();

  constructor(memory: DeviceMemory) {
    this.#memory = memory;
  }

  isLeft(form: OptionalForm): boolean {
    return !this.#refused.has(form) && !this.#memory.silent.has(form);
  }

  /** ILLEGAL REQUEST in a way that is about the form, not about the blocks. */
  static isRefusal(sense: DecodedSense): boolean {
    return sense.key === SenseKey.illegalRequest && refusalCodes.includes(sense.code);
  }

  /** True: this is news. */
  refuse(form: OptionalForm): boolean {
    const isNews = this.isLeft(form);
    this.#refused.add(form);
    return isNews;
  }

  /** The same, and it is remembered when the device comes back from a reset. */
  fellSilent(form: OptionalForm): boolean {
    const isNews = this.isLeft(form);
    this.#memory.silent.add(form);
    return isNews;
  }

  /** What may be unmapped is; null: nothing is left that unmaps. */
  trimStep(block: number, blocks: number): RangeStep | null {
    const { canUnmap, maximumUnmapBlocks } = this.limits;
    if (canUnmap && this.isLeft("UNMAP"))
      return { form: "UNMAP", blocks: Math.min(blocks, maximumUnmapBlocks) };
    return this.#unmappingSame(block, blocks);
  }

  /** WRITE SAME with zeros; null: blocks of zeros have to be written. */
  zeroStep(block: number, blocks: number, mayTrim: boolean): RangeStep | null {
    return (
      (mayTrim ? this.#unmappingSame(block, blocks) : null) ??
      this.#same("WRITE SAME(16)", block, blocks) ??
      this.#same("WRITE SAME(10)", block, blocks)
    );
  }

  #unmappingSame(block: number, blocks: number): RangeStep | null {
    const { canUnmapBySame10, canUnmapBySame16 } = this.limits;
    return (
      (canUnmapBySame16 ? this.#same("WRITE SAME(16) with UNMAP", block, blocks) : null) ??
      (canUnmapBySame10 ? this.#same("WRITE SAME(10) with UNMAP", block, blocks) : null)
    );
  }

  #same(form: SameForm, block: number, blocks: number): RangeStep | null {
    if (!this.isLeft(form)) return null;
    // A unit that says nothing of a maximum is given no more than the short form holds.
    const said = this.limits.maximumWriteSameBlocks || shortBlocks;
    const isLong = form.startsWith("WRITE SAME(16)");
    const count = Math.min(blocks, said, isLong ? longBlocks : shortBlocks);
    return !isLong && block + count > shortReach ? null : { form, blocks: count };
  }
}
