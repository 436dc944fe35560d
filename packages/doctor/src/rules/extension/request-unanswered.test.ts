// NT-806336: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { requestUnanswered } from "./request-unanswered.ts";

test("NT-806336 fires: development does not need it", async () => {
  await assertFires(
    requestUnanswered,
    { q: "Our capability request for UserClient Access was denied as unnecessary for local testing" },
    /development does not need it/,
  );
});

test("NT-806336 is silent on: Our capability request was approved", async () => {
  await assertSilent(requestUnanswered, { q: "Our capability request was approved" });
});
