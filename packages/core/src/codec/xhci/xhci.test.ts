// xHCI's layouts against bytes and values seen on QEMU's controller, and what cannot be is refused with an offset.

import assert from "node:assert/strict";
import { test } from "node:test";
import { getU32le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { TransferType } from "../usb/descriptors.ts";
import { UsbSpeed } from "../usb/usb-speed.ts";
import {
  endpointContextFor,
  endpointTypeOf,
  readEndpointContext,
  readSlotContext,
  writeEndpointContext,
  writeSlotContext,
} from "./contexts.ts";
import { decodeXhciCapabilities } from "./registers.ts";
import { contextIndexOf, endpointAddressOf, newTrb, readTrb, trbSlotOf, trbTypeOf, writeTrb } from "./trb.ts";

/** What qemu-xhci 7.2 answers at 0, 4, 8, 10h, 14h and 18h. */
const qemu = {
  lengthAndVersion: 0x0100_0040,
  structural1: 0x0800_1040,
  structural2: 0x0000_000f,
  capability1: 0x0008_7001,
  doorbellOffset: 0x2000,
  runtimeOffset: 0x1000,
};

test("QEMU's capability registers", () => {
  const capabilities = decodeXhciCapabilities(qemu, 0x4000);
  assert.deepEqual(capabilities, {
    operationalAt: 0x40,
    runtimeAt: 0x1000,
    doorbellsAt: 0x2000,
    version: 0x100,
    slots: 64,
    ports: 8,
    scratchpads: 0,
    contextBytes: 32,
    streamArray: 256,
    extendedAt: 0x20,
  });
});

test("scratchpads are counted in two fields (xHCI 1.2 §5.3.4), contexts are of 64 bytes when bit 2 says so", () => {
  const words = { ...qemu, structural2: 0x0840_000f, capability1: 0x0008_0005 };
  const { contextBytes, scratchpads, streamArray } = decodeXhciCapabilities(words, 0x4000);
  assert.deepEqual([scratchpads, contextBytes, streamArray], [65, 64, 0]);
});

test("registers that would lie outside of the BAR are refused with the offset of who says so", () => {
  const cases: readonly (readonly [Partial<typeof qemu>, number])[] = [
    [{ lengthAndVersion: 0xffff_ffff }, 0],
    [{ lengthAndVersion: 0x0100_0006 }, 0],
    [{ structural1: 0 }, 4],
    [{ doorbellOffset: 0x3ff0 }, 0x14],
    [{ runtimeOffset: 0xffff_ffe0 }, 0x18],
  ];
  for (const [change, offset] of cases)
    assert.throws(
      () => decodeXhciCapabilities({ ...qemu, ...change }, 0x4000),
      (error: unknown) => error instanceof DecodeError && error.offset === offset,
    );
});

test("a slot context as QEMU left it after Address Device: address 1, addressed, port 5", () => {
  const bytes = new Uint8Array(32);
  for (const [at, word] of [0x0810_0000, 0x0005_0000, 0, 0x1000_0001].entries())
    putU32le(bytes, at * 4, word);
  assert.deepEqual(readSlotContext(bytes, 0), {
    route: 0,
    speed: 1,
    lastContext: 1,
    rootPort: 5,
    address: 1,
    state: 2,
  });
  const back = new Uint8Array(32);
  writeSlotContext(back, 0, readSlotContext(bytes, 0));
  assert.deepEqual([...back.subarray(0, 8)], [...bytes.subarray(0, 8)]);
});

test("endpoint 0 of a full-speed device, as QEMU showed it: 0040_0026h", () => {
  const shape = {
    address: 0,
    transferType: TransferType.control,
    wMaxPacketSize: 64,
    bInterval: 0,
    companion: null,
  };
  const bytes = new Uint8Array(32);
  const context = {
    ...endpointContextFor(UsbSpeed.full, shape),
    streamsLog2: 0,
    dequeue: 0x1000,
    dequeueCycle: 1,
  };
  writeEndpointContext(bytes, 0, context);
  assert.equal(getU32le(bytes, 4), 0x0040_0026);
  assert.deepEqual([getU32le(bytes, 8), getU32le(bytes, 16)], [0x1001, 8]);
});

test("an isochronous OUT of 192 bytes at full speed: interval 3, no error count, 192 bytes in each interval", () => {
  const shape = {
    address: 0x01,
    transferType: TransferType.isochronous,
    wMaxPacketSize: 192,
    bInterval: 1,
    companion: null,
  };
  const bytes = new Uint8Array(32);
  writeEndpointContext(bytes, 0, {
    ...endpointContextFor(UsbSpeed.full, shape),
    streamsLog2: 0,
    dequeue: 0,
    dequeueCycle: 1,
  });
  assert.deepEqual(
    [getU32le(bytes, 0), getU32le(bytes, 4), getU32le(bytes, 16)],
    [3 << 16, (192 << 16) | (1 << 3), 192 | (192 << 16)],
  );
});

test("intervals: bInterval in ms at low and full speed, a power of microframes above; streams and bursts", () => {
  const interrupt = (speed: UsbSpeed, bInterval: number) =>
    endpointContextFor(speed, {
      address: 0x81,
      transferType: TransferType.interrupt,
      wMaxPacketSize: 8,
      bInterval,
      companion: null,
    }).interval;
  assert.deepEqual(
    [1, 8, 10, 255].map((bInterval) => interrupt(UsbSpeed.full, bInterval)),
    [3, 6, 6, 10],
  );
  assert.deepEqual(
    [interrupt(UsbSpeed.high, 4), interrupt(UsbSpeed.super, 1), interrupt(UsbSpeed.high, 0)],
    [3, 0, 0],
  );
  const bulk = endpointContextFor(UsbSpeed.super, {
    address: 0x02,
    transferType: TransferType.bulk,
    wMaxPacketSize: 1024,
    bInterval: 0,
    companion: { bMaxBurst: 15, bmAttributes: 4, wBytesPerInterval: 0 },
  });
  assert.deepEqual([bulk.burst, bulk.type, bulk.errorCount, bulk.payloadBytes], [15, 2, 3, 0]);
  const bytes = new Uint8Array(32);
  writeEndpointContext(bytes, 0, { ...bulk, streamsLog2: 4, dequeue: 0x1_0000_2000, dequeueCycle: 0 });
  // LSA beside the size: the primary array is linear.
  assert.equal(getU32le(bytes, 0) & 0xfc00, 0x8000 | (4 << 10));
  assert.equal(readEndpointContext(bytes, 0).dequeue, 0x1_0000_2000);
});

test("types count OUT from 1 and IN from 5; context indexes there and back", () => {
  assert.deepEqual(
    [
      [0x00, TransferType.control],
      [0x01, TransferType.isochronous],
      [0x02, TransferType.bulk],
      [0x83, TransferType.interrupt],
      [0x84, TransferType.isochronous],
    ].map(([address, type]) => endpointTypeOf(address, type)),
    [4, 1, 2, 7, 5],
  );
  for (const address of [0x01, 0x81, 0x0f, 0x8f])
    assert.equal(endpointAddressOf(contextIndexOf(address)), address);
  assert.deepEqual([contextIndexOf(0), contextIndexOf(0x80), contextIndexOf(0x81)], [1, 1, 3]);
});

test("a transfer event as QEMU wrote it", () => {
  const bytes = new Uint8Array(16);
  for (const [at, word] of [0x0010_7130, 0, 0x0100_0000, 0x0103_8001].entries())
    putU32le(bytes, at * 4, word);
  const trb = readTrb(bytes, 0, newTrb());
  assert.deepEqual([trbTypeOf(trb.control), trbSlotOf(trb.control), trb.low], [32, 1, 0x107130]);
  const back = new Uint8Array(16);
  writeTrb(back, 0, trb);
  assert.deepEqual(back, bytes);
});

// §6.2.2: route and speed and entries, root port in byte 6; address and state are the controller's.
test("a slot context is written whole: what stood in its other words is gone", () => {
  const bytes = new Uint8Array(40).fill(0xee);
  writeSlotContext(bytes, 8, { speed: 4, lastContext: 31, rootPort: 5, route: 0x54321 });
  assert.deepEqual(
    [4, 8, 12, 16, 20, 24].map((at) => getU32le(bytes, at)),
    [0xeeeeeeee, 0xf8454321, 0x00050000, 0, 0, 0xeeeeeeee],
  );
});
