// FX-SLEEP-TIMEOUT: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { panicOf } from "../../test/samples.ts";
import { sleepDidNotFinish } from "./sleep-did-not-finish.ts";

test("FX-SLEEP-TIMEOUT fires: within 180 s while calling power state change callbacks; the kernel suspects org.example.r", async () => {
  await assertFires(
    sleepDidNotFinish,
    {
      p: panicOf(
        "Sleep transition timed out after 180 seconds while calling power state change callbacks. Suspected bundle: org.example.reader.",
      ),
    },
    /within 180 s while calling power state change callbacks; the kernel suspects org\.example\.reader/,
  );
});

test("FX-SLEEP-TIMEOUT is silent on a near miss", async () => {
  await assertSilent(sleepDidNotFinish, { p: panicOf("sleep transition finished after 180 seconds") });
});
