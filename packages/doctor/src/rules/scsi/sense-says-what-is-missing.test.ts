// DR08-1: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { senseSaysWhatIsMissing } from "./sense-says-what-is-missing.ts";

test("DR08-1 fires: access not authorised", async () => {
  await assertFires(
    senseSaysWhatIsMissing,
    { a: "UserSendCDB TEST UNIT READY: sense 7/74/71" },
    /not in force/,
  );
});

test("DR08-1 fires: becoming ready", async () => {
  await assertFires(senseSaysWhatIsMissing, { a: "after unlock: sense 2/04/01" }, /poll/);
});

test("DR08-1 fires: stuck", async () => {
  await assertFires(
    senseSaysWhatIsMissing,
    { a: "UserSendCDB TEST UNIT READY: NOT READY (2/04/00)" },
    /not ready and does not become so/,
  );
});

test("DR08-1 fires: another medium", async () => {
  await assertFires(
    senseSaysWhatIsMissing,
    { a: "after relink: sense 6/28/00" },
    /read INQUIRY and READ CAPACITY anew/,
  );
});

test("DR08-1 is silent: a bad field", async () => {
  await assertSilent(senseSaysWhatIsMissing, { a: "UserSendCDB INQUIRY: sense 5/24/00" });
});

test("DR08-1 is silent: a date", async () => {
  await assertSilent(senseSaysWhatIsMissing, { a: "unlock of 12/04/99" });
});
