// P08 explorer (F21): all ways that a relink can go.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { combinations } from "./explorer.ts";
import { assertNamed } from "./test/named-states.ts";

test("P08 explorer (F21): each of 216 combinations ends in a named state, none in unknown", async () => {
  const all = combinations();
  assert.equal(all.length, 216);
  await assertNamed(all, { seed: 8, turn: hostTurn });
});
