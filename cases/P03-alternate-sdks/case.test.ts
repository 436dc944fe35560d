// P03: the acceptance criteria; a driver's code never runs where a symbol is missing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { missingImports } from "@drydock/core/platform/driverkit-symbols";
import { hostTurn } from "@drydock/node/host-turn";
import { badScsiBundle } from "./bad-driver.ts";
import { alternateSdksCase, loadOn } from "./case.ts";
import { goodScsiBundle } from "./good-driver.ts";
import { scsiDriverRuns } from "./scsi-driver.ts";

const options = { seed: 3, turn: hostTurn };

test("P03 AC1: the load fails with the first missing symbol named, and init is never called", async () => {
  const before = scsiDriverRuns.inits;
  const { machine, started, outcome } = await loadOn(badScsiBundle, "24.3", options);
  assert.equal(started, false);
  assert.match(
    outcome,
    /^Symbol not found: IOUserSCSIParallelInterfaceController::UserMapBundledParallelTaskCommandAndResponseBuffers \(came with DriverKit 24\.4, macOS 15\.4; this system has 24\.3\)$/,
  );
  assert.equal(scsiDriverRuns.inits, before);
  const [crash] = machine.crashes;
  const report = crash.evidence.find(({ name }) => name.endsWith(".ips"))?.text ?? "";
  assert.match(report, /"namespace": "DYLD"/);
  assert.match(report, /Expected in: \/System\/DriverKit\/.*SCSIControllerDriverKit"/);
});

test("P03 AC2: built with 24.0 it starts on 24.0, 24.3, 24.4 and 25.0; built with 24.4 from 24.4 on", async () => {
  for (const version of ["24.0", "24.3", "24.4", "25.0"]) {
    assert.equal((await loadOn(goodScsiBundle, version, options)).started, true, version);
    assert.equal((await loadOn(badScsiBundle, version, options)).started, version >= "24.4", version);
  }
});

test("P03 AC3: the import check names class, method and the version that brought it, before any run", () => {
  const missing = missingImports(badScsiBundle.imports ?? [], "24.0");
  assert.deepEqual(
    missing.map(({ wanted, since }) => [wanted.symbol, since]),
    [
      "UserMapBundledParallelTaskCommandAndResponseBuffers",
      "BundledParallelTaskCompletion",
      "UserProcessBundledParallelTasks",
      "UserCompleteBundledParallelTask",
    ].map((method) => [`IOUserSCSIParallelInterfaceController::${method}`, "24.4"]),
  );
  assert.deepEqual(missingImports(goodScsiBundle.imports ?? [], "24.0"), []);
  assert.deepEqual(missingImports(badScsiBundle.imports ?? [], "24.4"), []);
});

test("P03: the wrong build fails on macOS 15.3, the right one passes", async () => {
  assert.equal((await alternateSdksCase.run("bad", options)).succeeded, false);
  assert.equal((await alternateSdksCase.run("good", options)).succeeded, true);
});
