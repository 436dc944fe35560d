// drydock lab: the line that the page copies makes the same run, links open what they say, mistakes are named.

import assert from "node:assert/strict";
import { test } from "node:test";
import { casebook, findCase } from "@drydock/cases/casebook";
import { digestOfRun } from "@drydock/cases/run-digest";
import { findRig } from "@drydock/core/rigs/catalogue";
import { LabSession } from "@drydock/lab/session/lab-session";
import type { SessionState } from "@drydock/lab/session/messages";
import { makeHands } from "@drydock/lab/session/rig-hands";
import { hostTurn } from "@drydock/node/host-turn";
import { recordedIo } from "../test/recorded-io.ts";
import { commandTable } from "./command-table.ts";
import { runCommandLine } from "./grammar/command-line.ts";

interface Report {
  readonly digest: string;
  readonly rows: number;
  readonly mode: string;
  readonly result: { readonly succeeded: boolean } | null;
  readonly said: readonly string[];
}

async function lab(...words: string[]): Promise<{ code: number; said: string; report: Report | null }> {
  const io = recordedIo();
  const code = await runCommandLine(commandTable, ["lab", ...words, "--json"], io);
  const printed = io.printed();
  return { code, said: io.said(), report: printed === "" ? null : (JSON.parse(printed) as Report) };
}

/** Words of a line as a POSIX shell makes them of what the page copies: plain words, and single quotation marks. */
const shellWords = (line: string): string[] =>
  [...line.matchAll(/(?:\\'|'[^']*'|[^\s'\\])+/g)].map(([word]) =>
    word.replace(/\\(')|'([^']*)'/g, (_all, mark = "", inside = "") => `${mark}${inside}`),
  );

test("what was done by hand while time went on, as the copied line does it: the same digest", async () => {
  let state: SessionState | null = null;
  let nowMs = 0;
  const session = new LabSession({
    turn: hostTurn,
    // An odd clock: what is done by hand falls between the rig's own steps.
    now: () => (nowMs += 0.0137),
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    findRig,
    later: () => Promise.reject(new Error("nobody asks")),
    hands: makeHands,
    playEnded: null,
    connect: null,
    send: (message) => {
      if (message.kind === "state") state = message.state;
    },
  });
  const held = (): SessionState => state as unknown as SessionState;
  const act = (name: string, value = "") =>
    session.take({ kind: "act", act: { name: name as never, value } });
  await session.take({
    kind: "open",
    number: 1,
    opening: { what: "serial", side: "bad", seed: 7, faults: ["stall:ep=0x81,nth=9"], isRunning: false },
  });
  await act("run-to", "0.41");
  await act("open-console");
  await act("run");
  for (let turns = 0; held().timeNs < 5e8; turns++) {
    assert.ok(turns < 200_000, "time goes on");
    await new Promise((resolve) => setImmediate(resolve));
  }
  await act("type", 'it\'s "ahoy"\r\n');
  await act("unplug", "1");
  await act("run-to", "1.5");
  await act("plug", "1");
  await act("step");
  await act("step");
  const { command, digest, next } = held();
  session.end();
  const [npx, drydock, verb, ...words] = shellWords(command);
  assert.deepEqual([npx, drydock, verb], ["npx", "drydock", "lab"]);
  const { code, report, said } = await lab(...words);
  assert.equal(code, 0, said);
  assert.equal(report?.digest, digest);
  assert.equal(report?.rows, next - 1);
});

test("a link of every case and side has the casebook's digest; code 1 where the driver fails", async () => {
  for (const { id } of casebook)
    for (const side of ["bad", "good"] as const) {
      const entry = findCase(id);
      const run = await entry.run(side, { seed: 5, turn: hostTurn });
      const { code, report, said } = await lab(`http://localhost:4870/lab#/trace/${id}?seed=5&side=${side}`);
      assert.equal(report?.digest, digestOfRun(entry, run), `${id} ${side} ${said}`);
      assert.equal(code, report?.result?.succeeded === true ? 0 : 1);
    }
});

test("P14 unplugged where it panics: code 1, and the panic's evidence is named", async () => {
  let step = 120;
  let { code, report } = await lab("P14", "--act", `unplug-at ${step}`);
  for (; code === 0 && step < 400; step += 7)
    ({ code, report } = await lab("P14", "--act", `unplug-at ${step}`));
  assert.equal(code, 1);
  assert.match(JSON.stringify(report), /panic: LLC Bus error/);
});

test("acts that there are none of, here or anywhere, are named with what to do", async () => {
  for (const [words, why] of [
    [["serial", "--act", "dance"], /there is no act "dance"; there are: run, pause/],
    [["serial", "--act", "run"], /run-to SECONDS/],
    [["serial", "--act", "unplug 9"], /unplug 9: a connector is a whole number from 1 to 1/],
    [["serial", "--act", "against-side"], /cannot be done here/],
    [["P99"], /no-such-rig|is one of serial, modem/],
    [["#/rig/serial?seed=1", "--seed", "2"], /a link says everything/],
    [["#/rig/no-such-rig"], /there is no rig "no-such-rig"/],
    [["P02", "--fault", "stall:ep=0"], /a case has its own faults/],
    [["serial", "--act", "run-to x"], /a moment is a number of seconds/],
  ] as const) {
    const { code, said } = await lab(...words);
    assert.equal(code, 2, said);
    assert.match(said, why);
  }
});
