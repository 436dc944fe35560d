// Every command that takes a rig, with every rig of the catalogue: it works, or exit code 2 says why not.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { MassStorageDevice } from "@drydock/core/devices/mass-storage/mass-storage-device";
import { ScsiDiskDevice } from "@drydock/core/devices/scsi-disk/scsi-disk-device";
import { rigCatalogue } from "@drydock/core/rigs/catalogue";
import { UsbExportRig } from "@drydock/core/rigs/usb-export-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { recordedIo } from "../test/recorded-io.ts";
import { identityOf } from "./actions/disk.ts";
import { diskNameOf } from "./actions/disk-files.ts";
import { commandTable } from "./command-table.ts";
import { runCommandLine } from "./grammar/command-line.ts";
import { rowsOf } from "./grammar/command-row.ts";

const rows = (await rowsOf(commandTable)).filter(({ arguments: taken }) => "rig" in taken);

test("the commands that take a rig", () => {
  const names = rows.map(({ words }) => words.join(" "));
  for (const name of ["start", "registry", "export usbip", "export usbredir"])
    assert.ok(names.includes(name), name);
});

for (const row of rows) {
  const name = row.words.join(" ");
  for (const entry of rigCatalogue) {
    test(`drydock ${name} ${entry.name}: taken, or refused with the reason`, async () => {
      let ran = 0;
      const stub = { ...row, run: () => void ran++ };
      const entries = commandTable.entries.map((each) =>
        each.words === row.words ? { ...each, form: async () => stub } : each,
      );
      const table = { ...commandTable, entries };
      const io = recordedIo();
      const code = await runCommandLine(table, [...row.words, entry.name], io);
      if (code === 0) {
        assert.equal(ran, 1);
        return;
      }
      assert.equal(code, 2);
      assert.equal(ran, 0, "nothing ran");
      // The reason names the rig and what it lacks, not a list of other names.
      assert.match(io.said(), new RegExp(`"${entry.name}" (has no|is on) `));
    });
  }
}

for (const entry of rigCatalogue) {
  test(`drydock registry ${entry.name}: the registry of the whole rig, with what came up`, async () => {
    const io = recordedIo();
    assert.equal(await runCommandLine(commandTable, ["registry", entry.name, "--json"], io), 0, io.said());
    const { failures, matching } = JSON.parse(io.printed()) as {
      failures: unknown[];
      matching: { outcome: string }[];
    };
    assert.deepEqual(failures, []);
    assert.ok(matching.some(({ outcome }) => outcome === "started"));
  });
}

for (const entry of rigCatalogue) {
  test(`drydock registry ${entry.name} --perfetto: every row of the run is in the file`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-perfetto-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "run.json");
    for (const _ of [1, 2]) {
      const io = recordedIo();
      // The second time over the file of the first, which is known to be ours.
      assert.equal(
        await runCommandLine(commandTable, ["registry", entry.name, "--perfetto", path], io),
        0,
        io.said(),
      );
      const rows = Number(/(\d+) rows of the timeline written/.exec(io.said())?.[1]);
      const { traceEvents } = JSON.parse(readFileSync(path, "utf8")) as {
        traceEvents: { args?: { sequence?: number } }[];
      };
      const sequences = new Set(traceEvents.flatMap(({ args }) => args?.sequence ?? []));
      assert.ok(rows > 20);
      assert.equal(sequences.size, rows);
    }
  });
}

test("every rig with USB devices can be exported: each of its models is offered under a busid", async () => {
  for (const entry of rigCatalogue) {
    const exported = new Set<string>();
    const rig = new UsbExportRig({ seed: 1, turn: hostTurn, onExported: (busId) => exported.add(busId) });
    const place = { clock: rig.scheduler, random: rig.random, pacing: "real" } as const;
    for (const [index, device] of entry.usbDevices(place).entries()) rig.usb.bus.plugIn(device, index + 1);
    await rig.scheduler.run(5e9);
    assert.equal(exported.size, entry.usbDevices(place).length, entry.name);
    assert.equal(exported.size > 0, entry.berths.includes("usb"), entry.name);
  }
});

test("the disks of two exports are two disks: a host that sees both takes neither for a path to the other", () => {
  // SPC-4 §7.8.6: a designator of a unit is that unit's alone; multipath goes by it.
  const scheduler = new UsbExportRig({ seed: 1, turn: hostTurn }).scheduler;
  const entry = rigCatalogue.find(({ name }) => name === "storage");
  const namesOf = (port: number) => {
    const diskName = diskNameOf(identityOf({ port }, "storage"));
    const place = { clock: scheduler, random: new Random(1), pacing: "none", diskName } as const;
    const [device] = entry?.usbDevices(place) ?? [];
    assert.ok(device instanceof MassStorageDevice && device.target instanceof ScsiDiskDevice);
    const { serial, worldWideName } = device.target.units[0].options;
    assert.equal(worldWideName, diskName.worldWideName);
    // Bulk-Only §4.1.1: the last twelve characters are hexadecimal digits.
    assert.match(serial, /[0-9A-F]{12}$/);
    return [serial, worldWideName];
  };
  const [first, second] = [namesOf(3240), namesOf(3241)];
  assert.notEqual(first[0], second[0]);
  assert.notEqual(first[1], second[1]);
  assert.deepEqual(namesOf(3240), first, "the next server at the same place has the same disk");
});
