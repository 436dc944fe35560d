// Terminal programs of the field on two ports and a null modem: screen, minicom, kermit, mbpoll, avrdude.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type LiveRig, missingProgram, startLiveRig, until } from "./live-rig.ts";
import { Stk500Target } from "./stk500-target.ts";

let rig: LiveRig;
/** The two terminals. */
let near: string;
let far: string;

before(async () => {
  rig = await startLiveRig(["--pair", "--no-pacing"]);
  near = rig.terminal;
  far = `${near}1`;
});

after(async () => {
  assert.equal(await rig.stop(), 130);
});

/** What a shell at the far end hears; it answers nothing by itself. */
function listen(): { readonly heard: () => string; readonly child: ChildProcess; say(text: string): void } {
  const child = spawn("sh", ["-c", `stty -F ${far} raw -echo; exec timeout 60 cat ${far}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += chunk;
  });
  return {
    heard: () => text,
    child,
    say: (words) => {
      const terminal = openSync(far, constants.O_WRONLY | constants.O_NOCTTY);
      writeSync(terminal, words);
      closeSync(terminal);
    },
  };
}

/** A full-screen program in a terminal of its own; typed at until the far end has heard. */
async function talk(command: string, isOver: string): Promise<void> {
  const ear = listen();
  const program = spawn("script", ["-q", "-c", command, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, TERM: "vt100", SCREENDIR: join(rig.folder, "screens"), HOME: rig.folder },
  });
  let shown = "";
  program.stdout.on("data", (chunk) => {
    shown += chunk;
  });
  const typing = setInterval(() => program.stdin.write("ping"), 500);
  await until(
    () => ear.heard().includes("ping"),
    `${command} to be heard; it shows ${JSON.stringify(shown)}`,
  );
  clearInterval(typing);
  ear.say("pong-from-afar");
  await until(
    () => shown.includes("pong-from-afar"),
    `${command} to show the answer; it shows ${JSON.stringify(shown)}`,
  );
  const ended = new Promise((resolve) => program.once("exit", resolve));
  const leaving = setInterval(() => program.stdin.write(isOver), 500);
  await ended;
  clearInterval(leaving);
  ear.child.kill();
}

test("screen: what is typed is heard, what is said is shown", {
  skip: missingProgram("screen", "screen"),
  timeout: 60_000,
}, async () => {
  mkdirSync(join(rig.folder, "screens"), { mode: 0o700 });
  // Ctrl-A k, y: screen's own way to close its window.
  await talk(`screen ${near} 115200`, "\x01ky");
});

test("minicom: the same, without its modem strings", {
  skip: missingProgram("minicom", "minicom"),
  timeout: 60_000,
}, async () => {
  // Ctrl-A q, Enter: out, and leave the line as it is.
  await talk(`minicom -o -D ${near} -b 115200`, "\x01q\r");
});

test("kermit sends a file that kermit receives", {
  skip: missingProgram("kermit", "ckermit"),
  timeout: 100_000,
}, async () => {
  const data = randomBytes(60_000);
  writeFileSync(join(rig.folder, "kermit.bin"), data);
  mkdirSync(join(rig.folder, "kermit-in"));
  const set = "set carrier-watch off, set flow-control none, set speed 115200, set file type binary, robust";
  const kermit = (folder: string, line: string, act: string) => {
    const child = spawn("timeout", ["80", "kermit", "-Y", "-C", `set line ${line}, ${set}, ${act}, exit`], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        text += chunk;
      });
    return new Promise<{ code: number | null; text: string }>((resolve) =>
      child.once("exit", (code) => resolve({ code, text })),
    );
  };
  const received = kermit(join(rig.folder, "kermit-in"), far, "receive");
  const sent = await kermit(rig.folder, near, "send kermit.bin");
  assert.equal(sent.code, 0, sent.text);
  assert.equal((await received).code, 0);
  assert.deepEqual(readFileSync(join(rig.folder, "kermit-in/kermit.bin")), data);
});

/** Modbus over serial line 1.02 §2.5.1: the CRC of RTU frames, low byte first. */
function modbusCrc(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >> 1 : (crc >> 1) ^ 0xa001;
  }
  return crc;
}

const framed = (bytes: readonly number[]): Buffer => {
  const crc = modbusCrc(Uint8Array.from(bytes));
  return Buffer.from([...bytes, crc & 0xff, crc >> 8]);
};

test("mbpoll reads holding registers of a Modbus slave and writes one", {
  skip: missingProgram("mbpoll", "mbpoll"),
  timeout: 60_000,
}, async () => {
  const registers = [17, 4711, 65_535, 0];
  const slave = spawn("sh", ["-c", `stty -F ${far} raw -echo; exec timeout 50 cat ${far}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const terminal = openSync(far, constants.O_WRONLY | constants.O_NOCTTY);
  let waiting = Buffer.alloc(0);
  slave.stdout.on("data", (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    // Modbus application protocol 1.1b3 §6.3, §6.6: requests of eight bytes.
    if (waiting.length < 8) return;
    const request = waiting.subarray(0, 8);
    waiting = waiting.subarray(8);
    assert.equal(request.readUInt16LE(6), modbusCrc(request.subarray(0, 6)));
    const [unit, code] = request;
    const at = request.readUInt16BE(2);
    const value = request.readUInt16BE(4);
    if (code === 3) {
      const words = registers.slice(at, at + value).flatMap((word) => [word >> 8, word & 0xff]);
      writeSync(terminal, framed([unit, 3, words.length, ...words]));
    } else if (code === 6) {
      registers[at] = value;
      writeSync(terminal, request);
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const poll = (more: readonly string[]) =>
    new Promise<{ code: number | null; text: string }>((resolve) => {
      const child = spawn("timeout", [
        "20",
        "mbpoll",
        "-m",
        "rtu",
        "-a",
        "1",
        "-b",
        "19200",
        "-P",
        "none",
        "-t",
        "4",
        "-r",
        "1",
        "-1",
        "-o",
        "5",
        ...more,
      ]);
      let text = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk) => {
          text += chunk;
        });
      child.once("exit", (code) => resolve({ code, text }));
    });
  const read = await poll(["-c", "4", near]);
  assert.equal(read.code, 0, read.text);
  for (const value of [17, 4711, 65_535]) assert.match(read.text, new RegExp(`\\b${value}\\b`));
  const written = await poll([near, "1234"]);
  assert.equal(written.code, 0, written.text);
  assert.equal(registers[0], 1234);
  closeSync(terminal);
  slave.kill();
});

test("avrdude writes a boot loader's flash by STK500 and verifies it", {
  skip: missingProgram("avrdude", "avrdude"),
  timeout: 100_000,
}, async () => {
  const program = randomBytes(4096);
  writeFileSync(join(rig.folder, "program.bin"), program);
  const target = new Stk500Target();
  const ear = spawn("sh", ["-c", `stty -F ${far} raw -echo; exec timeout 90 cat ${far}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const terminal = openSync(far, constants.O_WRONLY | constants.O_NOCTTY);
  ear.stdout.on("data", (chunk: Buffer) => {
    const answer = target.push(chunk);
    if (answer.length > 0) writeSync(terminal, answer);
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const child = spawn("timeout", [
    "80",
    "avrdude",
    "-C",
    "/etc/avrdude.conf",
    "-p",
    "m328p",
    "-c",
    "stk500v1",
    "-P",
    near,
    "-b",
    "115200",
    "-D",
    "-U",
    `flash:w:${join(rig.folder, "program.bin")}:r`,
  ]);
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      text += chunk;
    });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  closeSync(terminal);
  ear.kill();
  assert.equal(code, 0, text);
  assert.match(text, /4096 bytes of flash verified/);
  assert.deepEqual(target.flash.subarray(0, program.length), program);
});
