// Frames on a cable: rows with their cause, a line each, and a capture of link type 1.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { linkTypeEthernet, readPcapng } from "../codec/pcapng/pcapng.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import { TimelineKind } from "../ports/recorder.ts";
import { NetworkRig } from "../rigs/network-rig.ts";
import { ethernetRowText, writeEthernetPcapng } from "./ethernet-trace.ts";
import { perfettoParts } from "./perfetto.ts";

async function onePing() {
  const rig = new NetworkRig({
    ...{ seed: 1, turn: hostTurn, profile: platformProfile("macos15"), devices: ["cdc-ecm"] },
  });
  const { scheduler } = rig.machine;
  await scheduler.run(3e9);
  const [port] = rig.interfaces;
  port.open({ enabled() {}, frame() {}, writable() {}, linkChanged() {}, hungUp() {} });
  await scheduler.run(4e9);
  const frame = new Uint8Array(60);
  frame.set([2, 0, 0, 0, 0, 0xfe, ...port.macAddress, 0x88, 0xb5]);
  port.send(frame, 0, 60);
  await scheduler.run(5e9);
  return { rig, frame };
}

test("a frame out and its echo in are two rows, the second caused by the first", async () => {
  const { frame, rig } = await onePing();
  const rows = [...rig.timeline.rows(undefined, [TimelineKind.ethernet])];
  assert.deepEqual(rows.map(ethernetRowText), [
    "cable 1 out: 02:dd:00:00:00:01 > 02:00:00:00:00:fe type 0x88b5, 60 bytes",
    "cable 1 in: 02:00:00:00:00:fe > 02:dd:00:00:00:01 type 0x88b5, 60 bytes",
  ]);
  assert.deepEqual(rows[0].bytes, frame);
  assert.equal(rows[1].cause, rows[0].sequence);
});

test("the capture has link type 1, the frames as they were, and which way each went", async () => {
  const { frame, rig } = await onePing();
  const { bytes, rows } = writeEthernetPcapng(rig.timeline);
  const packets = [...readPcapng(bytes)];
  assert.equal(rows, 2);
  assert.deepEqual(
    packets.map(({ comments, linkType }) => [linkType, ...comments]),
    [
      [linkTypeEthernet, "cable 1: from the adapter"],
      [linkTypeEthernet, "cable 1: to the adapter"],
    ],
  );
  assert.deepEqual(packets[0].bytes, frame);
});

test("Perfetto's viewer gets a lane for the cable", async () => {
  const { rig } = await onePing();
  const text = [...perfettoParts(rig.timeline)].join("");
  assert.match(text, /"Network"/);
  assert.match(text, /cable 1 out: 02:dd:00:00:00:01/);
});
