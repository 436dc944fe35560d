// Names of CBW, CSW, UAS units and CDBs in our traces beside those of Wireshark's dissectors, packet by packet (F09).

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { BlockSubmit } from "@drydock/core/ports/block";
import { defaultStorageRig, type StorageRigOptions } from "@drydock/core/rigs/storage-rig";
import { storageNames } from "@drydock/core/trace/storage-trace";
import { writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { TraceKind, type UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import { hostTurn } from "../../src/host/host-turn.ts";

const isMissing = spawnSync("tshark", ["--version"]).status !== 0;
const skip = isMissing ? "tshark is not installed (Debian package tshark)" : false;
const folder = mkdtempSync(join(tmpdir(), "drydock-tshark-storage-"));
after(() => rmSync(folder, { recursive: true }));

/** Wireshark's line for every packet. */
function dissect(capture: Uint8Array): string[] {
  const file = join(folder, "capture.pcapng");
  writeFileSync(file, capture);
  const args = ["-r", file, "-T", "fields", "-e", "_ws.col.Info"];
  const result = spawnSync("tshark", args, { encoding: "utf8", maxBuffer: 64 << 20, timeout: 60_000 });
  assert.equal(result.status, 0, result.stderr);
  return result.stdout.replace(/\n$/, "").split("\n");
}

/** Brings a disk up, writes, flushes, reads, and asks for what it has not. */
async function session(options: Partial<StorageRigOptions>): Promise<UsbTraceLog> {
  const rig = defaultStorageRig(1, hostTurn, options);
  const media = await rig.openMedia();
  media.connect({ completed: () => {}, detached: () => {} });
  const block = new Uint8Array(512);
  for (const ask of [
    () => media.write(0, 5, 1, block, 0, false),
    () => media.flush(0),
    () => media.read(0, 5, 1, block, 0),
    () => media.trim(0, 8, 8),
    () => media.writeZeroes(0, 16, 8, false, false),
  ]) {
    assert.equal(ask(), BlockSubmit.accepted);
    await rig.machine.run(rig.machine.scheduler.nowNs() + 1e9);
  }
  return rig.usb.trace;
}

interface Pair {
  readonly ours: string;
  readonly theirs: string;
}

/** Our name and Wireshark's of each packet that we have a name for. */
function pairs(trace: UsbTraceLog): Pair[] {
  const rows = [...trace.all()];
  const names = storageNames(rows);
  const theirs = dissect(writeUsbPcapng(trace));
  const packets = rows.filter(({ kind }) => kind !== TraceKind.mark);
  assert.equal(theirs.length, packets.length);
  return packets.flatMap((row, index): Pair[] => {
    const ours = names.get(row.id);
    // OUT data are in the submission, IN data in the completion.
    const hasData = (row.kind === TraceKind.submit) === ((row.endpoint & 0x80) === 0);
    return ours === undefined || !hasData ? [] : [{ ours, theirs: theirs[index] }];
  });
}

const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");

function compare(
  trace: UsbTraceLog,
  command: RegExp,
  status: RegExp,
): { commands: Set<string>; checks: number } {
  const commands = new Set<string>();
  let checks = 0;
  for (const { ours, theirs } of pairs(trace)) {
    const asked = command.exec(ours);
    const ended = status.exec(ours);
    if (asked !== null) {
      assert.ok(plain(theirs).includes(plain(asked[1])), `"${ours}" beside Wireshark's "${theirs}"`);
      commands.add(asked[1]);
    } else if (ended !== null) {
      const isGood = /passed|GOOD/.test(ended[1]);
      assert.match(
        theirs,
        isGood ? /Response.*\(Good\)/ : /Response.*\(Check Condition\)/,
        `beside "${ours}"`,
      );
      if (!isGood) checks++;
    }
  }
  return { commands, checks };
}

test("Bulk-Only: each CDB and each CSW has Wireshark's name", { skip }, async () => {
  // One setting only: with two on the same pipes, Wireshark takes the last one for the one in force.
  const trace = await session({ device: { transports: ["bulk-only"] } });
  const { commands } = compare(trace, /^CBW .*?: (.*?) \(/, /^CSW tag \d+: (\w+)/);
  assert.ok(commands.size >= 8, [...commands].join(", "));
  for (const name of ["WRITE(10)", "READ(10)", "SYNCHRONIZE CACHE(10)", "UNMAP"])
    assert.ok(commands.has(name), name);
});

test("UAS with streams: each command unit and each sense unit has Wireshark's name", { skip }, async () => {
  const trace = await session({ device: { speed: UsbSpeed.super } });
  const { checks, commands } = compare(trace, /^Command IU .*?: (.*?) \(/, /^Sense IU [^:]*: (\w+)/);
  assert.ok(commands.size >= 8, [...commands].join(", "));
  assert.ok(checks >= 1, "the unit attention at power-on");
});
