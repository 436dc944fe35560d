// One refused request in five link types of classic pcap: device, SETUP and STALL are read from each, and said.

import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "../diagnose.ts";
import { sourceOfBytes } from "../facts/evidence-source.ts";
import { refusedRequest } from "../test/captures.ts";
import { collectEvidence } from "./collect.ts";

for (const [linkType, bytes] of Object.entries(refusedRequest)) {
  test(`link type ${linkType}: the device refused SET_LINE_CODING with STALL`, async () => {
    const evidence = await collectEvidence([sourceOfBytes("c", bytes)], []);
    assert.deepEqual(evidence.files[0].problems, []);
    assert.deepEqual(evidence.files[0].kinds, ["capture"]);
    const transfers = evidence.facts("transfer").map(({ value }) => value);
    assert.equal(transfers.length, 1);
    const [{ device, setup, result, kind }] = transfers;
    assert.deepEqual({ device, result, kind }, { device: 5, result: "stall", kind: "control" });
    assert.deepEqual([...(setup ?? [])], [0x21, 0x20, 0, 0, 0, 0, 7, 0]);
    const { answers, readings } = await diagnose([sourceOfBytes("c", bytes)]);
    assert.equal(answers[0]?.rule, "DR02-1");
    assert.match(readings[0].text, /capture of 1 device: device 5.*answered with STALL/);
  });

  test(`link type ${linkType}: a capture that was cut says where, and gives what is before`, async () => {
    const cut = bytes.subarray(0, bytes.length - 1);
    const { files } = await collectEvidence([sourceOfBytes("c", cut)], []);
    assert.match(files[0].problems.join(), /is cut or wrong at byte \d+/);
  });
}
