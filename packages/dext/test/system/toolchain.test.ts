// Compilers for dexts: found, kept and forced; the one that npm brings compiles a dext that runs as any other.

import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Properties } from "@drydock/core/platform/properties";
import { hostTurn } from "@drydock/node/host-turn";
import { compileDext, DextBuildError } from "../../src/run/compile-dext.ts";
import { askedRig } from "../../src/run/dext-rig.ts";
import { runDext } from "../../src/run/dext-run.ts";
import { findCompiler } from "../../src/toolchain/find-compiler.ts";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-toolchain-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("a clang that was found good is not probed again, until it or the question is another", async () => {
  const cache = join(folder, "kept");
  const { compiler } = await findCompiler(process.env, cache);
  assert.ok(compiler);
  const list = join(cache, "toolchain.json");
  const kept = JSON.parse(readFileSync(list, "utf8"));
  writeFileSync(list, JSON.stringify({ ...kept, clang: { ...kept.clang, name: "kept" } }));
  assert.equal((await findCompiler(process.env, cache)).compiler?.name, "kept");
  writeFileSync(list, JSON.stringify({ ...kept, clang: { ...kept.clang, name: "kept" }, state: "another" }));
  assert.equal((await findCompiler(process.env, cache)).compiler?.name, compiler.name);
});

test("a program that is named and not there is told as such, and no other is taken in its place", async () => {
  const program = join(folder, "no clang");
  const { compiler, tried } = await findCompiler({ ...process.env, DRYDOCK_CLANG: program }, null);
  assert.deepEqual([compiler, tried], [null, [{ what: program, verdict: "not there", advice: null }]]);
});

test("clang as WebAssembly: probed, places in the driver's own files, and the dext runs", async () => {
  const forced = { ...process.env, DRYDOCK_CLANG: "@yowasp/clang" };
  const { compiler, tried } = await findCompiler(forced, null);
  assert.ok(compiler, JSON.stringify(tried));
  assert.match(compiler.name, /^clang \d+.* as WebAssembly/);
  const copy = join(folder, "a dext");
  cpSync(join(import.meta.dirname, "../dexts/ends"), copy, { recursive: true });
  const source = join(copy, "Ends.cpp");
  const text = readFileSync(source, "utf8");
  writeFileSync(source, text.replace("turns = turns + 1;", "turns = turns + one;"));
  await assert.rejects(compileDext([copy], { compiler }), (error) => {
    assert.ok(error instanceof DextBuildError);
    assert.match(error.message, /a dext\/Ends\.cpp:\d+:\d+: error: .*'one'/);
    for (const line of error.message.split("\n")) assert.ok(line.startsWith(`${copy}/`), line);
    return true;
  });
  writeFileSync(source, text);
  const described = await compileDext([copy], { compiler, checksRealTarget: true });
  assert.deepEqual(described.build.realTarget, []);
  const again = await compileDext([copy], { compiler });
  assert.equal(again.build.compiledFiles, 0);
  const { info } = described;
  const personality = (info.IOKitPersonalities as Properties).Ends as Properties;
  for (const suspends of ["jspi", "threads"] as const) {
    const run = (ending: number) =>
      runDext(
        {
          ...described,
          info: { ...info, IOKitPersonalities: { Ends: { ...personality, Ending: ending } } },
        },
        ({ bundle }) => askedRig(bundle, { seed: 1, turn: hostTurn }),
        { settleNs: 3e8, tracesObjects: true, suspends },
      );
    const fine = await run(0);
    assert.deepEqual([fine.isStarted, fine.findings, fine.leaks], [true, [], []]);
    assert.match(
      (await run(10)).findings.join("\n"),
      /by zero, in Ends::Start_Impl \(Ends\.cpp:\d+\)/,
      "lines of DWARF 5",
    );
  }
  assert.ok(!existsSync(join(folder, "host")));
});
