// IOSCSIProtocolServices: what the kernel's SCSI stack asks of a transport driver.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { IOService, type ServiceContext } from "../../runtime/service.ts";
import { DeviceMemory } from "./device-memory.ts";
import {
  kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE,
  SCSITask,
  type ScsiTaskClient,
} from "./scsi-task.ts";

/** How a transport's units are published (posts.md P09): one nub per unit, or a target with units below it. */
export type UnitNaming = "IOSCSILogicalUnitNub" | "IOSCSIHierarchicalLogicalUnit";

/**
 * A transport driver subclasses it and registers itself when its pipes are open; the SCSI family then looks for logical
 * units and publishes them. Modelled on the kernel class of that name (public ancestor: likely for today's).
 */
export abstract class IOSCSIProtocolServices extends IOService {
  /** Who waits for blocking commands: nobody but `perform`. */
  readonly #blocked: BlockedTask;
  /** What is known of the device from before its last reset. A transport that resets devices looks it up at start. */
  memory = new DeviceMemory();

  constructor(context: ServiceContext) {
    super(context);
    this.#blocked = new BlockedTask();
  }

  /** Class of the nubs. */
  abstract get unitNaming(): UnitNaming;

  /**
   * "Physical Interconnect" of the units' Protocol Characteristics: what disk tools show as the protocol. It selects
   * nothing on the way of a command (posts.md T9).
   */
  get physicalInterconnect(): string {
    return "USB";
  }

  /** Highest logical unit number worth asking for without REPORT LUNS. */
  abstract get maximumLun(): number;

  /** Most data bytes in one command. */
  abstract get maximumTransferBytes(): number;

  /**
   * Takes a command. kIOReturnSuccess: `task.client.taskCompleted` follows exactly once, later. kIOReturnNoDevice: the
   * device is gone, and nothing follows. Commands beyond what the transport does at once wait inside it. A device that
   * was given up (DeviceMemory.mayReset) fails each at once, as not delivered.
   */
  abstract sendCommand(task: SCSITask): IOReturn;

  /** ABORT TASK where the transport has it; the task completes with a delivery failure. Ignored when it is over. */
  abstract abortCommand(task: SCSITask): void;

  /** Resets the device as far as the transport can. Rejects with an IOError when it could not. */
  abstract resetDevice(): Promise<void>;

  /** A task for `perform`, with buffers of its own. */
  newTask(): SCSITask {
    return new SCSITask(this.#blocked, 0);
  }

  /** Sends a task of `newTask` and blocks the calling thread until it is over. Its fields hold the result. */
  async perform(task: SCSITask, what: string): Promise<void> {
    const { scheduler } = this.kernel;
    await scheduler.block<void>(`${what} of ${this.logName}`, (completion) => {
      const status = this.sendCommand(task);
      if (status === IOReturns.kIOReturnSuccess) {
        this.#blocked.wait(task, () => completion.succeed(undefined));
        return;
      }
      task.serviceResponse = kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
      completion.succeed(undefined);
    });
  }
}

/** Wakes the thread of each blocking command. */
class BlockedTask implements ScsiTaskClient {
  readonly #waiting = new Map<SCSITask, () => void>();

  wait(task: SCSITask, wake: () => void): void {
    this.#waiting.set(task, wake);
  }

  taskCompleted(task: SCSITask): void {
    const wake = this.#waiting.get(task);
    this.#waiting.delete(task);
    wake?.();
  }
}
