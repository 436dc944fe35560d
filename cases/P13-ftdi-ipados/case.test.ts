// P13: the acceptance criteria that need neither HID nor network.

import assert from "node:assert/strict";
import { test } from "node:test";
import { IOReturns } from "@drydock/core/base/io-return";
import { ftdiBaudOf, ftdiDivisor } from "@drydock/core/codec/ftdi/ftdi";
import type { Properties } from "@drydock/core/platform/properties";
import { IOError } from "@drydock/core/runtime/io-error";
import { callLines } from "@drydock/core/trace/call-text";
import { firstDifference } from "@drydock/core/trace/trace-diff";
import { traceLines } from "@drydock/core/trace/usb-text";
import { hostTurn } from "@drydock/node/host-turn";
import { badBridgeBundle } from "./bad-driver.ts";
import { appEntitlement, firstWrongByte, ftdiIpadCase, ipadBench, pattern, sendAround } from "./case.ts";
import { goodBridgeBundle } from "./good-driver.ts";

const options = { seed: 13, turn: hostTurn };

test("P13 AC1: the app gets nothing of the system driver's port, the sandbox line is logged, no entitlement helps", async () => {
  const attempts: Properties[] = [
    {},
    appEntitlement,
    { "com.apple.developer.driverkit.userclient-access": ["com.apple.DriverKit-AppleUSBFTDI"] },
    { ...appEntitlement, "com.apple.developer.driverkit.transport.usb": [{ idVendor: 0x0403 }] },
  ];
  for (const entitlements of attempts) {
    const { rig, app } = await ipadBench(options, null, entitlements);
    const [serial] = rig.machine.registry.byClass("IOUserSerial");
    const [port] = rig.machine.registry.byClass("IOSerialBSDClient");
    assert.ok(serial !== undefined && port !== undefined, "the system's driver has claimed the chip");
    assert.equal(rig.machine.copyProperty(app, port, "IOCalloutDevice"), null);
    assert.equal(rig.machine.copyProperty(app, serial, "IOTTYSuffix"), null);
    const lines = rig.machine.log.show().map((row) => row.message);
    assert.ok(
      lines.includes(
        `Sandbox: PadApp(${app.pid}) deny(1) iokit-get-properties iokit-class:IOUserSerial property:IOTTYSuffix`,
      ),
      lines.join("\n"),
    );
  }
});

test("P13 AC2: the bad driver's stream is corrupt from byte 62 on", async () => {
  const bench = await ipadBench(options, { bundle: badBridgeBundle, enabled: true });
  const data = pattern(10 * 1024);
  assert.equal(firstWrongByte(data, await sendAround(bench, 115200, data)), 62);
});

for (const baudRate of [300, 9600, 115200, 921600, 3_000_000]) {
  test(`P13 AC2: the good driver brings 10 KiB back unchanged at ${baudRate} baud`, async () => {
    const bench = await ipadBench(options, { bundle: goodBridgeBundle, enabled: true });
    const data = pattern(10 * 1024);
    assert.equal(firstWrongByte(data, await sendAround(bench, baudRate, data)), -1);
  });
}

test("P13: the own driver out-matches the system's deferred one", async () => {
  const { rig } = await ipadBench(options, { bundle: goodBridgeBundle, enabled: true });
  assert.equal(rig.machine.registry.byClass("FtdiBridge").length, 1);
  assert.equal(rig.machine.registry.byClass("IOUserSerial").length, 0);
  const started = rig.machine.matchReports.find((report) => report.outcome === "started");
  assert.equal(started?.candidate.verdict.score, 90_000);
});

test("P13 AC3: not enabled in Settings: a verdict of its own, and the system's driver keeps the chip", async () => {
  const { rig } = await ipadBench(options, { bundle: goodBridgeBundle, enabled: false });
  assert.equal(rig.machine.registry.byClass("FtdiBridge").length, 0);
  const report = rig.machine.matchReports.find(
    (entry) => entry.candidate.personalityName === "FTDIBridge" && entry.candidate.verdict.matches,
  );
  assert.equal(report?.outcome, "the driver is not enabled in Settings");
});

test("P13 AC3: enabled, communicates-with-drivers and the same team: open", async () => {
  const bench = await ipadBench(options, { bundle: goodBridgeBundle, enabled: true });
  const data = pattern(100);
  assert.equal(firstWrongByte(data, await sendAround(bench, 9600, data)), -1);
});

test("P13 AC3: another team is refused with the team line", async () => {
  const bench = await ipadBench(
    options,
    { bundle: goodBridgeBundle, enabled: true },
    appEntitlement,
    "STRANGERS1",
  );
  await assert.rejects(sendAround(bench, 9600, pattern(10)), (error: unknown) => {
    assert.ok(error instanceof IOError);
    assert.equal(error.code, IOReturns.kIOReturnNotPermitted);
    return true;
  });
  const lines = bench.rig.machine.log.show().map((row) => row.message);
  assert.ok(
    lines.some((line) =>
      /UC failed team ID check\. client team=STRANGERS1, driver team=CASE000013$/.test(line),
    ),
  );
});

test("P13 AC4: divisors of twenty standard rates are within 3 %", () => {
  const rates = [
    300, 600, 1200, 1800, 2400, 4800, 7200, 9600, 14400, 19200, 28800, 38400, 57600, 76800, 115200, 230400,
    460800, 921600, 1_000_000, 3_000_000,
  ];
  assert.equal(rates.length, 20);
  for (const rate of rates) {
    const divisor = ftdiDivisor(rate);
    assert.ok(divisor !== null, String(rate));
    assert.ok(Math.abs(divisor.actualBaud - rate) / rate < 0.03, `${rate} -> ${divisor.actualBaud}`);
    assert.equal(ftdiBaudOf(divisor.value, divisor.high), divisor.actualBaud);
  }
});

test("P13: the wires are equal, the pair parts in a call of the application", async () => {
  const [bad, good] = [
    await ftdiIpadCase.run("bad", { seed: 1, turn: hostTurn }),
    await ftdiIpadCase.run("good", { seed: 1, turn: hostTurn }),
  ];
  assert.ok(
    bad.trace !== null && good.trace !== null && bad.timeline !== undefined && good.timeline !== undefined,
  );
  assert.equal(firstDifference(traceLines(bad.trace), traceLines(good.trace)).index, null);
  const { left, right } = firstDifference(callLines(bad.timeline), callLines(good.timeline));
  assert.match(left?.wire ?? "", /^PadApp -> .* -> success, \d+ bytes /);
  assert.match(right?.wire ?? "", /^PadApp -> .* -> success, \d+ bytes /);
});
