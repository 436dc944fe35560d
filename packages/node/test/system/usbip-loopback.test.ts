// The USB host contract over a TCP socket of this machine, between our USB/IP client and our server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { namesLimitedBy } from "@drydock/core/ports/contract";
import { usbHostContract } from "@drydock/core/ports/usb-host.contract";
import { checkTransportHere } from "@drydock/node/transport-checks";

for (const seed of [1, 2, 3]) {
  test(`usbip over loopback, seed ${seed}: every check of the contract is kept but those of streams`, async () => {
    const results = await checkTransportHere("usbip-loopback", seed);
    assert.equal(results.length, usbHostContract.length);
    assert.deepEqual(
      results.filter(({ problem }) => problem !== null),
      [],
    );
    // The protocol has none.
    assert.deepEqual(
      results.filter(({ limited }) => limited !== null).map(({ name }) => name),
      namesLimitedBy(usbHostContract, "streams"),
    );
  });
}

test("an unknown transport is refused with the list", async () => {
  await assert.rejects(checkTransportHere("floppy", 1), /there are: sim, .*usbip-loopback/);
});
