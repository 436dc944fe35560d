// Every carrier of USB transfers keeps the whole contract.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { namesLimitedBy } from "../ports/contract.ts";
import { usbHostContract } from "../ports/usb-host.contract.ts";
import { checkTransport, transportNames } from "./transport-benches.ts";

/** What a path may leave out, and nothing else. */
const streams = namesLimitedBy(usbHostContract, "streams");
const limits: Readonly<Record<string, readonly string[]>> = {
  usbip: streams,
  webusb: ["a cancelled write that the device had no room for does not reach it", ...streams],
};

for (const name of transportNames) {
  for (const seed of [1, 2, 3]) {
    test(`${name}, seed ${seed}: the USB host contract`, async () => {
      const results = await checkTransport(name, seed, hostTurn);
      assert.equal(results.length, usbHostContract.length);
      assert.ok(results.length >= 25 && streams.length >= 7);
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
