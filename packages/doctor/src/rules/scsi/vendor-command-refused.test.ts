// DR09-5: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { vendorCommandRefused } from "./vendor-command-refused.ts";

test("DR09-5 fires: not privileged", async () => {
  await assertFires(vendorCommandRefused, { a: "UserSendCDB C6h: 0xe00002c1" }, /exclusive access/);
});

test("DR09-5 fires: unknown opcode", async () => {
  await assertFires(vendorCommandRefused, { a: "INQUIRY answered ILLEGAL REQUEST (5/20/00)" }, /another CDB/);
});

test("DR09-5 is silent: another code", async () => {
  await assertSilent(vendorCommandRefused, { a: "UserSendCDB C6h: 0xe00002c7" });
});

test("DR09-5 is silent: a vendor command that is not known", async () => {
  await assertSilent(vendorCommandRefused, { a: "opcode 0xc6 answered ILLEGAL REQUEST (5/20/00)" });
});
