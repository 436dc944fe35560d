// Memory descriptors: their bytes lie in the dext's memory, so that an address is all it needs.

import { IOReturns } from "@drydock/core/base/io-return";
import { IOBufferMemoryDescriptor, IOMemoryDescriptor } from "@drydock/core/runtime/memory";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import { DextTrap } from "../trouble.ts";
import { callsOf, plain, status } from "./host-call.ts";

export function descriptor(cxx: CxxProcess, self: number): IOMemoryDescriptor {
  const host = cxx.hostAs(self, IOMemoryDescriptor);
  if (host === null) throw new DextTrap("a call on memory that the system did not make", cxx.here());
  return host;
}

/** A buffer of a call: null for none. */
export function bufferOrNull(cxx: CxxProcess, address: number): IOMemoryDescriptor | null {
  if (address === 0) return null;
  const host = descriptor(cxx, address);
  checkReadOnly(cxx, host);
  return host;
}

/** A mapping as the dext has it. */
class MappedMemory {
  readonly address: number;
  readonly length: number;
  readonly offset: number;
  /** What it held when it was made, where a write through it would fault. */
  readonly kept: Uint8Array | null;

  constructor(address: number, length: number, offset: number, kept: Uint8Array | null) {
    this.address = address;
    this.length = length;
    this.offset = offset;
    this.kept = kept;
  }
}

/** kIOMemoryMapFixedAddress. */
const mapFixedAddress = 1;

/** Memory of somebody else's, copied into the dext's for as long as it is mapped there. */
interface Mirror {
  readonly address: number;
  readonly length: number;
}
const mirrors = new WeakMap<IOMemoryDescriptor, Mirror>();
/** Mappings of a descriptor that allow no write, and whether one allows it. */
const mappings = new WeakMap<IOMemoryDescriptor, { readOnly: MappedMemory[]; isWritable: boolean }>();

/** Where a descriptor's first byte lies in the dext's memory. */
function addressOfBytes(cxx: CxxProcess, host: IOMemoryDescriptor): number {
  const { bytes } = host;
  if (cxx.owns(bytes)) return bytes.byteOffset;
  const known = mirrors.get(host);
  if (known !== undefined) return known.address;
  const address = cxx.place(bytes);
  mirrors.set(host, { address, length: bytes.length });
  return address;
}

/** Memory of somebody else's that is lent again holds what its owner wrote meanwhile. */
export function refreshMirror(cxx: CxxProcess, host: IOMemoryDescriptor): void {
  const mirror = mirrors.get(host);
  if (mirror !== undefined) cxx.memory.view(mirror.address, mirror.length).set(host.bytes);
}

/** What the dext wrote into memory of somebody else's goes there: at the end of the call that lent it. */
export function flushMirror(cxx: CxxProcess, host: IOMemoryDescriptor): void {
  const mirror = mirrors.get(host);
  if (mirror !== undefined) host.bytes.set(cxx.memory.view(mirror.address, mirror.length));
}

/** Data of a SCSI task that was lent to the dext: what its copy held when it was made, by descriptor. */
const copies = new WeakMap<IOMemoryDescriptor, Uint8Array>();
const taskBuffers = new WeakMap<CxxProcess, Map<number, IOMemoryDescriptor>>();

/**
 * A task's data, +1 for the dext, and 0 references of the host's. The copy in the dext's memory is made when its address is asked
 * for, and again at each further time, so that it shows what the hardware has written meanwhile; what the dext writes goes to
 * the task when it is completed.
 */
export function lendTaskBuffer(cxx: CxxProcess, host: IOMemoryDescriptor, taskId: number): number {
  const known = taskBuffers.get(cxx) ?? new Map<number, IOMemoryDescriptor>();
  taskBuffers.set(cxx, known);
  known.set(taskId, host);
  copies.set(host, host.bytes.slice());
  return cxx.handOut(host, "IOBufferMemoryDescriptor", () => {
    if (known.get(taskId) === host) known.delete(taskId);
  });
}

export function settleTaskBuffer(cxx: CxxProcess, taskId: number): void {
  const known = taskBuffers.get(cxx);
  const host = known?.get(taskId);
  if (host === undefined) return;
  if (isWritten(cxx, host)) flushMirror(cxx, host);
  known?.delete(taskId);
  copies.delete(host);
}

function isWritten(cxx: CxxProcess, host: IOMemoryDescriptor): boolean {
  const copy = copies.get(host);
  const mirror = mirrors.get(host);
  if (copy === undefined || mirror === undefined) return false;
  const now = cxx.memory.view(mirror.address, mirror.length);
  return copy.some((byte, at) => byte !== now[at]);
}

/** A task's data as the hardware has left it, unless the dext writes it itself. */
function freshen(cxx: CxxProcess, host: IOMemoryDescriptor): void {
  if (!copies.has(host) || isWritten(cxx, host)) return;
  refreshMirror(cxx, host);
  copies.set(host, host.bytes.slice());
}

/** Bytes that changed although nothing maps them for writing: on a real system that write has ended the dext. */
function checkReadOnly(cxx: CxxProcess, host: IOMemoryDescriptor): void {
  const known = mappings.get(host);
  if (known === undefined || known.isWritable) return;
  for (const { address, kept, length } of known.readOnly) {
    const now = cxx.memory.view(address, length);
    const at = kept === null ? -1 : kept.findIndex((byte, index) => byte !== now[index]);
    if (at >= 0)
      throw new DextTrap(
        `a write through a read-only mapping (byte ${at} of ${length} has changed): KERN_PROTECTION_FAILURE on a real system`,
        cxx.here(),
      );
  }
}

