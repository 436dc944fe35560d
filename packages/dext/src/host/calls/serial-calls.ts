// SerialDriverKit: what a serial dext calls on itself and on its superclass, and the rings it shares with the system.

import { IOReturns } from "@drydock/core/base/io-return";
import type { IOUserSerial } from "@drydock/core/families/serial/io-user-serial";
import { IOBufferMemoryDescriptor } from "@drydock/core/runtime/memory";
import type { IOService } from "@drydock/core/runtime/service";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import type { Hook } from "../hook.ts";
import type { DextUsbSerial, RingTaker } from "../serial-base.ts";
import { SharedRing } from "../shared-ring.ts";
import { DextTrap } from "../trouble.ts";
import { callsOf, plain, plainWaiting, status, statusWaiting, surely } from "./host-call.ts";
import { descriptor } from "./memory-calls.ts";
import { service } from "./service-calls.ts";

/** SerialPortInterface: three lines of 128 bytes (driverkit-families.md §3; the order of the pairs is likely). */
const place = {
  rxPI: 0,
  rxCI: 4,
  txPI: 128,
  txCI: 132,
  rxqoffset: 256,
  txqoffset: 260,
  rxqlogsz: 264,
  txqlogsz: 265,
} as const;
const interfaceBytes = 384;
/** 16 KiB each way, as the family's own rings. */
const defaultLogSize = 14;
const inOut = 3;

type Serial = IOUserSerial & RingTaker;

function serial(cxx: CxxProcess, self: number): Serial {
  const host = service(cxx, self);
  if (!("takeRings" in host))
    throw new DextTrap("a serial call on a service that is no serial port", cxx.here());
  return host as Serial;
}

const above = (cxx: CxxProcess, host: IOService): IOUserSerial => cxx.baseOf(host).prototype as IOUserSerial;

/** Where a memory descriptor's bytes lie in the dext. */
function addressIn(cxx: CxxProcess, at: number): number {
  return descriptor(cxx, at).bytes.byteOffset;
}

function newMemory(cxx: CxxProcess, bytes: number): number {
  const made = IOBufferMemoryDescriptor.create(cxx.ownSpace, inOut, bytes, 0);
  if (made.value === null) throw new DextTrap("no memory for the rings of a serial port", cxx.here());
  const { value } = made;
  return cxx.handOut(value, "IOBufferMemoryDescriptor", () => value.release());
}

/** The kernel's half of ConnectQueues: memory for the interface and for the rings that the dext did not bring. */
function connectQueues(
  cxx: CxxProcess,
  self: number,
  out: readonly [ifmd: number, rxqmd: number, txqmd: number],
  given: { rx: number; tx: number; rxOffset: number; txOffset: number; rxLog: number; txLog: number },
): number | undefined {
  const rxLog = given.rxLog === 0 ? defaultLogSize : given.rxLog;
  const txLog = given.txLog === 0 ? defaultLogSize : given.txLog;
  if (rxLog < 4 || rxLog > 20 || txLog < 4 || txLog > 20) return IOReturns.kIOReturnBadArgument;
  const ring = (memory: number, offset: number, log: number): number => {
    if (memory === 0) return newMemory(cxx, 2 ** log);
    if (descriptor(cxx, memory).length < offset + 2 ** log) return 0;
    cxx.retain(memory);
    return memory;
  };
  const rx = ring(given.rx, given.rxOffset, rxLog);
  const tx = ring(given.tx, given.txOffset, txLog);
  if (rx === 0 || tx === 0) return IOReturns.kIOReturnBadArgument;
  const shared = newMemory(cxx, interfaceBytes);
  const at = addressIn(cxx, shared);
  const rxOffset = given.rx === 0 ? 0 : given.rxOffset;
  const txOffset = given.tx === 0 ? 0 : given.txOffset;
  cxx.memory.view(at, interfaceBytes).fill(0);
  cxx.memory.setU32(at + place.rxqoffset, rxOffset);
  cxx.memory.setU32(at + place.txqoffset, txOffset);
  cxx.memory.setU8(at + place.rxqlogsz, rxLog);
  cxx.memory.setU8(at + place.txqlogsz, txLog);
  serial(cxx, self).takeRings(
    new SharedRing(cxx.memory, at + place.rxPI, at + place.rxCI, addressIn(cxx, rx) + rxOffset, rxLog),
    new SharedRing(cxx.memory, at + place.txPI, at + place.txCI, addressIn(cxx, tx) + txOffset, txLog),
  );
  for (const [index, memory] of [shared, rx, tx].entries()) {
    if (out[index] !== 0) cxx.memory.setU32(out[index], memory);
    // Held by the system as long as the port is open, whether or not somebody asked for it.
    const held = connected.get(cxx) ?? new Map<number, number[]>();
    connected.set(cxx, held);
    if (out[index] !== 0) cxx.retain(memory);
    held.set(self, [...(held.get(self) ?? []), memory]);
  }
  return undefined;
}

