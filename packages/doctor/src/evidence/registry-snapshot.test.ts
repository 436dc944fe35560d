// A dump as its tree: what the writer wrote is read back, cut pastes and fragments too.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatRegistryPlist,
  formatRegistryTree,
  type RegistrySnapshot,
} from "@drydock/core/platform/evidence/registry-dump";
import { sourceOfText } from "../facts/evidence-source.ts";
import { readRegistryDump } from "./registry-snapshot.ts";

const entry = (name: string, children: readonly RegistrySnapshot[]): RegistrySnapshot => ({
  name,
  location: "14100000",
  className: "IOUSBHostDevice",
  id: 0x100000a02,
  registered: true,
  matched: false,
  active: true,
  busy: 2,
  busyMs: 31,
  retain: 9,
  properties: { idVendor: 0x403, "USB Product Name": "Thing", Data: Uint8Array.of(1, 2) },
  children,
});
const tree = entry("Hub", [entry("Left", [entry("Below", [])]), entry("Right", [])]);

test("ioreg -l and ioreg -a both come back as the tree that was written", async () => {
  for (const write of [formatRegistryTree, formatRegistryPlist]) {
    const dump = await readRegistryDump(sourceOfText("dump", write(tree)));
    assert.equal(dump.entries, 4);
    assert.deepEqual(dump.root, tree);
  }
});

test("several trees stand on a root that names the file; a fragment of properties is an entry", async () => {
  const two = await readRegistryDump(
    sourceOfText("two.txt", formatRegistryTree(tree) + formatRegistryTree(entry("Other", []))),
  );
  assert.equal(two.root.name, "two.txt");
  assert.deepEqual(
    two.root.children.map(({ name }) => name),
    ["Hub", "Other"],
  );
  const part = await readRegistryDump(sourceOfText("part", '    "IOClass" = "AppleThing"\n'));
  assert.deepEqual(part.root.properties, { IOClass: "AppleThing" });
});

test("what is no registry says how to make one", async () => {
  await assert.rejects(
    readRegistryDump(sourceOfText("a.txt", "hello")),
    /a\.txt holds no registry: .*ioreg -l -w0/,
  );
});
