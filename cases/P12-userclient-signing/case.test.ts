// P12: the good configurations and the pair; the matrix of faults (AC1) and AC3 are in the doctor's signing tests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { rehearseSample } from "../signing-sample.ts";
import { userClientSigningCase } from "./case.ts";
import { goodDevelopmentPackages, goodPackages } from "./good-driver.ts";

const options = { seed: 12, turn: hostTurn };

test("P12 AC1: the wrong package fails at build time with the words that Xcode uses for another value", async () => {
  const bad = await userClientSigningCase.run("bad", options);
  assert.equal(bad.succeeded, false);
  assert.match(
    bad.result,
    /^build of org\.drydock\.sample\.app: .*doesn't match the entitlements file's value for the com\.apple\.developer\.driverkit\.userclient-access entitlement\.$/,
  );
});

test("P12 AC2: good development and good distribution configurations pass build and open", async () => {
  for (const packages of [goodPackages, goodDevelopmentPackages]) {
    const rehearsal = rehearseSample(packages);
    assert.equal(rehearsal.stoppedAt, null);
    assert.equal(rehearsal.verdicts.find(({ stage }) => stage === "user client")?.ok, true);
  }
  assert.equal((await userClientSigningCase.run("good", options)).succeeded, true);
});
