// The doorbell against a device whose messages come at any moment: whatever was posted has been looked at in the end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { Doorbell } from "./doorbell.ts";
import { qtestBench } from "./test/fake-qemu.ts";

const base = 0xfe00_0000;
const line = 22;

/** edu as QEMU has it: bits, and a line that is up while there are any. */
function edu() {
  let bits = 0;
  const bench = qtestBench((request) => {
    const [verb, address, value] = request.split(" ");
    if (verb === "readl" && Number(address) === base + 0x24)
      return `OK 0x${bits.toString(16).padStart(16, "0")}`;
    if (verb === "writel" && Number(address) === base + 0x64) {
      bits &= ~Number(value);
      if (bits === 0) bench.qemu.send(`IRQ lower ${line}`);
    }
    return "OK";
  });
  const raise = (bit: number) => {
    const wasUp = bits !== 0;
    bits |= bit;
    if (!wasUp) bench.qemu.send(`IRQ raise ${line}`);
  };
  return { ...bench, raise };
}

test("200 seeds of messages at any distance from the acknowledge: the driver's last look saw everything", () => {
  for (let seed = 0; seed < 200; seed++) {
    const { clock, client, raise } = edu();
    const random = new Random(seed);
    const doorbell = new Doorbell(client, base, line);
    let posted = 0;
    let seen = 0;
    let looks = 0;
    const [message] = doorbell.allocate(1, () => {
      looks++;
      // The ring lies in shared memory: a look sees what is there at this moment.
      seen = posted;
    });
    doorbell.start();
    let atNs = 10_000;
    for (let count = 0; count < 40; count++) {
      atNs += random.below(4000);
      clock.after(
        atNs,
        () => {
          posted++;
          raise(message.data);
        },
        undefined,
      );
    }
    clock.runUntil(1e9);
    assert.equal(posted, 40);
    assert.equal(seen, posted, `seed ${seed}: ${looks} looks`);
  }
});
