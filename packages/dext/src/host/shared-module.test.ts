// Modules for several threads: their memory becomes shared, and only the first fills it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedModules } from "./shared-module.ts";
import { WasmFormatError } from "./wasm-file.ts";

/** Imports a table and `env.m` with these limits, exports `at(i32) -> i32` which reads a byte, has "dry" at address 16, and clears the byte at 40 when it starts. */
function moduleWith(limits: readonly number[]): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: readonly number[]) => [id, content.length, ...content];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, 0]),
    ...section(2, [
      2,
      3,
      0x65,
      0x6e,
      0x76,
      1,
      0x74,
      1,
      0x70,
      1,
      0,
      9,
      3,
      0x65,
      0x6e,
      0x76,
      1,
      0x6d,
      2,
      ...limits,
    ]),
    ...section(3, [2, 0, 1]),
    ...section(7, [1, 2, 0x61, 0x74, 0, 0]),
    ...section(8, [1]),
    ...section(10, [2, 7, 0, 0x20, 0, 0x2d, 0, 0, 0x0b, 9, 0, 0x41, 40, 0x41, 0, 0x3a, 0, 0, 0x0b]),
    ...section(11, [1, 0, 0x41, 16, 0x0b, 3, 0x64, 0x72, 0x79]),
  ]);
}

function run(module: WebAssembly.Module, memory: WebAssembly.Memory): (at: number) => number {
  const table = new WebAssembly.Table({ element: "anyfunc", initial: 0, maximum: 9 });
  const { exports } = new WebAssembly.Instance(module, { env: { m: memory, t: table } });
  return exports.at as (at: number) => number;
}

test("the first fills a shared memory, a further one finds it as it is", () => {
  const { first, further, pages } = sharedModules(moduleWith([1, 1, 2]));
  assert.deepEqual(pages, { initial: 1, maximum: 2 });
  const memory = new WebAssembly.Memory({ ...pages, shared: true });
  assert.equal(run(first, memory)(16), 0x64);
  new Uint8Array(memory.buffer)[16] = 0x77;
  new Uint8Array(memory.buffer)[40] = 0x11;
  assert.equal(run(further, memory)(16), 0x77);
  assert.equal(run(further, memory)(17), 0x72);
  assert.equal(run(further, memory)(40), 0x11);
  assert.equal(run(first, memory)(40), 0);
});

test("memory without a maximum cannot be shared, and it is said", () => {
  assert.throws(() => sharedModules(moduleWith([0, 1])), WasmFormatError);
});
