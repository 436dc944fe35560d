// A dext built with --sanitize: each broken rule of C++ with cause, file and line; a sound one is told nothing.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import type { Properties } from "@drydock/core/platform/properties";
import { hostTurn } from "@drydock/node/host-turn";
import type { DextOptions } from "../../src/host/dext-bundle.ts";
import { compileDext } from "../../src/run/compile-dext.ts";
import { askedRig } from "../../src/run/dext-rig.ts";
import { runDext } from "../../src/run/dext-run.ts";

type Described = Awaited<ReturnType<typeof compileDext>>;
const folder = join(import.meta.dirname, "../dexts");
let described: Described;
before(async () => {
  described = await compileDext([join(folder, "unsound")], { sanitize: true });
});

/** Numbers of Unsound.cpp, and what has to be said: cause, what it is about, and where. */
const ways: readonly (readonly [name: string, said: RegExp | null])[] = [
  ["fine", null],
  [
    "heap write",
    /heap-buffer-overflow: a write of 1 byte, right behind a block of 13 bytes, made in Break \(Unsound\.cpp:35\), in Touch \(Unsound\.cpp:27\)/,
  ],
  ["heap read", /heap-buffer-overflow: a read of 4 bytes, right behind a block of 16 bytes.*Unsound\.cpp:42/],
  [
    "heap before",
    /heap-buffer-overflow: a read of 1 byte, 4 bytes before a block of 16 bytes.*Unsound\.cpp:48/,
  ],
  [
    "freed",
    /heap-use-after-free: a read of 4 bytes, at byte 4 of a block of 8 bytes, made in .*:53\), given up in .*:54\), in .*:55\)/,
  ],
  [
    "global",
    /global-buffer-overflow: a read of 4 bytes, right behind the global table of 16 bytes, in .*:59\)/,
  ],
  [
    "stack",
    /stack-buffer-overflow: a write of 4 bytes, right behind (?:the|a) variable(?: local)?, declared in line 62, of 16 bytes, in .*:64\)/,
  ],
  [
    "scope",
    /stack-use-after-scope: a read of 4 bytes, of the variable inner, declared in line 71, whose block has ended, in .*:74\)/,
  ],
  ["null", /null-dereference: a read of 4 bytes at address 0x4, where nothing is, in .*:79\)/],
  [
    "buffer",
    /heap-buffer-overflow: a write of 65 bytes, right behind a buffer of 64 bytes, made in .*:85\), in .*:90\)/,
  ],
  [
    "buffer gone",
    /heap-use-after-free: a write of 1 byte, at byte 3 of a buffer of 64 bytes, .*given up in .*:91\), in .*:92\)/,
  ],
  ["text", /heap-buffer-overflow: a write of 16 bytes, right behind a block of 8 bytes, .*in .*:97\)/],
  ["alloca", /alloca-buffer-overflow: a write of 1 byte, beside memory of alloca, in .*:103\)/],
  ["move", /heap-buffer-overflow: a read of 12 bytes, right behind a block of 16 bytes, .*in .*:108\)/],
  ["sum", /^undefined behaviour at Unsound\.cpp:113:\d+: 2147483647 \+ 4 does not fit in int, in Break/m],
  ["shift", /^undefined behaviour at Unsound\.cpp:116:\d+: 1 shifted by 32: int has no such shift/m],
  ["index", /^undefined behaviour at Unsound\.cpp:120:\d+: index 4 is outside of uint32_t\[4\]/m],
  ["divide", /^undefined behaviour at Unsound\.cpp:124:\d+: -2147483648 \/ -1 does not fit in int/m],
  [
    "no return",
    /^undefined behaviour at Unsound\.cpp:21:\d+: a function that answers a value ended without one/m,
  ],
  [
    "aligned",
    /^undefined behaviour at Unsound\.cpp:131:\d+: a read of int at 0x[0-9a-f]+, which is no multiple of 4/m,
  ],
  ["truth", /^undefined behaviour at Unsound\.cpp:136:\d+: 4 is no value of bool/m],
  [
    "null argument",
    /^undefined behaviour at Unsound\.cpp:141:\d+: a null pointer as argument 1, which must not be null/m,
  ],
  ["negate", /^undefined behaviour at Unsound\.cpp:145:\d+: -\(-2147483648\) does not fit in int/m],
  [
    "wide",
    /^undefined behaviour at Unsound\.cpp:149:\d+: 9223372036854775807 \* 4 does not fit in long long/m,
  ],
];

function run(way: number, options: DextOptions = {}, built: Described = described) {
  const { info } = built;
  const personality = (info.IOKitPersonalities as Properties).Unsound as Properties;
  return runDext(
    { ...built, info: { ...info, IOKitPersonalities: { Unsound: { ...personality, Way: way } } } },
    ({ bundle }) => askedRig(bundle, { seed: 1, turn: hostTurn }),
    { settleNs: 3e8, tracesObjects: true, ...options },
  );
}

for (const [way, [name, said]] of ways.entries())
  test(`${name}: ${said === null ? "nothing is told" : "cause, file and line"}`, async () => {
    const { findings, isStarted } = await run(way);
    if (said === null) assert.deepEqual([isStarted, findings], [true, []]);
    else assert.match(findings.join("\n"), said);
  });

test("without JSPI the same is told", async () => {
  for (const name of ["fine", "freed", "stack", "sum"]) {
    const way = ways.findIndex(([each]) => each === name);
    const [suspended, inThreads] = [
      await run(way, { suspends: "jspi" }),
      await run(way, { suspends: "threads" }),
    ];
    assert.deepEqual(inThreads.findings, suspended.findings, name);
    assert.equal(inThreads.digest, suspended.digest, name);
  }
});

test("without --sanitize most of it goes by: what is told then is what the guards of the runtime see", async () => {
  const built = await compileDext([join(folder, "unsound")]);
  const told: string[] = [];
  for (const [way, [name]] of ways.entries())
    if ((await run(way, {}, built)).findings.length > 0) told.push(name);
  assert.deepEqual(told, ["heap write", "buffer", "text", "divide", "no return"]);
});

test("sound dexts: nothing is told, and the steps are those of the plain build", async () => {
  for (const name of ["loop", "batch"]) {
    const results = [];
    for (const sanitize of [false, true]) {
      const built = await compileDext([join(folder, name)], { sanitize });
      const makeRig: Parameters<typeof runDext>[1] = ({ bundle }) =>
        askedRig(bundle, { seed: 1, turn: hostTurn });
      results.push(await runDext(built, makeRig, { settleNs: 1e9, tracesObjects: true }));
    }
    const [plain, sanitized] = results;
    assert.deepEqual(sanitized.findings, []);
    assert.deepEqual(sanitized.leaks, []);
    assert.equal(sanitized.digest, plain.digest);
  }
});
