// P06: the acceptance criteria: the header's findings, the gamepad that works, the class that is not there.

import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "@drydock/doctor/diagnose";
import { sourceOfText } from "@drydock/doctor/facts/evidence-source";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { hostTurn } from "@drydock/node/host-turn";
import { badSources } from "./bad-driver.ts";
import { declareStructorsCase, gamepadBench, postAndSee } from "./case.ts";
import { gamepadBundle } from "./gamepad-driver.ts";
import { goodGamepadBundle, goodSources, VirtualGamepad } from "./good-driver.ts";

const options = { seed: 6, turn: hostTurn };

async function findings(sources: readonly { readonly text: string }[]): Promise<string[]> {
  const files = sources.map(({ text }, index) => sourceOfText(`file ${index}`, text));
  const { answers, hints } = await diagnose(files, { cppGrammar });
  return [...answers, ...hints].map(({ rule, claim }) => `${rule} ${claim}`).toSorted();
}

test("P06 AC1: the header yields exactly: kext macro, class not in an .iig, missing override, Start on IOUserHIDDevice", async () => {
  const found = await findings(badSources);
  assert.equal(found.length, 4);
  assert.match(found[0], /^DR06-1 OSDeclareDefaultStructors/);
  assert.match(found[1], /^DR06-2 VirtualGamepad derives from IOUserHIDDevice/);
  assert.match(found[2], /^FX-HID-START VirtualGamepad overrides Start/);
  assert.match(
    found[3],
    /^FX-OVERRIDE VirtualGamepad declares init, Start, newDeviceDescription, newReportDescriptor without/,
  );
});

test("P06 AC2: the corrected files are clean, and the driver publishes a gamepad whose reports arrive as they were posted", async () => {
  assert.deepEqual(await findings(goodSources), []);
  const bench = await gamepadBench(goodGamepadBundle, options);
  assert.equal(bench.outcome, "started");
  assert.equal(bench.gamepad?.reportLayout.collections.length, 1);
  for (const state of [
    { x: 127, y: -127, buttons: 0b1000_0001 },
    { x: -127, y: 0, buttons: 0 },
    { x: 1, y: 126, buttons: 0b1111_1111 },
    { x: 0, y: 0, buttons: 0b10 },
  ])
    assert.deepEqual(await postAndSee(bench, state), state);
});

test("P06 AC3: a personality that names an undeclared class fails to load with that name", async () => {
  const bad = await declareStructorsCase.run("bad", options);
  assert.equal(bad.succeeded, false);
  assert.equal(bad.result, "no gamepad: the bundle has no class VirtualGamepad");
  const misspelled = await gamepadBench(gamepadBundle({ VirtualGamePad: VirtualGamepad }), options);
  assert.equal(misspelled.gamepad, null);
  assert.equal(misspelled.outcome, "the bundle has no class VirtualGamepad");
  assert.equal((await declareStructorsCase.run("good", options)).succeeded, true);
});
