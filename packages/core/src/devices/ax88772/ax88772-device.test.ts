// The AX88772 model: what it answers, what it refuses, which frames pass, what becomes of a stream.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { axChips } from "../../codec/ax88772/ax88772.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { ListeningStation } from "../ethernet-far-ends.ts";
import { sendHostileSetups } from "../hostile-setups.ts";
import {
  Ax88772Device,
  type Ax88772Options,
  axInEndpoint,
  axInterruptEndpoint,
  axOutEndpoint,
} from "./ax88772-device.ts";

const nothing = new Uint8Array(0);
const second = 1e9;

function bench(options: Partial<Ax88772Options> = {}) {
  const clock = new VirtualClock();
  const readied: number[] = [];
  const device = new Ax88772Device({ clock, ...options });
  const sent: Uint8Array[] = [];
  const far = new ListeningStation((bytes, offset, length) =>
    sent.push(bytes.slice(offset, offset + length)),
  );
  device.jack.plugIn(far);
  device.plug({ ready: (endpoint) => readied.push(endpoint), reconnect: () => {} });
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  device.in(0x80, nothing, 0, 0);
  const out = (setup: string, data: Uint8Array = nothing): boolean => {
    device.setup(bytesFromHex(setup));
    if (data.length > 0 && device.out(0, data, 0, data.length) === UsbStall) return false;
    return device.in(0x80, nothing, 0, 0) === 0;
  };
  const ask = (setup: string): string => {
    device.setup(bytesFromHex(setup));
    const into = new Uint8Array(16);
    const count = device.in(0x80, into, 0, 16);
    return count < 0 ? "stall" : hexBytes(into.subarray(0, count));
  };
  /** PHY up, receiving: 0088h, medium 0336h. */
  const bringUp = () => {
    out("40 20 20 00 00 00 00 00");
    clock.runUntil(clock.nowNs() + second);
    assert.equal(out("40 10 88 00 00 00 00 00"), true);
    assert.equal(out("40 1b 36 03 00 00 00 00"), true);
  };
  const read = (length = 16_384) => {
    const into = new Uint8Array(length);
    const count = device.in(axInEndpoint, into, 0, length);
    return count < 0 ? count : into.subarray(0, count);
  };
  const write = (bytes: Uint8Array) => device.out(axOutEndpoint, bytes, 0, bytes.length);
  return { clock, device, readied, sent, far, out, ask, bringUp, read, write };
}

function frameTo(address: string, length = 60): Uint8Array {
  const frame = Uint8Array.from({ length }, (_, index) => index & 0xff);
  frame.set(bytesFromHex(address.replaceAll(":", "")), 0);
  return frame;
}
const own = "00:0e:c6:00:00:01";

for (const { chipCode, name, phyId } of Object.values(axChips))
  test(`${name}: chip code, PHY id and address are its own`, () => {
    const { ask, bringUp, out } = bench({ chip: name });
    bringUp();
    out("40 06 00 00 00 00 00 00");
    assert.equal(ask("c0 09 00 00 00 00 01 00"), (1 | (chipCode << 4)).toString(16).padStart(2, "0"));
    const [high, low] = phyId.map((word) => hexBytes(Uint8Array.of(word & 255, word >> 8)));
    assert.equal(ask("c0 07 10 00 02 00 02 00"), high);
    assert.equal(ask("c0 07 10 00 03 00 02 00"), low);
    assert.equal(out("40 0a 00 00 00 00 00 00"), true);
    assert.equal(ask("c0 09 00 00 00 00 01 00"), (chipCode << 4).toString(16).padStart(2, "0"));
    assert.equal(ask("c0 13 00 00 00 00 06 00"), "00 0e c6 00 00 01");
    assert.equal(ask("c0 0b 04 00 00 00 02 00"), "00 0e");
    assert.equal(ask("c0 19 00 00 00 00 02 00"), "e0 10");
    // What only the B and C have.
    assert.equal(out("40 2a 00 80 01 80 00 00"), chipCode === 2);
    assert.equal(ask("c0 7f 00 00 00 00 02 00"), "stall");
  });

test("without an EEPROM the C has an address of zeros, and says nothing of words", () => {
  const { ask } = bench({ eeprom: null });
  assert.equal(ask("c0 13 00 00 00 00 06 00"), "00 00 00 00 00 00");
  assert.equal(ask("c0 0b 04 00 00 00 02 00"), "ff ff");
});

