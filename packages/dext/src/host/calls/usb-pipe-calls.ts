// Pipes of a dext that carry much at once: isochronous frames, and bundles of transfers over a ring of buffers.

import { type IOReturn, IOReturns } from "@drydock/core/base/io-return";
import { IOUSBHostPipe, kIOUSBHostPipeBundlingMax } from "@drydock/core/families/usb/io-usb-host-pipe";
import type { IOUSBIsochronousFrame } from "@drydock/core/families/usb/usb-isochronous";
import { OSAction } from "@drydock/core/runtime/action";
import type { IOMemoryDescriptor } from "@drydock/core/runtime/memory";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import { DextTrap } from "../trouble.ts";
import { dropForAction, holdForAction, setBundle } from "./action-calls.ts";
import { callsOf, status } from "./host-call.ts";
import { bufferOrNull, descriptor } from "./memory-calls.ts";

export function pipe(cxx: CxxProcess, self: number): IOUSBHostPipe {
  const host = cxx.hostAs(self, IOUSBHostPipe);
  if (host === null) throw new DextTrap("a call on an IOUSBHostPipe that is none", cxx.here());
  return host;
}

export function completion(cxx: CxxProcess, address: number): OSAction | null {
  return cxx.hostAs(address, OSAction);
}

export function noteTransfer(
  cxx: CxxProcess,
  call: string,
  { address }: IOUSBHostPipe,
  memory: IOMemoryDescriptor,
  length: number,
): void {
  if ((address & 0x80) === 0) cxx.noteSent(call, memory.bytes.subarray(0, length));
}

/** IOUSBIsochronousFrame, packed: status, requestCount, completeCount, reserved, timeStamp. */
const frameBytes = 24;

/** A frame whose words lie in a frame list of the dext's: what the family writes, the dext reads. */
class ListedFrame implements IOUSBIsochronousFrame {
  readonly requestCount: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, index: number) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + index * frameBytes, frameBytes);
    this.requestCount = this.#view.getUint32(4, true);
  }

  get status(): IOReturn {
    return this.#view.getUint32(0, true) as IOReturn;
  }

  set status(code: IOReturn) {
    this.#view.setUint32(0, code, true);
  }

  get completeCount(): number {
    return this.#view.getUint32(8, true);
  }

  set completeCount(count: number) {
    this.#view.setUint32(8, count, true);
  }

  get timeStamp(): number {
    return Number(this.#view.getBigUint64(16, true));
  }

  set timeStamp(time: number) {
    this.#view.setBigUint64(16, BigInt(Math.floor(time)), true);
  }
}

/** Buffers that a pipe's ring holds for the dext, by index; 0: none yet. */
const rings = new WeakMap<IOUSBHostPipe, number[]>();

/** The dext has given the pipe up. */
export function dropRing(cxx: CxxProcess, host: IOUSBHostPipe): void {
  for (const buffer of rings.get(host) ?? []) cxx.release(buffer);
  rings.delete(host);
}

export const pipeBatchCalls: HostCalls = callsOf("IOUSBHostPipe", {
  IsochIO: status(
    (cxx, self: number, buffer: number, frameList: number, firstFrame: bigint, action: number) => {
      const done = completion(cxx, action);
      const memory = bufferOrNull(cxx, buffer);
      const list = bufferOrNull(cxx, frameList);
      if (memory === null || list === null || done === null) return IOReturns.kIOReturnBadArgument;
      const count = Math.floor(list.length / frameBytes);
      if (count === 0) return IOReturns.kIOReturnBadArgument;
      const frames = Array.from({ length: count }, (_, index) => new ListedFrame(list.bytes, index));
      const host = pipe(cxx, self);
      const asked = frames.reduce((sum, { requestCount }) => sum + requestCount, 0);
      noteTransfer(cxx, "IsochIO", host, memory, asked);
      holdForAction(cxx, done, action, buffer, frameList);
      const accepted = host.isochIO(memory, frames, Number(firstFrame), done);
      if (accepted !== IOReturns.kIOReturnSuccess) dropForAction(cxx, done);
      return accepted;
    },
  ),
  CreateMemoryDescriptorRing: status((cxx, self: number, size: number) => {
    const host = pipe(cxx, self);
    host.createMemoryDescriptorRing(size >>> 0);
    rings.set(host, new Array<number>(size >>> 0).fill(0));
    return undefined;
  }),
  SetMemoryDescriptor: status((cxx, self: number, memory: number, index: number) => {
    const host = pipe(cxx, self);
    host.setMemoryDescriptor(descriptor(cxx, memory), index >>> 0);
    const held = rings.get(host) ?? [];
    cxx.retain(memory);
    cxx.release(held[index]);
    held[index] = memory;
    return undefined;
  }),
  AsyncIOBundled: status(
    (
      cxx,
      self: number,
      index: number,
      count: number,
      accepted: number,
      lengths: number,
      lengthsCount: number,
      action: number,
      timeout: number,
    ) => {
      const host = pipe(cxx, self);
      const done = completion(cxx, action);
      if (accepted !== 0) cxx.memory.setU32(accepted, 0);
      const isLawful = count >= 1 && count <= kIOUSBHostPipeBundlingMax && lengthsCount >= count;
      if (done === null || !isLawful) return IOReturns.kIOReturnBadArgument;
      const asked = Array.from({ length: count }, (_, at) => cxx.memory.u32(lengths + 4 * at));
      const ring = rings.get(host) ?? [];
      for (const [at, length] of asked.entries()) {
        const buffer = ring[(index + at) % ring.length] ?? 0;
        if (buffer !== 0) noteTransfer(cxx, "AsyncIOBundled", host, descriptor(cxx, buffer), length);
      }
      setBundle(done, host);
      const begun = host.asyncIOBundled(index >>> 0, asked, done, timeout >>> 0);
      // Each transfer ends in a callback of its own, which lets go of what it held.
      for (let at = 0; at < begun.accepted; at++) holdForAction(cxx, done, action);
      if (accepted !== 0) cxx.memory.setU32(accepted, begun.accepted);
      return begun.status;
    },
  ),
});
