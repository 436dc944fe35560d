// drydock new driver --language cpp: what it writes compiles, starts against the model, and is never written over.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const main = join(import.meta.dirname, "../../src/main.ts");
const folder = mkdtempSync(join(tmpdir(), "drydock-new-dext-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const drydock = (...line: string[]) =>
  spawnSync(process.execPath, [main, ...line], { cwd: folder, encoding: "utf8", timeout: 120_000 });

test("a new dext is made once, and runs", () => {
  const line = ["new", "driver", "bay-light", "--bus", "usb", "--language", "cpp"];
  assert.equal(drydock(...line).status, 0);
  assert.deepEqual(readdirSync(join(folder, "bay-light")).toSorted(), [
    "BayLight.cpp",
    "BayLight.entitlements",
    "BayLight.iig",
    "Info.plist",
  ]);
  const run = drydock("dext", "run", "bay-light");
  assert.equal(run.status, 0, run.stderr);
  assert.match(run.stdout, /BayLight: started/);
  const again = drydock(...line);
  assert.equal(again.status, 2);
  assert.match(again.stderr, /is there already; nothing was written/);
});

test("a dext for another bus is a mistake that says which goes", () => {
  const { status, stderr } = drydock("new", "driver", "other", "--bus", "pci", "--language", "cpp");
  assert.equal(status, 2);
  assert.match(stderr, /goes with --bus usb, not with --bus pci/);
});