test("PHY registers read as nothing without the management interface, and before the PHY is up", () => {
  const { ask, clock, device, out } = bench();
  out("40 20 20 00 00 00 00 00");
  assert.equal(ask("c0 07 10 00 02 00 02 00"), "ff ff");
  assert.equal(device.observe().miiWithoutOwnership, 1);
  out("40 06 00 00 00 00 00 00");
  assert.equal(ask("c0 07 10 00 02 00 02 00"), "ff ff", "150 ms have not passed");
  clock.runUntil(clock.nowNs() + 0.2 * second);
  assert.equal(ask("c0 07 10 00 02 00 02 00"), "3b 00");
  assert.equal(ask("c0 07 11 00 02 00 02 00"), "ff ff", "another address");
  // The reset bit clears itself; the A's drivers put three registers back.
  out("40 08 10 00 00 00 02 00", bytesFromHex("00 82"));
  assert.equal(ask("c0 07 10 00 00 00 02 00"), "00 31");
  assert.equal(ask("c0 07 10 00 14 00 02 00"), "2c 44");
});

test("the link bit of the PHY is latched low, and the interrupt endpoint says each change", () => {
  const { ask, bringUp, clock, device, far, out } = bench();
  bringUp();
  const packet = new Uint8Array(8);
  assert.equal(device.in(axInterruptEndpoint, packet, 0, 8), 8);
  assert.equal(packet[2], 1);
  assert.equal(device.in(axInterruptEndpoint, packet, 0, 8), UsbNak);
  device.jack.pullOut();
  out("40 06 00 00 00 00 00 00");
  assert.equal(device.in(axInterruptEndpoint, packet, 0, 8), UsbNak, "the host has the management interface");
  device.jack.plugIn(far);
  clock.runUntil(clock.nowNs() + second);
  assert.equal(ask("c0 07 10 00 01 00 02 00"), "29 78", "it was down in between");
  assert.equal(ask("c0 07 10 00 01 00 02 00"), "2d 78");
  out("40 0a 00 00 00 00 00 00");
  assert.equal(device.in(axInterruptEndpoint, packet, 0, 8), 8);
  assert.equal(packet[2], 1);
});

