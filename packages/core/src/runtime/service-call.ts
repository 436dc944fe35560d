// A message from the kernel to a service: runs on the service's queue, answered even if its process dies.

import { type IOReturn, IOReturns } from "../base/io-return.ts";
import { IOError } from "./io-error.ts";
import type { PendingCall } from "./process.ts";
import type { Completion, Scheduler } from "./scheduler.ts";
import type { IOService } from "./service.ts";

/** Result of a call into a dext: its kern_return_t, and the value when it succeeded. */
export interface CallResult<T> {
  readonly status: IOReturn;
  readonly value: T | null;
  /** What the dext itself said of a refusal; no real system is told it. Empty when it said nothing, or succeeded. */
  readonly why: string;
}

/**
 * Runs `body` on the queue of `methodName` and blocks the calling (kernel) thread until it has returned. A rejected
 * IOError becomes the status. Any other error is a fault of the process. MIG_SERVER_DIED when the process dies first;
 * kIOReturnNotReady when the service has stopped (driverkit-core.md §1.2).
 */
export function callService<T>(
  scheduler: Scheduler,
  service: IOService,
  methodName: string,
  delayNs: number,
  body: () => Promise<T>,
): Promise<CallResult<T>> {
  const { process } = service;
  const queue = service.queueForMethod(methodName);
  return scheduler.block<CallResult<T>>(
    `${methodName} of ${service.logName}`,
    (completion: Completion<CallResult<T>>) => {
      const answer = (status: IOReturn, value: T | null, why = "") => {
        if (process.pendingCalls.delete(pending)) completion.succeed({ status, value, why });
      };
      const pending: PendingCall = {
        serverDied: (code) =>
          completion.succeed({ status: code, value: null, why: `${process.name} died during the call` }),
      };
      process.pendingCalls.add(pending);
      const send = () => {
        if (!process.isAlive) return;
        if (service.isStopped) return answer(IOReturns.kIOReturnNotReady, null);
        scheduler.beginsWait(completion.thread);
        queue.dispatchAsync(async () => {
          scheduler.current?.stack.push(`${service.className}::${methodName}_Impl`);
          try {
            answer(IOReturns.kIOReturnSuccess, await body());
          } catch (error) {
            if (!(error instanceof IOError)) throw error;
            answer(error.code, null, describeRefusal(error));
          }
        });
      };
      if (process.isAlive) scheduler.after(delayNs, send, undefined);
      else scheduler.ready(() => answer(IOReturns.MIG_SERVER_DIED, null), undefined);
    },
    () => queue.owner,
  );
}

/** Sends a message that nobody waits for (Stop_async). Errors that are not IOErrors are faults of the process. */
export function sendToService(
  scheduler: Scheduler,
  service: IOService,
  methodName: string,
  delayNs: number,
  body: () => Promise<void>,
): void {
  scheduler.after(
    delayNs,
    () => {
      if (!service.process.isAlive) return;
      service.queueForMethod(methodName).dispatchAsync(async () => {
        scheduler.current?.stack.push(`${service.className}::${methodName}_Impl`);
        try {
          await body();
        } catch (error) {
          if (!(error instanceof IOError)) throw error;
        }
      });
    },
    undefined,
  );
}

/** "deviceRequest: no thermometer in this interface": the failed call where it is another's, and the driver's words. */
function describeRefusal({ call, detail }: IOError): string {
  return detail === "" ? call : `${call}: ${detail}`;
}
