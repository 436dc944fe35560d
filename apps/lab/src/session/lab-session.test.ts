// The lab's session without a page: time, acts, back, comparisons, filters, links; the same digests as elsewhere.

import assert from "node:assert/strict";
import { test } from "node:test";
import { casebook, findCase } from "@drydock/cases/casebook";
import { digestOfRun } from "@drydock/cases/run-digest";
import { findRig } from "@drydock/core/rigs/catalogue";
import { hostTurn } from "@drydock/node/host-turn";
import { acts, parseAct } from "./acts.ts";
import { LabSession } from "./lab-session.ts";
import {
  everyRow,
  type FromSession,
  markParts,
  type Opening,
  type RowCells,
  type RowDetail,
  type RowWish,
  type SessionState,
} from "./messages.ts";
import { makeHands } from "./rig-hands.ts";
import { sessionLater } from "./session-later.ts";
import { ShownCase } from "./shown-case.ts";

interface Held {
  readonly session: LabSession;
  readonly said: string[];
  /** Seeds that a share told of. */
  readonly searched: readonly { readonly seed: number; readonly why: string }[];
  state(): SessionState;
  /** How often the host's loop was let turn. */
  pauses(): number;
  act(name: string, value?: string): Promise<void>;
  rows(from?: number, count?: number): Promise<readonly RowCells[]>;
  row(sequence: number): Promise<RowDetail | null>;
  filter(text: string, more?: Partial<RowWish>): Promise<void>;
  hit(sequence: number, isBack?: boolean): Promise<number>;
}

