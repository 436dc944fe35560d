// Addresses of the lab: what is written is read again, and nothing damaged breaks the page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { firstAddress, formatAddress, parseAddress } from "./address.ts";

test("what is written is read again", () => {
  for (const address of [
    firstAddress,
    { ...firstAddress, screen: "trace" as const, what: "P02", seed: 7, row: 12, side: "good" as const },
    {
      ...firstAddress,
      faults: ["stall:ep=0x81,nth=3", "delay:ep=2"],
      filter: 'ep:0 and what:"SET x"&',
      timeS: 0.004213,
    },
  ])
    assert.deepEqual(parseAddress(formatAddress(address)), address);
});

test("a damaged address is the first page, or what of it is whole", () => {
  assert.deepEqual(parseAddress(""), firstAddress);
  assert.equal(parseAddress("#/nowhere/P02?seed=9").seed, 9);
  const random = new Random(4);
  for (let times = 0; times < 3000; times++) {
    let hash = "#/trace/P02?seed=7&side=bad&row=12&t=1.5&fault=stall&filter=x";
    for (let change = 0; change < 4; change++) {
      const at = random.next32() % (hash.length + 1);
      hash =
        hash.slice(0, at) +
        String.fromCharCode(random.next32() % 256) +
        hash.slice(at + (random.next32() % 3));
    }
    const address = parseAddress(hash);
    assert.match(address.what, /^[A-Za-z][A-Za-z0-9-]*$/);
    assert.ok(Number.isSafeInteger(address.seed) && Number.isSafeInteger(address.row));
    assert.doesNotThrow(() => formatAddress(address));
  }
});