export const memoryCalls: HostCalls = {
  ...callsOf("IOMemoryDescriptor", {
    GetLength: status((cxx, self: number, length: number) => {
      cxx.memory.setU64(length, BigInt(descriptor(cxx, self).length));
      return undefined;
    }),
    CreateMapping: status(
      (
        cxx,
        self: number,
        options: bigint,
        _address: bigint,
        offset: bigint,
        length: bigint,
        alignment: bigint,
        map: number,
      ) => {
        const host = descriptor(cxx, self);
        const made = host.createMapping(
          cxx.ownSpace,
          Number(options),
          Number(offset),
          Number(length),
          Number(alignment),
        );
        if (made.value === null) return made.status;
        freshen(cxx, host);
        const address = addressOfBytes(cxx, host) + Number(offset);
        const size = made.value.getLength();
        const known = mappings.get(host) ?? { readOnly: [], isWritable: false };
        mappings.set(host, known);
        let isReadOnly = false;
        try {
          if (size > 0)
            cxx.ownSpace.storeByte(made.value.getAddress(), cxx.ownSpace.loadByte(made.value.getAddress()));
        } catch {
          isReadOnly = true;
        }
        const mapped = new MappedMemory(
          address,
          size,
          Number(offset),
          isReadOnly ? cxx.memory.copyOut(address, size) : null,
        );
        if (isReadOnly) known.readOnly.push(mapped);
        else known.isWritable = true;
        cxx.retain(self);
        const { value } = made;
        cxx.memory.setU32(
          map,
          cxx.handOut(mapped, "IOMemoryMap", () => {
            value.release();
            cxx.release(self);
          }),
        );
        return undefined;
      },
      IOReturns.kIOReturnNoMemory,
    ),
    /** `address` counts with kIOMemoryMapFixedAddress only, which no dext's memory has room for. */
    Map: status(
      (
        cxx,
        self: number,
        options: bigint,
        _address: bigint,
        length: bigint,
        _alignment: bigint,
        address: number,
        size: number,
      ) => {
        const host = descriptor(cxx, self);
        if ((Number(options) & mapFixedAddress) !== 0) return IOReturns.kIOReturnUnsupported;
        const wanted = length === 0n ? host.length : Number(length);
        if (wanted < 1 || wanted > host.length) return IOReturns.kIOReturnBadArgument;
        cxx.memory.setU64(address, BigInt(addressOfBytes(cxx, host)));
        if (size !== 0) cxx.memory.setU64(size, BigInt(wanted));
        return undefined;
      },
    ),
    CreateSubMemoryDescriptor: status(
      (cxx, options: bigint, offset: bigint, length: bigint, of: number, memory: number) => {
        const made = IOMemoryDescriptor.createSubMemoryDescriptor(
          Number(options),
          Number(offset),
          Number(length),
          descriptor(cxx, of),
        );
        const { value } = made;
        if (value === null) return made.status;
        cxx.retain(of);
        cxx.memory.setU32(
          memory,
          cxx.handOut(value, "IOMemoryDescriptor", () => cxx.release(of)),
        );
        return undefined;
      },
    ),
  }),
  ...callsOf("IOMemoryMap", {
    GetAddress: plain((cxx, self: number) => BigInt(cxx.hostAs(self, MappedMemory)?.address ?? 0)),
    GetLength: plain((cxx, self: number) => BigInt(cxx.hostAs(self, MappedMemory)?.length ?? 0)),
    GetOffset: plain((cxx, self: number) => BigInt(cxx.hostAs(self, MappedMemory)?.offset ?? 0)),
  }),
  ...callsOf("IOBufferMemoryDescriptor", {
    Create: status((cxx, options: bigint, capacity: bigint, alignment: bigint, memory: number) => {
      const made = IOBufferMemoryDescriptor.create(
        cxx.ownSpace,
        Number(options),
        Number(capacity),
        Number(alignment),
      );
      return giveBuffer(cxx, made.value, made.status, memory);
    }, IOReturns.kIOReturnNoMemory),
    GetAddressRange: status((cxx, self: number, range: number) => {
      const host = descriptor(cxx, self);
      freshen(cxx, host);
      cxx.memory.setU64(range, BigInt(addressOfBytes(cxx, host)));
      cxx.memory.setU64(range + 8, BigInt(host.length));
      const known = mappings.get(host) ?? { readOnly: [], isWritable: true };
      known.isWritable = true;
      mappings.set(host, known);
      return undefined;
    }),
    SetLength: status((cxx, self: number, length: bigint) => {
      const host = descriptor(cxx, self);
      return host instanceof IOBufferMemoryDescriptor
        ? host.setLength(Number(length))
        : IOReturns.kIOReturnUnsupported;
    }),
  }),
};

export function giveBuffer(
  cxx: CxxProcess,
  made: IOBufferMemoryDescriptor | null,
  code: number,
  at: number,
): number | undefined {
  if (made === null) return code;
  cxx.memory.setU32(
    at,
    cxx.handOut(made, "IOBufferMemoryDescriptor", () => made.release()),
  );
  return undefined;
}
