// The port of jobs: sent once, taken by whoever can, tried three times, answered once.

import { createHash } from "node:crypto";

export interface NewJob {
  /** A UUID. The same one sent again is the same job. */
  readonly id: string;
  readonly data: object;
}

/** A job in somebody's hands. It is theirs while they {@link JobQueue.beat}. */
export interface TakenJob {
  readonly queue: string;
  readonly id: string;
  readonly data: unknown;
  /** From 1. */
  readonly attempt: number;
}

/** How a job came to its end: answered, or nobody could do it. */
export interface EndedJob {
  readonly id: string;
  /** Null: it was tried {@link attemptsMost} times, and nobody answered. */
  readonly answer: string | null;
  /** What the last attempt that told something said; empty when each just fell silent. */
  readonly why: string;
}

/** A job that three workers did not survive, or that failed three times, is not tried again. */
export const attemptsMost = 3;

/**
 * A queue that outlives its users. Everything that resolves is kept across the end of any process; what rejects with
 * StoreTrouble may be asked again: sending, answering and noting the same twice is doing it once.
 */
export interface JobQueue {
  /** How people are told of it: without a password. */
  readonly name: string;
  /** Makes the queue where there is none. */
  send(queue: string, jobs: readonly NewJob[]): Promise<void>;
  /** One that waits, of the first of these queues that has any; those whose holder fell silent count as waiting. */
  take(queues: readonly string[]): Promise<TakenJob | null>;
  /** Says that its holder lives. False: it is somebody else's by now, or answered. Ask at least every {@link beatMs}. */
  beat(job: TakenJob): Promise<boolean>;
  /** True: this answer is the one that is kept. False: there was one. Whoever held the job last may answer. */
  finish(job: TakenJob, answer: string): Promise<boolean>;
  /** It did not go: somebody else may try, until the third. */
  fail(job: TakenJob, why: string): Promise<void>;
  /** Everything of this queue that has ended, in the order of the ids asked for. */
  ended(queue: string, ids: readonly string[]): Promise<readonly EndedJob[]>;
  endedCount(queue: string): Promise<number>;
  /** Jobs of the queue leave, and so do their answers. */
  drop(queue: string): Promise<void>;
  /**
   * Keeps a text under a key where the one that is there is `before` (null: none). False: it is another; nothing was changed.
   */
  note(key: string, before: string | null, text: string | null): Promise<boolean>;
  /** Keys that begin with this, sorted, each with its text. */
  notes(prefix: string): Promise<readonly { readonly key: string; readonly text: string }[]>;
  close(): Promise<void>;
}

/** How long a holder may be silent before its job is somebody else's, milliseconds; and how often it should speak. */
export const silenceMs = 10_000;
export const beatMs = 2_500;

/** The same job, whoever sends it: UUID version 8 (RFC 9562, 5.8) from what it is called. */
export function jobIdOf(name: string): string {
  const digest = createHash("sha256").update(name).digest("hex");
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

/** Rows of ended jobs as they were asked for. */
export function inOrder(
  rows: readonly Readonly<Record<string, unknown>>[],
  ids: readonly string[],
): EndedJob[] {
  const byId = new Map(rows.map((row) => [String(row.id), row]));
  return ids.flatMap((id) => {
    const row = byId.get(id);
    if (row === undefined) return [];
    return [{ id, answer: row.answer === null ? null : String(row.answer), why: String(row.why ?? "") }];
  });
}
