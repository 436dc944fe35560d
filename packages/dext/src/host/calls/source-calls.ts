// Sources that carry more than a moment: data queues, and services that come and go.

import { IOReturns } from "@drydock/core/base/io-return";
import { isDictionary, type Properties } from "@drydock/core/platform/properties";
import type { OSAction } from "@drydock/core/runtime/action";
import {
  type DataQueueEntry,
  dataQueueEntryHeaderBytes,
  IODataQueueDispatchSource,
} from "@drydock/core/runtime/data-queue";
import { IOServiceNotificationDispatchSource } from "@drydock/core/runtime/service-notification";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import { DextTrap } from "../trouble.ts";
import { callsOf, plain, status, statusWaiting } from "./host-call.ts";
import { queue, setHandler, sourceFreed } from "./queue-calls.ts";

function dataQueue(cxx: CxxProcess, self: number): IODataQueueDispatchSource {
  const host = cxx.hostAs(self, IODataQueueDispatchSource);
  if (host === null)
    throw new DextTrap("a call on an IODataQueueDispatchSource that the system did not make", cxx.here());
  return host;
}

/** Runs a block of the dext's with an entry's place and size, which it must be through with when it comes back. */
async function withEntry(
  cxx: CxxProcess,
  host: IODataQueueDispatchSource,
  block: number,
  { length, offset }: DataQueueEntry,
): Promise<void> {
  const kept = cxx.keepBlock(block);
  if (kept === null) return;
  try {
    await kept.run(host.memory.bytes.byteOffset + offset, length);
  } finally {
    kept.release();
  }
}

/** A status, and whether the other side must be told. */
type Turn = { readonly status: number; readonly mustTell: boolean };

async function enqueue(cxx: CxxProcess, self: number, length: number, block: number): Promise<Turn> {
  const host = dataQueue(cxx, self);
  const entry = host.room(length >>> 0);
  if (typeof entry === "number") {
    if (entry === IOReturns.kIOReturnOverrun) host.noteOverrun();
    return { status: entry, mustTell: false };
  }
  await withEntry(cxx, host, block, entry);
  return { status: 0, mustTell: host.put(entry) };
}

async function dequeue(cxx: CxxProcess, self: number, block: number): Promise<Turn> {
  const host = dataQueue(cxx, self);
  const entry = host.oldest();
  if (typeof entry === "number") return { status: entry, mustTell: false };
  await withEntry(cxx, host, block, entry);
  return { status: 0, mustTell: host.take(entry) };
}

/** What a coalescing call asks the driver to do itself; it never takes a word back. */
function addWish(cxx: CxxProcess, at: number, mustTell: boolean): void {
  if (at !== 0 && mustTell) cxx.memory.setU8(at, 1);
}

/** A handler's action, +1. */
function copyHandler(cxx: CxxProcess, action: OSAction | null, at: number): number | undefined {
  if (action === null) return IOReturns.kIOReturnNotFound;
  cxx.memory.setU32(at, cxx.handOut(action, "OSAction"));
  return undefined;
}

const canEnqueue = status((cxx, self: number, length: number, count = 1) =>
  dataQueue(cxx, self).canEnqueue(length >>> 0, count >>> 0),
);