async function opened(opening: Partial<Opening> & { readonly what: string }): Promise<Held> {
  let state: SessionState | null = null;
  const answers: FromSession[] = [];
  let pauses = 0;
  const said: string[] = [];
  const session = new LabSession({
    turn: hostTurn,
    hands: makeHands,
    playEnded: async (opening, turn) => ShownCase.play(opening, turn, findCase(opening.what)),
    connect: null,
    findRig,
    later: async () => sessionLater,
    now: () => performance.now(),
    pause: () => {
      pauses++;
      return new Promise((resolve) => setImmediate(resolve));
    },
    send: (message) => {
      if (message.kind === "state") state = message.state;
      else if (message.kind === "said") said.push(message.text);
      else answers.push(message);
    },
  });
  await session.take({
    kind: "open",
    number: 1,
    opening: { side: "bad", seed: 1, faults: [], isRunning: false, ...opening },
  });
  const current = (): SessionState => {
    if (state === null) throw new Error(`it did not open: ${said.join()}`);
    return state;
  };
  return {
    session,
    said,
    get searched() {
      return answers.flatMap((message) => (message.kind === "searched" ? [message] : []));
    },
    pauses: () => pauses,
    state: current,
    act: (name, value = "") => session.take({ kind: "act", act: { name: name as never, value } }),
    rows: async (from = 0, count = 500) => {
      await session.take({ kind: "rows", id: 1, from, count });
      const last = answers.at(-1);
      return last?.kind === "rows" ? last.rows : [];
    },
    row: async (sequence) => {
      await session.take({ kind: "row", id: 2, sequence });
      const last = answers.at(-1);
      return last?.kind === "row" ? last.detail : null;
    },
    hit: async (sequence, isBack = false) => {
      await session.take({ kind: "hit", id: 3, sequence, isBack });
      const last = answers.at(-1);
      return last?.kind === "hit" ? last.sequence : -1;
    },
    filter: async (text, more = {}) => {
      await session.take({ kind: "filter", wish: { ...everyRow, text, ...more } });
      for (let turns = 0; current().unfiltered > 0; turns++) {
        assert.ok(turns < 10_000, "the filter comes to its end");
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

test("a rig that is stepped, cut into slices and run to a moment is the rig that runs through", async () => {
  const entry = findRig("serial");
  assert.ok(entry !== null);
  const plain = entry.build({ seed: 7, turn: hostTurn });
  await plain.machine.run(1e9);
  const lab = await opened({ what: "serial", seed: 7 });
  for (let step = 0; step < 10; step++) await lab.act("step");
  await lab.act("run-to", "0.3");
  await lab.act("run-to", "1");
  assert.equal(lab.state().timeNs, 1e9);
  assert.equal(lab.state().digest, plain.digest());
});

test("back is the moment before: the same digest as when it was there, also with a cable pulled and typing on the way", async () => {
  const lab = await opened({ what: "serial", seed: 3 });
  await lab.act("run-to", "1");
  await lab.act("open-console");
  await lab.act("run-to", "1.2");
  await lab.act("type", "hello");
  await lab.act("run-to", "1.5");
  assert.match(lab.state().console, /hello/, "it came back through the device");
  await lab.act("unplug", "1");
  const seen: string[] = [];
  for (let step = 0; step < 6; step++) {
    seen.push(`${lab.state().steps} ${lab.state().next} ${lab.state().digest}`);
    await lab.act("step");
  }
  for (let step = 5; step >= 1; step--) {
    await lab.act("back");
    assert.equal(
      `${lab.state().steps} ${lab.state().next} ${lab.state().digest}`,
      seen[step],
      `step ${step}`,
    );
  }
  assert.match(lab.state().console, /hello/);
});

test("P02: the wrong byte, the field it is, and the driver's call beside it", async () => {
  const lab = await opened({ what: "P02", side: "bad", seed: 7 });
  assert.equal(lab.state().mode, "ended");
  await lab.filter("SET_LINE_CODING kind:usb");
  const [row] = await lab.rows();
  assert.match(row.who, /deviceRequest/);
  const detail = await lab.row(row.sequence);
  const field = detail?.fields.find(({ name }) => name === "dwDTERate");
  assert.deepEqual([field?.from, field?.to, field?.value], [8, 12, "0 bits/s"]);
  assert.match(field?.problem ?? "", /rate/);
  await lab.act("against-side");
  const { difference } = lab.state();
  assert.equal(difference?.sequence, row.sequence, "they part where the wrong byte is");
  assert.match(difference?.there ?? "", /80 25 00 00|00 c2 01 00/);
});

test("the same link gives the same digest as the casebook, for every case and side", async () => {
  for (const { id } of casebook)
    for (const side of ["bad", "good"] as const) {
      const lab = await opened({ what: id, side, seed: 5 });
      const entry = findCase(id);
      assert.equal(
        lab.state().digest,
        digestOfRun(entry, await entry.run(side, { seed: 5, turn: hostTurn })),
        `${id} ${side}`,
      );
    }
});

/** A serial rig whose port is open, so that its device is asked all the time. */
async function atWork(): Promise<Held> {
  const lab = await opened({ what: "serial" });
  await lab.act("run-to", "0.5");
  await lab.act("open-console");
  await lab.act("run-to", "1.5");
  return lab;
}

test("filters: words, fields, comparisons, and where a bad one breaks", async () => {
  const lab = await atWork();
  const all = lab.state().shown;
  const count = async (text: string): Promise<number> => {
    await lab.filter(text);
    assert.equal(lab.state().filterProblem, "", text);
    return lab.state().shown;
  };
  const usb = await count("kind:usb");
  assert.ok(usb > 50 && usb < all);
  assert.equal(await count("not kind:usb"), all - usb);
  assert.equal(await count("kind:usb or not (kind=usb)"), all);
  assert.equal((await count("usb.endpoint_address==0x81 and length>0")) > 10, true);
  await lab.filter("ep:0 status:STALL or");
  assert.match(lab.state().filterProblem, /something is missing, at character 21/);
  for (const text of [
    "(",
    "a) b",
    "colour:red",
    'what:"x',
    "length>many",
    "ep:",
    "not",
    "((((((((((((((((((((((a",
  ]) {
    await lab.filter(text);
    assert.match(lab.state().filterProblem, /at character \d+/, text);
  }
  await lab.filter("");
  assert.equal(lab.state().shown, all);
});

test("unplug here: the same up to that row, then the cable; the first difference is told", async () => {
  const lab = await atWork();
  const before = await lab.rows(0, 300);
  await lab.act("unplug-here", "200");
  const after = await lab.rows(0, 300);
  assert.deepEqual(
    after.slice(0, 199).map(({ what }) => what),
    before.slice(0, 199).map(({ what }) => what),
  );
  const { difference } = lab.state();
  assert.ok((difference?.sequence ?? 0) >= 200, String(difference?.sequence));
  assert.equal(lab.state().boxes.find(({ floor }) => floor === "device")?.state, "gone");
});

test("which seed fails: the first one, or none", async () => {
  const bad = await opened({ what: "P02", side: "bad" });
  await bad.act("which-seed", "3");
  assert.match(bad.said.join(), /Seed 1 fails: SET_LINE_CODING/);
  const good = await opened({ what: "P02", side: "good" });
  await good.act("which-seed", "3");
  assert.match(good.said.join(), /None of 3 seeds fails/);
});

test("every act of the table is reached by its name, and a wrong one is refused with what there is", async () => {
  const values: Readonly<Record<string, string>> = {
    "run-to": "0.2",
    "which-seed": "1",
    fault: "stall:ep=0x81,nth=3",
    "unplug-at": "5",
  };
  const reached = new Set<string>();
  for (const what of ["serial", "storage", "keyboard", "ethernet", "P02", "P14"]) {
    const lab = await opened({ what });
    if (!lab.state().isCase) await lab.act("run-to", "0.1");
    for (const { name } of acts) {
      if (!lab.state().acts.includes(name) || reached.has(name)) continue;
      await lab.act(name, values[name] ?? "");
      reached.add(name);
      if (name === "run") await lab.act("pause");
    }
    lab.session.end();
  }
  assert.deepEqual([...reached].sort(), acts.map(({ name }) => name).sort());
  const lab = await opened({ what: "serial" });
  await lab.act("dance");
  assert.match(lab.said.at(-1) ?? "", /there is no act "dance"; there are: run, pause/);
  await lab.act("unplug", "9");
  assert.match(lab.said.at(-1) ?? "", /a connector is a whole number from 1 to 1/);
  await lab.act("against-side");
  assert.match(lab.said.at(-1) ?? "", /cannot be done here/);
});

test("what does not exist is said, and the session goes on", async () => {
  const lab = await opened({ what: "serial" });
  for (const what of ["no-such-rig", "P99", "__proto__", ""])
    await lab.session.take({
      kind: "open",
      number: 2,
      opening: { what, side: "bad", seed: 1, faults: [], isRunning: false },
    });
  assert.match(lab.said.join("\n"), /there is no rig "no-such-rig"[\s\S]*no case "P99"/);
  await lab.act("fault", "explode");
  assert.match(lab.said.at(-1) ?? "", /unknown fault "explode"/);
  await lab.act("step");
  assert.ok(lab.state().next > 1);
});

test("levels and folding: fewer rows, in order, none of them twice; a folded run says its count, its bytes and its end", async () => {
  const lab = await atWork();
  const all = await lab.rows(0, 500);
  const count = lab.state().shown;
  await lab.filter("", { level: "transfers" });
  const transfers = await lab.rows(0, 500);
  assert.ok(lab.state().shown < count * 0.8);
  assert.ok(transfers.every(({ what }) => !what.startsWith("answer to ")));
  const setup = transfers.find(({ what }) => what.startsWith("GET_DESCRIPTOR"));
  assert.equal(setup?.status, "ok", "a transfer is one row with its answer's word");
  await lab.filter("", { level: "calls" });
  assert.ok((await lab.rows(0, 500)).every(({ kind }) => kind !== "queue" && kind !== "register"));
  await lab.filter("", { isFolded: true });
  const folded = await lab.rows(0, 500);
  assert.ok(lab.state().shown < count);
  let next = all[0].sequence;
  for (const { last, sequence } of folded) {
    assert.equal(sequence, next, "the order of time is never broken");
    next = (last ?? sequence) + 1;
  }
  const run = folded.find(({ last }) => last !== undefined);
  assert.match(run?.what ?? "", / × \d+$/);
  const inside = all.filter(
    ({ sequence }) => sequence >= (run?.sequence ?? 0) && sequence <= (run?.last ?? 0),
  );
  assert.equal(
    run?.length,
    inside.reduce((sum, { length }) => sum + (length ?? 0), 0),
  );
  // A polled port at the level of transfers is one long run.
  await lab.filter("ep:0x81", { level: "transfers", isFolded: true });
  assert.ok(lab.state().shown <= 3, `${lab.state().shown} rows`);
  await lab.filter("");
  assert.equal(lab.state().shown, count);
});

test("which seed fails, and what it does without: a fault that strikes is kept, one that never does is left out", async () => {
  const lab = await opened({
    what: "serial",
    faults: ["stall:ep=0,probability=1", "stall:ep=0x99,nth=1"],
  });
  await lab.act("run-to", "0.5");
  await lab.act("which-seed", "5");
  assert.match(lab.said.at(-1) ?? "", /^Seed \d+ fails: .*It fails without .*the fault stall:ep=0x99,nth=1/);
  assert.deepEqual(lab.state().opening.faults, ["stall:ep=0,probability=1"]);
  assert.notEqual(lab.state().failures.length, 0, "what fails is what is looked at");
});

test("a disk whose power is cut: what was flushed holds, what was not is lost; the ledger says who asked", async () => {
  const lab = await opened({ what: "storage" });
  await lab.act("run-to", "5");
  const goOn = async () => await lab.act("run-to", String(lab.state().timeNs / 1e9 + 5));
  await lab.act("write", "64");
  await goOn();
  await lab.act("flush");
  await goOn();
  assert.match(lab.state().ledger?.lines.join() ?? "", /block layer: requested 1, sent 1/);
  assert.equal(lab.state().ledger?.guilty, null);
  await lab.act("power-cut");
  assert.equal(lab.state().boxes.find(({ floor }) => floor === "device")?.state, "gone");
  await goOn();
  assert.equal(lab.state().boxes.find(({ floor }) => floor === "device")?.state, "running");
  await lab.act("read-back");
  await goOn();
  assert.equal(lab.said.at(-1), "64 of 64 blocks hold what was written.");
  await lab.act("write", "64");
  await goOn();
  await lab.act("power-cut");
  await goOn();
  const { digest } = lab.state();
  await lab.act("read-back");
  await goOn();
  assert.match(lab.said.at(-1) ?? "", /^\d{1,2} of 64 blocks hold what was written\.$/);
  assert.notEqual(lab.said.at(-1), "64 of 64 blocks hold what was written.");
  // All of it by hand, and again from the seed.
  const again = await opened({ what: "storage" });
  await again.act("run-to", "5");
  for (const name of ["write", "flush", "power-cut", "read-back", "write", "power-cut"]) {
    await again.act(name, name === "write" ? "64" : "");
    await again.act("run-to", String(again.state().timeNs / 1e9 + 5));
  }
  assert.equal(again.state().digest, digest);
});

test("P14 unplugged at any step: the bad driver panics where the case says, the good one nowhere", async () => {
  const lab = await opened({ what: "P14", side: "bad" });
  const { unplugSteps } = lab.state();
  assert.ok(unplugSteps > 10, `${unplugSteps} steps`);
  const panics: string[] = [];
  for (let step = 1; step <= unplugSteps; step += 7) {
    await lab.act("unplug-at", String(step));
    const { result } = lab.state();
    if (result?.succeeded === false) panics.push(result.text);
    assert.ok(lab.state().next > 1, "its rows are there");
  }
  assert.ok(panics.length > 0);
  for (const text of panics)
    assert.match(text, /^unplugged before step \d+: panic: LLC Bus error.*\(BAR0\+0x[08], read on /);
  assert.ok(
    panics.some((text) => text.includes("BAR0+0x8")),
    "the status register that the post's address names",
  );
  const good = await opened({ what: "P14", side: "good" });
  for (let step = 1; step <= good.state().unplugSteps; step += 37) {
    await good.act("unplug-at", String(step));
    assert.equal(good.state().result?.succeeded, true, String(good.state().result?.text));
  }
  await good.act("unplug-at", "999999");
  assert.match(good.said.at(-1) ?? "", /P14 has \d+ steps on this seed, not 999999/);
});

test("P19's flush ledger names the layer that swallowed the flush; of the right driver it names none", async () => {
  const bad = await opened({ what: "P19", side: "bad" });
  assert.equal(bad.state().ledger?.guilty, "class driver");
  assert.match(bad.state().ledger?.lines.join("\n") ?? "", /class driver: requested 1, sent 0, suppressed 1/);
  const good = await opened({ what: "P19", side: "good" });
  assert.equal(good.state().ledger?.guilty, null);
});

test("two seeds side by side: equal rows up to the first that differs, which is marked on both", async () => {
  const lab = await opened({ what: "P02", side: "bad" });
  await lab.act("against-side");
  const { difference } = lab.state();
  assert.ok(difference !== null);
  const marked = difference.rows.findIndex(({ isEqual }) => !isEqual);
  assert.equal(difference.rows[marked].here?.sequence, difference.sequence);
  assert.ok(marked > 0 && difference.rows.slice(0, marked).every(({ isEqual }) => isEqual));
});

test("a filter that marks: everything stays listed, hits are found forwards and back, the scrollbar has their parts", async () => {
  const lab = await opened({ what: "serial", seed: 4 });
  await lab.act("run-to", "1");
  const all = lab.state().shown;
  await lab.filter("GET_DESCRIPTOR");
  const alone = (await lab.rows()).map(({ sequence }) => sequence);
  assert.ok(alone.length > 3 && alone.length === lab.state().hits);
  assert.deepEqual(lab.state().marks, [], "where nothing but hits is listed there is nothing to mark");
  await lab.filter("GET_DESCRIPTOR", { isMarked: true });
  assert.deepEqual([lab.state().shown, lab.state().hits], [all, alone.length]);
  const rows = await lab.rows(0, 500);
  assert.deepEqual(
    rows.flatMap(({ isHit, sequence }) => (isHit === true ? [sequence] : [])),
    alone.filter((sequence) => sequence <= 500),
  );
  const parts = [...new Set(alone.map((sequence) => Math.floor(((sequence - 1) * markParts) / all)))];
  assert.deepEqual(lab.state().marks, parts);
  const seen: number[] = [];
  for (let at = await lab.hit(0); at > 0; at = await lab.hit(at)) seen.push(at);
  assert.deepEqual(seen, alone);
  assert.equal(await lab.hit(alone[2], true), alone[1]);
  assert.equal(await lab.hit(alone[0], true), 0, "none is before the first");
  // Folded and marked: a run that holds a hit is one.
  await lab.filter("GET_DESCRIPTOR", { isMarked: true, isFolded: true });
  const folded = await lab.rows(0, 500);
  for (const sequence of alone)
    assert.equal(
      folded.find((row) => row.sequence <= sequence && sequence <= (row.last ?? row.sequence))?.isHit,
      true,
      `${sequence}`,
    );
});

test("of two runs that differ, n and N go from differing row to differing row", async () => {
  const lab = await opened({ what: "P02", side: "bad", seed: 7 });
  assert.equal(await lab.hit(0), 0, "nothing to go to");
  await lab.act("against-side");
  const differing = (lab.state().difference?.rows ?? []).flatMap(({ here, isEqual }) =>
    isEqual || here === null ? [] : [here.sequence],
  );
  assert.equal(await lab.hit(0), differing[0]);
  assert.equal(await lab.hit(differing[1], true), differing[0]);
  assert.ok(lab.state().marks.length > 0, "and the scrollbar shows them");
});

test("long work turns the host's loop, so that nobody takes it for one that goes round, and is given up when somebody says so", async () => {
  const lab = await opened({ what: "serial", seed: 2 });
  // On every seed the port is there by then.
  await lab.act("run-to", "3");
  await lab.act("open-console");
  await lab.act("run-to", "960");
  const { digest, next } = lab.state();
  for (const [name, value] of [
    ["against-seed", "3"],
    ["unplug-here", "600000"],
    ["which-seed", "1000"],
    ["back", ""],
  ]) {
    const before = lab.pauses();
    const done = lab.act(name, value);
    for (let turns = 0; lab.state().mode !== "busy" || lab.pauses() < before + 2; turns++) {
      assert.ok(turns < 100_000, `${name}: ${lab.state().mode} after ${lab.pauses() - before} rests`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    lab.session.cancel();
    await done;
    assert.equal(lab.said.at(-1), "Stopped, as you asked.", name);
    assert.deepEqual(
      [lab.state().mode, lab.state().next, lab.state().digest],
      ["paused", next, digest],
      name,
    );
  }
  // And the next act is not given up for it.
  await lab.act("run-to", "961");
  assert.equal(lab.state().timeNs, 961e9);
});

test("a share of seeds is told seed by seed until one fails; a range of seeds is tried alone", async () => {
  const lab = await opened({ what: "serial" });
  const { opening } = lab.state();
  const share = {
    opening: { ...opening, faults: ["stall:ep=0,probability=0.02"] },
    acts: [],
    timeNs: 5e8,
    ...{ first: 2, step: 3, count: 40 },
  };
  const before = lab.state().digest;
  await lab.session.take({ kind: "search", share });
  const told = lab.searched;
  assert.deepEqual(
    told.map(({ seed }) => seed),
    told.map((_none, index) => 2 + 3 * index),
  );
  const failing = told.at(-1)?.seed ?? assert.fail();
  assert.ok(
    told.slice(0, -1).every(({ why }) => why === "") && told.at(-1)?.why !== "",
    JSON.stringify(told),
  );
  assert.equal(lab.state().digest, before, "nothing of it is shown");
  // The same seed by itself, and the lines that make it again.
  const alone = await opened({ what: "serial", faults: share.opening.faults });
  await alone.act("run-to", "0.5");
  await alone.act("which-seed", `${failing}-${failing}`);
  assert.match(alone.said.at(-1) ?? "", new RegExp(`^Seed ${failing} fails: `));
  const again = await opened({ what: "serial", faults: alone.state().opening.faults, seed: failing });
  for (const line of alone.state().script) {
    const { name, value } = parseAct(line);
    await again.act(name, value);
  }
  assert.equal(again.state().digest, alone.state().digest);
  await alone.act("which-seed", "9-3");
  assert.match(alone.said.at(-1) ?? "", /a count is a whole number from 9 to/);
});
