// FX-SLEEP-TIMEOUT: samples that fire it, and near misses that do not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "../../diagnose.ts";
import { assertFires, assertSilent, sourcesOf } from "../../test/rule-check.ts";
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

test("the report names one actor: who must act on the answer, and on the panic that was read", async () => {
  for (const [bundle, who] of [
    ["org.example.kext.raid", "the vendor of the kernel extension"],
    ["org.example.reader", "the vendor of the driver"],
    ["com.apple.iokit.IONVMeFamily", "Apple"],
  ]) {
    const p = panicOf(
      `Sleep transition timed out after 180 seconds while calling power state change callbacks. Suspected bundle: ${bundle}.`,
    );
    const { answers, readings } = await diagnose(sourcesOf({ p }));
    assert.deepEqual([answers[0].rule, answers[0].who], ["FX-SLEEP-TIMEOUT", who]);
    assert.deepEqual(
      readings.map((reading) => reading.who),
      [who],
    );
  }
});
