// P18's six ways as firmware has them: one symptom at a driver that is right, six ledgers, and the doctor on each.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { type FirmwareFault, firmwareFaults } from "@drydock/core/devices/ring-hba/ring-hba-firmware";
import { diagnose } from "@drydock/doctor/diagnose";
import { hostTurn } from "@drydock/node/host-turn";
import { evidenceOfRun } from "../case-report.ts";
import type { CaseRun } from "../driver-case.ts";
import { runFirmware } from "./firmware.ts";

const options = { seed: 18, turn: hostTurn };
const fileOf = ({ evidence }: CaseRun, name: string): string => {
  const file = evidence?.find((each) => each.name === name);
  return file !== undefined && "text" in file ? file.text : "";
};

/** What the doctor says of each, from the files alone. */
const claims: Readonly<Record<FirmwareFault, RegExp>> = {
  "replies-early": /posted its reply before its data/,
  "counts-nothing": /the firmware's reply counts 0 of 6 bytes/,
  "other-requester": /The write came from 01:00\.1, and the mappings are those of 01:00\.0/,
  "local-address": /its own memory at 0x801[0-9a-f]+, although the scatter entry says/,
  "swapped-address": /its firmware reads the entry in another format or byte order/,
  "other-buffer": /which is "sense buffers"/,
};

test("six ways of one firmware: the driver's lines are the same six times, the ledgers are six, no disk has blocks", async () => {
  const runs = await Promise.all(firmwareFaults.map((fault) => runFirmware(fault, options)));
  const lines = runs.map(({ log }) => log.map(({ message }) => message).join("\n"));
  for (const [index, text] of lines.entries()) {
    assert.equal(text, lines[0], firmwareFaults[index]);
    assert.match(text, /P18 data in the dext: 00 00 00 00 00 00/);
    assert.match(runs[index].result, /the disk has 0 blocks/, firmwareFaults[index]);
  }
  assert.equal(new Set(runs.map((run) => fileOf(run, "dma-ledger.txt"))).size, 6);
  // Nothing else differs, but for what macOS 26 records of a refused access.
  const trees = runs.map((run) => fileOf(run, "ioreg.txt"));
  const bare = trees.map((text) => text.replace(/^.*pci-dart-error-data.*\n/m, ""));
  for (const text of bare) assert.equal(text, bare[0]);
  const recorded = firmwareFaults.filter((_, index) => trees[index] !== bare[index]);
  assert.deepEqual(recorded, ["replies-early", "other-requester", "swapped-address"]);
});

for (const fault of firmwareFaults)
  test(`the doctor: firmware with ${fault} is told from the others by its bundle without names`, async () => {
    const random = new Random(19);
    const sources = evidenceOfRun(await runFirmware(fault, options), () => random.next32().toString(16));
    const { answers } = await diagnose(sources);
    assert.equal(answers[0]?.rule, "DR18-7", JSON.stringify(answers.map(({ claim }) => claim)));
    for (const [name, claim] of Object.entries(claims))
      assert.equal(claim.test(answers[0].claim), name === fault, `${name}: ${answers[0].claim}`);
  });

test("firmware that does what it says: the six bytes are seen, and the disk has its blocks", async () => {
  const good = await runFirmware(null, options);
  assert.equal(good.succeeded, true);
  assert.match(
    fileOf(good, "dma-ledger.txt"),
    /dext looked at the task's buffer before completion: 00 00 05 12 1F 00/,
  );
});
