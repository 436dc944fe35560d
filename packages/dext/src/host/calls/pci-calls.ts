// PCIDriverKit and DMA: a function's session and registers, and memory made visible to it, over the TypeScript family.

import { IOReturns } from "@drydock/core/base/io-return";
import { IOPCIDevice } from "@drydock/core/families/pci/io-pci-device";
import { type DmaProvider, IODMACommand } from "@drydock/core/runtime/dma-command";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import { DextTrap } from "../trouble.ts";
import { callsOf, plain, plainWaiting, status, statusWaiting } from "./host-call.ts";
import { bufferOrNull } from "./memory-calls.ts";
import { service } from "./service-calls.ts";

function device(cxx: CxxProcess, self: number): IOPCIDevice {
  const host = cxx.hostAs(self, IOPCIDevice);
  if (host === null) throw new DextTrap("a call on an IOPCIDevice that is none", cxx.here());
  return host;
}

function command(cxx: CxxProcess, self: number): IODMACommand {
  const host = cxx.hostAs(self, IODMACommand);
  if (host === null) throw new DextTrap("a call on an IODMACommand that the system did not make", cxx.here());
  return host;
}

/** What an access through a mapping that is not there is: told with the driver's line, as a Mac's crash report would. */
function here<T>(cxx: CxxProcess, access: () => T): T {
  const frames = cxx.here();
  const thread = cxx.kernel.scheduler.current;
  const depth = thread?.stack.length ?? 0;
  if (frames[0] !== undefined) thread?.stack.push(frames[0]);
  const leave = (): void => {
    if (thread !== null) thread.stack.length = Math.min(thread.stack.length, depth);
  };
  const result = access();
  if (result instanceof Promise) return result.then((value) => (leave(), value)) as T;
  leave();
  return result;
}

const low32 = 0xffffffffn;

const memoryRead = (bits: 8 | 16 | 32) =>
  plainWaiting(async (cxx, self: number, index: number, offset: bigint, at: number, options: number) => {
    const host = device(cxx, self);
    const value = await here(cxx, () =>
      bits === 8
        ? host.memoryRead8(index & 0xff, Number(offset), options)
        : bits === 16
          ? host.memoryRead16(index & 0xff, Number(offset), options)
          : host.memoryRead32(index & 0xff, Number(offset), options),
    );
    if (bits === 8) cxx.memory.setU8(at, value);
    else if (bits === 16) cxx.memory.setU16(at, value);
    else cxx.memory.setU32(at, value);
    return undefined;
  });

const memoryWrite = (bits: 8 | 16 | 32) =>
  plain((cxx, self: number, index: number, offset: bigint, data: number, options: number) => {
    const host = device(cxx, self);
    here(cxx, () => {
      if (bits === 8) host.memoryWrite8(index & 0xff, Number(offset), data & 0xff, options);
      else if (bits === 16) host.memoryWrite16(index & 0xff, Number(offset), data & 0xffff, options);
      else host.memoryWrite32(index & 0xff, Number(offset), data >>> 0, options);
    });
    return undefined;
  });

/** Bytes of an IOAddressSegment. */
const segmentBytes = 16;

