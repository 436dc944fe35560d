// DR09-2: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { dataNeverAskedFor } from "./data-never-asked-for.ts";

test("DR09-2 fires: in words", async () => {
  await assertFires(
    dataNeverAskedFor,
    { a: "On USB 2 it works; over UAS the CDB is on the bus and no payload data is transferred." },
    /either the device never asks/,
  );
});

test("DR09-2 is silent: data moved", async () => {
  await assertSilent(dataNeverAskedFor, { a: "UAS driver started, data transferred" });
});
