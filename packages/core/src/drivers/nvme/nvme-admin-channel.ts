// The admin queue from the driver's side: one command at a time per caller, answered or given up.

import { NvmeAdmin, type NvmeCommand, newCommand, newCompletion } from "../../codec/nvme/commands.ts";
import type { Completion, Scheduler } from "../../runtime/scheduler.ts";
import type { NvmeRing } from "./nvme-ring.ts";

export interface AdminResult {
  readonly status: number;
  readonly result: number;
}

/** Status of a command that never came back. */
export const noAnswer = 0xffff;
/** Event requests under way. */
const eventRequests = 1;
/** Identifier 0 belongs to event requests. */
const identifiers = 0xfff0;

interface Wait {
  readonly completion: Completion<AdminResult>;
  readonly timer: number;
}

export class NvmeAdminChannel {
  readonly ring: NvmeRing;
  /** Completions of commands that nobody waits for. */
  strays = 0;
  readonly #scheduler: Scheduler;
  readonly #timeoutNs: number;
  readonly #ringDoorbell: (ring: NvmeRing) => void;
  readonly #waits = new Map<number, Wait>();
  readonly #command = newCommand();
  readonly #completion = newCompletion();
  #nextId = 0;

  constructor(
    ring: NvmeRing,
    scheduler: Scheduler,
    timeoutNs: number,
    ringDoorbell: (ring: NvmeRing) => void,
  ) {
    this.ring = ring;
    this.#scheduler = scheduler;
    this.#timeoutNs = timeoutNs;
    this.#ringDoorbell = ringDoorbell;
  }

  /** The one command record, emptied; fill it and `send` it before anything else is awaited. */
  prepare(opcode: number, namespaceId = 0): NvmeCommand {
    const command = this.#command;
    Object.assign(command, newCommand());
    command.opcode = opcode;
    command.namespaceId = namespaceId;
    return command;
  }

  /** Sends what was prepared; `noAnswer` after the timeout, at once when the queue is full, or when all was given up. */
  send(): Promise<AdminResult> {
    if (this.ring.isFull) return Promise.resolve({ status: noAnswer, result: 0 });
    this.#nextId = (this.#nextId % identifiers) + 1;
    const commandId = this.#nextId;
    this.#command.commandId = commandId;
    this.ring.push(this.#command);
    return this.#scheduler.block<AdminResult>("an admin command", (completion) => {
      const timer = this.#scheduler.after(
        this.#timeoutNs,
        () => this.#end(commandId, noAnswer, 0),
        undefined,
      );
      this.#waits.set(commandId, { completion, timer });
      this.#ringDoorbell(this.ring);
    });
  }

  /** Asks to be told of events (NVM Express 1.4 §5.2). */
  requestEvents(): void {
    for (let count = 0; count < eventRequests; count++) {
      this.prepare(NvmeAdmin.asynchronousEventRequest);
      this.ring.push(this.#command);
    }
    this.#ringDoorbell(this.ring);
  }

  /** Takes what the controller has completed. */
  drain(onEvent: (status: number, result: number) => void): void {
    const completion = this.#completion;
    let budget = this.ring.entries;
    while (budget-- > 0 && this.ring.pop(completion)) {
      const { commandId, status, result } = completion;
      if (commandId === 0) onEvent(status, result);
      else this.#end(commandId, status, result);
    }
  }

  /** Nobody will be answered any more: the controller is reset or gone. */
  giveUp(): void {
    for (const commandId of [...this.#waits.keys()]) this.#end(commandId, noAnswer, 0);
  }

  #end(commandId: number, status: number, result: number): void {
    const wait = this.#waits.get(commandId);
    if (wait === undefined) {
      // An abort that was given up may still answer; anything else is the controller's mistake.
      this.strays++;
      return;
    }
    this.#waits.delete(commandId);
    this.#scheduler.cancel(wait.timer);
    wait.completion.succeed({ status, result });
  }
}
