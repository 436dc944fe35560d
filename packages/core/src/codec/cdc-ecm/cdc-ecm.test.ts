// CDC ECM: the Ethernet descriptor, the address as a string, speeds, names of requests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { decodeSetup } from "../usb/setup.ts";
import {
  describeEcmRequest,
  encodeEcmFunction,
  encodeSpeedChange,
  macString,
  parseMacString,
  viewEthernetFunction,
  viewSpeedChange,
} from "./cdc-ecm.ts";

const ethernet = {
  iMACAddress: 3,
  bmEthernetStatistics: 0,
  wMaxSegmentSize: 1514,
  multicastFilters: 32,
  isImperfect: true,
  bNumberPowerFilters: 0,
};

test("the functional descriptors are these bytes, and are read back", () => {
  const all = encodeEcmFunction(0, 1, ethernet);
  assert.deepEqual(
    all.map((bytes) => hexBytes(bytes)),
    ["05 24 00 10 01", "05 24 06 00 01", "0d 24 0f 03 00 00 00 00 ea 05 20 80 00"],
  );
  const extra = all.map((bytes) => ({ type: bytes[1], bytes, offset: 0 }));
  assert.deepEqual(viewEthernetFunction(extra), ethernet);
  assert.equal(viewEthernetFunction(extra.slice(0, 2)), null);
  assert.equal(viewEthernetFunction([{ type: 0x24, bytes: all[2].subarray(0, 12), offset: 0 }]), null);
});

test("an address is twelve digits, nothing else", () => {
  const address = Uint8Array.of(0x02, 0xab, 0, 0, 0, 0x0f);
  assert.equal(macString(address), "02AB0000000F");
  assert.deepEqual(parseMacString("02ab0000000f"), address);
  for (const text of ["", "02AB0000000", "02:AB:00:00:00:0F", "02AB0000000G"])
    assert.throws(() => parseMacString(text), DecodeError, text);
});

test("speeds and requests", () => {
  const change = Uint8Array.of(...bytesFromHex("a1 2a 00 00 00 00 08 00"), ...encodeSpeedChange(100e6, 10e6));
  assert.deepEqual(viewSpeedChange(change), { downlink: 100e6, uplink: 10e6 });
  assert.equal(viewSpeedChange(change.subarray(0, 12)), null);
  const say = (setup: string) => describeEcmRequest(decodeSetup(bytesFromHex(setup)));
  assert.equal(
    say("21 43 0e 00 00 00 00 00"),
    "SET_ETHERNET_PACKET_FILTER all multicast, directed, broadcast",
  );
  assert.equal(say("21 43 00 00 00 00 00 00"), "SET_ETHERNET_PACKET_FILTER none");
  assert.equal(say("41 43 00 00 00 00 00 00"), null);
});
