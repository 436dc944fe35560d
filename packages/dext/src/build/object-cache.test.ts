// What is compiled again: what has another text, or finds another header; nothing for another date.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Compiler } from "../toolchain/compiler.ts";
import { compileAll } from "./object-cache.ts";

/** Writes the source's text and that of `a header.h` beside it as the object, as a compiler would say what it read. */
function joiner(onRun: () => void = () => {}): Compiler & { runs: number } {
  return {
    runs: 0,
    name: "joiner",
    key: "joiner",
    target: "wasm32-wasi",
    knowsDriverKit: false,
    systemHeaders: [],
    async run(args) {
      this.runs++;
      const [source] = args.slice(args.indexOf("-c") + 1);
      const header = join(source, "../a header.h");
      const text = readFileSync(source, "utf8") + readFileSync(header, "utf8");
      onRun();
      writeFileSync(args[args.indexOf("-o") + 1], text);
      writeFileSync(
        args[args.indexOf("-MF") + 1],
        `x.o: ${source.replaceAll(" ", "\\ ")} \\\n  ${header.replaceAll(" ", "\\ ")}\n`,
      );
      return { status: 0, stderr: "" };
    },
  };
}

function folder(run: (at: { source: string; header: string; cache: string }) => Promise<void>) {
  return async () => {
    const below = mkdtempSync(join(tmpdir(), "drydock objects-"));
    const at = {
      source: join(below, "one.cpp"),
      header: join(below, "a header.h"),
      cache: join(below, "cache"),
    };
    try {
      writeFileSync(at.source, "one");
      writeFileSync(at.header, "two");
      await run(at);
    } finally {
      rmSync(below, { recursive: true, force: true });
    }
  };
}

test(
  "a header of the same length and date with another text is seen; another date of the same text is not",
  folder(async ({ cache, header, source }) => {
    const compiler = joiner();
    const build = async (surroundings = "") => {
      const [{ object }] = await compileAll(compiler, [{ source, flags: [], surroundings }], cache, 1);
      return readFileSync(object as string, "utf8");
    };
    assert.deepEqual([await build(), await build(), compiler.runs], ["onetwo", "onetwo", 1]);
    utimesSync(header, 1, 1);
    assert.deepEqual([await build(), compiler.runs], ["onetwo", 1]);
    writeFileSync(header, "too");
    utimesSync(header, 1, 1);
    assert.deepEqual([await build(), compiler.runs], ["onetoo", 2]);
    assert.deepEqual([await build("another header is found first"), compiler.runs], ["onetoo", 3]);
  }),
);

test(
  "what is saved while the compiler reads it is compiled again",
  folder(async ({ cache, header, source }) => {
    let isSaved = false;
    const compiler = joiner(() => {
      const now = Date.now();
      while (!isSaved && statSync(header).ctimeMs <= now) writeFileSync(header, "new");
      isSaved = true;
    });
    const build = async () => {
      const [{ object }] = await compileAll(compiler, [{ source, flags: [] }], cache, 1);
      return readFileSync(object as string, "utf8");
    };
    assert.equal(await build(), "onetwo");
    assert.equal(await build(), "onenew");
  }),
);
