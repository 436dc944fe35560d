// The two usual ends of a USB transfer: a callback action, and a call that blocks its thread.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import type { OSAction } from "../../runtime/action.ts";
import { IOError } from "../../runtime/io-error.ts";
import type { Completion, Scheduler } from "../../runtime/scheduler.ts";
import type { IOService } from "../../runtime/service.ts";
import type { UsbReceiver } from "./usb-requests.ts";

/** Delivers to actions: the tag is an index into a table of those under way. One per pipe or device. */
export class ActionReceiver implements UsbReceiver {
  readonly #scheduler: Scheduler;
  readonly #actions: (OSAction | null)[] = [];
  readonly #free: number[] = [];

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  claim(action: OSAction): number {
    const tag = this.#free.pop() ?? this.#actions.length;
    this.#actions[tag] = action;
    return tag;
  }

  /** The submission was refused after all. */
  forget(tag: number): void {
    this.#actions[tag] = null;
    this.#free.push(tag);
  }

  usbCompleted(tag: number, status: IOReturn, actualBytes: number): void {
    const action = this.#actions[tag] as OSAction;
    this.forget(tag);
    action.invoke(status, actualBytes, this.#scheduler.nowNs());
  }
}

/** One blocked call. Resolves with the byte count, or rejects with an IOError of `object`. */
class BlockedCall implements UsbReceiver {
  readonly #completion: Completion<number>;
  readonly #object: IOService;
  readonly #call: string;

  constructor(completion: Completion<number>, object: IOService, call: string) {
    this.#completion = completion;
    this.#object = object;
    this.#call = call;
  }

  usbCompleted(_tag: number, status: IOReturn, actualBytes: number): void {
    if (status === IOReturns.kIOReturnSuccess) this.#completion.succeed(actualBytes);
    else {
      const { path, nowNs } = this.#object;
      const detail = `${actualBytes} bytes transferred`;
      this.#completion.fail(new IOError(status, this.#call, path, nowNs, detail));
    }
  }
}

/**
 * Runs `submit` with a receiver and blocks the calling thread until the transfer is over. A refusal rejects at once.
 */
export function blockOnUsb(
  scheduler: Scheduler,
  object: IOService,
  call: string,
  submit: (receiver: UsbReceiver) => IOReturn,
): Promise<number> {
  return scheduler.block<number>(call, (completion) => {
    const status = submit(new BlockedCall(completion, object, call));
    if (status !== IOReturns.kIOReturnSuccess) completion.fail(object.failure(status, call));
  });
}
