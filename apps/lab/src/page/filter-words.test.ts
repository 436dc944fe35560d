// What the trace offers as filters are filters, and rows are copied as tshark prints packets.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFilter } from "../session/row-filter.ts";
import { filterWords } from "./filter-words.ts";
import { tsharkLine } from "./row-pool.ts";

test("every filter that is offered is one", () => {
  for (const word of filterWords) assert.equal(typeof parseFilter(word), "function", word);
});

test("a row as tshark prints it", () => {
  const cells = {
    sequence: 22,
    timeNs: 1_234_567,
    deltaNs: 0,
    kind: "usb",
    who: "deviceRequest",
    what: "SET_LINE_CODING interface 0",
    place: "1.00",
    length: 7,
    status: "STALL",
    isBad: true,
  };
  assert.equal(
    tsharkLine(cells),
    "   22 0.001234567 deviceRequest → 1.00 USB 7 SET_LINE_CODING interface 0 [STALL]",
  );
  assert.match(tsharkLine({ ...cells, who: "", place: "", status: "" }), / host → - USB /);
});
