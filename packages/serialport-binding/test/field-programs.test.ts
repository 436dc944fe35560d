// Programs of the field that stand on npm serialport, as they are on npm, over a rig: Modbus, Firmata, johnny-five.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import { test } from "node:test";
import type { SerialFarEnd } from "@drydock/core/devices/uart";
import { defaultSerialRig, nullModemRig, type SerialRig } from "@drydock/core/rigs/serial-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LiveRunner } from "@drydock/node/live-runner";
import { RigBinding } from "../src/rig-binding.ts";
import { serialPortOver } from "../src/serial-port.ts";
import { FirmataBoard } from "./firmata-board.ts";

const require = createRequire(import.meta.url);

async function withPorts(
  rig: SerialRig,
  program: (binding: RigBinding, paths: readonly string[]) => Promise<void>,
): Promise<void> {
  await rig.machine.scheduler.run(2e9, () => rig.ports.length === rig.devices.length);
  const runner = new LiveRunner(rig.machine.scheduler);
  const running = runner.start();
  try {
    const binding = new RigBinding(rig);
    await program(
      binding,
      (await binding.list()).map(({ path }) => path),
    );
  } finally {
    await runner.stop();
    await running;
  }
}

test("modbus-serial: its server and its client at the two ends of a null modem", {
  timeout: 60_000,
}, async () => {
  await withPorts(nullModemRig(13, hostTurn), async (binding, [near, far]) => {
    const ModbusRTU = require("modbus-serial");
    const registers = new Map([
      [5, 17],
      [6, 65_535],
    ]);
    const server = new ModbusRTU.ServerSerial(
      {
        getHoldingRegister: (at: number) => registers.get(at) ?? 0,
        getCoil: (at: number) => at % 2 === 1,
        setRegister: (at: number, value: number) => registers.set(at, value),
      },
      { binding, path: far, baudRate: 19_200, unitID: 7 },
    );
    await once(server, "initialized");
    const client = new ModbusRTU();
    await client.connectRTUBuffered(near, { binding, baudRate: 19_200 });
    client.setID(7);
    client.setTimeout(20_000);
    assert.deepEqual((await client.readHoldingRegisters(5, 2)).data, [17, 65_535]);
    await client.writeRegister(6, 4711);
    assert.deepEqual((await client.readHoldingRegisters(6, 1)).data, [4711]);
    await client.writeRegisters(
      100,
      Array.from({ length: 100 }, (_, index) => index * 601),
    );
    assert.equal(registers.get(199), 99 * 601);
    assert.deepEqual((await client.readCoils(0, 4)).data.slice(0, 4), [false, true, false, true]);
    await new Promise((resolve) => client.close(resolve));
    await new Promise((resolve) => server.close(resolve));
  });
});

test("firmata and johnny-five: a board's handshake, an LED, a sensor, a button", {
  timeout: 60_000,
}, async () => {
  const board = new FirmataBoard();
  const farEnds: SerialFarEnd[] = [board];
  await withPorts(
    defaultSerialRig(13, hostTurn, { devices: ["cdc-acm"], farEnds, pacing: "none" }),
    async (binding, [path]) => {
      const SerialPort = serialPortOver(binding);
      const { Firmata } = require("firmata-io");
      const five = require("johnny-five");
      const port = new SerialPort({ path, baudRate: 57_600 });
      const io = new Firmata(port);
      await once(io, "ready");
      assert.equal(io.firmware.name, "StandardFirmata.ino");
      assert.equal(io.pins.length, 20);
      const robot = new five.Board({ io, repl: false, debug: false, sigint: false });
      await once(robot, "ready");
      new five.Led(13).on();
      const sensor = new five.Sensor({ pin: "A0", freq: 20 });
      const button = new five.Button({ pin: 7, isPullup: false });
      const pressed = once(button, "press");
      const changed = once(sensor, "change");
      const isReady = () => board.levels[13] && board.reported.has(0) && board.modes.get(7) === 0;
      for (let waits = 0; !isReady() && waits < 500; waits++)
        await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual([board.levels[13], board.modes.get(13), board.reported.has(0)], [true, 1, true]);
      board.turn(0, 700);
      board.press(0, 0x80);
      await pressed;
      await changed;
      assert.equal(sensor.value, 700);
      sensor.disable();
      const released = once(button, "release");
      board.press(0, 0);
      await released;
      await new Promise((resolve) => port.close(resolve));
    },
  );
});
