// NT-673038: samples that fire it, and near misses that do not.

import { test } from "node:test";
import { assertFires, assertSilent } from "../../test/rule-check.ts";
import { plist } from "../../test/samples.ts";
import { resourceMatchIsNoOrder } from "./resource-match-is-no-order.ts";

const list = (more: Readonly<Record<string, string>>) =>
  plist({
    CFBundleIdentifier: "org.example.x",
    IOKitPersonalities: { X: { IOProviderClass: "IOUserResources", IOUserClass: "ExampleX", ...more } },
  });

test("NT-673038 fires: orders nothing", async () => {
  await assertFires(
    resourceMatchIsNoOrder,
    {
      i: list({ IOResourceMatch: "IOBSD" }),
      l: "kernel: (org.example.x.dext) /dev/cu.example: No such file or directory",
    },
    /orders nothing/,
  );
});

test("NT-673038 is silent on a near miss", async () => {
  await assertSilent(resourceMatchIsNoOrder, {
    i: list({ IOResourceMatch: "IOBSD" }),
    l: "open /dev/cu.example: ok",
  });
});

test("NT-673038 is silent on a near miss (2)", async () => {
  await assertSilent(resourceMatchIsNoOrder, {
    i: list({}),
    l: "/dev/cu.example: No such file or directory",
  });
});

test("NT-673038 is silent on a shell script that sends an error to /dev/null", async () => {
  await assertSilent(resourceMatchIsNoOrder, {
    i: list({ IOResourceMatch: "IOKit" }),
    s: '#!/bin/bash\ncommand -v "$1" >/dev/null 2>&1 || fail "$1 was not found"\n',
  });
});
