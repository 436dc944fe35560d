// Addresses of USB/IP servers, and the lines that a server's list becomes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { describeListed, parseUsbipAddress } from "./usbip-address.ts";

test("HOST, HOST:PORT and IPv6 in brackets are addresses; anything else is said to be none", () => {
  assert.deepEqual(parseUsbipAddress("desk"), { text: "desk", host: "desk", port: 3240 });
  assert.deepEqual(parseUsbipAddress("[::1]:99"), { text: "[::1]:99", host: "::1", port: 99 });
  for (const word of ["", "::1", "a:b", "a:0", "a:65536", "a b"])
    assert.throws(() => parseUsbipAddress(word), word);
});

// USB/IP protocol, OP_REP_DEVLIST: a busid is 32 bytes, and nothing says of what.
test("a busid of a server's making stays one line", () => {
  const line = describeListed({
    device: { busId: "1-1\x1b]0;x\x07\n::error::y", idVendor: 1, idProduct: 2, speed: 3 },
    interfaces: [],
  } as never);
  assert.equal(line, "1-1\\x1b]0;x\\x07\\n::error::y 0001:0002  high   not configured");
});
