// The controller model by its registers, as software that is not ours would use them: no transport, memory by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { getU32le, putU32le } from "../../base/bytes.ts";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { decodeXhciCapabilities } from "../../codec/xhci/registers.ts";
import { TrbType, XhciCode } from "../../codec/xhci/trb.ts";
import { XhciDevice } from "./xhci-device.ts";

const operational = 0x40;
const runtime = 0x1000;

/** Host memory of 64 KiB at address 0, and a controller that may do what it likes with it. */
function bench(allowed = true) {
  const memory = new Uint8Array(0x10000);
  const messages: number[] = [];
  const device = new XhciDevice({ clock: new VirtualClock(), random: new Random(1) });
  device.plug({
    read: (address, into, offset, length) => {
      if (!allowed) return false;
      into.set(memory.subarray(address, address + length), offset);
      return true;
    },
    write: (address, from, offset, length) => memory.set(from.subarray(offset, offset + length), address),
    message: (_address, data) => messages.push(data),
    setLine: () => {},
    reportError: () => {},
  });
  device.reset("power");
  const write = (offset: number, value: number): void => device.memoryWrite(0, offset, 4, value);
  const read = (offset: number): number => device.memoryRead(0, offset, 4) ?? -1;
  // MSI-X: entry 0, unmasked, enabled.
  write(0x3000, 0xfee0_0000);
  write(0x3008, 7);
  write(0x300c, 0);
  device.configWrite(0xb2, 2, 0x8000);
  return { device, memory, messages, read, write };
}

/** Rings at 1000h (commands) and 2000h (events, `size` of them), table at 3000h, contexts at 4000h. */
function start({ memory, write }: ReturnType<typeof bench>, size = 16): void {
  putU32le(memory, 0x3000, 0x2000);
  putU32le(memory, 0x3008, size);
  write(operational + 0x38, 8);
  write(operational + 0x30, 0x4000);
  write(operational + 0x34, 0);
  write(operational + 0x18, 0x1001);
  write(operational + 0x1c, 0);
  write(runtime + 0x28, 1);
  write(runtime + 0x3c, 0);
  write(runtime + 0x38, 0x2000);
  write(runtime + 0x30, 0x3000);
  write(runtime + 0x34, 0);
  write(runtime + 0x20, 2);
  write(operational, 5);
}

const noOp = (memory: Uint8Array, index: number, type: number = TrbType.noOpCommand): void =>
  putU32le(memory, 0x1000 + index * 16 + 12, (type << 10) | 1);

test("capability registers can be decoded, and say what was built", () => {
  const { read } = bench();
  const words = {
    lengthAndVersion: read(0),
    structural1: read(4),
    structural2: read(8),
    capability1: read(0x10),
    doorbellOffset: read(0x14),
    runtimeOffset: read(0x18),
  };
  const { extendedAt, ports, slots } = decodeXhciCapabilities(words, 0x4000);
  assert.deepEqual([slots, ports, extendedAt], [32, 8, 0x20]);
  // Halted, nobody at the ports, power on.
  assert.equal(read(operational + 4) & 1, 1);
  assert.equal(read(operational + 0x400) & 0x201, 0x200);
});

test("a command's end is an event with the command's address, and one message until software has looked", () => {
  const it = bench();
  start(it);
  noOp(it.memory, 0);
  noOp(it.memory, 1);
  it.write(0x2000, 0);
  assert.deepEqual(it.messages, [7]);
  for (const index of [0, 1]) {
    const at = 0x2000 + index * 16;
    assert.equal(getU32le(it.memory, at), 0x1000 + index * 16);
    assert.equal(getU32le(it.memory, at + 8) >>> 24, XhciCode.success);
    assert.equal(getU32le(it.memory, at + 12), (TrbType.commandCompletion << 10) | 1);
  }
  // Software read one of them: the other is told again.
  it.write(runtime + 0x38, 0x2010 | 8);
  assert.deepEqual(it.messages, [7, 7]);
  it.write(runtime + 0x38, 0x2020 | 8);
  assert.deepEqual(it.messages, [7, 7]);
});

test("events without room wait, and none is lost", () => {
  const it = bench();
  start(it, 4);
  for (let index = 0; index < 6; index++) noOp(it.memory, index);
  it.write(0x2000, 0);
  const seen: number[] = [];
  let cycle = 1;
  let at = 0;
  for (let look = 0; look < 20; look++) {
    const control = getU32le(it.memory, 0x2000 + at * 16 + 12);
    if ((control & 1) !== cycle) break;
    seen.push(getU32le(it.memory, 0x2000 + at * 16));
    at = (at + 1) % 4;
    if (at === 0) cycle ^= 1;
    it.write(runtime + 0x38, (0x2000 + at * 16) | 8);
  }
  assert.deepEqual(
    seen,
    [0, 1, 2, 3, 4, 5].map((index) => 0x1000 + index * 16),
  );
});

test("commands of slots and endpoints that are none are refused by code", () => {
  const it = bench();
  start(it);
  noOp(it.memory, 0, TrbType.disableSlot);
  noOp(it.memory, 1, TrbType.enableSlot);
  putU32le(it.memory, 0x1000 + 2 * 16 + 12, ((TrbType.stopEndpoint << 10) | (3 << 16) | (1 << 24) | 1) >>> 0);
  it.write(0x2000, 0);
  const codes = [0, 1, 2].map((index) => getU32le(it.memory, 0x2000 + index * 16 + 8) >>> 24);
  assert.deepEqual(codes, [XhciCode.slotNotEnabled, XhciCode.success, XhciCode.endpointNotEnabled]);
});

test("memory that nobody allows stops the controller with a host system error", () => {
  const it = bench(false);
  it.write(operational, 5);
  it.write(0x2000, 0);
  assert.equal(it.read(operational + 4) & 5, 5);
  assert.equal(it.device.isEngineOn, false);
});

test("reset puts everything back, and a ring of links only is nobody's work", () => {
  const it = bench();
  start(it);
  putU32le(it.memory, 0x1000, 0x1000);
  putU32le(it.memory, 0x100c, (TrbType.link << 10) | 1);
  it.write(0x2000, 0);
  assert.deepEqual(it.messages, []);
  it.write(operational, 2);
  assert.deepEqual([it.read(operational) & 7, it.read(operational + 4) & 1], [0, 1]);
});
