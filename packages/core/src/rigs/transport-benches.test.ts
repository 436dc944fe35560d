// Every carrier of USB transfers keeps the whole contract.

import assert from "node:assert/strict";
import { test } from "node:test";
import { usbHostContract } from "../ports/usb-host.contract.ts";
import { checkTransport, transportNames } from "./transport-benches.ts";

for (const name of transportNames) {
  for (const seed of [1, 2, 3]) {
    test(`${name}, seed ${seed}: the USB host contract`, async () => {
      const results = await checkTransport(name, seed);
      assert.equal(results.length, usbHostContract.length);
      assert.ok(results.length >= 25);
      const broken = results.filter((result) => result.problem !== null);
      assert.deepEqual(broken, []);
    });
  }
}

test("an unknown transport is refused with the list", () => {
  assert.throws(() => checkTransport("floppy", 1), /there are: sim/);
});
