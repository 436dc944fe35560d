// The main job, by real programs: picocom, the npm package serialport, stty.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { SerialPort } from "serialport";
import { missingProgram, startLiveRig, until } from "./live-rig.ts";

const pieceBytes = 4096;
const onTheWayBytes = 32 * 1024;

const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/**
 * Sends `data` through the port and collects as many bytes as were sent. Never more on the way than the rig's path
 * holds with nobody reading: a write of npm serialport that must wait makes it forget the read that waits
 * (docs/decisions/0006-serialport-forgets-a-read.md).
 */
async function roundTrip(path: string, data: Buffer): Promise<Buffer> {
  const port = new SerialPort({ path, baudRate: 115200, autoOpen: false, highWaterMark: 64 * 1024 });
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
  const parts: Buffer[] = [];
  let length = 0;
  let at = 0;
  let brokeWith: Error | null = null;
  const sendMore = () => {
    while (at < data.length && at - length <= onTheWayBytes - pieceBytes) {
      const piece = data.subarray(at, at + pieceBytes);
      port.write(piece);
      at += piece.length;
    }
  };
  port.on("error", (error) => {
    brokeWith = error;
  });
  port.on("data", (part: Buffer) => {
    parts.push(part);
    length += part.length;
    sendMore();
  });
  sendMore();
  await until(() => length >= data.length || brokeWith !== null, "all bytes to come back", 110_000);
  assert.equal(brokeWith, null);
  await new Promise<void>((resolve, reject) => port.close((error) => (error ? reject(error) : resolve())));
  return Buffer.concat(parts);
}

for (const device of ["ftdi", "cdc-acm"]) {
  test(`serialport: 10 MiB go through ${device} and come back without a byte lost`, {
    timeout: 120_000,
  }, async () => {
    const rig = await startLiveRig(["--device", device, "--no-pacing"]);
    try {
      const data = randomBytes(10 * 1024 * 1024);
      const back = await roundTrip(rig.terminal, data);
      assert.equal(back.length, data.length);
      assert.equal(hash(back), hash(data));
    } finally {
      assert.equal(await rig.stop(), 130);
    }
  });
}

