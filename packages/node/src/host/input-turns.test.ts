// Whose input is heard when: at once in the calm, light ones first in a crowd, and nobody never.

import assert from "node:assert/strict";
import { test } from "node:test";
import { InputTurns, newTurn } from "./input-turns.ts";

function bench() {
  let now = 0;
  const laters: (() => void)[] = [];
  const heard: string[] = [];
  const turns = new InputTurns({ nowMs: () => now, later: (call) => laters.push(call) });
  const cost = (name: string, milliseconds: number) => () => {
    heard.push(name);
    now += milliseconds;
  };
  const round = (): void => {
    for (const call of laters.splice(0)) call();
  };
  /** Known to be light: it has asked for a little, often. */
  const known = () => {
    const turn = newTurn();
    for (let count = 0; count < 8; count++) {
      turns.came(turn, cost("", 0.1));
      round();
    }
    heard.length = 0;
    return turn;
  };
  return { turns, heard, cost, round, known, laters };
}

test("thirty-two clients are no crowd, thirty-three are, and so is who waits", () => {
  const { turns, cost } = bench();
  assert.ok(turns.isCalm(32));
  assert.ok(!turns.isCalm(33));
  turns.came(newTurn(), cost("newcomer", 1));
  assert.ok(!turns.isCalm(2));
});

test("a thousand newcomers who ask for much are heard one in a turn of the loop; who is known to be light is heard at once", () => {
  const { turns, heard, cost, round, known } = bench();
  const light = known();
  for (let index = 0; index < 1000; index++)
    assert.equal(turns.came(newTurn(), cost(`glutton${index}`, 3)), false);
  assert.equal(turns.came(light, cost("light", 0.1)), true);
  assert.deepEqual(heard, ["light"]);
  for (let count = 0; count < 5; count++) round();
  assert.deepEqual(
    heard.filter((name) => name !== "light"),
    ["glutton0", "glutton1", "glutton2", "glutton3", "glutton4"],
  );
});

test("where light ones have used the turn up, a light one waits for the next, before the heavy ones", () => {
  const { turns, heard, cost, round, known } = bench();
  const [first, second, third] = [known(), known(), known()];
  turns.came(newTurn(), cost("heavy", 3));
  turns.came(first, cost("first", 0.7));
  turns.came(second, cost("second", 0.7));
  assert.equal(turns.came(third, cost("third", 0.1)), false);
  assert.deepEqual(heard, ["first", "second"]);
  round();
  assert.equal(heard[2], "third");
});

test("a heavy one is heard in the end, however many light ones there are", () => {
  const { turns, heard, cost, round, known } = bench();
  const lights = Array.from({ length: 20 }, known);
  turns.came(newTurn(), cost("heavy", 3));
  for (let count = 0; count < 4; count++) {
    for (const light of lights) if (light.hear === null) turns.came(light, cost("light", 0.4));
    round();
  }
  assert.ok(heard.includes("heavy"));
});

test("what waits of one that ends is heard before its end, and nobody else's is touched", () => {
  const { turns, heard, cost, round } = bench();
  const [leaving, staying] = [newTurn(), newTurn()];
  turns.came(leaving, cost("leaving", 1));
  turns.came(staying, cost("staying", 1));
  turns.left(leaving);
  assert.deepEqual(heard, ["leaving"]);
  turns.left(leaving);
  round();
  assert.deepEqual(heard, ["leaving", "staying"]);
});

test("when nothing waits any more the loop is left alone", () => {
  const { turns, cost, round, laters } = bench();
  turns.came(newTurn(), cost("one", 1));
  round();
  round();
  assert.equal(laters.length, 0);
  assert.ok(turns.isCalm(1));
});
