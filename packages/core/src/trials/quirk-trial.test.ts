// Disks with quirks under our drivers: a refusal is no I/O error, silence costs bounded tries, nonsense has words.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { putU32be, putU64be } from "../base/bytes.ts";
import { ScsiOpcode } from "../codec/scsi/commands.ts";
import { SenseCode, SenseKey } from "../codec/scsi/sense.ts";
import { type DiskQuirk, diskQuirks, findDiskQuirks } from "../devices/scsi-disk/disk-quirks.ts";
import type { QuirkBehaviour } from "../devices/scsi-disk/quirky-target.ts";
import { refuseTask } from "../ports/scsi-target-filter.ts";
import { type QuirkOutcome, quirksPage, tryQuirk } from "./quirk-trial.ts";

const policies = ["bulk-only", "uas"] as const;

function of(behaviour: QuirkBehaviour): DiskQuirk[] {
  return [{ name: "of this test", summary: "", knownAs: "", behaviour: () => behaviour }];
}

async function both(
  quirks: readonly DiskQuirk[],
  check: (outcome: QuirkOutcome, policy: string) => void,
): Promise<void> {
  for (const policy of policies) check(await tryQuirk(quirks, policy, hostTurn), policy);
}

const allGood = {
  write: "ok",
  read: "ok",
  "last block": "ok",
  flush: "ok",
  "forced write": "ok",
  trim: "ok",
  "zeros, holes allowed": "ok",
  "zeros, written": "ok",
};

test("the page says what each driver does about each quirk, from this run", async () => {
  const place = join(import.meta.dirname, "../../../../docs/disk-quirks.md");
  const page = await quirksPage(hostTurn);
  if (process.env.DRYDOCK_WRITE_PAGES === "1") writeFileSync(place, page);
  assert.equal(readFileSync(place, "utf8"), page, "run with DRYDOCK_WRITE_PAGES=1 to write it anew");
});

// SBC-3 §4.7.3: each of the forms is optional, and page B2h may be wrong about it.
test("a form that is refused is replaced by another: no request of a file system ends in an I/O error", async () => {
  for (const names of [
    ["no-write-same"],
    ["no-unmap"],
    ["no-write-same", "no-unmap"],
    ["fua-refused"],
    ["no-unmap", "no-write-same", "fua-refused", "no-vpd"],
  ])
    await both(findDiskQuirks(names), ({ ended, isSame, portResets }, policy) => {
      const trim = ended.trim;
      assert.ok(["ok", "unsupported", "not offered"].includes(trim), `${names} ${policy}: trim ${trim}`);
      assert.deepEqual({ ...ended, trim: "ok" }, allGood, `${names} ${policy}`);
      assert.ok(isSame);
      assert.equal(portResets, 0);
    });
});

test("a refusal of WRITE SAME(16) alone leaves (10); one that says its maximum gets no more than that", async () => {
  const seen: number[] = [];
  await both(
    of({
      refuses: (task) =>
        task.cdb[0] === ScsiOpcode.writeSame16 &&
        refuseTask(task, SenseKey.illegalRequest, SenseCode.invalidCommandOperationCode),
      answers: (task) => {
        // MAXIMUM WRITE SAME LENGTH of page B0h: 48 blocks.
        if (task.cdb[0] === ScsiOpcode.inquiry && task.cdb[2] === 0xb0)
          putU64be(task.data, task.dataOffset + 36, 48);
        if (task.cdb[0] === ScsiOpcode.writeSame10) seen.push((task.cdb[7] << 8) | task.cdb[8]);
      },
    }),
    ({ ended }) => assert.deepEqual(ended, allGood),
  );
  assert.deepEqual(seen, [48, 48, 32, 48, 48, 32, 48, 48, 32, 48, 48, 32]);
});

test("a unit that refuses SYNCHRONIZE CACHE(10) is flushed by (16); one that refuses both loses its cache", async () => {
  await both(
    of({
      refuses: (task) =>
        task.cdb[0] === ScsiOpcode.synchronizeCache10 &&
        refuseTask(task, SenseKey.illegalRequest, SenseCode.invalidCommandOperationCode),
    }),
    ({ ended }) => assert.deepEqual(ended, allGood),
  );
  await both(findDiskQuirks(["no-synchronize-cache"]), ({ ended, notes }) => {
    assert.deepEqual(ended, allGood);
    assert.match(notes.join("\n"), /the write cache was switched off, as it cannot be flushed/);
  });
});

test("a unit that caches, cannot be flushed and keeps its cache: a flush is unsupported, never good", async () => {
  const stubborn = of({
    refuses: (task) =>
      task.cdb[0] === ScsiOpcode.modeSelect6 &&
      refuseTask(task, SenseKey.illegalRequest, SenseCode.invalidCommandOperationCode),
  });
  await both([...findDiskQuirks(["no-synchronize-cache"]), ...stubborn], ({ ended }) => {
    assert.equal(ended.flush, "unsupported");
    assert.equal(ended.write, "ok");
  });
});