test("picocom opens the terminal at 115200 8N1 and gets back what it sends", {
  timeout: 60_000,
  skip: missingProgram("picocom", "picocom"),
}, async () => {
  const rig = await startLiveRig([]);
  try {
    // picocom wants a terminal for its own input: script gives it one.
    const command = `picocom -b 115200 --noreset -q -x 1500 -t "dry dock" ${rig.terminal}`;
    const output = await new Promise<string>((resolve) => {
      const child = spawn("script", ["-q", "-c", command, "/dev/null"], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      let text = "";
      child.stdout.on("data", (chunk) => {
        text += chunk;
      });
      child.once("exit", () => resolve(text));
    });
    assert.match(output, /dry dock/);
    assert.match(rig.talk(), /set to 115200 8N1/);
  } finally {
    assert.equal(await rig.stop(), 130);
  }
});

test("stty changes reach the device as line settings", { timeout: 60_000 }, async () => {
  const file = join(mkdtempSync(join(tmpdir(), "drydock-pcap-")), "lines.pcapng");
  const rig = await startLiveRig(["--device", "cdc-acm", "--pcap", file]);
  let code: number | null = null;
  try {
    const open = spawn("sh", ["-c", `exec 3<>${rig.terminal}; exec sleep 30`], { stdio: "ignore" });
    await until(() => rig.talk().includes("opened"), "the port to open");
    for (const settings of [
      ["57600", "cstopb"],
      ["1200", "-cstopb"],
      ["230400", "crtscts"],
    ]) {
      assert.equal(spawnSync("stty", ["-F", rig.terminal, ...settings]).status, 0);
      await until(() => rig.talk().includes(`set to ${settings[0]} 8N`), `${settings.join(" ")} to be seen`);
    }
    open.kill("SIGKILL");
    await until(() => rig.talk().includes("closed"), "the port to close");
  } finally {
    code = await rig.stop();
  }
  assert.equal(code, 130);
  assert.match(rig.talk(), /set to 57600 8N2/);
  assert.match(rig.talk(), /set to 230400 8N1 RTS\/CTS/);
  const capture = readFileSync(file);
  rmSync(dirname(file), { recursive: true });
  // 57600 = e100h, two stop bits: the data stage of SET_LINE_CODING on the wire.
  assert.ok(
    capture.includes(Buffer.from([0x00, 0xe1, 0x00, 0x00, 0x02, 0x00, 0x08])),
    "57600 8N2 on the wire",
  );
  assert.ok(
    capture.includes(Buffer.from([0xb0, 0x04, 0x00, 0x00, 0x00, 0x00, 0x08])),
    "1200 8N1 on the wire",
  );
});

test("unplug closes the port cleanly: readers see the end, writers EIO; plugged in again it comes back", {
  timeout: 60_000,
}, async () => {
  const rig = await startLiveRig([]);
  try {
    const script = `exec 3<>${rig.terminal}; cat <&3; echo "reader ended $?"; echo x >&3 || echo "writer refused"`;
    const program = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let complaint = "";
    program.stdout.on("data", (chunk) => {
      output += chunk;
    });
    program.stderr.on("data", (chunk) => {
      complaint += chunk;
    });
    const ended = new Promise((resolve) => program.once("exit", resolve));
    await until(() => rig.talk().includes("opened"), "the port to open");
    rig.type("u");
    await ended;
    assert.match(output, /reader ended \d/);
    assert.match(output, /writer refused/);
    assert.match(complaint, /Input\/output error|I\/O error/);
    assert.match(rig.talk(), /hung up/);
    rig.type("p");
    await until(() => rig.talk().split("\n  terminal  ").length > 2, "the port to come back");
    const back = await roundTrip(rig.terminal, Buffer.from("alive again"));
    assert.equal(back.toString(), "alive again");
  } finally {
    assert.equal(await rig.stop(), 130);
  }
});

test("a terminal that is opened and closed 20 times works each time", { timeout: 60_000 }, async () => {
  const rig = await startLiveRig(["--no-pacing"]);
  try {
    for (let round = 0; round < 20; round++) {
      const data = Buffer.from(`round ${round} through the dock`);
      const back = await roundTrip(rig.terminal, data);
      assert.equal(back.toString(), data.toString());
      await until(() => rig.talk().split(" closed").length > round + 1, `close ${round}`);
    }
  } finally {
    assert.equal(await rig.stop(), 130);
  }
});

test("a program that never reads holds the device, not the memory of the rig", {
  timeout: 60_000,
}, async () => {
  const rig = await startLiveRig(["--no-pacing"]);
  try {
    const script = `exec 3<>${rig.terminal}; stty -F ${rig.terminal} raw; timeout 3 head -c 20000000 /dev/zero >&3; echo done`;
    const result = spawnSync("sh", ["-c", script], { encoding: "utf8", timeout: 30_000 });
    assert.match(result.stdout, /done/);
    const small = Buffer.from("still alive");
    assert.equal((await roundTrip(rig.terminal, small)).length >= small.length, true);
  } finally {
    assert.equal(await rig.stop(), 130);
  }
});

test("wrong input: each says what to do, with exit code 2", () => {
  const launcher = join(import.meta.dirname, "../../bin/drydock.mjs");
  const run = (...args: string[]) => spawnSync(process.execPath, [launcher, ...args], { encoding: "utf8" });
  for (const [args, text] of [
    [["start", "submarine"], /rig is one of serial, .*not "submarine"/],
    [["registry", "--fault", "melt"], /unknown fault "melt".*KIND/],
    [["fly"], /unknown command/],
  ] as [string[], RegExp][]) {
    const result = run(...args);
    assert.equal(result.status, 2, `${args.join(" ")}: ${result.stderr}`);
    assert.match(result.stderr, text);
  }
});
