// Every carrier of USB transfers keeps the whole contract.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { Random } from "../base/random.ts";
import { namesLimitedBy } from "../ports/contract.ts";
import { usbHostContract } from "../ports/usb-host.contract.ts";
import { checkTransport, memoryWire, transportNames, usbipBench } from "./transport-benches.ts";

/** What a path may leave out, and nothing else. */
const streams = namesLimitedBy(usbHostContract, "streams");
const isochronous = namesLimitedBy(usbHostContract, "isochronous");
const limits: Readonly<Record<string, readonly string[]>> = {
  usbip: streams,
  webusb: [
    "a cancelled write that the device had no room for does not reach it",
    "a cancelled isochronous transfer ends once; what it has not moved was missed",
    ...streams,
  ],
};

for (const name of transportNames) {
  for (const seed of [1, 2, 3]) {
    test(`${name}, seed ${seed}: the USB host contract`, async () => {
      const results = await checkTransport(name, seed, hostTurn);
      assert.equal(results.length, usbHostContract.length);
      assert.ok(results.length >= 25 && streams.length >= 7 && isochronous.length >= 5);
      const broken = results.filter((result) => result.problem !== null);
      assert.deepEqual(broken, []);
      const limited = results.filter((result) => result.limited !== null).map((result) => result.name);
      assert.deepEqual(limited, limits[name] ?? []);
    });
  }
}

test("an unknown transport is refused with the list", () => {
  assert.throws(() => checkTransport("floppy", 1, hostTurn), /there are: sim/);
});

test("usbip: buffers that are used again never mix up what was sent", async () => {
  const random = new Random(9);
  const { port, client, settle } = await usbipBench(4, memoryWire(4));
  const control = async (...bytes: number[]): Promise<void> => {
    port.control(0, Uint8Array.from(bytes), new Uint8Array(255), 0);
    await settle();
  };
  await control(0x80, 6, 0, 2, 0, 0, 255, 0);
  await control(0, 9, 1, 0, 0, 0, 0, 0);
  for (let round = 0; round < 300; round++) {
    // Of the size that is kept for later, mostly; the device holds 4096.
    const sent = Uint8Array.from({ length: random.between(1000, 4096) }, () => random.below(256));
    const back = new Uint8Array(4160);
    port.transfer(1, 0x01, sent.slice(), 0, sent.length);
    if (round % 3 === 0) await settle();
    port.transfer(2, 0x81, back, 0, back.length);
    await settle();
    const [read] = client.of(2).slice(-1);
    assert.equal(read.bytes, sent.length);
    assert.deepEqual(back.subarray(0, sent.length), sent, `round ${round}`);
    client.completions.length = 0;
  }
});
