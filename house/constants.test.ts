// Numbers and tables that rooms export are what was written down: who changes one changes it twice, and on purpose.

import assert from "node:assert/strict";
import { test } from "node:test";
import { constantsOf, recordedConstants, roomsOfConstants } from "./constants.ts";

for (const room of Object.keys(roomsOfConstants))
  test(`constants of ${room}: each has the value that is recorded (node house/constants.ts records new and changed ones)`, async () => {
    const found = await constantsOf(room);
    const recorded = recordedConstants(room);
    let compared = 0;
    // A constant that has gone is no wrong value, and one that is new waits for its record.
    for (const [file, constants] of Object.entries(recorded))
      for (const [name, value] of Object.entries(constants)) {
        if (found[file]?.[name] === undefined) continue;
        assert.deepEqual(found[file][name], value, `${file}: ${name}`);
        compared++;
      }
    assert.ok(compared >= 5, `${compared} compared`);
  });
