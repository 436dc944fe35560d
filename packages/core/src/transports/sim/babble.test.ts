// A host's buffer that ends inside a packet sees babble, on each kind of endpoint that the simulated bus carries.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { FtdiDevice } from "../../devices/ftdi/ftdi-device.ts";
import { HidKeyboardDevice } from "../../devices/hid-keyboard/hid-keyboard-device.ts";
import { LoopbackDevice } from "../../devices/loopback/loopback-device.ts";
import type { UsbDevicePort } from "../../ports/usb-device.ts";
import { UsbStatus } from "../../ports/usb-host.ts";
import { UsbCarrier } from "./usb-carrier.ts";

interface Ended {
  readonly slot: number;
  readonly status: UsbStatus;
  readonly bytes: number;
}

function carried(clock: VirtualClock, device: UsbDevicePort) {
  const ended: Ended[] = [];
  const wire = { busyUntilNs: 0 };
  const options = { clock, random: new Random(1), wire, timing: "none", onReconnect: () => {} } as const;
  const carrier = new UsbCarrier(device, options);
  carrier.connect({
    completed: (slot, status, bytes) => void ended.push({ slot, status, bytes }),
    detached: () => {},
  });
  device.plug(carrier);
  carrier.control(0, Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0), null, 0);
  const until = (ms: number): Ended[] => {
    clock.runUntil(clock.nowNs() + ms * 1e6);
    return ended.splice(0);
  };
  until(1);
  return { carrier, until };
}

// libusb's manual, "Packets and overflows": a buffer of one packet and a bit meets a second whole packet.
test("a read of 600 bytes with two full packets waiting ends with the 600 that fit", () => {
  const { carrier, until } = carried(new VirtualClock(), new LoopbackDevice());
  carrier.transfer(1, 0x01, new Uint8Array(1024), 0, 1024);
  until(1);
  const back = new Uint8Array(600);
  carrier.transfer(2, 0x81, back, 0, 600);
  assert.deepEqual(until(1), [{ slot: 2, status: UsbStatus.overflow, bytes: 600 }]);
});

// HID 1.11 §5.7 and hidapi's reports of LIBUSB_ERROR_OVERFLOW: a boot keyboard sends 8 bytes, whoever asks for 4.
test("half a keyboard report is babble", () => {
  const clock = new VirtualClock();
  const keyboard = new HidKeyboardDevice({ clock });
  const { carrier, until } = carried(clock, keyboard);
  keyboard.press(0x04);
  carrier.transfer(1, 0x81, new Uint8Array(4), 0, 4);
  assert.deepEqual(until(20), [{ slot: 1, status: UsbStatus.overflow, bytes: 4 }]);
});

// pyftdi and others read one byte at a time: the status bytes of an FTDI packet alone are two.
test("a read of one byte from an FTDI chip is babble, a read of nothing too", () => {
  const clock = new VirtualClock();
  const { carrier, until } = carried(clock, new FtdiDevice({ clock }));
  carrier.transfer(1, 0x81, new Uint8Array(1), 0, 1);
  assert.deepEqual(until(20), [{ slot: 1, status: UsbStatus.overflow, bytes: 1 }]);
  carrier.transfer(2, 0x81, new Uint8Array(1), 0, 0);
  assert.deepEqual(until(20), [{ slot: 2, status: UsbStatus.overflow, bytes: 0 }]);
});
