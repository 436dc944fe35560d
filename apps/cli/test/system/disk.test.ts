// drydock disk as people run it: served to nbdinfo, proven, and refused with words.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../../../..");
const program = join(root, "apps/cli/src/main.ts");
const hasNbdinfo = spawnSync("nbdinfo", ["--version"]).error === undefined;

function drydock(...args: string[]) {
  return spawnSync(process.execPath, [program, "disk", ...args], { encoding: "utf8" });
}

test("disk serve: the first line has the addresses, nbdinfo finds each disk, SIGINT ends it with 130", {
  skip: hasNbdinfo ? false : "nbdinfo is missing: apt-get install libnbd-bin",
}, async () => {
  const args = ["disk", "serve", "--port", "0", "--size", "66T", "--name", "a", "--name", "b", "--json"];
  const server: ChildProcess = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const [line] = (await once(server.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    const { uris } = JSON.parse(line.toString()) as { uris: string[] };
    assert.equal(uris.length, 2);
    for (const uri of uris) {
      const found = spawnSync("nbdinfo", ["--size", uri], { encoding: "utf8" });
      assert.equal(found.stdout.trim(), String(66 * 2 ** 40), found.stderr);
    }
  } finally {
    server.kill("SIGINT");
  }
  const [code] = await once(server, "exit");
  assert.equal(code, 130);
});

test("disk prove: 0 for the good driver, 1 with sector and layer for P19's fault", () => {
  const good = drydock("prove", "--cuts", "60", "--transactions", "2");
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /60 power cuts .* none was lost/);
  const bad = drydock("prove", "--fault", "short-mode-sense", "--json");
  assert.equal(bad.status, 1, bad.stderr);
  const { loss } = JSON.parse(bad.stdout);
  assert.equal(loss.ledger.guilty, "class driver");
  assert.ok(loss.sector >= 0);
});

test("disk: what cannot be is a usage error that says what can", () => {
  for (const [args, words] of [
    [["serve", "--size", "huge"], /64M, 10G/],
    [["serve", "--through", "floppy"], /uas, bulk-only, none/],
    [["serve", "--tls-require"], /--tls-key/],
    [["prove", "--cuts", "0"], /whole number/],
    [["prove", "--fault", "x"], /short-mode-sense/],
  ] as const) {
    const result = drydock(...args);
    assert.equal(result.status, 2, args.join(" "));
    assert.match(result.stderr, words);
  }
});
