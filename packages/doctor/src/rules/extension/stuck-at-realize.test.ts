// NT-824746: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { stuckAtRealize } from "./stuck-at-realize.ts";

const line = "sysextd: attempting to realize extension with identifier org.example.drv";
const list = (state: string) => `1 extension(s)\n*\t*\tABCDE12345\torg.example.drv (1/1)\tdrv\t[${state}]\n`;

test("NT-824746 fires: waits for a restart", async () => {
  await assertFires(
    stuckAtRealize,
    { l: line, s: list("terminated waiting to uninstall on reboot") },
    /waits for a restart/,
  );
});

test("NT-824746 fires: approval", async () => {
  await assertFires(
    stuckAtRealize,
    { l: line, s: list("activated waiting for user") },
    /user has not approved/,
  );
});

test("NT-824746 fires: the line alone is a hint", async () => {
  await assertFires(stuckAtRealize, { l: line }, /goes no further/, "hint");
});

test("NT-824746 is silent on a near miss", async () => {
  await assertSilent(stuckAtRealize, { l: line, s: list("activated enabled") });
});

test("NT-824746 is silent on a near miss: sysextd went on", async () => {
  await assertSilent(stuckAtRealize, {
    l: line,
    m: "sysextd: staging extension with identifier org.example.drv",
  });
});

test("NT-824746 is silent: the list is from before, the app was told that it is done", async () => {
  await assertSilent(stuckAtRealize, {
    l: `${line}\nExample: request(_:didFinishWithResult:) org.example.drv completed`,
    s: list("terminating for upgrade via delegate"),
  });
});
