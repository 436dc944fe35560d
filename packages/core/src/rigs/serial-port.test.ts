// The serial port's contract list on every serial device, and the terminal outlet on top.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { TerminalOutlet } from "../outlets/serial/terminal-outlet.ts";
import { runContract } from "../ports/contract.ts";
import { RecordingSerialClient, serialContract } from "../ports/serial.contract.ts";
import { defaultLineSettings } from "../ports/serial.ts";
import type { TerminalClient, TerminalPort } from "../ports/terminal.ts";
import { defaultSerialRig, type SerialDeviceKind } from "./serial-rig.ts";

const second = 1e9;

async function newBench(device: SerialDeviceKind) {
  const rig = defaultSerialRig(3, hostTurn, {
    devices: [device],
    pacing: "none",
    timing: "none",
    trace: false,
  });
  const { scheduler } = rig.machine;
  await rig.machine.run(second);
  return {
    rig,
    port: rig.ports[0],
    client: new RecordingSerialClient(),
    settle: async () => void (await rig.machine.run(scheduler.nowNs() + second / 10)),
    unplug: () => rig.usb.bus.unplug(1),
  };
}

for (const device of ["ftdi", "cdc-acm", "ft4232h"] as const) {
  test(`the serial port's contract holds on ${device}`, async () => {
    const results = await runContract(serialContract, () => newBench(device));
    assert.deepEqual(
      results.filter((result) => result.problem !== null),
      [],
    );
    assert.equal(results.length, serialContract.length);
  });
}

/** A terminal without an operating system: programs are the test. */
class MemoryTerminal implements TerminalPort {
  readonly path = "memory";
  room = Number.POSITIVE_INFINITY;
  readonly shown: number[] = [];
  hangUps = 0;
  resumes = 0;
  client: TerminalClient | null = null;

  connect(client: TerminalClient): void {
    this.client = client;
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    const taken = Math.min(length, this.room);
    this.room -= taken;
    for (let index = 0; index < taken; index++) this.shown.push(bytes[offset + index]);
    return taken;
  }

  resume(): void {
    this.resumes++;
  }

  hangUp(): void {
    this.hangUps++;
  }
}

test("the terminal outlet: settings before bytes, back-pressure both ways, one hang-up", async () => {
  const { rig, port, settle, unplug } = await newBench("cdc-acm");
  const terminal = new MemoryTerminal();
  const events: string[] = [];
  const outlet = new TerminalOutlet(port, terminal, (text) => events.push(text));
  const program = terminal.client as TerminalClient;
  program.settingsChanged({ ...defaultLineSettings, baudRate: 19200 });
  program.opened();
  await settle();
  assert.equal(outlet.isOpen, true);
  const device = rig.devices[0] as unknown as { observe(): { lineCoding: { dwDTERate: number } } };
  assert.equal(device.observe().lineCoding.dwDTERate, 19200);
  terminal.room = 10;
  const sent = new Uint8Array(500).map((_, index) => index & 255);
  assert.equal(program.input(sent, 0, 500), 500);
  await settle();
  assert.equal(terminal.shown.length, 10);
  terminal.room = Number.POSITIVE_INFINITY;
  program.writable();
  await settle();
  assert.deepEqual(terminal.shown, [...sent]);
  assert.deepEqual([outlet.bytesToDevice, outlet.bytesFromDevice], [500, 500]);
  unplug();
  await settle();
  assert.equal(terminal.hangUps, 1);
  program.opened();
  program.closed();
  assert.deepEqual(events, ["memory set to 19200 8N1", "memory opened", "memory hung up"]);
});
