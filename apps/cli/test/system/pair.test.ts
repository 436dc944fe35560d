// Two ports and a null modem under programs that nobody here wrote: pyserial over RFC 2217, miniterm, sz and rz, socat.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { type LiveRig, missingProgram, startLiveRig, until } from "./live-rig.ts";

/** Debian's own interpreter: another python3 on the path does not see its packages. */
const python = "/usr/bin/python3";
const noPyserial = ((): string | false => {
  const found = existsSync(python) && spawnSync(python, ["-c", "import serial"]).status === 0;
  return found ? false : "pyserial is missing: apt-get install python3-serial";
})();

let rig: LiveRig;
/** The two terminals and the two addresses. */
let tty: [string, string];
let urls: [string, string];

before(async () => {
  rig = await startLiveRig(["--pair", "--rfc2217", "0", "--no-pacing"]);
  tty = [rig.terminal, `${rig.terminal}1`];
  const places = [...rig.talk().matchAll(/is (rfc2217:\/\/[\d.:]+)/g)].map((match) => match[1]);
  assert.equal(places.length, 2);
  urls = [places[0], places[1]];
});

after(async () => {
  assert.equal(await rig.stop(), 130);
});

function runPython(script: string, ...args: string[]): string {
  const result = spawnSync(python, ["-c", script, ...args], { encoding: "utf8", timeout: 50_000 });
  assert.equal(result.status, 0, result.stderr);
  return result.stdout.trim();
}

test("pyserial's rfc2217:// client: bytes, speed, size, parity, stop bits, every modem line, break, purge", {
  skip: noPyserial,
  timeout: 60_000,
}, async () => {
  const script = `
import serial, sys, threading, time
a, b = [serial.serial_for_url(url, baudrate=115200, timeout=10) for url in sys.argv[1:3]]
every = bytes(range(256)) * 16
for source, sink in ((a, b), (b, a)):
    t = threading.Thread(target=source.write, args=(every,)); t.start()
    assert sink.read(len(every)) == every; t.join()
def see(line, wanted):
    end = time.time() + 5
    while getattr(b, line) != wanted:
        assert time.time() < end, (line, wanted)
        time.sleep(0.01)
for on in (False, True):
    a.rts = on; see("cts", on)
    a.dtr = on; see("dsr", on); see("cd", on)
assert b.ri is False
for speed in (300, 921600, 115200): a.baudrate = speed
for parity in "EOMSN": a.parity = parity
for stop in (2, 1): a.stopbits = stop
for size in (7, 8): a.bytesize = size
try:
    a.bytesize = 5
    raise SystemExit("five data bits were taken")
except ValueError as error:
    print(error)
a.bytesize = 8
a.xonxoff = True; a.xonxoff = False; a.rtscts = True; a.rtscts = False
a.send_break(0.05)
b.reset_input_buffer(); a.reset_output_buffer()
a.write(b"after all that"); assert b.read(14) == b"after all that"
a.close(); b.close()
`;
  assert.match(runPython(script, ...urls), /remote rejected value for option 'datasize'/);
  await until(() => /HwProgramUART .*5 data bits/.test(rig.talk()), "the log to say who refused");
});

// POSIX termios, B0: the modem control lines are no longer asserted; `stty 0`, kermit's and minicom's way to hang up.
test("a program sets speed 0 and hangs up: the other end sees DTR and RTS go, and come back with the next speed", {
  skip: noPyserial,
  timeout: 60_000,
}, () => {
  const script = `
import os, serial, sys, termios, time
far = serial.serial_for_url(sys.argv[2], baudrate=9600, timeout=10)
fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
def see(wanted):
    end = time.time() + 10
    while (far.dsr, far.cd, far.cts) != wanted:
        assert time.time() < end, ((far.dsr, far.cd, far.cts), wanted)
        time.sleep(0.01)
see((True, True, True))
for speed, wanted in ((termios.B0, (False, False, False)), (termios.B9600, (True, True, True))):
    a = termios.tcgetattr(fd); a[4] = a[5] = speed
    termios.tcsetattr(fd, termios.TCSANOW, a)
    see(wanted)
os.close(fd); far.close(); print("seen")
`;
  assert.equal(runPython(script, tty[0], urls[1]), "seen");
});

