// Pseudo-terminals against other processes: nothing that was written is lost, whoever is slow and whoever leaves.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { TerminalClient } from "@drydock/core/ports/terminal";
import { openPty, type Pty } from "../../src/outlets/pty.ts";

const skip = process.platform === "linux" ? false : "pseudo-terminals are supported on Linux only";

/** Takes at most `appetite` bytes at a time and a little later more. */
class SlowReader implements TerminalClient {
  readonly #terminal: Pty;
  readonly #appetite: number;
  received = 0;
  checksum = 0;
  events: string[] = [];

  constructor(terminal: Pty, appetite: number) {
    this.#terminal = terminal;
    this.#appetite = appetite;
    terminal.connect(this);
  }

  opened(): void {
    this.events.push("opened");
  }

  closed(): void {
    this.events.push(`closed after ${this.received}`);
  }

  settingsChanged(): void {}

  input(bytes: Uint8Array, offset: number, length: number): number {
    const taken = Math.min(length, this.#appetite);
    for (let index = 0; index < taken; index++)
      this.checksum = (this.checksum * 31 + bytes[offset + index]) >>> 0;
    this.received += taken;
    if (taken < length) setTimeout(() => this.#terminal.resume(), 1);
    return taken;
  }

  writable(): void {}
}

test("a program that writes and leaves at once loses nothing, however slow the port is", {
  skip,
}, async (t) => {
  const pty = openPty();
  t.after(() => pty.hangUp());
  const reader = new SlowReader(pty, 700);
  await pause(50);
  const total = 60_000;
  const program = spawn("sh", ["-c", `head -c ${total} /dev/zero | tr '\\0' 'u' > ${pty.path}`]);
  const [code] = await once(program, "exit");
  assert.equal(code, 0);
  for (let wait = 0; wait < 200 && reader.events.length < 2; wait++) await pause(25);
  assert.deepEqual(reader.events, ["opened", `closed after ${total}`]);
  let expected = 0;
  for (let index = 0; index < total; index++) expected = (expected * 31 + 0x75) >>> 0;
  assert.equal(reader.checksum, expected);
});

test("opened again while the bytes of the program before still wait, the port stays open", {
  skip,
}, async (t) => {
  const pty = openPty();
  t.after(() => pty.hangUp());
  const reader = new SlowReader(pty, 50);
  await pause(50);
  const first = spawn("sh", ["-c", `head -c 3000 /dev/zero > ${pty.path}`]);
  await once(first, "exit");
  const second = spawn("sh", ["-c", `{ head -c 500 /dev/zero; sleep 0.6; } > ${pty.path}`]);
  await pause(300);
  assert.deepEqual(reader.events, ["opened"]);
  await once(second, "exit");
  for (let wait = 0; wait < 200 && reader.events.length < 2; wait++) await pause(25);
  assert.deepEqual(reader.events, ["opened", "closed after 3500"]);
});

test("hang-up: readers see the end, the descriptors are given back", { skip }, async () => {
  const before = process.report.getReport() as unknown as { libuv: { type: string }[] };
  for (let round = 0; round < 20; round++) {
    const pty = openPty();
    new SlowReader(pty, 100);
    const program = spawn("cat", [pty.path], { stdio: "ignore" });
    await pause(40);
    pty.hangUp();
    pty.hangUp();
    const [code] = await once(program, "exit");
    assert.ok(code === 0 || code === 1, `cat ended with ${code}`);
  }
  await pause(200);
  const after = process.report.getReport() as unknown as { libuv: { type: string }[] };
  assert.ok(after.libuv.length <= before.libuv.length + 3);
});

test("what came for a program that has gone is not given to the next: a port that is closed keeps nothing", {
  skip,
}, async (t) => {
  const pty = openPty();
  t.after(() => pty.hangUp());
  const reader = new SlowReader(pty, 1000);
  await pause(50);
  const until = async (count: number) => {
    for (let wait = 0; wait < 400 && reader.events.length < count; wait++) await pause(5);
    assert.equal(reader.events.length, count, reader.events.join(", "));
  };
  const bytes = Buffer.from("for nobody any more");
  for (let round = 0; round < 20; round++) {
    const ear = openSync(pty.path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    await until(2 * round + 1);
    // One part before it goes, which it does not read, and one before anybody has seen that it went.
    assert.equal(pty.write(bytes, 0, 9), 9);
    await pause(round % 3);
    closeSync(ear);
    assert.equal(pty.write(bytes, 9, bytes.length - 9), bytes.length - 9);
    await until(2 * round + 2);
  }
  const next = openSync(pty.path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  try {
    await until(41);
    const heard = Buffer.alloc(100);
    assert.throws(() => readSync(next, heard, 0, 100, null), { code: "EAGAIN" });
    pty.write(Buffer.from("hello"), 0, 5);
    await pause(20);
    assert.equal(heard.toString("utf8", 0, readSync(next, heard, 0, 100, null)), "hello");
  } finally {
    closeSync(next);
  }
});