const connected = new WeakMap<CxxProcess, Map<number, number[]>>();

function disconnectQueues(cxx: CxxProcess, self: number): void {
  for (const memory of connected.get(cxx)?.get(self) ?? []) cxx.release(memory);
  connected.get(cxx)?.delete(self);
}

const connectRow = statusWaiting(
  async (
    cxx,
    self: number,
    ifmd: number,
    rxqmd: number,
    txqmd: number,
    rx: number,
    tx: number,
    rxOffset: number,
    txOffset: number,
    rxLog: number,
    txLog: number,
  ) =>
    connectQueues(cxx, self, [ifmd, rxqmd, txqmd], {
      rx,
      tx,
      rxOffset: rxOffset >>> 0,
      txOffset: txOffset >>> 0,
      rxLog: rxLog & 0xff,
      txLog: txLog & 0xff,
    }),
);

const disconnectRow = surely(async (cxx, self: number) => {
  disconnectQueues(cxx, self);
  return undefined;
});
const activateRow = statusWaiting(async (cxx, self: number) => {
  const host = serial(cxx, self);
  await above(cxx, host).hwActivate.call(host);
  return undefined;
});
const deactivateRow = surely(async (cxx, self: number) => {
  const host = serial(cxx, self);
  await above(cxx, host).hwDeactivate.call(host);
  return undefined;
});
const startRow = statusWaiting(async (cxx, self: number, provider: number) => {
  const host = serial(cxx, self);
  await above(cxx, host).start.call(host, service(cxx, provider));
  return undefined;
});
const stopRow = surely(async (cxx, self: number, provider: number) => {
  const host = serial(cxx, self);
  await above(cxx, host).stop.call(host, service(cxx, provider));
  return undefined;
});
const txRow = plainWaiting(async (cxx, self: number) => {
  const host = serial(cxx, self);
  await above(cxx, host).txDataAvailable.call(host);
  return undefined;
});
const rxRow = plainWaiting(async (cxx, self: number) => {
  const host = serial(cxx, self);
  await above(cxx, host).rxFreeSpaceAvailable.call(host);
  return undefined;
});
const initWithRow = plain(() => 1);
/** What the base answers for hardware that a driver does not program: success, and nothing is done (unverified). */
const nothingRow = statusWaiting(async () => undefined);

const common = {
  Start: startRow,
  Stop: stopRow,
  initWith: initWithRow,
  ConnectQueues: connectRow,
  DisconnectQueues: disconnectRow,
  HwActivate: activateRow,
  HwDeactivate: deactivateRow,
  TxDataAvailable: txRow,
  RxFreeSpaceAvailable: rxRow,
} as const;

export const serialCalls: HostCalls = {
  ...callsOf("IOUserSerial", {
    ...common,
    HwResetFIFO: nothingRow,
    HwSendBreak: nothingRow,
    HwGetModemStatus: statusWaiting(
      async (cxx, self: number, cts: number, dsr: number, ri: number, dcd: number) => {
        const { modemStatus } = serial(cxx, self);
        cxx.memory.setU8(cts, Number(modemStatus.cts));
        cxx.memory.setU8(dsr, Number(modemStatus.dsr));
        cxx.memory.setU8(ri, Number(modemStatus.ri));
        cxx.memory.setU8(dcd, Number(modemStatus.dcd));
        return undefined;
      },
    ),
    HwProgramUART: statusWaiting(async () => IOReturns.kIOReturnUnsupported),
    HwProgramBaudRate: statusWaiting(async () => IOReturns.kIOReturnUnsupported),
    HwProgramMCR: nothingRow,
    HwProgramLatencyTimer: nothingRow,
    HwProgramFlowControl: nothingRow,
    SetModemStatus: status(
      (cxx, self: number, cts: number, dsr: number, ri: number, dcd: number) =>
        void serial(cxx, self).setModemStatus(cts !== 0, dsr !== 0, ri !== 0, dcd !== 0),
    ),
    RxError: status(
      (cxx, self: number, overrun: number, gotBreak: number, framing: number, parity: number) =>
        void serial(cxx, self).rxError(overrun !== 0, gotBreak !== 0, framing !== 0, parity !== 0),
    ),
    RxDataAvailable: plain((cxx, self: number) => void serial(cxx, self).rxDataAvailable()),
    TxFreeSpaceAvailable: plain((cxx, self: number) => void serial(cxx, self).txFreeSpaceAvailable()),
  }),
  ...callsOf("IOUserUSBSerial", {
    ...common,
    handleRxPacket: plain((cxx, self: number, packet: number, size: number) => {
      const host = service(cxx, self) as DextUsbSerial;
      const length = cxx.memory.u32(size);
      host.baseRxPacket(cxx.memory.copyOut(cxx.memory.u32(packet), length), length);
      handedOver.add(host);
      return undefined;
    }),
    handleInterruptPacket: plain(() => undefined),
  }),
};

