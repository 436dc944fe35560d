// P02: each acceptance criterion of the post.

import assert from "node:assert/strict";
import { test } from "node:test";
import { IOReturns } from "@drydock/core/base/io-return";
import { bytesFromHex, hexBytes } from "@drydock/core/base/text";
import { describeCdcRequest } from "@drydock/core/codec/cdc/cdc";
import { firstDifference } from "@drydock/core/trace/trace-diff";
import { traceLines } from "@drydock/core/trace/usb-text";
import { TraceKind } from "@drydock/core/trace/usb-trace-log";
import { hostTurn } from "@drydock/node/host-turn";
import {
  badLineCodingBundle,
  badLineCodingDriver,
  type LineCodingMistake,
  lineCodingMistakes,
} from "./bad-driver.ts";
import { type LineCodingRun, resultOf, runLineCoding, setLineCodingCase } from "./case.ts";
import { goodLineCodingBundle } from "./good-driver.ts";
import { lineCodingBundle } from "./line-coding-driver.ts";

const options = { seed: 2, turn: hostTurn };
const stalled = IOReturns.kUSBHostReturnPipeStalled;

/** SETUP and data of the SET_LINE_CODING on the wire. */
function onTheWire(run: LineCodingRun): { setup: string; data: string } {
  for (const row of run.rig.usb.trace.all()) {
    if (
      row.kind === TraceKind.submit &&
      row.setup !== null &&
      row.setup[0] === 0x21 &&
      row.setup[1] === 0x20
    ) {
      return { setup: hexBytes(row.setup), data: hexBytes(row.data) };
    }
  }
  return { setup: "", data: "" };
}

test("P02 AC1: the bad driver gets 0xe0005000 and 0 bytes; seven zeros are on the wire", async () => {
  const run = await runLineCoding(badLineCodingBundle, options);
  assert.deepEqual(resultOf(run.properties, "SetLineCoding"), { status: stalled, bytes: 0 });
  assert.deepEqual(onTheWire(run), { setup: "21 20 00 00 00 00 07 00", data: "00 00 00 00 00 00 00" });
});

test("P02 AC2: the good driver sets 115200 8N1, and GET_LINE_CODING answers the same", async () => {
  const run = await runLineCoding(goodLineCodingBundle, options);
  assert.deepEqual(resultOf(run.properties, "SetLineCoding"), { status: 0, bytes: 7 });
  assert.equal(onTheWire(run).data, "00 c2 01 00 00 00 08");
  assert.deepEqual(run.properties.LineCoding, bytesFromHex("00 c2 01 00 00 00 08"));
  assert.equal(run.device.observe().lineCoding.dwDTERate, 115200);
});

test("P02 AC3: each variant fails for its own reason, told apart on the wire", async () => {
  const seen = new Map<string, string>();
  for (const mistake of lineCodingMistakes) {
    const run = await runLineCoding(lineCodingBundle(mistake, badLineCodingDriver(mistake)), options);
    const result = resultOf(run.properties, "SetLineCoding");
    if (mistake === "readOnlyMapping") {
      assert.equal(result, null, "the driver dies before the request");
      assert.equal(run.rig.machine.crashes[0]?.text.includes("read-only"), true);
      assert.equal(onTheWire(run).setup, "");
    } else assert.deepEqual(result, { status: stalled, bytes: 0 }, mistake);
    const wire = onTheWire(run);
    seen.set(mistake, `${wire.setup} / ${wire.data}`);
  }
  const clear = await runLineCoding(lineCodingBundle("d1", badLineCodingDriver("none")), options, 0x04);
  assert.deepEqual(resultOf(clear.properties, "SetLineCoding"), { status: stalled, bytes: 0 });
  assert.equal(onTheWire(clear).data, "00 c2 01 00 00 00 08", "the request is right: the device lacks it");
  seen.set("D1 clear", `${onTheWire(clear).setup} / ${onTheWire(clear).data}`);
  assert.equal(new Set(seen.values()).size, seen.size, `all differ: ${[...seen].join("; ")}`);
  const wireOf = (mistake: LineCodingMistake) => seen.get(mistake) as string;
  assert.match(wireOf("lengthSix"), /06 00 \/ 00 c2 01 00 00 00$/);
  assert.match(wireOf("bigEndianRate"), /\/ 00 01 c2 00 /);
  assert.match(wireOf("parityUnderflow"), / ff 08$/);
  assert.match(wireOf("stopUnderflow"), / ff 00 08$/);
  assert.match(wireOf("wrongInterface"), /^21 20 00 00 01 00/);
});

test("P02 AC4: SEND_BREAK succeeds in both drivers", async () => {
  for (const bundle of [badLineCodingBundle, goodLineCodingBundle]) {
    const { properties } = await runLineCoding(bundle, options);
    assert.deepEqual(resultOf(properties, "SendBreak"), { status: 0, bytes: 0 });
  }
});

test("P02 AC5: after the STALL the next control request succeeds without any reset", async () => {
  const run = await runLineCoding(badLineCodingBundle, options);
  assert.deepEqual(resultOf(run.properties, "GetLineCoding"), { status: 0, bytes: 7 });
  const lines = traceLines(run.rig.usb.trace, { describeRequests: [describeCdcRequest] }).map(
    (line) => line.wire,
  );
  const at = lines.findIndex((line) => line.includes("SET_LINE_CODING"));
  assert.match(lines[at], /STALL, 0 bytes/);
  assert.match(lines[at + 1], /SEND_BREAK.*-> ok/);
  assert.equal(
    lines.some((line) => line.includes("reset") || line.includes("CLEAR_FEATURE")),
    false,
  );
});

test("P02: the first difference of the two traces is the faulty call (F23), linked to its cause (F09)", async () => {
  const bad = await setLineCodingCase.run("bad", options);
  const good = await setLineCodingCase.run("good", options);
  assert.equal(bad.succeeded, false);
  assert.equal(good.succeeded, true);
  assert.ok(bad.trace !== null && good.trace !== null);
  const { describeRequests } = setLineCodingCase;
  const difference = firstDifference(
    traceLines(bad.trace, { describeRequests }),
    traceLines(good.trace, { describeRequests }),
  );
  assert.match(difference.left?.wire ?? "", /SET_LINE_CODING.*data 00 00 00 00 00 00 00.*STALL/);
  assert.match(difference.right?.wire ?? "", /SET_LINE_CODING.*data 00 c2 01 00 00 00 08.*ok, 7 bytes/);
  assert.equal(difference.left?.cause, "IOUSBHostInterface.deviceRequest (P02Driver)");
});