test("a command that is never answered is given up after the first time, named in the log, and the disk stays", async () => {
  for (const [name, line] of [
    ["vpd-hangs", /did not answer INQUIRY page 00h within 10 s/],
    ["read-capacity-16-hangs", /did not answer READ CAPACITY\(16\)/],
    ["mode-sense-hangs", /did not answer MODE SENSE\(6\)/],
    ["unmap-hangs", /did not answer UNMAP/],
    ["write-same-hangs", /did not answer WRITE SAME\(16\)/],
  ] as const)
    await both(findDiskQuirks([name]), (outcome, policy) => {
      const { notes, stays, timeouts, tookSeconds, units } = outcome;
      assert.match(notes.join("\n"), line, policy);
      assert.ok(
        stays && outcome.portResets === 0 && timeouts <= 4,
        `${name} ${policy}: ${JSON.stringify(outcome)}`,
      );
      assert.ok(tookSeconds <= 30 && units <= 2, `${name} ${policy}`);
      assert.equal(outcome.ended.read, "ok");
    });
});

// Everything optional silent at once, as a firmware that wedges: nothing of it may come back after each reset.
test("four silent commands at once still make a disk, within a minute of the machine", async () => {
  await both(
    findDiskQuirks(["vpd-hangs", "read-capacity-16-hangs", "mode-sense-hangs", "report-luns-hangs"]),
    (outcome) => {
      assert.ok(
        outcome.stays && outcome.tookSeconds <= 60 && outcome.portResets <= 2,
        JSON.stringify(outcome),
      );
      assert.equal(outcome.ended.write, "ok");
    },
  );
});

test("a disk that answers nothing any more is left alone after three port resets, and says so", async () => {
  for (const opcode of [ScsiOpcode.testUnitReady, ScsiOpcode.inquiry])
    await both(
      of({ hangs: (task) => task.cdb[0] === opcode }),
      ({ medium, notes, portResets, units }, policy) => {
        assert.equal(medium, null);
        assert.ok(portResets <= 3, `${policy}: ${portResets} port resets`);
        assert.ok(units <= 2);
        assert.match(notes.join("\n"), /did not answer INQUIRY|no answer within 10 s|is left alone/, policy);
      },
    );
});

// zephyrproject-rtos/zephyr#77175, tenox7/disktrim#11, raspberrypi/linux#3388.
test("a capacity that makes no sense is no disk, with the reason in words; where one form does, that one counts", async () => {
  await both(findDiskQuirks(["capacity-nonsense"]), ({ medium, notes }) => {
    assert.equal(medium, null);
    assert.match(notes.join("\n"), /not ready: blocks of 263520264 bytes are not supported/);
  });
  await both(findDiskQuirks(["read-capacity-16-zeros"]), ({ ended, medium }) => {
    assert.deepEqual(medium, { blockBytes: 512, blockCount: 131_072 });
    assert.equal(ended.read, "ok");
  });
  // The short form is right and the long one a million times too large: the smaller disk counts.
  await both(
    of({
      answers: (task) => {
        if (task.cdb[0] === ScsiOpcode.serviceActionIn16) putU32be(task.data, task.dataOffset, 5);
        if (task.cdb[0] === ScsiOpcode.serviceActionIn16) putU32be(task.data, task.dataOffset + 4, 7);
      },
    }),
    ({ medium, notes }) => {
      assert.deepEqual(medium, { blockBytes: 512, blockCount: 131_072 });
      assert.match(notes.join("\n"), /contradicts itself/);
    },
  );
  // 520-byte sectors, as disks of arrays have: not nonsense, but no disk for a file system either.
  await both(
    of({
      answers: (task) => {
        if (task.cdb[0] === ScsiOpcode.readCapacity10) putU32be(task.data, task.dataOffset + 4, 520);
        if (task.cdb[0] === ScsiOpcode.serviceActionIn16) putU32be(task.data, task.dataOffset + 8, 520);
      },
    }),
    ({ medium, notes }) => {
      assert.equal(medium, null);
      assert.match(notes.join("\n"), /blocks of 520 bytes are not supported/);
    },
  );
});

test("a page that is another one, and a limit of one block, are not believed", async () => {
  await both(findDiskQuirks(["vpd-ignored"]), ({ ended }) =>
    assert.deepEqual({ ...ended, trim: "ok" }, allGood),
  );
  await both(findDiskQuirks(["transfers-of-one"]), ({ ended, notes }) => {
    assert.deepEqual(ended, allGood);
    assert.match(notes.join("\n"), /takes 1 blocks at once: not believed/);
  });
  await both(findDiskQuirks(["luns-repeat"]), ({ units }) => assert.equal(units, 1));
});

test("a residue that lies beside data that is never padded is found out; every quirk has a name of its own", async () => {
  const { ended, isSame, notes } = await tryQuirk(findDiskQuirks(["residue-lies"]), "bulk-only", hostTurn);
  assert.deepEqual(ended, allGood);
  assert.ok(isSame);
  assert.match(notes.join("\n"), /residue of the device's CSWs is wrong/);
  assert.equal(new Set(diskQuirks.map(({ name }) => name)).size, diskQuirks.length);
  assert.throws(() => findDiskQuirks(["vpd"]), /no quirk "vpd" of a disk; there are: vpd-hangs,/);
});