/** Ports whose driver has called its superclass's handleRxPacket for the packet at hand. */
const handedOver = new WeakSet<IOService>();

/** A call of the system's with a status. */
function hook(name: string, method: string, values: (...given: never[]) => readonly number[]): Hook {
  return {
    cxx: `IOUserSerial.${name}`,
    method,
    run: (cxx, found, host, ...given: never[]) =>
      cxx.runStatus(host, found.thunk, name, cxx.addressOf(host), ...values(...given)),
  };
}

/** A notification of the system's. */
function told(name: string, method: string): Hook {
  return {
    cxx: `IOUserSerial.${name}`,
    method,
    run: (cxx, found, host) => cxx.run(found.thunk, cxx.addressOf(host)).then(() => undefined),
  };
}

export const serialHooks: readonly Hook[] = [
  {
    cxx: "IOUserSerial.ConnectQueues",
    method: "connectQueues",
    run: async (cxx, found, host) => {
      const at = cxx.place(new Uint8Array(12));
      try {
        await cxx.runStatus(
          host,
          found.thunk,
          "ConnectQueues",
          cxx.addressOf(host),
          at,
          at + 4,
          at + 8,
          0,
          0,
          0,
          0,
          // The system says how large the rings are to be (a published driver refuses 0).
          defaultLogSize,
          defaultLogSize,
        );
        // The references that the dext hands over.
        for (const index of [0, 4, 8]) cxx.release(cxx.memory.u32(at + index));
      } finally {
        cxx.unplace(at);
      }
    },
  },
  hook("DisconnectQueues", "disconnectQueues", () => []),
  hook("HwActivate", "hwActivate", () => []),
  hook("HwDeactivate", "hwDeactivate", () => []),
  hook("HwResetFIFO", "hwResetFIFO", (tx: boolean, rx: boolean) => [Number(tx), Number(rx)]),
  hook("HwSendBreak", "hwSendBreak", (on: boolean) => [Number(on)]),
  hook("HwProgramUART", "hwProgramUART", (...values: number[]) => values),
  hook("HwProgramBaudRate", "hwProgramBaudRate", (rate: number) => [rate]),
  hook("HwProgramMCR", "hwProgramMCR", (dtr: boolean, rts: boolean) => [Number(dtr), Number(rts)]),
  hook("HwProgramLatencyTimer", "hwProgramLatencyTimer", (latency: number) => [latency]),
  hook("HwProgramFlowControl", "hwProgramFlowControl", (...values: number[]) => values),
  {
    cxx: "IOUserSerial.HwGetModemStatus",
    method: "hwGetModemStatus",
    run: async (cxx, found, host) => {
      const at = cxx.place(new Uint8Array(4));
      try {
        await cxx.runStatus(
          host,
          found.thunk,
          "HwGetModemStatus",
          cxx.addressOf(host),
          at,
          at + 1,
          at + 2,
          at + 3,
        );
        const line = (index: number): boolean => cxx.memory.u8(at + index) !== 0;
        return { cts: line(0), dsr: line(1), ri: line(2), dcd: line(3) };
      } finally {
        cxx.unplace(at);
      }
    },
  },
  told("TxDataAvailable", "txDataAvailable"),
  told("RxFreeSpaceAvailable", "rxFreeSpaceAvailable"),
  {
    cxx: "IOUserUSBSerial.handleRxPacket",
    method: "handleRxPacket",
    run: async (cxx, found, host, buffer: Uint8Array, length: number): Promise<void> => {
      const bytes = cxx.place(buffer.subarray(0, length));
      const at = cxx.place(new Uint8Array(8));
      cxx.memory.setU32(at, bytes);
      cxx.memory.setU32(at + 4, length);
      handedOver.delete(host);
      try {
        await cxx.run(found.thunk, cxx.addressOf(host), at, at + 4);
        // What it leaves between the pointer and the size is what the port receives, whoever hands it over.
        if (!handedOver.delete(host)) {
          const kept = cxx.memory.copyOut(cxx.memory.u32(at), cxx.memory.u32(at + 4));
          (host as DextUsbSerial).baseRxPacket(kept, kept.length);
        }
      } finally {
        cxx.unplace(at);
        cxx.unplace(bytes);
      }
    },
  },
  {
    cxx: "IOUserUSBSerial.handleInterruptPacket",
    method: "handleInterruptPacket",
    run: async (cxx, found, host, packet: Uint8Array, length: number): Promise<void> => {
      const bytes = cxx.place(packet.subarray(0, length));
      try {
        await cxx.run(found.thunk, cxx.addressOf(host), bytes, length);
      } finally {
        cxx.unplace(bytes);
      }
    },
  },
];
