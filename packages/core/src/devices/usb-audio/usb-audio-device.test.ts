// The headset by its requests and packets: what a host finds, sets, plays and hears.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { decodeFeedback, encodeFeedback } from "../../codec/uac/uac.ts";
import { parseConfiguration } from "../../codec/usb/descriptors.ts";
import { RecordingClient } from "../../ports/usb-host.contract.ts";
import {
  newUsbPackets,
  type UsbHostPort,
  UsbPacketStatus,
  UsbStatus,
  UsbSubmit,
} from "../../ports/usb-host.ts";
import { SimUsbBus } from "../../transports/sim/usb-bus.ts";
import { UsbAudioDevice } from "./usb-audio-device.ts";

function attached(sync: "adaptive" | "asynchronous" = "asynchronous") {
  const clock = new VirtualClock();
  const bus = new SimUsbBus({ clock, random: new Random(1), timing: "none" });
  const played: number[] = [];
  const device = new UsbAudioDevice({ clock, sync, onPlayed: (bytes) => played.push(...bytes) });
  const ports: UsbHostPort[] = [];
  bus.onAttach((port) => ports.push(port));
  bus.plugIn(device, 1);
  clock.runUntil();
  const [port] = ports;
  const client = new RecordingClient();
  port.connect(client);
  const request = (bytes: number[], data = new Uint8Array(bytes[6] | (bytes[7] << 8))) => {
    assert.equal(port.control(0, Uint8Array.from(bytes), data, 0), UsbSubmit.accepted);
    clock.runUntil();
    return { status: client.of(0).at(-1)?.status, data };
  };
  const { data } = request([0x80, 6, 0, 2, 0, 0, 0, 4]);
  request([0, 9, 1, 0, 0, 0, 0, 0]);
  return { clock, port, client, device, played, request, configuration: data };
}

test("the configuration is lawful: an asynchronous speaker names its feedback endpoint, an adaptive one has none", () => {
  for (const sync of ["adaptive", "asynchronous"] as const) {
    const { configuration } = attached(sync);
    const total = configuration[2] | (configuration[3] << 8);
    const { interfaces } = parseConfiguration(configuration.subarray(0, total));
    assert.deepEqual(
      interfaces.map(({ number, settings }) => [number, settings.length]),
      [
        [0, 1],
        [1, 2],
        [2, 2],
      ],
    );
    const endpoints = interfaces[1].settings[1].endpoints.map(({ descriptor }) => descriptor.bmAttributes);
    assert.deepEqual(endpoints, sync === "adaptive" ? [0x09] : [0x05, 0x11]);
    // Audio 1.0 §4.3.2: wTotalLength of the header is that of all units behind it.
    const [header, ...units] = interfaces[0].settings[0].extra.map(({ bytes }) => bytes);
    assert.equal(
      header[5] | (header[6] << 8),
      units.reduce((sum, unit) => sum + unit.length, header.length),
    );
  }
});

test("volume in steps of its own, each channel; the master has none; mute; the rates that there are", () => {
  const { device, request } = attached();
  const unit = [0, 2];
  assert.equal(request([0xa1, 0x81, 0, 2, ...unit, 2, 0]).status, UsbStatus.stall);
  assert.deepEqual([...request([0xa1, 0x82, 1, 2, ...unit, 2, 0]).data], [0, 0xc4]);
  // -10.4 dB becomes -10.
  assert.equal(request([0x21, 1, 1, 2, ...unit, 2, 0], Uint8Array.of(0x9a, 0xf5)).status, UsbStatus.ok);
  assert.deepEqual(device.volumes, [-10 * 256, 0]);
  assert.equal(request([0x21, 1, 0, 1, ...unit, 1, 0], Uint8Array.of(1)).status, UsbStatus.ok);
  assert.equal(device.volumes, null);
  assert.equal(request([0x22, 1, 0, 1, 1, 0, 3, 0], Uint8Array.of(0x80, 0xbb, 0)).status, UsbStatus.ok);
  assert.equal(request([0x22, 1, 0, 1, 1, 0, 3, 0], Uint8Array.of(0x44, 0xac, 0)).status, UsbStatus.ok);
  assert.equal(device.rate, 44_100);
  // 96 kHz, and 48 kHz in two bytes.
  assert.equal(request([0x22, 1, 0, 1, 1, 0, 3, 0], Uint8Array.of(0, 0x77, 1)).status, UsbStatus.stall);
  assert.equal(request([0x22, 1, 0, 1, 1, 0, 2, 0], Uint8Array.of(0x80, 0xbb)).status, UsbStatus.stall);
});

test("packets are played as they come, a gap of two intervals is counted, feedback says 48 frames", () => {
  const { clock, client, device, played, port, request } = attached();
  request([0x01, 11, 1, 0, 1, 0, 0, 0]);
  const play = (slot: number): void => {
    const data = new Uint8Array(3 * 192).map((_, index) => (index + slot) & 255);
    assert.equal(port.isochronous(slot, 0x01, data, 0, newUsbPackets([192, 192, 192])), UsbSubmit.accepted);
  };
  play(1);
  play(2);
  clock.runUntil();
  assert.deepEqual([played.length, device.counters.missed], [6 * 192, 0]);
  clock.runUntil(clock.nowNs() + 2_500_000);
  play(3);
  clock.runUntil();
  assert.deepEqual([device.counters.packets, device.counters.missed], [9, 2]);
  const feedback = new Uint8Array(3);
  port.isochronous(4, 0x81, feedback, 0, newUsbPackets([3]));
  clock.runUntil();
  assert.equal(client.of(4)[0]?.bytes, 3);
  assert.equal(decodeFeedback(feedback, 48_000), 48);
});

test("the microphone has 48 frames for each interval", () => {
  const { clock, port, request } = attached();
  request([0x01, 11, 1, 0, 2, 0, 0, 0]);
  const packets = newUsbPackets([196, 196]);
  const buffer = new Uint8Array(392);
  port.isochronous(1, 0x82, buffer, 0, packets);
  clock.runUntil();
  assert.deepEqual([...packets.actualBytes], [192, 192]);
  assert.deepEqual([...packets.statuses], [UsbPacketStatus.ok, UsbPacketStatus.ok]);
  // Frame 48, the first of the second packet: 48 * 7 and 48 * 13.
  assert.deepEqual([...buffer.subarray(196, 200)], [80, 1, 112, 2]);
});

test("feedback that no device of the rate can mean is none", () => {
  assert.deepEqual([...encodeFeedback(48)], [0, 0, 0x0c]);
  assert.equal(decodeFeedback(Uint8Array.of(0, 0, 0x0c), 48_000), 48);
  assert.equal(decodeFeedback(Uint8Array.of(0, 0, 0x10), 48_000), null);
  assert.equal(decodeFeedback(Uint8Array.of(0, 0), 48_000), null);
});
