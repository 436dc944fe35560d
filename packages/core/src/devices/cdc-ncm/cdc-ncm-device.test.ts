// The NCM model: parameters and modes by their rules, blocks both ways, blocks that lie.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { NtbReader, NtbWriter } from "../../codec/cdc-ncm/ntb.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { cdcInEndpoint, cdcOutEndpoint } from "../cdc-ethernet-model.ts";
import { ListeningStation } from "../ethernet-far-ends.ts";
import { sendHostileSetups } from "../hostile-setups.ts";
import { CdcNcmDevice, type CdcNcmOptions } from "./cdc-ncm-device.ts";

const nothing = new Uint8Array(0);

function bench(options: CdcNcmOptions = {}) {
  const device = new CdcNcmDevice({ macAddress: Uint8Array.of(2, 0, 0, 0, 0, 7), ...options });
  const sent: Uint8Array[] = [];
  device.jack.plugIn(
    new ListeningStation((bytes, offset, length) => sent.push(bytes.slice(offset, offset + length))),
  );
  device.plug({ ready: () => {}, reconnect: () => {} });
  const out = (setup: string, data: Uint8Array = nothing): boolean => {
    device.setup(bytesFromHex(setup));
    if (data.length > 0 && device.out(0, data, 0, data.length) === UsbStall) return false;
    return device.in(0x80, nothing, 0, 0) === 0;
  };
  const ask = (setup: string): string => {
    device.setup(bytesFromHex(setup));
    const into = new Uint8Array(32);
    const count = device.in(0x80, into, 0, 32);
    return count < 0 ? "stall" : hexBytes(into.subarray(0, count));
  };
  out("00 09 01 00 00 00 00 00");
  const run = () => out("01 0b 01 00 01 00 00 00");
  const stop = () => out("01 0b 00 00 01 00 00 00");
  return { device, sent, out, ask, run, stop };
}

const frameOf = (length: number, seed = 0) => {
  const frame = Uint8Array.from({ length }, (_, index) => (seed + index) & 255);
  frame.set([2, 0, 0, 0, 0, 7]);
  return frame;
};

test("what changes the blocks' shape is taken only without the pipes, and setting 0 puts it back", () => {
  const { ask, device, out, run, stop } = bench();
  assert.match(ask("a1 80 00 00 00 00 1c 00"), /^1c 00 03 00 00 40 00 00/);
  assert.equal(out("21 84 01 00 00 00 00 00"), true);
  assert.equal(out("21 8a 01 00 00 00 00 00"), true);
  assert.equal(out("21 86 00 00 00 00 04 00", bytesFromHex("00 10 00 00")), true);
  run();
  assert.deepEqual(device.observe(), { bits: 32, withCrc: true, inputSize: 4096 });
  assert.deepEqual(
    [
      out("21 84 00 00 00 00 00 00"),
      out("21 8a 00 00 00 00 00 00"),
      out("21 86 00 00 00 00 04 00", bytesFromHex("00 20 00 00")),
    ],
    [false, false, false],
  );
  assert.equal(ask("a1 83 00 00 00 00 02 00"), "01 00");
  stop();
  assert.deepEqual(device.observe(), { bits: 16, withCrc: false, inputSize: 16_384 });
  for (const wrong of ["ff 07 00 00", "01 40 00 00", "ff ff ff ff"])
    assert.equal(out("21 86 00 00 00 00 04 00", bytesFromHex(wrong)), false, wrong);
  assert.equal(out("21 84 02 00 00 00 00 00"), false);
  assert.equal(bench({ parameters: { formats: 1 } }).out("21 84 01 00 00 00 00 00"), false);
  assert.equal(bench({ capabilities: 0 }).ask("a1 89 00 00 00 00 02 00"), "stall");
});

for (const mode of ["16", "32", "32 with CRC"])
  test(`frames wait in blocks and come out of them: ${mode} bits`, () => {
    const { device, out, run, sent } = bench();
    if (mode !== "16") out("21 84 01 00 00 00 00 00");
    if (mode.endsWith("CRC")) out("21 8a 01 00 00 00 00 00");
    run();
    const frames = [60, 61, 1514, 64].map(frameOf);
    for (const frame of frames) device.jack.frame(frame, 0, frame.length);
    const into = new Uint8Array(16_384);
    const count = device.in(cdcInEndpoint, into, 0, 16_384);
    const back: Uint8Array[] = [];
    new NtbReader(1518).read(into, count, (bytes, offset, length) =>
      back.push(bytes.slice(offset, offset + length)),
    );
    assert.deepEqual(back, frames, "all in one block");
    assert.equal(device.in(cdcInEndpoint, into, 0, 16_384), count % 512 === 0 ? 0 : UsbNak);
    const withCrc = mode.endsWith("CRC");
    const writer = new NtbWriter({
      ...{ bits: mode === "16" ? 16 : 32, withCrc, maximum: 16_384, maximumDatagrams: 0 },
      ...{ divisor: 4, remainder: 0, alignment: 4 },
    });
    writer.begin(into);
    for (const frame of frames) writer.add(frame, 0, frame.length);
    const length = writer.finish(512);
    // In pieces, as a slow wire brings it.
    for (let at = 0; at < length; at += 512) device.out(cdcOutEndpoint, into, at, Math.min(512, length - at));
    assert.deepEqual(sent, frames);
  });

test("blocks that lie are counted, and the next one is read", () => {
  const { device, run, sent } = bench();
  run();
  const block = new Uint8Array(16_384);
  device.out(cdcOutEndpoint, block, 0, 100);
  device.out(cdcOutEndpoint, block, 0, 16_384);
  device.out(cdcOutEndpoint, block, 0, 15_872);
  device.out(cdcOutEndpoint, block, 0, 100);
  assert.equal(device.counts.badTransfers, 3);
  const writer = new NtbWriter({
    ...{
      bits: 16,
      withCrc: false,
      maximum: 16_384,
      maximumDatagrams: 0,
      divisor: 4,
      remainder: 0,
      alignment: 4,
    },
  });
  writer.begin(block);
  writer.add(frameOf(60), 0, 60);
  device.out(cdcOutEndpoint, block, 0, writer.finish(512));
  assert.deepEqual(sent, [frameOf(60)]);
});

test("memory is bounded: frames that no block has room for are counted", () => {
  const { device, run } = bench();
  run();
  for (let count = 0; count < 200; count++) device.jack.frame(frameOf(1514), 0, 1514);
  assert.ok(device.counts.overruns > 100, String(device.counts.overruns));
  assert.equal(device.counts.receivedFrames + device.counts.overruns, 200);
});

test("hostile SETUP packets are answered or refused", () => {
  const { device } = bench();
  sendHostileSetups(device, new Random(5), 20_000);
  assert.ok(device.refusedRequests > 0);
});
