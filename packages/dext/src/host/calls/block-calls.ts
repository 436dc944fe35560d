// BlockStorageDeviceDriverKit: what the kernel asks a disk's dext, its requests, and their completions.

import { type IOReturn, IOReturns } from "@drydock/core/base/io-return";
import type { BlockRange, DeviceParams } from "@drydock/core/families/block/io-user-block-storage-device";
import type { IOService } from "@drydock/core/runtime/service";
import { DextBlockDevice } from "../block-base.ts";
import type { CxxMethod } from "../class-records.ts";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import type { Hook } from "../hook.ts";
import { DextTrap } from "../trouble.ts";
import { callsOf, plain } from "./host-call.ts";

const className = "IOUserBlockStorageDevice";

/** Where the members of DeviceParams lie on wasm32, in bytes (driverkit-families.md §7). */
export const paramPlaces = {
  numOfBlocks: 0,
  blockSize: 8,
  maxIOSize: 12,
  numOfOutstandingIOs: 16,
  maxNumOfUnmapRegions: 20,
  minSegmentAlignment: 24,
  numOfAddressBits: 28,
  isUnmapSupported: 29,
  isFUASupported: 30,
} as const;
export const paramBytes = 32;
const stringBytes = 256;
const rangeBytes = 16;

function device(cxx: CxxProcess, self: number): DextBlockDevice {
  const host = cxx.hostAs(self, DextBlockDevice);
  if (host === null) throw new DextTrap(`a call on an ${className} that is none`, cxx.here());
  return host;
}

/** A question with room for its answer. */
const asked = <T>(
  name: string,
  method: string,
  bytes: number,
  read: (cxx: CxxProcess, at: number) => T,
): Hook => ({
  cxx: `${className}.${name}`,
  method,
  run: async (cxx, found, service): Promise<T> => {
    const at = cxx.place(new Uint8Array(bytes));
    try {
      await cxx.runStatus(service, found.thunk, name, cxx.addressOf(service), at);
      return read(cxx, at);
    } finally {
      cxx.unplace(at);
    }
  },
});

const text = (cxx: CxxProcess, at: number): string => cxx.memory.text(at, stringBytes);

function params({ memory }: CxxProcess, at: number): DeviceParams {
  return {
    numOfBlocks: Number(memory.u64(at + paramPlaces.numOfBlocks)),
    blockSize: memory.u32(at + paramPlaces.blockSize),
    maxIOSize: memory.u32(at + paramPlaces.maxIOSize),
    numOfOutstandingIOs: memory.u32(at + paramPlaces.numOfOutstandingIOs),
    maxNumOfUnmapRegions: memory.u32(at + paramPlaces.maxNumOfUnmapRegions),
    minSegmentAlignment: memory.u32(at + paramPlaces.minSegmentAlignment),
    numOfAddressBits: memory.u8(at + paramPlaces.numOfAddressBits),
    isUnmapSupported: memory.u8(at + paramPlaces.isUnmapSupported) !== 0,
    isFUASupported: memory.u8(at + paramPlaces.isFUASupported) !== 0,
  };
}

async function accepted(
  cxx: CxxProcess,
  method: CxxMethod,
  service: IOService,
  ...values: readonly (number | bigint)[]
): Promise<IOReturn> {
  return (Number(await cxx.run(method.thunk, cxx.addressOf(service), ...values)) >>> 0) as IOReturn;
}

export const blockHooks: readonly Hook[] = [
  asked("GetDeviceParams", "askParams", paramBytes, params),
  asked("GetVendorString", "askVendor", stringBytes, text),
  asked("GetProductString", "askProduct", stringBytes, text),
  asked("GetRevisionString", "askRevision", stringBytes, text),
  asked("ReportWriteProtection", "askWriteProtection", 8, (cxx, at) => cxx.memory.u8(at) !== 0),
  {
    cxx: `${className}.DoAsyncReadWrite`,
    method: "doAsyncReadWrite",
    run: (
      cxx,
      method,
      service,
      isRead: boolean,
      requestId: number,
      dmaAddr: number,
      size: number,
      lba: number,
      blocks: number,
      options: number,
    ) =>
      accepted(
        cxx,
        method,
        service,
        Number(isRead),
        requestId,
        BigInt(dmaAddr),
        BigInt(size),
        BigInt(lba),
        BigInt(blocks),
        options,
      ),
  },
  {
    cxx: `${className}.DoAsyncSynchronize`,
    method: "doAsyncSynchronize",
    run: (cxx, method, service, requestId: number, lba: number, blocks: number) =>
      accepted(cxx, method, service, requestId, BigInt(lba), BigInt(blocks)),
  },
  {
    cxx: `${className}.DoAsyncEjectMedia`,
    method: "doAsyncEjectMedia",
    run: (cxx, method, service, requestId: number) => accepted(cxx, method, service, requestId),
  },
  {
    cxx: `${className}.DoAsyncUnmapPriv`,
    method: "doAsyncUnmapPriv",
    run: async (
      cxx,
      method,
      service,
      requestId: number,
      ranges: readonly BlockRange[],
    ): Promise<IOReturn> => {
      const at = cxx.place(new Uint8Array(rangeBytes * ranges.length));
      for (const [index, { startBlock, numOfBlocks }] of ranges.entries()) {
        cxx.memory.setU64(at + index * rangeBytes, BigInt(startBlock));
        cxx.memory.setU64(at + index * rangeBytes + 8, BigInt(numOfBlocks));
      }
      try {
        return await accepted(cxx, method, service, requestId, at, ranges.length);
      } finally {
        cxx.unplace(at);
      }
    },
  },
];

export const blockCalls: HostCalls = callsOf(className, {
  CompleteIO: plain((cxx, self: number, requestId: number, bytes: bigint, status: number) => {
    device(cxx, self).completeIO(requestId >>> 0, Number(bytes), (status >>> 0) as IOReturn);
    return undefined;
  }),
  Complete: plain((cxx, self: number, requestId: number, status: number) => {
    device(cxx, self).complete(requestId >>> 0, (status >>> 0) as IOReturn);
    return undefined;
  }),
  /** Of a dext that unmaps nothing. */
  DoAsyncUnmapPriv: plain(() => IOReturns.kIOReturnUnsupported | 0),
});
