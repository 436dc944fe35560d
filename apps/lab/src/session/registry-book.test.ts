// Registries as lines: what lives, what left, two dumps beside each other, search, why a driver stands there.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RegistrySnapshot } from "@drydock/core/platform/evidence/registry-dump";
import { findRig } from "@drydock/core/rigs/catalogue";
import { hostTurn } from "@drydock/node/host-turn";
import { RigRun } from "./lab-run.ts";
import { liveName, RegistryBook } from "./registry-book.ts";
import { makeHands } from "./rig-hands.ts";
import { viewOf } from "./session-views.ts";
import type { RegistryView } from "./views.ts";

const opening = { what: "serial", side: "bad", seed: 1, faults: [], isRunning: false } as const;

async function serialRig(): Promise<RigRun> {
  const entry = findRig("serial") ?? assert.fail();
  const run = new RigRun(entry, opening, hostTurn, makeHands);
  await run.rig.machine.run(2_000_000_000);
  return run;
}

function registryOf(run: RigRun): RegistryView {
  const view = viewOf(run, { name: "registry" });
  return view.name === "registry" ? view : assert.fail(view.name);
}

test("a rig that lives: its driver says why it matched; a cable that is pulled leaves grey entries for five seconds", async () => {
  const run = await serialRig();
  const book = new RegistryBook();
  book.live(registryOf(run));
  const up = book.show(liveName, null);
  const device = up.lines.findIndex(({ className }) => className === "IOUSBHostDevice");
  const driver = up.lines.findIndex(({ className }) => className === "IOUserSerial");
  assert.ok(device > 0 && driver > device);
  assert.ok(up.lines.every(({ mark }) => mark === ""));
  const judged = book.entry(driver)?.judged ?? [];
  assert.equal(judged[0].outcome, "started");
  assert.match(judged[0].reason, /idVendor \+ idProduct .* are equal: 90000/);
  run.perform("unplug", "1");
  await run.rig.machine.run(run.rig.machine.scheduler.nowNs() + 1_000_000_000);
  book.live(registryOf(run));
  const gone = book.show(liveName, null).lines.filter(({ mark }) => mark === "gone");
  // Device, interface, driver and client, each below what it stood on.
  assert.deepEqual(
    gone.map(({ depth }) => depth),
    [2, 3, 4, 5],
  );
  assert.match(gone[0].note, /^terminated at 3\.0\d+ s$/);
  run.perform("plug", "1");
  await run.rig.machine.run(run.rig.machine.scheduler.nowNs() + 1_000_000_000);
  book.live(registryOf(run));
  const marks = book.show(liveName, null).lines.map(({ mark }) => mark);
  assert.equal(marks.filter((mark) => mark === "new").length, 4);
  assert.equal(marks.filter((mark) => mark === "gone").length, 4);
  await run.rig.machine.run(run.rig.machine.scheduler.nowNs() + 6_000_000_000);
  book.live(registryOf(run));
  assert.ok(book.show(liveName, null).lines.every(({ mark }) => mark === ""));
});

test("why not: the comparison that decided stands at the entry that was not matched", async () => {
  const run = await serialRig();
  const view = registryOf(run);
  const book = new RegistryBook();
  const [started] = view.matching.filter(({ outcome }) => outcome === "started");
  const refused = {
    ...started,
    personality: "Other",
    matches: false,
    score: 0,
    reason: "idVendor is 1027 (0x0403), wanted 1659 (0x067b)",
    decidedBy: "idVendor: wanted 1659 (0x067b), found 1027 (0x0403)",
    outcome: "idVendor is 1027 (0x0403), wanted 1659 (0x067b)",
  };
  book.live({ ...view, matching: [refused, started] });
  const { lines } = book.show(liveName, null);
  const nub = lines.findIndex(({ className }) => className === "IOUSBHostInterface");
  assert.deepEqual(
    book.entry(nub)?.judged.map(({ personality }) => personality),
    [started.personality, "Other"],
  );
});

const leaf = (name: string, more: Partial<RegistrySnapshot> = {}): RegistrySnapshot => ({
  name,
  location: "",
  className: "IOUSBHostDevice",
  id: 1,
  registered: true,
  matched: true,
  active: true,
  busy: 0,
  busyMs: 0,
  retain: 1,
  properties: {},
  children: [],
  ...more,
});

test("two dumps: what left stands where it stood, with what stood on it; a changed property says what it was", () => {
  const book = new RegistryBook();
  const hub = (children: readonly RegistrySnapshot[]): RegistrySnapshot =>
    leaf("Root", { className: "IORegistryEntry", children });
  book.add(
    "a",
    hub([
      leaf("Hub", { children: [leaf("Disk", { id: 7, children: [leaf("Media", { id: 8 })] })] }),
      leaf("Pad"),
    ]),
  );
  book.add("b", hub([leaf("Hub"), leaf("Pad", { properties: { idVendor: 0x403 } }), leaf("Cam", { id: 9 })]));
  const { counts, lines } = book.show("b", "a");
  assert.deepEqual(counts, { appeared: 1, left: 2, changed: 1, same: 2 });
  assert.deepEqual(
    lines.map(({ depth, mark, name }) => `${depth} ${name} ${mark}`),
    ["0 Root ", "1 Hub ", "2 Disk gone", "3 Media gone", "1 Pad changed", "1 Cam new"],
  );
  assert.deepEqual(book.entry(4)?.rows, [{ key: "idVendor", value: "1027", before: null }]);
  assert.throws(() => book.show("c", null), /there is no registry "c"/);
});

test("search finds names, keys, values and VID:PID; ten thousand entries, two of them compared, in one go", () => {
  const book = new RegistryBook();
  const many = (odd: number): RegistrySnapshot =>
    leaf("Root", {
      children: Array.from({ length: 10_000 }, (_, index) =>
        leaf(`Device${index}`, {
          id: index + 2,
          properties: { idVendor: index === 77 ? odd : 0x403, idProduct: index, Maker: `M${index % 10}` },
        }),
      ),
    });
  book.add("before", many(0x403));
  book.add("after", many(0x67b));
  const { counts, lines } = book.show("after", "before");
  assert.equal(lines.length, 10_001);
  assert.deepEqual(counts, { appeared: 0, left: 0, changed: 1, same: 10_000 });
  assert.deepEqual(book.find("067b:004d"), [78]);
  assert.equal(book.find("maker m3").length, 1000);
  assert.deepEqual(book.find("device9999"), [10_000]);
  assert.deepEqual(book.find(""), []);
});

// A dump is somebody's file: as deep as its limits let it be.
test("a tree of six hundred levels is lines like any other", () => {
  let deep = leaf("End");
  for (let level = 0; level < 600; level++) deep = leaf(`L${level}`, { children: [deep] });
  const book = new RegistryBook();
  book.add("deep", deep);
  book.add("flat", leaf("L599"));
  assert.equal(book.show("deep", null).lines.at(-1)?.depth, 600);
  assert.deepEqual(book.show("flat", "deep").counts, { appeared: 0, left: 600, changed: 0, same: 1 });
  assert.equal(book.show("flat", "deep").lines.at(-1)?.depth, 600);
});
