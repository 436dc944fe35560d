// The words that published drivers use, compiled and run: what each of them did is in the log.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { LoadedDext } from "../../src/host/dext-bundle.ts";
import { compileDext } from "../../src/run/compile-dext.ts";
import { askedRig } from "../../src/run/dext-rig.ts";
import { tryUserClients } from "../../src/run/dext-run.ts";
import { tryDext } from "../../src/run/dext-trials.ts";

let described: Awaited<ReturnType<typeof compileDext>>;
before(async () => {
  described = await compileDext([join(import.meta.dirname, "../dexts/words")]);
});

test("a data queue tells of its first entry and is drained; services are told of; a timer keeps its reference", async () => {
  const dext = new LoadedDext(described, { tracesObjects: true });
  const { machine } = askedRig(dext.bundle, { seed: 1, turn: hostTurn });
  await machine.run(1e9);
  assert.deepEqual([machine.failure, machine.crashes], [null, []]);
  const log = machine.log.show({ info: true, debug: true }).map(({ message }) => message.trim());
  const said = (pattern: RegExp) => log.filter((line) => pattern.test(line));
  assert.equal(said(/number 42 42 text$/).length, 1);
  assert.equal(said(/enqueue 0, available 1, can 0$/).length, 1);
  assert.deepEqual(
    [said(/got 8 5a$/).length, said(/drained e00002e7$/).length],
    [1, 1],
    "kIOReturnUnderrun ends the reading",
  );
  assert.equal(said(/tick \d+ 3$/).length, 1);
  assert.equal(said(/notice 1 0x[0-9a-f]+$/).length, 1);
  assert.equal(said(/handle [12]/).length, 2);
});

test("its user client's checks, structures and failing calls", async () => {
  const answers: number[] = [];
  const report = await tryDext(described, ({ bundle }) => askedRig(bundle, { seed: 2, turn: hostTurn }), {
    settleNs: 1e8,
    most: 12,
    use: async (rig) => void answers.push(await tryUserClients(rig, "org.example.words")),
  });
  assert.ok(report.plain.isStarted && report.isRepeatable);
  assert.equal(answers[0], 2, "scalars and a structure");
  assert.deepEqual(report.plain.findings, []);
});
