// P04: the acceptance criteria of the running system; the offline verdicts are in the doctor's signing tests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { badUsbBundle } from "./bad-driver.ts";
import { plugBoth, transportUsbCase } from "./case.ts";
import { goodUsbBundle } from "./good-driver.ts";
import { usbDriverBundle, usbDriverIdentifier, usbTransport } from "./usb-driver.ts";

const options = { seed: 4, turn: hostTurn };

test("P04 AC1: the sequence of lines of the refused launch, and the driver is not started", async () => {
  const { rig, attachedVendors } = await plugBoth(badUsbBundle, options);
  assert.deepEqual(attachedVendors, []);
  const rows = rig.machine.log.show();
  const first = rows.findIndex(({ process }) => process === "taskgated-helper");
  assert.deepEqual(
    rows.slice(first, first + 5).map(({ process, message }) => `${process}: ${message}`),
    [
      `taskgated-helper: ${usbDriverIdentifier}: Unsatisfied entitlements: ${usbTransport}`,
      "amfid: Requirements for restricted entitlements failed to validate, error -67671",
      `amfid: AppleMobileFileIntegrityError Code=-413 "No matching profile found" unsatisfiedEntitlements=(${usbTransport})`,
      "kernel: AMFI: bailing out because of restricted entitlements.",
      "kernel: mac_vnode_check_signature: Code has restricted entitlements, but the validation of its code signature failed.",
    ],
  );
  assert.equal(rows[first].sender, "ConfigurationProfiles");
  assert.equal(rows[first].subsystem, "com.apple.ManagedClient");
});

test("P04 AC2: the right package starts and attaches to 0x054C, and refuses 0x0403", async () => {
  const { rig, attachedVendors } = await plugBoth(goodUsbBundle, options);
  assert.deepEqual(attachedVendors, [0x054c]);
  const foreign = rig.machine.matchReports.find(
    ({ candidate }) => candidate.personalityName === "Foreign" && candidate.verdict.matches,
  );
  assert.match(foreign?.outcome ?? "", /the value of .*transport\.usb does not fit this device/);
});

test("P04: with the wildcard in the claim the development profile covers it", async () => {
  const wildcard = { [usbTransport]: [{ idVendor: "*" }] };
  const { attachedVendors } = await plugBoth(
    usbDriverBundle(wildcard, { "com.apple.developer.driverkit": true, ...wildcard }),
    options,
  );
  assert.deepEqual([...attachedVendors].sort(), [0x0403, 0x054c]);
});

test("P04: the wrong driver fails with the wildcard named, the right one passes", async () => {
  const bad = await transportUsbCase.run("bad", options);
  assert.equal(bad.succeeded, false);
  assert.match(bad.result, /claimed the number 1356, allowed the wildcard "\*"/);
  assert.equal((await transportUsbCase.run("good", options)).succeeded, true);
});
