// Turns of those who ask ahead: in a line, with rests, none for who does not read; who asks for little never waits.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { RequestTurns } from "./request-turns.ts";

interface Asking {
  isBusy: boolean;
  isUnread: boolean;
}

function bench() {
  let now = 0;
  const served: string[] = [];
  const turns = new RequestTurns<Asking>(() => now);
  const asker = (): Asking => ({ isBusy: false, isUnread: false });
  /** Each answer takes three milliseconds and is there at once. */
  const ask = (of: Asking, name: string) =>
    turns.asked(of, () => {
      now += 3;
      served.push(name);
    });
  const pass = (milliseconds: number): void => {
    for (let count = 0; count < milliseconds; count++) {
      now++;
      mock.timers.tick(1);
    }
  };
  return { turns, served, asker, ask, pass };
}

test("who asks one thing after another is served in the call, also while a crowd asks ahead", () => {
  mock.timers.enable({ apis: ["setTimeout", "setImmediate"] });
  try {
    const { ask, asker, pass, served } = bench();
    const honest = asker();
    ask(honest, "first");
    assert.deepEqual(served, ["first"]);
    for (let index = 0; index < 100; index++) {
      const greedy = asker();
      greedy.isBusy = true;
      for (let count = 0; count < 16; count++) ask(greedy, "much");
      greedy.isBusy = false;
    }
    pass(1000);
    ask(honest, "second");
    assert.equal(served.at(-1), "second");
    const crowd = served.length - 2;
    // Three milliseconds of work and twenty-four of rest: no more than a ninth of the time.
    assert.ok(crowd >= 25 && crowd <= 50, `${crowd} of the crowd in a second`);
  } finally {
    mock.timers.reset();
  }
});

test("those who ask ahead take turns, each in his own order; a few of them do not rest", () => {
  mock.timers.enable({ apis: ["setTimeout", "setImmediate"] });
  try {
    const { ask, asker, pass, served } = bench();
    const [left, right] = [asker(), asker()];
    left.isBusy = true;
    right.isBusy = true;
    for (const name of ["a1", "a2", "a3"]) ask(left, name);
    for (const name of ["b1", "b2"]) ask(right, name);
    assert.deepEqual(served, [], "nobody has his second answer before the first");
    left.isBusy = false;
    right.isBusy = false;
    pass(12);
    assert.deepEqual(served, ["a1", "b1", "a2", "b2", "a3"]);
  } finally {
    mock.timers.reset();
  }
});

test("who does not read has no turn and keeps nobody from his; who has gone has left nothing", () => {
  mock.timers.enable({ apis: ["setTimeout", "setImmediate"] });
  try {
    const { ask, asker, pass, served, turns } = bench();
    const [deaf, reader] = [asker(), asker()];
    deaf.isUnread = true;
    ask(deaf, "unread");
    reader.isBusy = true;
    ask(reader, "read");
    reader.isBusy = false;
    pass(50);
    assert.deepEqual(served, ["read"]);
    assert.equal(turns.waitingCount, 1);
    deaf.isUnread = false;
    pass(50);
    assert.deepEqual(served, ["read", "unread"]);
    deaf.isUnread = true;
    ask(deaf, "again");
    turns.left(deaf);
    pass(50);
    assert.equal(turns.waitingCount, 0);
    assert.deepEqual(served, ["read", "unread"]);
  } finally {
    mock.timers.reset();
  }
});

test("one who asks for more than sixty-four things ahead is to be let go", () => {
  mock.timers.enable({ apis: ["setTimeout", "setImmediate"] });
  try {
    const { ask, asker } = bench();
    const greedy = asker();
    greedy.isBusy = true;
    const taken = Array.from({ length: 70 }, () => ask(greedy, "much"));
    assert.equal(taken.indexOf(false), 64);
  } finally {
    mock.timers.reset();
  }
});
