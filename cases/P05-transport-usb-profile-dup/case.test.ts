// P05: comments are refused when the driver is signed by hand, and harmless when Xcode signs it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { signingKeys } from "@drydock/doctor/signing/rehearsal";
import { hostTurn } from "@drydock/node/host-turn";
import { rehearseSample, samplePart } from "../signing-sample.ts";
import { commentedDriver } from "./bad-driver.ts";
import { transportUsbCommentsCase } from "./case.ts";

const options = { seed: 5, turn: hostTurn };

test("P05: signed by hand with a comment it is refused by the parser, without it passes", async () => {
  const bad = await transportUsbCommentsCase.run("bad", options);
  assert.equal(bad.succeeded, false);
  assert.match(bad.result, /AMFIUnserializeXML: syntax error/);
  assert.equal((await transportUsbCommentsCase.run("good", options)).succeeded, true);
});

test("P05: Xcode strips the comment, so the same file passes there", () => {
  const claims = { [signingKeys.install]: true, [signingKeys.access]: [commentedDriver.bundleIdentifier] };
  assert.equal(
    rehearseSample({
      app: samplePart("app", claims, claims, { bundleIdentifier: "org.drydock.p05.app" }),
      dext: commentedDriver,
    }).stoppedAt,
    null,
  );
});
