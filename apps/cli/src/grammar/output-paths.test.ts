// Outputs: opened before anything runs, never over what is not ours, and nothing left where nothing came of it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import { UsageError } from "../terminal/usage-error.ts";
import { markedOutputs, OutputFile, outputFile, outputFolder, socketPath } from "./output-paths.ts";
import { ownCapture } from "./rig-options.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-outputs-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const capture = outputFile(ownCapture);
const work = "three years of work";

test("a file that is not ours stays as it is, also through a link, and also when it comes between judgement and run", () => {
  writeFileSync(at("thesis"), work);
  symlinkSync(at("thesis"), at("link"));
  for (const name of ["thesis", "link"]) assert.throws(() => capture.read(at(name)), UsageError);
  const late = capture.read(at("late")) as OutputFile;
  writeFileSync(at("late"), work);
  assert.throws(() => late.claim(), UsageError);
  for (const name of ["thesis", "late"]) assert.equal(readFileSync(at(name), "utf8"), work);
});

test("a capture of ours is written over, whole: no byte of the longer one before it is left", () => {
  writeFileSync(at("x.pcapng"), Buffer.concat([writeUsbPcapng(new UsbTraceLog()), Buffer.alloc(9000, 1)]));
  const file = capture.read(at("x.pcapng")) as OutputFile;
  file.claim();
  const bytes = writeUsbPcapng(new UsbTraceLog());
  file.write(bytes);
  file.release();
  assert.ok(readFileSync(at("x.pcapng")).equals(bytes));
});

test("a capture of another program is not ours", () => {
  const foreign = Buffer.from(writeUsbPcapng(new UsbTraceLog()));
  foreign.write("someone", foreign.indexOf("drydock"));
  writeFileSync(at("x.pcapng"), foreign);
  assert.throws(() => capture.read(at("x.pcapng")), /is not a capture that drydock wrote/);
});

test("links that lead nowhere or in a circle, folders, and folders that are not there are refused in words", () => {
  symlinkSync("/nowhere/at/all", at("dangling"));
  symlinkSync(at("b"), at("a"));
  symlinkSync(at("a"), at("b"));
  for (const [path, words] of [
    [at("dangling"), /is a link that leads nowhere/],
    [at("a"), /links that lead in a circle/],
    [folder, /is a folder/],
    [at("no/x"), /there is no folder/],
    [`${at("f")}/x`, /is no folder|no folder/],
    ["", /needs a path/],
  ] as const) {
    writeFileSync(at("f"), "");
    assert.throws(() => capture.read(path), words, path);
  }
});

test("a file that was made for a run and got nothing goes again, unless somebody has put another there", () => {
  const first = new OutputFile(at("first"), ownCapture);
  first.claim();
  assert.ok(existsSync(at("first")));
  first.release();
  assert.ok(!existsSync(at("first")));
  const second = new OutputFile(at("second"), ownCapture);
  second.claim();
  renameSync(at("second"), at("moved"));
  writeFileSync(at("second"), work);
  second.release();
  assert.equal(readFileSync(at("second"), "utf8"), work);
});

// mknod(1): a disk is a file of another kind; who names one has mistyped.
test("a disk of this machine and a socket are no files to write", async () => {
  const socket = createServer();
  await new Promise<void>((resolve) => socket.listen(at("s"), resolve));
  assert.throws(() => capture.read(at("s")), /is a socket/);
  await new Promise((resolve) => socket.close(resolve));
  const disks = readdirSync("/dev").filter((name) => /^(?:loop0|sda|vda|nvme0n1|ram0)$/.test(name));
  for (const name of disks) assert.throws(() => capture.read(`/dev/${name}`), /is a disk/);
});

test("a pipe without a reader is said, and nobody waits for one", () => {
  assert.equal(spawnSync("mkfifo", [at("pipe")]).status, 0);
  const file = capture.read(at("pipe")) as OutputFile;
  assert.throws(() => file.claim(), /nobody is at the other end/);
});

test("a device takes what a file would", () => {
  const file = capture.read("/dev/null") as OutputFile;
  file.claim();
  file.write(Uint8Array.of(1, 2, 3));
  file.release();
});

test("two files from one name: both are judged, and where the second cannot be had the first goes again", async () => {
  const pair = markedOutputs(ownCapture, ["bad", "good"]);
  writeFileSync(at("x.good.pcapng"), work);
  await assert.rejects(async () => pair.read(at("x.pcapng")), /x\.good\.pcapng.*is not a capture/);
  const late = await pair.read(at("y.pcapng"));
  writeFileSync(at("y.good.pcapng"), work);
  assert.throws(() => late.claim(), UsageError);
  assert.deepEqual(readdirSync(folder).sort(), ["x.good.pcapng", "y.good.pcapng"]);
});

test("a folder for evidence: made when needed, nothing in it written over, gone again when it stays empty", async () => {
  const output = await outputFolder.read(at("new/deep"));
  output.claim();
  output.release();
  assert.ok(!existsSync(at("new")));
  mkdirSync(at("there"));
  writeFileSync(at("there/panic.ips"), work);
  const kept = await outputFolder.read(at("there"));
  kept.claim();
  assert.equal(kept.write("panic.ips", "ours"), "panic-2.ips");
  assert.equal(kept.write("panic.ips", "ours"), "panic-2.ips");
  assert.equal(kept.write("panic.ips", "others"), "panic-3.ips");
  kept.release();
  assert.equal(readFileSync(at("there/panic.ips"), "utf8"), work);
  await assert.rejects(async () => outputFolder.read(at("there/panic.ips")), /needs a folder/);
});

// unix(7): sun_path holds 108 bytes with the end.
test("a socket's place: what is there is named, and a name that is too long too", async () => {
  writeFileSync(at("file"), work);
  for (const [path, words] of [
    [at("file"), /is there already and is no socket/],
    [folder, /is a folder/],
    [at("x".repeat(108)), /at most 107 bytes/],
    [at("no/s"), /there is no folder/],
  ] as const)
    await assert.rejects(async () => socketPath.read(path), words);
  assert.equal(await socketPath.read(at("s")), at("s"));
});
