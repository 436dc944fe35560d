// P07: the acceptance criteria, and the attacks: spoofed ids, a drive that becomes a keyboard, a storm of plugging.

import assert from "node:assert/strict";
import { test } from "node:test";
import { IOReturns } from "@drydock/core/base/io-return";
import { hex } from "@drydock/core/base/text";
import { parsePolicy } from "@drydock/core/codec/usb-policy/usb-policy";
import { FtdiDevice } from "@drydock/core/devices/ftdi/ftdi-device";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import {
  openEnforcement,
  type PolicyDecision,
  policyPlatform,
  UsbPolicyEngine,
} from "@drydock/core/platform/usb-policy";
import { BlockSubmit } from "@drydock/core/ports/block";
import { UsbRig } from "@drydock/core/rigs/usb-rig";
import { IOError } from "@drydock/core/runtime/io-error";
import { mountAs } from "@drydock/core/runtime/mount-policy";
import { readUsbPcapng, writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import type { UsbTraceLog } from "@drydock/core/trace/usb-trace-log";
import { rehearsePolicy } from "@drydock/core/trials/policy-rehearsal";
import { hostTurn } from "@drydock/node/host-turn";
import { goodBridgeBundle } from "../P13-ftdi-ipados/good-driver.ts";
import { PolicyBench, type PolicyBenchOptions, usbPolicyCase } from "./case.ts";
import { dock, headset, ids, keyboardWithIds, networkGadget, unknownStick } from "./devices.ts";
import { denyEverything, readersOnly } from "./good-driver.ts";

const options = { seed: 7, turn: hostTurn };

test("P07 AC1: the driver with a list misses the drive that is not on it: its bytes reach the host", async () => {
  const bad = await usbPolicyCase.run("bad", options);
  assert.equal(bad.succeeded, false);
  assert.match(bad.result, /^[1-9]\d* bytes moved outside of enumeration; 1 disk came up$/);
  const good = await usbPolicyCase.run("good", options);
  assert.equal(good.succeeded, true);
  assert.equal(good.result, "0 bytes moved outside of enumeration; no disk came up");
});

/** Everything of the case on one bus. */
function fullDesk(more: Partial<PolicyBenchOptions> = {}): PolicyBench {
  const bench = new PolicyBench({ ...options, ...more });
  const { bus } = bench.rig.usb;
  bus.plugIn(bench.drive(ids.stick, "bulk-only"));
  bus.plugIn(bench.drive(ids.attachedScsi, "uas"));
  bus.plugIn(headset());
  bus.plugIn(networkGadget());
  bus.plugIn(bench.keyboard);
  bus.plugIn(dock());
  return bench;
}

test("P07 AC2: with everything refused none of six devices moves a byte beyond enumeration; without a policy all do", async () => {
  const open = fullDesk();
  await open.run(1);
  open.keyboard.press(4);
  await open.run(1);
  const talking = rehearsePolicy(open.rig.usb.trace, denyEverything).devices.filter(({ platforms }) =>
    platforms.some(({ platform, bytesBefore }) => platform === "ipados" && bytesBefore > 0),
  );
  assert.equal(talking.length, 6, "each device has somebody who would read from it");
  const closed = fullDesk({ policy: denyEverything });
  await closed.run(1);
  closed.keyboard.press(4);
  await closed.run(1);
  assert.equal(closed.dataBytes, 0);
  assert.equal(closed.reports.length, 6);
  for (const { decision, transfers, bytes } of closed.reports) {
    assert.equal(decision?.target, "block");
    assert.deepEqual([transfers, bytes], [0, 0]);
  }
});

test("P07 AC2: a drive of the read-only class is mounted, read, and refuses writes; its wire sees none", async () => {
  const bench = new PolicyBench({ ...options, policy: readersOnly });
  const drive = bench.drive(ids.stick, "bulk-only");
  bench.rig.usb.bus.plugIn(drive);
  await bench.run(3);
  const [media] = bench.scsi.media;
  const [{ decision }] = bench.reports;
  assert.ok(media !== undefined && decision !== null);
  const mounted = mountAs(media, decision);
  assert.ok(mounted !== null);
  assert.equal(mounted.geometry.isReadOnly, true);
  const ended: number[] = [];
  mounted.connect({ completed: (_slot, status) => ended.push(status), detached: () => {} });
  assert.equal(mounted.read(0, 0, 1, new Uint8Array(512), 0), BlockSubmit.accepted);
  const before = bench.rig.usb.trace.count;
  assert.equal(mounted.write(1, 0, 1, new Uint8Array(512), 0, false), BlockSubmit.unsupported);
  assert.equal(bench.rig.usb.trace.count, before, "a refused write is not on the wire");
  await bench.run(1);
  assert.deepEqual(ended, [0]);
  assert.equal(mountAs(media, { ...decision, target: "block" }), null);
});

/** "0781:5567 allow line 4" */
function said(
  device: { readonly idVendor: number; readonly idProduct: number } | null,
  decision: PolicyDecision | null,
): string {
  return `${hex(device?.idVendor ?? 0, 4)}:${hex(device?.idProduct ?? 0, 4)} ${decision?.target} line ${decision?.rule?.line}`;
}

test("P07 AC3: the same rules over the recorded bus give the same decisions, twice and through a capture file", async () => {
  const bench = fullDesk({ policy: readersOnly });
  await bench.run(3);
  const live = bench.reports.map(({ device, decision }) => said(device, decision));
  assert.deepEqual(live.toSorted(), [
    "0525:a4a1 block line 7",
    "0781:5567 allow line 4",
    "1209:0003 allow line 2",
    "1209:0a01 block line 7",
    "1209:0a03 block line 7",
    "152d:0578 allow line 4",
  ]);
  const replayed = (log: UsbTraceLog) =>
    rehearsePolicy(log, readersOnly).devices.map(({ summary, decision }) => said(summary, decision));
  assert.deepEqual(replayed(bench.rig.usb.trace), live);
  assert.deepEqual(replayed(bench.rig.usb.trace), live);
  assert.deepEqual(replayed(readUsbPcapng(writeUsbPcapng(bench.rig.usb.trace)).log), live);
  const open = fullDesk();
  await open.run(3);
  assert.deepEqual(replayed(open.rig.usb.trace).toSorted(), live.toSorted(), "recorded without a policy");
});

const openRule = '#: no-open "FtdiBridgeUserClient" with-interface one-of { ff:*:* }\nallow\n';

for (const [id, isEnforced] of [
  ["macos15", false],
  ["macos26", true],
] as const) {
  test(`P07 AC4: a rule about the device behind an open is ${isEnforced ? "enforced" : "not enforceable, and says so,"} on ${id}`, async () => {
    const policy = parsePolicy(openRule);
    const verdict = openEnforcement(policy.extensions[0], policyPlatform(id));
    assert.equal(verdict.isEnforced, isEnforced);
    if (!isEnforced) assert.match(verdict.text, /cannot be enforced/);
    const engine = new UsbPolicyEngine(policy);
    const rig = new UsbRig({ ...options, profile: platformProfile(id) });
    rig.machine.install(goodBridgeBundle);
    rig.usb.bus.plugIn(new FtdiDevice({ clock: rig.machine.scheduler, chip: "ft232r" }));
    const app = rig.machine.launchApplication({
      name: "App",
      teamIdentifier: "CASE000013",
      entitlements: { "com.apple.developer.driverkit.userclient-access": [goodBridgeBundle.identifier] },
    });
    await rig.machine.run(3e9);
    const device = {
      idVendor: 0x0403,
      idProduct: 0x6001,
      name: "",
      serial: "",
      viaPort: "",
      interfaces: ["ff:ff:ff"],
      connectType: null,
    };
    const seen: (number | null)[] = [];
    rig.machine.authorizeOpen = (event) => {
      seen.push(event.parentRegistryId);
      return engine.forbidsOpen(event.clientClass, event.parentRegistryId === null ? null : device) === null;
    };
    const [service] = rig.machine.registry.byClass("FtdiBridge");
    const opening = rig.machine.perform(() => rig.machine.openUserClient(app, service), app);
    if (isEnforced) {
      await assert.rejects(
        opening,
        (error) => error instanceof IOError && error.code === IOReturns.kIOReturnNotPermitted,
      );
      assert.equal(seen.length, 1);
      assert.notEqual(seen[0], null);
    } else {
      (await opening).close();
      assert.deepEqual(seen, [null], "the event names no device");
    }
  });
}

test("P07 AC5: capture is a race: transfers before it are counted, none when the decision comes before drivers", async () => {
  const deny = { policy: denyEverything };
  const early = new PolicyBench({ ...options, ...deny });
  const late = new PolicyBench({ ...options, ...deny, moment: "capture", windowNs: 50e6 });
  for (const bench of [early, late]) {
    bench.rig.usb.bus.plugIn(bench.drive(ids.stick, "bulk-only"));
    await bench.run(3);
    assert.equal(bench.scsi.media.length, 0, "no disk stays");
  }
  assert.equal(early.reports[0].transfers, 0);
  assert.ok(late.reports[0].transfers > 0);
  assert.equal(late.reports[0].bytes, late.dataBytes);
  assert.ok(late.reports[0].heldNs > late.reports[0].decidedNs);
});

test("P07: a keyboard with the ids of an allowed drive is judged by what it is", async () => {
  const policy = parsePolicy("allow 0781:5567 with-interface match-all { 08:*:* }\n");
  const bench = new PolicyBench({ ...options, policy });
  bench.rig.usb.bus.plugIn(keyboardWithIds(ids.stick));
  bench.rig.usb.bus.plugIn(bench.drive(ids.stick, "bulk-only"));
  await bench.run(3);
  assert.deepEqual(
    bench.reports.map(({ device, decision }) => `${device?.interfaces[0]} ${decision?.target}`).toSorted(),
    ["03:01:01 block", "08:06:50 allow"],
  );
  assert.equal(bench.scsi.media.length, 1);
});

test("P07: a drive that comes back as a keyboard after 30 s is decided again", async () => {
  const policy = parsePolicy("allow with-interface match-all { 08:06:50 08:06:62 }\n");
  const bench = new PolicyBench({ ...options, policy });
  bench.rig.usb.bus.plugIn(bench.drive(unknownStick, "bulk-only"), 1);
  await bench.run(30);
  bench.rig.usb.bus.unplug(1);
  bench.rig.usb.bus.plugIn(keyboardWithIds(ids.stick), 1);
  await bench.run(3);
  assert.deepEqual(
    bench.reports.map(({ decision, bytes }) => [decision?.target, bytes > 0]),
    [
      ["allow", true],
      ["block", false],
    ],
  );
});

test("P07: a storm of plugging gives one decision for each arrival and lets nothing through", async () => {
  const bench = new PolicyBench({ ...options, policy: denyEverything });
  const drive = bench.drive(ids.stick, "bulk-only");
  for (let round = 0; round < 60; round++) {
    bench.rig.usb.bus.plugIn(drive, 1);
    await bench.run(0.05 + (round % 7) * 0.05);
    bench.rig.usb.bus.unplug(1);
    await bench.run(0.01);
  }
  const { reports } = bench;
  assert.ok(reports.some(({ decision }) => decision !== null));
  for (const { decision, bytes } of reports) {
    assert.ok(decision === null || decision.target === "block");
    assert.equal(bytes, 0);
  }
  assert.equal(bench.dataBytes, 0);
});