test("miniterm talks over rfc2217:// to a program at the other terminal", {
  skip: noPyserial,
  timeout: 60_000,
}, async () => {
  const other = spawn(
    "sh",
    ["-c", `exec 3<>${tty[1]}; stty -F ${tty[1]} raw -echo; timeout 30 head -c 5 <&3; echo pong >&3`],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let heard = "";
  other.stdout.on("data", (chunk) => {
    heard += chunk;
  });
  const miniterm = spawn(
    "script",
    ["-q", "-c", `${python} -m serial.tools.miniterm --quiet --raw ${urls[0]} 115200`, "/dev/null"],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  let shown = "";
  miniterm.stdout.on("data", (chunk) => {
    shown += chunk;
  });
  const typing = setInterval(() => heard === "" && miniterm.stdin.write("ping!"), 500);
  await until(() => shown.includes("pong"), "the answer");
  clearInterval(typing);
  assert.equal(heard.slice(0, 5), "ping!");
  // Ctrl-]: miniterm's own way out.
  miniterm.stdin.write("\x1d");
  await new Promise((resolve) => miniterm.once("exit", resolve));
});

test("sz and rz: a file by Zmodem from terminal to terminal", {
  skip: missingProgram("sz", "lrzsz"),
  timeout: 100_000,
}, async () => {
  const data = randomBytes(300_000);
  const file = join(rig.folder, "sent.bin");
  const inbox = join(rig.folder, "inbox");
  writeFileSync(file, data);
  mkdirSync(inbox);
  const [near, far] = tty;
  const raw = (path: string) => `stty -F ${path} raw -echo`;
  const receive = `sleep 1; exec 3<>${far}; ${raw(far)}; cd ${inbox} && exec rz -b -q <&3 >&3`;
  const send = `exec 3<>${near}; ${raw(near)}; exec sz -b -q ${file} <&3 >&3`;
  const run = (command: string) => {
    const child = spawn("timeout", ["90", "sh", "-c", command], { stdio: "ignore" });
    return new Promise((resolve) => child.once("exit", resolve));
  };
  // The sender first, and its greeting over: an open resets the chip, and half a greeting costs Zmodem ten seconds.
  const opens = rig.talk().split(" set to ").length;
  const sent = run(send);
  await until(() => rig.talk().split(" set to ").length > opens, "the sender to open its port");
  const received = run(receive);
  assert.equal(await sent, 0);
  // sz's last two bytes go down with its own flush (docs/field.md); rz would wait out three times ten seconds for them.
  const isOver = await Promise.race([received.then(() => true), setTimeout(500, false)]);
  if (!isOver) writeFileSync(near, "OO");
  assert.equal(await received, 0);
  assert.deepEqual(readFileSync(join(inbox, "sent.bin")), data);
});

test("socat writes a file and ends: the other end hears all of it", {
  skip: missingProgram("socat", "socat"),
  timeout: 60_000,
}, async () => {
  const data = randomBytes(100_000);
  const file = join(rig.folder, "socat.bin");
  writeFileSync(file, data);
  const ear = spawn("sh", [
    "-c",
    `exec 3<${tty[1]}; stty -F ${tty[1]} raw -echo; echo open >&2; exec timeout 40 head -c ${data.length} <&3`,
  ]);
  // Nobody writes before the other end is there: a port that nobody has open keeps nothing.
  await once(ear.stderr, "data");
  const parts: Buffer[] = [];
  ear.stdout.on("data", (chunk: Buffer) => parts.push(chunk));
  const sent = spawnSync("socat", ["-u", `FILE:${file}`, `${tty[0]},raw,echo=0`], { timeout: 40_000 });
  assert.equal(sent.status, 0, String(sent.stderr));
  await new Promise((resolve) => ear.once("exit", resolve));
  assert.deepEqual(Buffer.concat(parts), data);
  rmSync(file);
});

test("1 MiB each way at once between the two terminals: the hashes are those of what was sent", {
  timeout: 100_000,
}, async () => {
  const hashes = [0, 1].map((side) => {
    const data = randomBytes(1 << 20);
    writeFileSync(join(rig.folder, `one-mib-${side}`), data);
    return createHash("sha256").update(data).digest("hex");
  });
  const sides = tty.map((path, side) => {
    const hear = `head -c 1048576 <&3 | sha256sum`;
    const open = `exec 3<>${path}; stty -F ${path} raw -echo; echo open; read go`;
    const both = `${open}; (cat ${join(rig.folder, `one-mib-${side}`)} >&3) & ${hear}; wait`;
    const child = spawn("timeout", ["90", "sh", "-c", both], { stdio: ["pipe", "pipe", "inherit"] });
    const end = { text: "", child };
    child.stdout.on("data", (chunk) => {
      end.text += chunk;
    });
    return end;
  });
  // Nobody writes before both ends are there: a port that nobody has open keeps nothing.
  await until(() => sides.every(({ text }) => text.includes("open")), "both ends to be open");
  for (const { child } of sides) child.stdin.write("go\n");
  await until(() => sides.every(({ text }) => /[0-9a-f]{64}/.test(text)), "both hashes", 80_000);
  assert.deepEqual(
    sides.map(({ text }) => /[0-9a-f]{64}/.exec(text)?.[0]),
    [hashes[1], hashes[0]],
  );
});

test("1000 quick opens with a byte each: none is missed", { skip: noPyserial, timeout: 100_000 }, () => {
  const script = `
import os, sys, termios, tty, threading
ear = os.open(sys.argv[2], os.O_RDWR | os.O_NOCTTY); tty.setraw(ear)
heard = bytearray()
def listen():
    while len(heard) < 1000: heard.extend(os.read(ear, 4096))
t = threading.Thread(target=listen, daemon=True); t.start()
for number in range(1000):
    fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
    if number == 0: tty.setraw(fd)
    os.write(fd, bytes([number & 255])); os.close(fd)
t.join(60)
assert bytes(heard) == bytes(number & 255 for number in range(1000)), (len(heard), heard[:20])
print(len(heard))
`;
  assert.equal(runPython(script, ...tty), "1000");
});

// A terminal's open is looked for every few milliseconds: who opened it before the other side wrote must hear all of it.
test("40 fresh ears, each opened just before a terminal at the other end gets a byte: each hears it", {
  skip: noPyserial,
  timeout: 60_000,
}, () => {
  const script = `
import os, select, sys, termios, time, tty
def open_raw(path):
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY); tty.setraw(fd)
    return fd
for number in range(40):
    time.sleep(0.05)
    ear = open_raw(sys.argv[2])
    fd = open_raw(sys.argv[1]); os.write(fd, bytes([number])); os.close(fd)
    assert select.select([ear], [], [], 5)[0], number
    assert os.read(ear, 16) == bytes([number]), number
    os.close(ear)
print("heard")
`;
  assert.equal(runPython(script, ...tty), "heard");
});
