// drydock explain --descriptors: nothing is wrong with the models of any rig, as captured; a wrong file ends with 1.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { rigCatalogue } from "@drydock/core/rigs/catalogue";
import { writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { hostTurn } from "@drydock/node/host-turn";
import { recordedIo } from "../test/recorded-io.ts";
import { commandTable } from "./command-table.ts";
import { runCommandLine } from "./grammar/command-line.ts";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-descriptors-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function explained(...words: string[]): Promise<{ code: number; printed: string; said: string }> {
  const io = recordedIo();
  const code = await runCommandLine(commandTable, ["explain", "--descriptors", ...words], io);
  return { code, printed: io.printed(), said: io.said() };
}

test("captures of every rig with USB devices: descriptors and HID reports are found, and nothing is wrong", async () => {
  let devices = 0;
  for (const entry of rigCatalogue.filter(({ berths }) => berths.includes("usb"))) {
    const rig = entry.build({ seed: 1, turn: hostTurn });
    await rig.machine.run(10e9);
    assert.ok(rig.usb !== null);
    const path = join(folder, `${entry.name}.pcapng`);
    writeFileSync(path, writeUsbPcapng(rig.usb.trace));
    const { code, printed, said } = await explained(path);
    assert.deepEqual([code, said], [0, ""], `${entry.name}\n${printed}`);
    devices += printed.match(/nothing wrong is known of device/g)?.length ?? 0;
    if (entry.name === "keyboard") assert.match(printed, /report \(62 bytes\)/);
  }
  assert.ok(devices >= 10, String(devices));
});

test("a wrong file: place, cause, three hosts, exit code 1; the same as JSON", async () => {
  const path = join(folder, "wrong.bin");
  writeFileSync(
    path,
    Uint8Array.from([9, 2, 25, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 2, 255, 0, 0, 0, 7, 5, 0x81, 2, 64, 0, 0]),
  );
  const told = await explained(path);
  assert.equal(told.code, 1);
  assert.match(
    told.printed,
    /configuration 0, byte 13 \(0xd\): interface 0 setting 0 promises 2 endpoints, 1 follow/,
  );
  assert.match(
    told.printed,
    /Linux: {3}takes what follows, with a warning \("different from .*"\) \(known; seen on Linux 6\.1 in a guest\)\n {2}Windows: .* \(likely; Microsoft, USBD_\w+\)\n {2}macOS: {3}unknown/,
  );
  const json = JSON.parse((await explained(path, "--json")).printed);
  assert.equal(json.devices[0].faults[0].offset, 13);
  assert.equal(json.devices[0].faults[0].linux.mark, "known");
});

test("what has no descriptors is wrong use, and says what may be given", async () => {
  const path = join(folder, "letter.txt");
  writeFileSync(path, "Dear maker,\n");
  const { code, said } = await explained(path);
  assert.equal(code, 2);
  assert.match(said, /has no descriptors in it; they may be bytes/);
});
