// AC'97 hardware by its registers alone: reset values, a run to the end of the list, the line, the semaphore.

import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import {
  Ac97Control,
  Ac97Engine,
  Ac97Global,
  Ac97Mixer,
  Ac97Register,
  newAc97Buffer,
  writeAc97Buffer,
} from "../../codec/ac97/ac97.ts";
import type { PciUpstream } from "../../ports/pci-device.ts";
import { Ac97Device } from "./ac97-device.ts";

/** Memory from address 0 on, and what the function does to the line. */
function bench() {
  const clock = new VirtualClock();
  const memory = new Uint8Array(0x10000);
  const played: number[] = [];
  const device = new Ac97Device({ clock, onPlayed: (bytes) => played.push(...bytes) });
  const bus = { isRaised: false, memory, clock, device, played };
  const upstream: PciUpstream = {
    read: (address, into, offset, length) => {
      if (address + length > memory.length) return false;
      into.set(memory.subarray(address, address + length), offset);
      return true;
    },
    write: () => {},
    message: () => {},
    setLine: (isRaised) => {
      bus.isRaised = isRaised;
    },
    reportError: () => {},
  };
  device.plug(upstream);
  device.reset("power");
  device.memoryWrite(1, Ac97Global.control, 4, 2);
  clock.runUntil(2e6);
  return bus;
}

const po = (register: number): number => Ac97Engine.pcmOut + register;

test("after a cold reset the codec is ready and muted: SigmaTel's numbers, 48 kHz, variable rates offered", () => {
  const { device } = bench();
  assert.equal(device.memoryRead(1, Ac97Global.status, 4), 0x100);
  const values = [0x02, 0x18, 0x1c, 0x26, 0x28, 0x2c, 0x7c, 0x7e].map((at) => device.memoryRead(0, at, 2));
  assert.deepEqual(values, [0x8000, 0x8808, 0x8808, 0x000f, 0x0809, 48000, 0x8384, 0x7600]);
});

test("a codec that is held in its reset answers nothing", () => {
  const { device } = bench();
  device.memoryWrite(1, Ac97Global.control, 4, 0);
  assert.equal(device.memoryRead(0, Ac97Mixer.vendor1, 2), 0xffffffff);
  assert.equal((device.memoryRead(1, Ac97Global.status, 4) ?? 0) & 0x100, 0);
});

test("two buffers: interrupt and PICB, the end with status 0Fh, and a new last index goes on (ICH AC '97)", () => {
  const bus = bench();
  const { clock, device, memory, played } = bus;
  for (let at = 0; at < 0x1000; at++) memory[0x1000 + at] = at & 0xff;
  for (const number of [0, 1, 2])
    writeAc97Buffer(memory, number * 8, {
      ...newAc97Buffer(),
      address: 0x1000 + number * 0x400,
      samples: 0x200,
      isInterrupting: true,
    });
  device.memoryWrite(0, Ac97Mixer.masterVolume, 2, 0);
  device.memoryWrite(0, Ac97Mixer.pcmOutVolume, 2, 0x0808);
  device.memoryWrite(1, po(Ac97Register.listAddress), 4, 0);
  device.memoryWrite(1, po(Ac97Register.lastValidIndex), 1, 1);
  assert.equal(device.memoryRead(1, po(Ac97Register.status), 2), 1);
  device.memoryWrite(1, po(Ac97Register.control), 1, 0x1d);
  assert.equal(device.memoryRead(1, po(Ac97Register.status), 2), 0);
  assert.equal(device.memoryRead(1, po(Ac97Register.samplesLeft), 2), 0x200);
  // 256 frames of 48 kHz are 5.33 ms.
  clock.runUntil(clock.nowNs() + 5.4e6);
  assert.equal(device.memoryRead(1, po(Ac97Register.status), 2), 8);
  assert.equal(device.memoryRead(1, po(Ac97Register.currentIndex), 1), 1);
  assert.equal(bus.isRaised, true);
  assert.equal((device.memoryRead(1, Ac97Global.status, 4) ?? 0) & 0x40, 0x40);
  device.memoryWrite(1, po(Ac97Register.status), 2, 8);
  assert.equal(bus.isRaised, false);
  clock.runUntil(clock.nowNs() + 6e6);
  assert.equal(device.memoryRead(1, po(Ac97Register.status), 2), 0x0f);
  assert.equal(device.memoryRead(1, po(Ac97Register.samplesLeft), 2), 0);
  assert.deepEqual(played, [...memory.subarray(0x1000, 0x1800)]);
  device.memoryWrite(1, po(Ac97Register.status), 2, 0x1c);
  device.memoryWrite(1, po(Ac97Register.lastValidIndex), 1, 2);
  clock.runUntil(clock.nowNs() + 6e6);
  assert.equal(played.length, 0xc00);
  assert.equal(device.hearing.ranDry, 2);
});

test("registers of a running engine are not reset; of one that stands they are", () => {
  const { device, memory } = bench();
  writeAc97Buffer(memory, 0, { ...newAc97Buffer(), address: 0x1000, samples: 2000 });
  device.memoryWrite(1, po(Ac97Register.lastValidIndex), 1, 5);
  device.memoryWrite(1, po(Ac97Register.control), 1, Ac97Control.run);
  device.memoryWrite(1, po(Ac97Register.control), 1, Ac97Control.run | Ac97Control.reset);
  assert.equal(device.memoryRead(1, po(Ac97Register.lastValidIndex), 1), 5);
  device.memoryWrite(1, po(Ac97Register.control), 1, 0);
  device.memoryWrite(1, po(Ac97Register.control), 1, Ac97Control.reset);
  assert.equal(device.memoryRead(1, po(Ac97Register.lastValidIndex), 1), 0);
  assert.equal(device.memoryRead(1, po(Ac97Register.control), 1), 0);
});

test("a list that nobody lets it read: it stands still with a FIFO error, and plays nothing", () => {
  const { device, clock, played } = bench();
  device.memoryWrite(1, po(Ac97Register.listAddress), 4, 0x80000000);
  device.memoryWrite(1, po(Ac97Register.control), 1, 0x1d);
  clock.runUntil(clock.nowNs() + 10e6);
  assert.equal(device.memoryRead(1, po(Ac97Register.status), 2), 0x11);
  assert.equal(played.length, 0);
});

test("the semaphore is taken by reading it, and given back by the next access of the codec", () => {
  const { device } = bench();
  const take = () => device.memoryRead(1, Ac97Global.semaphore, 1);
  assert.deepEqual([take(), take()], [0, 1]);
  device.memoryRead(0, Ac97Mixer.reset, 2);
  assert.equal(take(), 0);
});

test("rates: 48 kHz and nothing else until variable rates are switched on", () => {
  const { device } = bench();
  const rate = () => device.memoryRead(0, Ac97Mixer.frontRate, 2);
  device.memoryWrite(0, Ac97Mixer.frontRate, 2, 44100);
  assert.equal(rate(), 48000);
  device.memoryWrite(0, Ac97Mixer.extendedControl, 2, 1);
  device.memoryWrite(0, Ac97Mixer.frontRate, 2, 44100);
  assert.equal(rate(), 44100);
  device.memoryWrite(0, Ac97Mixer.extendedControl, 2, 0);
  assert.equal(rate(), 48000);
});
