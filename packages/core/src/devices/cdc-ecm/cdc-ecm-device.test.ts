// The ECM model: frames end with a short packet, the filter, the link's notifications.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { cdcInEndpoint, cdcNotifyEndpoint, cdcOutEndpoint } from "../cdc-ethernet-model.ts";
import { ListeningStation } from "../ethernet-far-ends.ts";
import { sendHostileSetups } from "../hostile-setups.ts";
import { CdcEcmDevice } from "./cdc-ecm-device.ts";

const nothing = new Uint8Array(0);

function bench() {
  const device = new CdcEcmDevice({ macAddress: Uint8Array.of(2, 0, 0, 0, 0, 7) });
  const sent: Uint8Array[] = [];
  const far = new ListeningStation((bytes, offset, length) =>
    sent.push(bytes.slice(offset, offset + length)),
  );
  device.jack.plugIn(far);
  device.plug({ ready: () => {}, reconnect: () => {} });
  const out = (setup: string, data: Uint8Array = nothing): boolean => {
    device.setup(bytesFromHex(setup));
    if (data.length > 0 && device.out(0, data, 0, data.length) === UsbStall) return false;
    return device.in(0x80, nothing, 0, 0) === 0;
  };
  assert.equal(out("00 09 01 00 00 00 00 00"), true);
  assert.equal(out("01 0b 01 00 01 00 00 00"), true);
  return { device, far, sent, out };
}

const frameOf = (length: number, to: readonly number[] = [2, 0, 0, 0, 0, 7]) => {
  const frame = Uint8Array.from({ length }, (_, index) => index & 255);
  frame.set(to);
  return frame;
};

test("a frame of whole packets is followed by an empty one, in both directions", () => {
  const { device, sent } = bench();
  const frame = frameOf(1024);
  device.jack.frame(frame, 0, 1024);
  device.jack.frame(frame, 0, 60);
  const into = new Uint8Array(2048);
  assert.equal(device.in(cdcInEndpoint, into, 0, 1536), 1024);
  assert.equal(device.in(cdcInEndpoint, into, 0, 512), 0);
  assert.equal(device.in(cdcInEndpoint, into, 0, 1536), 60);
  assert.equal(device.in(cdcInEndpoint, into, 0, 1536), UsbNak);
  device.out(cdcOutEndpoint, frame, 0, 1024);
  assert.equal(sent.length, 0);
  device.out(cdcOutEndpoint, frame, 0, 0);
  assert.deepEqual(sent, [frame]);
});

test("what is no frame is counted and costs nobody else's", () => {
  const { device, sent } = bench();
  const long = new Uint8Array(3 * 512 + 100);
  device.out(cdcOutEndpoint, long, 0, 1536);
  device.out(cdcOutEndpoint, long, 0, 100);
  device.out(cdcOutEndpoint, long, 0, 13);
  device.out(cdcOutEndpoint, frameOf(60), 0, 60);
  assert.deepEqual([sent.length, device.counts.badTransfers], [1, 2]);
  for (let count = 0; count < 300; count++) device.jack.frame(frameOf(60), 0, 60);
  assert.deepEqual([device.counts.receivedFrames, device.counts.overruns], [256, 44]);
});

test("the packet filter is what was set; bits that do not exist are refused", () => {
  const { device, out } = bench();
  const passes = (to: readonly number[]) => {
    device.jack.frame(frameOf(60, to), 0, 60);
    return device.in(cdcInEndpoint, new Uint8Array(512), 0, 512) === 60;
  };
  const group = [1, 0, 0x5e, 0, 0, 0xfb];
  assert.equal(out("21 43 0c 00 00 00 00 00"), true);
  assert.deepEqual(
    [passes([2, 0, 0, 0, 0, 7]), passes(group), passes([2, 0, 0, 0, 0, 8])],
    [true, false, false],
  );
  assert.equal(out("21 40 01 00 00 00 06 00", Uint8Array.from(group)), true);
  assert.equal(out("21 43 1c 00 00 00 00 00"), true);
  assert.deepEqual([passes(group), passes([1, 0, 0x5e, 0, 0, 1])], [true, false]);
  assert.equal(out("21 43 1f 00 00 00 00 00"), true);
  assert.equal(passes([2, 0, 0, 0, 0, 8]), true);
  assert.equal(out("21 43 20 00 00 00 00 00"), false);
  assert.equal(out("21 40 02 00 00 00 06 00", Uint8Array.from(group)), false, "two addresses in six bytes");
  assert.equal(out("a1 44 01 00 00 00 04 00"), false, "no statistic is kept");
});

test("the link is announced when the data interface can be used: speed, then connection; a cable that goes is told", () => {
  const { device, far } = bench();
  const into = new Uint8Array(16);
  const next = () => {
    const count = device.in(cdcNotifyEndpoint, into, 0, 16);
    return count < 0 ? "nothing" : hexBytes(into.subarray(0, count));
  };
  assert.equal(next(), "a1 2a 00 00 00 00 08 00 00 00 64 19 00 00 64 19");
  assert.equal(next(), "a1 00 01 00 00 00 00 00");
  assert.equal(next(), "nothing");
  device.jack.pullOut();
  assert.equal(next(), "a1 00 00 00 00 00 00 00");
  device.jack.plugIn(far);
  device.jack.pullOut();
  assert.equal(next(), "a1 00 00 00 00 00 00 00", "what was not fetched is out of date");
});

test("hostile SETUP packets are answered or refused", () => {
  const { device } = bench();
  sendHostileSetups(device, new Random(4), 20_000);
  assert.ok(device.refusedRequests > 0);
});
