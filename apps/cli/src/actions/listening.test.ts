// Addresses that are printed can be gone to, and the system's words about listening become ours.

import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../terminal/usage-error.ts";
import { isLoopback, orSayTaken, reachableName } from "./listening.ts";

const entry = (address: string, family: "IPv4" | "IPv6", internal = false) =>
  ({ address, family, internal, netmask: "", mac: "", cidr: null, scopeid: 0 }) as never;
const interfaces = {
  lo: [entry("127.0.0.1", "IPv4", true), entry("::1", "IPv6", true)],
  eth0: [entry("fe80::1", "IPv6"), entry("2001:db8::7", "IPv6"), entry("192.0.2.7", "IPv4")],
};

test("a wildcard is no address to go to: one of this machine's is", () => {
  assert.equal(reachableName("0.0.0.0", interfaces), "192.0.2.7");
  assert.equal(reachableName("::", interfaces), "192.0.2.7");
  assert.equal(reachableName("::", { eth0: [entry("2001:db8::7", "IPv6")] }), "2001:db8::7");
  assert.equal(reachableName("0.0.0.0", { lo: interfaces.lo }), "127.0.0.1");
  assert.equal(reachableName("::", { lo: interfaces.lo }), "::1");
  assert.equal(reachableName("0:0:0:0:0:0:0:0", interfaces), "192.0.2.7");
  for (const host of ["127.0.0.1", "::1", "desk.example", "fe80::1%eth0"])
    assert.equal(reachableName(host, interfaces), host);
});

test("only loopback is nobody else's", () => {
  for (const host of ["127.0.0.1", "127.9.9.9", "localhost", "::1", "::ffff:127.0.0.1"])
    assert.ok(isLoopback(host), host);
  for (const host of ["0.0.0.0", "::", "192.0.2.7", "localhost.example", "128.0.0.1"])
    assert.ok(!isLoopback(host), host);
});

const refused = (code: string) => Promise.reject(Object.assign(new Error(`listen ${code}`), { code }));

test("what the system says about a place says what to change; only a taken port is the rig's trouble", async () => {
  const place = { host: "192.0.2.1", port: 80 };
  for (const [code, words, isUsage] of [
    ["EADDRINUSE", /192\.0\.2\.1 port 80 is taken: .*--port/, false],
    ["EACCES", /--port 80: this user may not listen there/, true],
    ["EADDRNOTAVAIL", /--host 192\.0\.2\.1 is no address of this machine/, true],
    ["ENOTFOUND", /--host 192\.0\.2\.1: no machine is known by that name/, true],
    ["EAFNOSUPPORT", /--host 192\.0\.2\.1: this machine has no such kind of address/, true],
  ] as const)
    await assert.rejects(orSayTaken(refused(code), place), (error: Error) => {
      assert.match(error.message, words);
      assert.doesNotMatch(error.message, /E[A-Z]{4,}/);
      return error instanceof UsageError === isUsage;
    });
  await assert.rejects(
    orSayTaken(refused("EEXIST"), { ...place, path: "/s" }),
    /--unix \/s is there already/,
  );
  await assert.rejects(orSayTaken(Promise.reject(new TypeError("x")), place), TypeError);
});
