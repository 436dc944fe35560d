// FX-TWO-VERSIONS: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { twoVersionsAlive } from "./two-versions-alive.ts";

test("FX-TWO-VERSIONS fires: is there 2 times (1.1/2, 1.0/1), and one of them waits for a restart", async () => {
  await assertFires(
    twoVersionsAlive,
    {
      s: "2 extension(s)\n*\t*\tABCDE12345\torg.example.drv (1.1/2)\tdrv\t[activated enabled]\n\t\tABCDE12345\torg.example.drv (1.0/1)\tdrv\t[terminated waiting to uninstall on reboot]\n",
    },
    /is there 2 times \(1\.1\/2, 1\.0\/1\), and one of them waits for a restart/,
  );
});

test("FX-TWO-VERSIONS is silent on: 2 extension(s)", async () => {
  await assertSilent(twoVersionsAlive, {
    s: "2 extension(s)\n*\t*\tABCDE12345\torg.example.drv (1.1/2)\tdrv\t[activated enabled]\n*\t*\tABCDE12345\torg.example.other (1.0/1)\tother\t[activated enabled]\n",
  });
});

test("FX-TWO-VERSIONS is silent: the list before the update and the one after it", async () => {
  const row = (version: string) =>
    `1 extension(s)\n*\t*\tABCDE12345\torg.example.drv (${version})\tdrv\t[activated enabled]\n`;
  await assertSilent(twoVersionsAlive, { s: `${row("1.0/1")}${row("1.1/2")}` });
});
