// OSAction: a typed callback that the kernel completes and a dispatch queue delivers.

import { ContractViolation } from "../base/errors.ts";
import type { IODispatchQueue, QueuedCall } from "./dispatch-queue.ts";
import type { Process } from "./process.ts";

/** Who receives callbacks: a service of a dext. */
export interface ActionTarget {
  readonly process: Process;
  readonly className: string;
  /** The queue for one of the target's methods: its QUEUENAME's queue, else the default queue. */
  queueForMethod(methodName: string): IODispatchQueue;
  retain(): void;
  release(): void;
}

/** Up to three numbers arrive with a callback: for CompleteAsyncIO status, byte count, time (nanoseconds). */
export type ActionHandler = (action: OSAction, a: number, b: number, c: number) => void | Promise<void>;

/**
 * Made by `service.createAction(method, handler)`, the counterpart of the generated CreateAction<Method>. The target
 * is retained until `cancel` has finished: an action kept in ivars and never cancelled keeps the driver alive.
 *
 * An action made with plain `OSAction.create` has no type; its callbacks are dropped by the dispatch code. Real
 * systems do that silently; here the drop is noted through `onDropped` (driverkit-core.md §6).
 */
export class OSAction implements QueuedCall {
  readonly target: ActionTarget;
  readonly methodName: string;
  /** `OSAction_<Class>_<Method>`, or plain `OSAction`. */
  readonly typeName: string;
  readonly symbol: string;
  /** The reference block: whatever context the creator wants to find again (GetReference). */
  reference: unknown = null;
  readonly #handler: ActionHandler;
  readonly #onDropped: (text: string) => void;
  readonly #queue: IODispatchQueue;
  #inFlight = 0;
  #cancelled = false;
  #cancelHandler: (() => void) | null = null;
  #aborted = false;
  #abortedHandler: (() => void) | null = null;

  private constructor(
    target: ActionTarget,
    methodName: string,
    handler: ActionHandler,
    typed: boolean,
    onDropped: (text: string) => void,
  ) {
    this.target = target;
    this.methodName = methodName;
    this.typeName = typed ? `OSAction_${target.className}_${methodName}` : "OSAction";
    this.symbol = `${target.className}::${methodName}_Impl`;
    this.#handler = handler;
    this.#onDropped = onDropped;
    this.#queue = target.queueForMethod(methodName);
    target.retain();
  }

  /** Used by IOService.createAction. */
  static createTyped(
    target: ActionTarget,
    methodName: string,
    handler: ActionHandler,
    onDropped: (text: string) => void,
  ): OSAction {
    return new OSAction(target, methodName, handler, true, onDropped);
  }

  /** The untyped form, kept so that the mistake can be made: callbacks never arrive. */
  static create(
    target: ActionTarget,
    methodName: string,
    handler: ActionHandler,
    onDropped: (text: string) => void,
  ): OSAction {
    return new OSAction(target, methodName, handler, false, onDropped);
  }

  get isCancelled(): boolean {
    return this.#cancelled;
  }

  /** Called by kernel objects: delivers the callback on the queue of the target's method, in order. Never inline. */
  invoke(a: number, b: number, c: number): void {
    if (this.#cancelled) return;
    if (this.typeName === "OSAction") {
      this.#onDropped(
        `callback for ${this.symbol} dropped: the action was made with OSAction::Create, so its type is OSAction ` +
          `and not OSAction_${this.target.className}_${this.methodName}`,
      );
      return;
    }
    this.#inFlight++;
    this.#queue.enqueueCall(this, a, b, c);
  }

  /** For interrupt sources, which are already on the queue: delivers now, in the caller's context. */
  runInline(a: number, b: number, c: number): void | Promise<void> {
    if (this.#cancelled) return;
    this.#inFlight++;
    return this.run(a, b, c);
  }

  /** Called by the queue. */
  run(a: number, b: number, c: number): void | Promise<void> {
    if (this.#cancelled) {
      this.#delivered();
      return;
    }
    const result = this.#handler(this, a, b, c);
    if (result instanceof Promise) return result.then(this.#delivered);
    this.#delivered();
  }

  /**
   * No more callbacks; `handler` runs on the target's default queue after those in progress. Only then may the action
   * be released. A second cancel is the assertion that forums report from uioserver.cpp.
   */
  cancel(handler: () => void): void {
    if (this.#cancelled) {
      throw new ContractViolation("action-cancelled-twice", `${this.typeName} of ${this.target.className}`);
    }
    this.#cancelled = true;
    this.#cancelHandler = handler;
    if (this.#inFlight === 0) this.#queue.dispatchAsync(this.#finishCancel);
  }

  /** Runs `handler` when no other process references the action any more. */
  setAbortedHandler(handler: () => void): void {
    this.#abortedHandler = handler;
    if (this.#aborted) this.#queue.dispatchAsync(handler);
  }

  /** The kernel's side: nobody will invoke this action again. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    if (this.#abortedHandler !== null && this.target.process.isAlive) {
      this.#queue.dispatchAsync(this.#abortedHandler);
    }
  }

  readonly #delivered = (): void => {
    this.#inFlight--;
    if (this.#inFlight === 0 && this.#cancelHandler !== null) this.#queue.dispatchAsync(this.#finishCancel);
  };

  readonly #finishCancel = (): void => {
    const handler = this.#cancelHandler;
    if (handler === null) return;
    this.#cancelHandler = null;
    this.target.release();
    handler();
  };
}
