// The queue pairs of an NVMe controller: rings in host memory, doorbells, phase, and the completions that leave.

import {
  completionEntryBytes,
  type NvmeCompletion,
  submissionEntryBytes,
  writeCompletion,
} from "../../codec/nvme/commands.ts";
import type { PciUpstream } from "../../ports/pci-device.ts";

export interface SubmissionQueue {
  readonly id: number;
  readonly base: number;
  readonly entries: number;
  readonly completionQueue: number;
  head: number;
  tail: number;
}

export interface CompletionQueue {
  readonly id: number;
  readonly base: number;
  readonly entries: number;
  readonly vector: number;
  readonly hasInterrupt: boolean;
  /** The host's, from the doorbell. */
  head: number;
  tail: number;
  phase: number;
  /** Commands under way whose completions will come here. */
  expected: number;
  /** Entries were added since the last interrupt. */
  isDue: boolean;
}

/** Why a doorbell was wrong: information of the asynchronous event (NVM Express 1.4 §5.2, figure 147). */
export const doorbellOfNobody = 0;
export const doorbellValueWrong = 1;

/** Rings by id; slot 0 is the admin pair. */
export class NvmeQueues {
  readonly submission: (SubmissionQueue | null)[] = [];
  readonly completion: (CompletionQueue | null)[] = [];
  readonly #scratch = new Uint8Array(submissionEntryBytes);

  clear(): void {
    this.submission.length = 0;
    this.completion.length = 0;
  }

  addSubmission(id: number, base: number, entries: number, completionQueue: number): void {
    while (this.submission.length <= id) this.submission.push(null);
    this.submission[id] = { id, base, entries, completionQueue, head: 0, tail: 0 };
  }

  addCompletion(id: number, base: number, entries: number, vector: number, hasInterrupt: boolean): void {
    while (this.completion.length <= id) this.completion.push(null);
    this.completion[id] = {
      id,
      base,
      entries,
      vector,
      hasInterrupt,
      head: 0,
      tail: 0,
      phase: 1,
      expected: 0,
      isDue: false,
    };
  }

  /** A doorbell was written. Null: fine; else what was wrong with it. */
  ring(index: number, value: number): number | null {
    const id = index >>> 1;
    const queue = (index & 1) === 0 ? this.submission[id] : this.completion[id];
    if (queue === undefined || queue === null) return doorbellOfNobody;
    const at = value & 0xffff;
    if (at >= queue.entries) return doorbellValueWrong;
    if ((index & 1) === 0) queue.tail = at;
    else {
      const completion = queue as CompletionQueue;
      // Only what is there can be consumed.
      const held = (completion.tail - completion.head + completion.entries) % completion.entries;
      const moved = (at - completion.head + completion.entries) % completion.entries;
      if (moved > held) return doorbellValueWrong;
      completion.head = at;
    }
    return null;
  }

  /** Fetches the next entry. Null: the memory could not be read. The bytes are good until the next call. */
  fetch(upstream: PciUpstream, queue: SubmissionQueue): Uint8Array | null {
    const at = queue.base + queue.head * submissionEntryBytes;
    if (!upstream.read(at, this.#scratch, 0, submissionEntryBytes)) return null;
    queue.head = queue.head + 1 === queue.entries ? 0 : queue.head + 1;
    return this.#scratch;
  }

  /** Room for another entry. A completion queue never overflows: the controller waits instead (§4.1). */
  hasRoom(queue: CompletionQueue): boolean {
    const held = (queue.tail - queue.head + queue.entries) % queue.entries;
    return held + queue.expected < queue.entries - 1;
  }

  /** A command of submission queue `id` begins, or its completion has been posted. */
  expect(id: number, change: 1 | -1): void {
    const submission = this.submission[id];
    const queue = submission == null ? null : this.completion[submission.completionQueue];
    if (queue != null) queue.expected += change;
  }

  post(upstream: PciUpstream, queue: CompletionQueue, completion: NvmeCompletion): void {
    writeCompletion(this.#scratch, 0, completion);
    upstream.write(queue.base + queue.tail * completionEntryBytes, this.#scratch, 0, completionEntryBytes);
    queue.tail++;
    if (queue.tail === queue.entries) {
      queue.tail = 0;
      queue.phase ^= 1;
    }
    queue.isDue = true;
  }
}
