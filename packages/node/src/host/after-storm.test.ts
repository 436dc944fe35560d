// A storm of connections gives its memory back once it is over, and ordinary comings and goings do not.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { StormWatch } from "./after-storm.ts";

test("memory is given back once, when most of the connections have gone and it is quiet", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let given = 0;
    let held = 0;
    const watch = new StormWatch({ hold: () => held++, giveBack: () => given++ });
    for (let count = 1; count <= 1000; count++) watch.changed(count);
    for (let count = 999; count >= 1; count--) watch.changed(count);
    mock.timers.tick(1000);
    assert.equal(given, 0);
    assert.equal(held, 1);
    mock.timers.tick(1000);
    assert.equal(given, 1);
    for (let round = 0; round < 20; round++) {
      for (let count = 1; count <= 60; count++) watch.changed(count);
      watch.changed(0);
      mock.timers.tick(5000);
    }
    assert.equal(given, 1, "sixty connections are no storm");
    assert.equal(held, 1);
    for (let count = 1; count <= 400; count++) watch.changed(count);
    mock.timers.tick(5000);
    assert.equal(given, 1, "not while they are there");
    watch.changed(3);
    mock.timers.tick(5000);
    assert.equal(given, 2);
    assert.equal(held, 2);
  } finally {
    mock.timers.reset();
  }
});
