// The controller as its commands see it: what admin, I/O and events work on, without the file of the device.

import type { TimerHandle } from "../../base/clock.ts";
import type { NvmeCommand } from "../../codec/nvme/commands.ts";
import type { PciUpstream } from "../../ports/pci-device.ts";
import type { MemoryDisk } from "../memory-disk/memory-disk-device.ts";
import type { PciFunctionDescription } from "../pci-function-model.ts";
import type { NvmeData } from "./nvme-data.ts";
import type { NvmeMischiefKind } from "./nvme-mischief.ts";
import type { NvmeQueues } from "./nvme-queues.ts";

/** A command that has been fetched and not completed. */
export interface NvmeInFlight {
  readonly command: NvmeCommand;
  queue: number;
  /** Of I/O commands, counted since power-on. */
  number: number;
  mischief: NvmeMischiefKind | null;
  timer: TimerHandle;
  /** In the controller's list. */
  place: number;
  readonly device: NvmeController;
}

export interface NvmeController {
  readonly description: PciFunctionDescription;
  readonly upstreamPort: PciUpstream | null;
  /** Entries that a queue may have at most. */
  readonly queueEntriesMaximum: number;
  readonly queues: NvmeQueues;
  readonly data: NvmeData;
  readonly disks: readonly MemoryDisk[];
  readonly options: {
    readonly liesAboutFlush?: boolean;
    readonly hasWriteCache?: boolean;
    readonly serialNumber?: string;
  };
  readonly unsafeShutdowns: number;
  readonly io: { readonly readCommands: number; readonly writeCommands: number };
  readonly admin: {
    readonly isCacheOn: boolean;
    logError(queue: number, commandId: number, status: number): void;
  };
  /** Tells a waiting asynchronous event request. */
  notify(type: number, information: number, logPage: number): void;
  flushInterrupts(): void;
  /** Takes a completion to its queue. */
  complete(entry: NvmeInFlight, status: number, result?: number, isFinal?: boolean): void;
  /** False: no such command is under way. */
  abort(queueId: number, commandId: number): boolean;
  dropQueue(queueId: number): void;
  /** The time of a command is over: it is carried out. */
  finish(entry: NvmeInFlight): void;
}