export const richSourceCalls: HostCalls = {
  ...callsOf("IODataQueueDispatchSource", {
    Create: status((cxx, byteCount: bigint, onQueue: number, made: number) => {
      const created = IODataQueueDispatchSource.create(Number(byteCount), queue(cxx, onQueue), cxx.ownSpace);
      const { value: host } = created;
      if (host === null) return created.status;
      const freed = sourceFreed(cxx, host);
      cxx.memory.setU32(
        made,
        cxx.handOut(host, "IODataQueueDispatchSource", () => {
          freed();
          host.memory.release();
        }),
      );
      return undefined;
    }, IOReturns.kIOReturnNoMemory),
    SetDataAvailableHandler: status((cxx, self: number, action: number) =>
      setHandler(
        cxx,
        self,
        action,
        (given) => dataQueue(cxx, self).setDataAvailableHandler(given),
        "available",
      ),
    ),
    SetDataServicedHandler: status((cxx, self: number, action: number) =>
      setHandler(
        cxx,
        self,
        action,
        (given) => dataQueue(cxx, self).setDataServicedHandler(given),
        "serviced",
      ),
    ),
    CopyDataAvailableHandler: status((cxx, self: number, at: number) =>
      copyHandler(cxx, dataQueue(cxx, self).dataAvailableHandler, at),
    ),
    CopyDataServicedHandler: status((cxx, self: number, at: number) =>
      copyHandler(cxx, dataQueue(cxx, self).dataServicedHandler, at),
    ),
    CopyMemory: status((cxx, self: number, at: number) => {
      const { memory } = dataQueue(cxx, self);
      // It lives as long as the queue, or as whoever was handed it.
      cxx.retain(self);
      cxx.memory.setU32(
        at,
        cxx.handOut(memory, "IOBufferMemoryDescriptor", () => cxx.release(self)),
      );
      return undefined;
    }),
    Enqueue: statusWaiting(async (cxx, self: number, length: number, block: number) => {
      const turn = await enqueue(cxx, self, length, block);
      if (turn.mustTell) dataQueue(cxx, self).sendDataAvailable();
      return turn.status;
    }, IOReturns.kIOReturnOverrun),
    EnqueueWithCoalesce: statusWaiting(
      async (cxx, self: number, length: number, wish: number, block: number) => {
        const turn = await enqueue(cxx, self, length, block);
        addWish(cxx, wish, turn.mustTell);
        return turn.status;
      },
      IOReturns.kIOReturnOverrun,
    ),
    Dequeue: statusWaiting(async (cxx, self: number, block: number) => {
      const turn = await dequeue(cxx, self, block);
      if (turn.mustTell) dataQueue(cxx, self).sendDataServiced();
      return turn.status;
    }, IOReturns.kIOReturnUnderrun),
    DequeueWithCoalesce: statusWaiting(async (cxx, self: number, wish: number, block: number) => {
      const turn = await dequeue(cxx, self, block);
      addWish(cxx, wish, turn.mustTell);
      return turn.status;
    }, IOReturns.kIOReturnUnderrun),
    Peek: statusWaiting(async (cxx, self: number, block: number) => {
      const host = dataQueue(cxx, self);
      const entry = host.oldest();
      if (typeof entry === "number") return entry;
      await withEntry(cxx, host, block, entry);
      return undefined;
    }, IOReturns.kIOReturnUnderrun),
    CanEnqueueData: canEnqueue,
    "CanEnqueueData.2": canEnqueue,
    IsDataAvailable: plain((cxx, self: number) => Number(dataQueue(cxx, self).isDataAvailable)),
    SendDataAvailable: plain((cxx, self: number) => void dataQueue(cxx, self).sendDataAvailable()),
    SendDataServiced: plain((cxx, self: number) => void dataQueue(cxx, self).sendDataServiced()),
    GetDataQueueEntryHeaderSize: plain(() => dataQueueEntryHeaderBytes),
  }),
  ...callsOf("IOServiceNotificationDispatchSource", {
    Create: status((cxx, table: number, options: bigint, onQueue: number, made: number) => {
      const matching = cxx.objectToValue(table);
      if (options !== 0n || !isDictionary(matching ?? undefined)) return IOReturns.kIOReturnBadArgument;
      const host = new IOServiceNotificationDispatchSource(
        cxx.kernel,
        matching as Properties,
        queue(cxx, onQueue),
      );
      cxx.memory.setU32(
        made,
        cxx.handOut(host, "IOServiceNotificationDispatchSource", sourceFreed(cxx, host)),
      );
      return undefined;
    }, IOReturns.kIOReturnNoMemory),
    SetHandler: status((cxx, self: number, action: number) => setHandler(cxx, self, action)),
    DeliverNotifications: statusWaiting(async (cxx, self: number, block: number) => {
      const host = cxx.hostAs(self, IOServiceNotificationDispatchSource);
      const kept = cxx.keepBlock(block);
      if (host === null || kept === null) return IOReturns.kIOReturnBadArgument;
      try {
        for (const { service, type } of host.deliver()) {
          const address = cxx.addressOf(service);
          cxx.retain(address);
          await kept.run(BigInt(type), address, 0n);
          cxx.release(address);
        }
      } finally {
        kept.release();
      }
      return undefined;
    }),
  }),
};
