// A hand at a rig's disk: writes blocks, flushes, reads them again and says how many hold what was written.

import type { IOMedia } from "@drydock/core/families/block/io-media";
import { BlockStatus, BlockSubmit } from "@drydock/core/ports/block";

export type DiskWork = "write" | "flush" | "read-back";

/** Blocks that one request carries. */
const blocksEach = 8;

export class DiskHand {
  readonly #media: () => readonly IOMedia[];
  readonly #onSaid: (text: string) => void;
  #held: IOMedia | null = null;
  /** What each block was filled with, from block 0 on; it outlives the disk's power. */
  readonly #written: number[] = [];
  #queue: { readonly kind: DiskWork; readonly block: number; readonly blocks: number }[] = [];
  #buffer = new Uint8Array(0);
  #isBusy = false;
  #fill = 0;
  #matching = 0;
  #failed = 0;
  #told: { readonly kind: DiskWork; readonly blocks: number } | null = null;

  constructor(media: () => readonly IOMedia[], onSaid: (text: string) => void) {
    this.#media = media;
    this.#onSaid = onSaid;
  }

  /** Begins; the end is said. Answers why not; empty when it has begun. `blocks`: of a write only. */
  begin(kind: DiskWork, blocks: number): string {
    const [media] = this.#media();
    if (media === undefined) return "no disk has come up yet: let time go on";
    if (this.#isBusy) return "the disk is at work: let time go on";
    if (this.#held !== media) {
      this.#held = media;
      media.connect({
        completed: (_slot, status) => this.#completed(media, status),
        detached: () => this.#left(media),
      });
    }
    if (kind === "read-back" && this.#written.length === 0) return "nothing was written yet: write first";
    const count = kind === "write" ? Math.min(blocks, media.geometry.blockCount) : this.#written.length;
    this.#buffer = new Uint8Array(blocksEach * media.geometry.blockBytes);
    if (kind === "write") this.#fill = (this.#fill % 250) + 1;
    this.#matching = 0;
    this.#failed = 0;
    this.#told = { kind, blocks: count };
    this.#queue = [];
    if (kind === "flush") this.#queue.push({ kind, block: 0, blocks: 0 });
    else
      for (let block = 0; block < count; block += blocksEach)
        this.#queue.push({ kind, block, blocks: Math.min(blocksEach, count - block) });
    this.#isBusy = true;
    this.#next(media);
    return "";
  }

  #next(media: IOMedia): void {
    const [work] = this.#queue;
    if (work === undefined) {
      this.#end();
      return;
    }
    if (work.kind === "write") this.#buffer.fill(this.#fill);
    const submitted =
      work.kind === "flush"
        ? media.flush(0)
        : work.kind === "write"
          ? media.write(0, work.block, work.blocks, this.#buffer, 0, false)
          : media.read(0, work.block, work.blocks, this.#buffer, 0);
    if (submitted !== BlockSubmit.accepted) this.#left(media);
  }

  #completed(media: IOMedia, status: BlockStatus): void {
    const work = this.#queue.shift();
    if (work === undefined || media !== this.#held) return;
    const { blockBytes } = media.geometry;
    for (let index = 0; index < work.blocks; index++) {
      const block = work.block + index;
      if (work.kind === "write" && status === BlockStatus.ok) this.#written[block] = this.#fill;
      else if (work.kind === "read-back" && status === BlockStatus.ok) {
        const bytes = this.#buffer.subarray(index * blockBytes, (index + 1) * blockBytes);
        if (bytes.every((byte) => byte === this.#written[block])) this.#matching++;
      }
    }
    if (status !== BlockStatus.ok) this.#failed++;
    this.#next(media);
  }

  #left(media: IOMedia): void {
    if (media !== this.#held || !this.#isBusy) return;
    this.#isBusy = false;
    this.#queue = [];
    this.#onSaid("The disk left before it was done.");
  }

  #end(): void {
    this.#isBusy = false;
    const told = this.#told;
    if (told === null) return;
    const failed = this.#failed === 0 ? "" : ` ${this.#failed} requests failed.`;
    if (told.kind === "write") this.#onSaid(`${told.blocks} blocks are written, not flushed.${failed}`);
    else if (told.kind === "flush") this.#onSaid(`The flush has ended.${failed}`);
    else this.#onSaid(`${this.#matching} of ${told.blocks} blocks hold what was written.${failed}`);
  }
}