test("frames pass by address, broadcast, hash, all multicast and promiscuous, and by nothing else", () => {
  const { bringUp, device, out, read } = bench();
  bringUp();
  const passes = (address: string): boolean => {
    const frame = frameTo(address);
    device.jack.frame(frame, 0, frame.length);
    const count = read();
    return typeof count !== "number";
  };
  const addresses = [own, "02:00:00:00:00:09", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb", "01:00:5e:00:00:01"];
  const all = () => addresses.map((address) => (passes(address) ? "1" : "0")).join("");
  assert.equal(all(), "10100");
  // Bit 15 of the filter: 224.0.0.251, mDNS.
  assert.equal(out("40 16 00 00 00 00 08 00", bytesFromHex("00 80 00 00 00 00 00 00")), true);
  out("40 10 98 00 00 00 00 00");
  assert.equal(all(), "10110");
  out("40 10 8a 00 00 00 00 00");
  assert.equal(all(), "10111");
  out("40 10 89 00 00 00 00 00");
  assert.equal(all(), "11111");
  out("40 10 80 00 00 00 00 00");
  assert.equal(all(), "10000");
  out("40 10 08 00 00 00 00 00");
  assert.equal(all(), "00000", "not started");
  out("40 10 88 00 00 00 00 00");
  out("40 1b 00 02 00 00 00 00");
  assert.equal(all(), "00000", "the medium does not receive");
});

test("a frame comes behind length and complement, padded to even; a burst cuts it where it ends", () => {
  const { bringUp, device, read } = bench({ cutBytes: 66 });
  bringUp();
  const frame = frameTo(own, 61);
  device.jack.frame(frame, 0, 61);
  device.jack.frame(frame, 0, 61);
  const first = read();
  assert.ok(typeof first !== "number");
  assert.equal(hexBytes(first.subarray(0, 4)), "3d 00 c2 ff");
  assert.equal(first.length, 66, "header, frame, one byte of padding");
  assert.equal((read() as Uint8Array).length, 66);
  assert.equal(read(), UsbNak);
  const two = bench({ cutBytes: 2 });
  two.bringUp();
  two.device.jack.frame(frame, 0, 61);
  assert.equal(hexBytes(two.read() as Uint8Array), "3d 00");
  assert.equal(hexBytes(two.read() as Uint8Array), "c2 ff", "a header in two transfers");
  assert.throws(() => bench({ cutBytes: 3 }), RangeError);
});

test("bursts: two bits of the receive control on the A, command 2Ah on the C, where those bits choose a header", () => {
  const fill = (chip: "ax88772a" | "ax88772c", setups: readonly string[]) => {
    const { bringUp, device, out, read } = bench({ chip });
    bringUp();
    for (const setup of setups) out(setup);
    const frame = frameTo(own, 1514);
    for (let count = 0; count < 12; count++) device.jack.frame(frame, 0, 1514);
    return read() as Uint8Array;
  };
  assert.equal(fill("ax88772a", []).length, 2048);
  assert.equal(fill("ax88772a", ["40 10 88 03 00 00 00 00"]).length, 16_384);
  assert.equal(fill("ax88772c", ["40 2a 00 81 47 81 00 00"]).length, 4096);
  const mixed = fill("ax88772c", ["40 10 88 03 00 00 00 00"]);
  assert.equal(
    hexBytes(mixed.subarray(0, 6)),
    "ea 05 15 02 00 00",
    "the A's value asks the C for six bytes of header",
  );
});

test("the new header says what the frame is and whether its sums are right", () => {
  const { bringUp, device, out, read } = bench();
  bringUp();
  out("40 10 88 03 00 00 00 00");
  out("40 2c 3f 00 00 00 00 00");
  const frame = new Uint8Array(64);
  frame.set(bytesFromHex("000ec6000001 020000000009 0800 4500 0020 0000 4000 4011 0000 0a000001 0a000002"));
  frame.set(bytesFromHex("1111 2222 000c 1234"), 34);
  device.jack.frame(frame, 0, 64);
  const unit = read() as Uint8Array;
  // IPv4 with UDP: both sums are wrong.
  assert.equal(hexBytes(unit.subarray(0, 6)), "40 00 bf 07 00 27");
  assert.equal(unit.length, 72, "six bytes and 64, to a multiple of four");
});

test("a transmit transfer is looked at when a short packet has ended it, and not before", () => {
  const { bringUp, device, sent, write } = bench();
  bringUp();
  const transfer = new Uint8Array(512);
  transfer.set(bytesFromHex("fc 01 03 fe"));
  assert.equal(write(transfer), 512);
  assert.deepEqual([sent.length, device.observe().heldBytes], [0, 512]);
  assert.equal(write(bytesFromHex("00 00 ff ff")), 4);
  assert.deepEqual([sent.length, sent[0].length, device.observe().heldBytes], [1, 508, 0]);
  // Shorter ones are padded.
  write(Uint8Array.of(20, 0, 0xeb, 0xff, ...new Uint8Array(20).fill(7)));
  assert.equal(sent[1].length, 60);
  assert.equal(sent[1][20], 0);
  write(bytesFromHex("10 00 00 00".concat("00".repeat(16))));
  assert.deepEqual([sent.length, device.observe().badTransmitHeaders], [2, 1]);
});

test("packet memories are bounded: whole frames are dropped, and a transfer without an end is refused at 8 KiB", () => {
  const { bringUp, device, out, write } = bench();
  bringUp();
  // Medium without flow control.
  out("40 1b 06 03 00 00 00 00");
  const frame = frameTo(own, 1514);
  for (let count = 0; count < 20; count++) device.jack.frame(frame, 0, 1514);
  assert.deepEqual([device.observe().receivedFrames, device.observe().overruns], [13, 7]);
  for (let count = 0; count < 16; count++) assert.equal(write(new Uint8Array(512)), 512);
  assert.equal(write(new Uint8Array(512)), UsbNak);
});

test("flow control, outwards: above its water mark the chip sends PAUSE, the far end holds, and nothing is lost (802.3 annex 31B)", () => {
  const { bringUp, clock, device, read, sent } = bench();
  bringUp();
  const frame = frameTo(own, 1514);
  const give = (count: number): void => {
    for (let index = 0; index < count; index++) device.jack.frame(frame, 0, 1514);
  };
  // 20 KiB hold eleven before fewer than 24h times 128 bytes are free.
  give(20);
  assert.deepEqual([device.observe().receivedFrames, device.observe().overruns], [11, 0]);
  assert.equal(device.observe().sentPauses, 1);
  // A PAUSE ends at the other MAC: nobody behind it sees one.
  assert.equal(sent.length, 0);
  let heard = 0;
  for (let count = 0; count < 40; count++) {
    const bytes = read();
    if (typeof bytes !== "number") heard += bytes.length;
    clock.runUntil(clock.nowNs() + 1000);
  }
  assert.equal(heard, 20 * 1518);
  assert.deepEqual([device.observe().overruns, device.observe().lostAtPartner], [0, 0]);
  // A host that never reads: the far end's memory fills, its patience ends after 336 ms, and each loss is counted.
  give(600);
  const { lostAtPartner, receivedFrames } = device.observe();
  assert.deepEqual([receivedFrames, lostAtPartner], [20 + 11, 600 - 11 - 512]);
  clock.runUntil(clock.nowNs() + 65_535 * 5120);
  assert.equal(device.observe().receivedFrames, 20 + 12);
  device.jack.pullOut();
  assert.equal(device.observe().lostAtPartner, 600 - 12);
});

test("flow control, inwards: a PAUSE of the far end silences the chip for its time, and is no frame for the host", () => {
  const { bringUp, clock, device, out, read, sent, write } = bench();
  bringUp();
  const pause = (quanta: number): void => {
    const frame = frameTo("01:80:c2:00:00:01");
    frame.set(bytesFromHex("020000000009 8808 0001"), 6);
    frame.set([quanta >> 8, quanta & 0xff], 16);
    device.jack.frame(frame, 0, 60);
  };
  const unit = Uint8Array.of(60, 0, 0xc3, 0xff, ...frameTo("02:00:00:00:00:09"));
  pause(100);
  assert.deepEqual([write(unit), read()], [UsbNak, UsbNak]);
  clock.runUntil(clock.nowNs() + 100 * 5120);
  assert.deepEqual([write(unit), sent.length], [unit.length, 1]);
  // One of time 0 ends it.
  pause(65_535);
  assert.equal(write(unit), UsbNak);
  pause(0);
  clock.runUntil(clock.nowNs());
  assert.equal(write(unit), unit.length);
  // Other opcodes, and PAUSE while the driver has not let it, silence nobody.
  const other = frameTo("01:80:c2:00:00:01");
  other.set(bytesFromHex("020000000009 8808 0101 ffff"), 6);
  device.jack.frame(other, 0, 60);
  out("40 1b 06 03 00 00 00 00");
  pause(65_535);
  assert.equal(write(unit), unit.length);
  assert.equal(device.observe().obeyedPauses, 3);
});

test("a wrong header can be asked for, and a reset forgets everything", () => {
  const { bringUp, device, out, read } = bench();
  bringUp();
  device.spoilHeaders(1);
  const frame = frameTo(own);
  device.jack.frame(frame, 0, 60);
  assert.equal(hexBytes((read() as Uint8Array).subarray(0, 4)), "3c 00 3c ff");
  device.jack.frame(frame, 0, 60);
  device.reset();
  assert.deepEqual([device.observe().rxControl, device.observe().isLinked], [0, false]);
  assert.equal(out("40 10 88 00 00 00 00 00"), true);
});

test("checksums are filled in where the C's engine is asked to, and left where the header says so", () => {
  const { bringUp, out, sent, write } = bench();
  bringUp();
  assert.equal(out("40 2e 07 00 00 00 00 00"), true);
  const frame = new Uint8Array(60);
  frame.set(bytesFromHex("000ec6000001 020000000009 0800 4500 002e 0000 4000 4011 0000 0a000001 0a000002"));
  frame.set(bytesFromHex("1111 2222 001a 0000"), 34);
  write(Uint8Array.of(60, 0, 0xc3, 0xff, ...frame));
  assert.notEqual(hexBytes(sent[0].subarray(24, 26)), "00 00");
  write(Uint8Array.of(60, 0x80, 0xc3, 0xff, ...frame));
  assert.equal(hexBytes(sent[1].subarray(24, 26)), "00 00");
});

test("hostile SETUP packets are answered or refused, never thrown at anybody", () => {
  const { device } = bench();
  sendHostileSetups(device, new Random(3), 20_000);
  assert.ok(device.observe().refusedRequests > 0);
});
