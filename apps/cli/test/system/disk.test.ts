// drydock disk as people run it: served to nbdinfo, proven, and refused with words.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
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

test("disk rehearse: the wrong dext panics, with a report the doctor reads; the right one and a kext do not", () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-rehearse-"));
  try {
    const bad = drydock("rehearse", "--evidence", folder);
    assert.equal(bad.status, 1, bad.stderr);
    assert.match(bad.stdout, /0 -> 2: never acknowledged within 20\.000 s: a Mac panics/);
    const diagnosed = spawnSync(process.execPath, [program, "diagnose", folder], { encoding: "utf8" });
    assert.match(diagnosed.stdout, /DR15-1/);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const kext = drydock("rehearse", "--driver", "kext", "--json");
  assert.equal(kext.status, 0, kext.stderr);
  const { lines, panic } = JSON.parse(kext.stdout) as { lines: string[]; panic: string | null };
  assert.equal(panic, null);
  assert.ok(lines.some((line) => /0 -> 2: 25\.\d+ s of 100\.000 s \(25 %\): in time/.test(line)));
  const good = drydock("rehearse", "--driver", "dext-begins", "--spin-up", "60");
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /first read after the wake: (59|6\d)\.\d+ s, good/);
});

test("disk: what cannot be is a usage error that says what can", () => {
  for (const [args, words] of [
    [["serve", "--size", "huge"], /64M, 10G/],
    [["serve", "--through", "floppy"], /uas, bulk-only, none/],
    [["serve", "--tls-require"], /--tls-key/],
    [["prove", "--cuts", "0"], /whole number/],
    [["prove", "--fault", "x"], /short-mode-sense/],
    [["rehearse", "--driver", "x"], /kext, dext-waits, dext-begins/],
    [["rehearse", "--spin-up", "soon"], /seconds from 0 to/],
  ] as const) {
    const result = drydock(...args);
    assert.equal(result.status, 2, args.join(" "));
    assert.match(result.stderr, words);
  }
});
