// One queue pair from the host's side: submission entries out, completion entries in, doorbells (NVM Express 1.4 §4.1).

import {
  completionEntryBytes,
  type NvmeCommand,
  type NvmeCompletion,
  phaseAt,
  readCompletion,
  submissionEntryBytes,
  writeCommand,
} from "../../codec/nvme/commands.ts";
import { completionDoorbell, submissionDoorbell } from "../../codec/nvme/registers.ts";
import type { DmaBuffer } from "../dma-buffer.ts";

export class NvmeRing {
  readonly id: number;
  readonly entries: number;
  readonly submissions: DmaBuffer;
  readonly completions: DmaBuffer;
  readonly submissionDoorbell: number;
  readonly completionDoorbell: number;
  #tail = 0;
  #head = 0;
  #phase = 1;
  /** Where the controller has read to, as its completions say. */
  #consumed = 0;
  #isTailDue = false;
  #isHeadDue = false;

  constructor(id: number, entries: number, stride: number, submissions: DmaBuffer, completions: DmaBuffer) {
    this.id = id;
    this.entries = entries;
    this.submissions = submissions;
    this.completions = completions;
    this.submissionDoorbell = submissionDoorbell(id, stride);
    this.completionDoorbell = completionDoorbell(id, stride);
  }

  /** As after creation: for a controller that was reset. */
  restart(): void {
    this.#tail = 0;
    this.#head = 0;
    this.#phase = 1;
    this.#consumed = 0;
    this.#isTailDue = false;
    this.#isHeadDue = false;
    this.submissions.bytes.fill(0);
    this.completions.bytes.fill(0);
  }

  get isFull(): boolean {
    return (this.#tail + 1) % this.entries === this.#consumed;
  }

  /** Puts a command in; the doorbell is rung by `tailToRing`. */
  push(command: NvmeCommand): void {
    writeCommand(this.submissions.bytes, this.#tail * submissionEntryBytes, command);
    this.#tail = this.#tail + 1 === this.entries ? 0 : this.#tail + 1;
    this.#isTailDue = true;
  }

  /** The tail to write, or -1 when the controller knows it. */
  tailToRing(): number {
    if (!this.#isTailDue) return -1;
    this.#isTailDue = false;
    return this.#tail;
  }

  /** The next completion, when the phase says that there is one. */
  pop(completion: NvmeCompletion): boolean {
    const at = this.#head * completionEntryBytes;
    const { bytes } = this.completions;
    if (phaseAt(bytes, at) !== this.#phase) return false;
    readCompletion(bytes, at, completion);
    this.#head++;
    if (this.#head === this.entries) {
      this.#head = 0;
      this.#phase ^= 1;
    }
    this.#isHeadDue = true;
    if (completion.submissionQueue === this.id && completion.submissionHead < this.entries)
      this.#consumed = completion.submissionHead;
    return true;
  }

  headToRing(): number {
    if (!this.#isHeadDue) return -1;
    this.#isHeadDue = false;
    return this.#head;
  }

  release(): void {
    this.submissions.release();
    this.completions.release();
  }
}