export const pciCalls: HostCalls = {
  ...callsOf("IOPCIDevice", {
    Open: statusWaiting(async (cxx, self: number, client: number) => {
      await device(cxx, self).open(service(cxx, client));
      return undefined;
    }),
    Close: plain((cxx, self: number, client: number) => {
      device(cxx, self).close(service(cxx, client));
      return undefined;
    }),
    ConfigurationRead32: plainWaiting(async (cxx, self: number, offset: bigint, at: number) => {
      cxx.memory.setU32(at, await device(cxx, self).configurationRead32(Number(offset)));
      return undefined;
    }),
    ConfigurationRead16: plainWaiting(async (cxx, self: number, offset: bigint, at: number) => {
      cxx.memory.setU16(at, await device(cxx, self).configurationRead16(Number(offset)));
      return undefined;
    }),
    ConfigurationRead8: plainWaiting(async (cxx, self: number, offset: bigint, at: number) => {
      cxx.memory.setU8(at, await device(cxx, self).configurationRead8(Number(offset)));
      return undefined;
    }),
    ConfigurationWrite32: plain((cxx, self: number, offset: bigint, data: number) => {
      device(cxx, self).configurationWrite32(Number(offset), data >>> 0);
      return undefined;
    }),
    ConfigurationWrite16: plain((cxx, self: number, offset: bigint, data: number) => {
      device(cxx, self).configurationWrite16(Number(offset), data & 0xffff);
      return undefined;
    }),
    ConfigurationWrite8: plain((cxx, self: number, offset: bigint, data: number) => {
      device(cxx, self).configurationWrite8(Number(offset), data & 0xff);
      return undefined;
    }),
    MemoryRead64: plainWaiting(
      async (cxx, self: number, index: number, offset: bigint, at: number, options: number) => {
        const value = await here(cxx, () =>
          device(cxx, self).memoryRead64(index & 0xff, Number(offset), options),
        );
        cxx.memory.setU32(at, value.low);
        cxx.memory.setU32(at + 4, value.high);
        return undefined;
      },
    ),
    MemoryRead32: memoryRead(32),
    MemoryRead16: memoryRead(16),
    MemoryRead8: memoryRead(8),
    MemoryWrite64: plain(
      (cxx, self: number, index: number, offset: bigint, data: bigint, options: number) => {
        const value = { low: Number(data & low32), high: Number((data >> 32n) & low32) };
        here(cxx, () => device(cxx, self).memoryWrite64(index & 0xff, Number(offset), value, options));
        return undefined;
      },
    ),
    MemoryWrite32: memoryWrite(32),
    MemoryWrite16: memoryWrite(16),
    MemoryWrite8: memoryWrite(8),
    FindPCICapability: status((cxx, self: number, id: number, from: bigint, at: number) => {
      const offset = device(cxx, self).findPCICapability(id >>> 0, Number(from));
      if (at !== 0) cxx.memory.setU64(at, BigInt(offset));
      return offset === 0 ? IOReturns.kIOReturnNotFound : undefined;
    }),
    GetBusDeviceFunction: status((cxx, self: number, bus: number, number: number, function_: number) => {
      const address = device(cxx, self).getBusDeviceFunction();
      cxx.memory.setU8(bus, address.bus);
      cxx.memory.setU8(number, address.device);
      cxx.memory.setU8(function_, address.function);
      return undefined;
    }),
    EnablePCIPowerManagement: statusWaiting(async (cxx, self: number, state: bigint) => {
      await device(cxx, self).enablePCIPowerManagement(Number(state));
      return undefined;
    }),
    GetBARInfo: status((cxx, self: number, bar: number, index: number, size: number, type: number) => {
      const info = device(cxx, self).getBARInfo(bar & 0xff);
      cxx.memory.setU8(index, info.memoryIndex);
      if (size !== 0) cxx.memory.setU64(size, BigInt(info.barSize));
      if (type !== 0) cxx.memory.setU8(type, info.barType);
      return undefined;
    }),
    ConfigureInterrupts: statusWaiting(
      async (cxx, self: number, type: number, required: number, requested: number) => {
        await device(cxx, self).configureInterrupts(type >>> 0, required >>> 0, requested >>> 0);
        return undefined;
      },
    ),
    Reset: statusWaiting(async (cxx, self: number) => {
      await device(cxx, self).reset();
      return undefined;
    }),
  }),
  ...callsOf("IODMACommand", {
    Create: status((cxx, from: number, options: bigint, specification: number, made: number) => {
      const provider = service(cxx, from) as unknown as DmaProvider;
      if (provider.dmaPort === undefined || specification === 0) return IOReturns.kIOReturnBadArgument;
      const created = IODMACommand.create(
        provider,
        Number(options),
        {
          options: Number(cxx.memory.u64(specification)),
          maxAddressBits: Number(cxx.memory.u64(specification + 8)),
        },
        cxx.process.name,
      );
      const { value: host } = created;
      if (host === null) return created.status;
      cxx.memory.setU32(
        made,
        cxx.handOut(host, "IODMACommand", () => {
          if (host.isPrepared) host.completeDMA(0);
          letMemoryGo(cxx, host);
        }),
      );
      return undefined;
    }, IOReturns.kIOReturnNoMemory),
    PrepareForDMA: status(
      (
        cxx,
        self: number,
        options: bigint,
        memory: number,
        offset: bigint,
        length: bigint,
        flags: number,
        count: number,
        segments: number,
      ) => {
        const host = command(cxx, self);
        const offered = cxx.memory.u32(count);
        const made = host.prepareForDMA(
          Number(options),
          bufferOrNull(cxx, memory),
          Number(offset),
          Number(length),
          offered,
        );
        if (made.status !== IOReturns.kIOReturnSuccess) return made.status;
        letMemoryGo(cxx, host);
        cxx.retain(memory);
        prepared.set(host, memory);
        cxx.memory.setU64(flags, BigInt(made.flags));
        cxx.memory.setU32(count, made.segments.length);
        for (const [index, { address, length: bytes }] of made.segments.entries()) {
          cxx.memory.setU64(segments + index * segmentBytes, BigInt(address));
          cxx.memory.setU64(segments + index * segmentBytes + 8, BigInt(bytes));
        }
        return undefined;
      },
    ),
    CompleteDMA: status((cxx, self: number, options: bigint) => {
      const host = command(cxx, self);
      const code = host.completeDMA(Number(options));
      if (code === IOReturns.kIOReturnSuccess) letMemoryGo(cxx, host);
      return code;
    }),
    GetPreparation: status((cxx, self: number, offset: number, length: number, memory: number) => {
      const host = command(cxx, self);
      const found = host.getPreparation();
      if (found === null) return IOReturns.kIOReturnNotReady;
      cxx.memory.setU64(offset, BigInt(found.offset));
      cxx.memory.setU64(length, BigInt(found.length));
      const address = prepared.get(host) ?? 0;
      cxx.retain(address);
      cxx.memory.setU32(memory, address);
      return undefined;
    }),
    PerformOperation: status(
      (cxx, self: number, options: bigint, at: bigint, length: bigint, dataAt: bigint, data: number) =>
        command(cxx, self).performOperation(
          Number(options),
          Number(at),
          Number(length),
          Number(dataAt),
          bufferOrNull(cxx, data),
        ),
    ),
  }),
};

/** Memory that a command keeps while it is prepared, by its address in the dext. */
const prepared = new WeakMap<IODMACommand, number>();

function letMemoryGo(cxx: CxxProcess, host: IODMACommand): void {
  const memory = prepared.get(host) ?? 0;
  prepared.delete(host);
  cxx.release(memory);
}
