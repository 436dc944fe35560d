// What is generated, as the compiler sees it: layouts on WebAssembly and on arm64, our own C++ and a driver's on both.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { AbiStruct } from "../../src/abi/abi-table.ts";
import { realTargetArguments } from "../../src/build/build-dext.ts";
import { cacheFolder } from "../../src/build/cache-folder.ts";
import { type FrameworkKit, frameworkKit } from "../../src/build/framework-kit.ts";
import { compileDext, machineCompiler } from "../../src/run/compile-dext.ts";
import { type Compiler, defines, languageFlags } from "../../src/toolchain/compiler.ts";

let compiler: Compiler;
let kit: FrameworkKit;
let folder: string;
before(async () => {
  compiler = await machineCompiler();
  kit = await frameworkKit(compiler, cacheFolder(process.platform, process.env, homedir()));
  folder = mkdtempSync(join(tmpdir(), "drydock-layouts-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const flags = () => [...languageFlags, ...defines, ...kit.includes];

/** One line for each size and offset of the table; the line says which. */
function assertions({ fields, name, sizeBytes }: AbiStruct): string[] {
  return [
    `static_assert(sizeof(${name}) == ${sizeBytes}, "${name}");`,
    ...fields.map(
      ({ name: field, offset }) => `static_assert(offsetof(${name}, ${field}) == ${offset}, "${name}");`,
    ),
  ];
}

function writeChecks(file: string): string {
  const headers = [...kit.frameworks.files.keys()].filter((path) => /^include\/.*\.h$/.test(path));
  const source = join(folder, file);
  writeFileSync(
    source,
    [
      ...headers.map((path) => `#include <${path.slice("include/".length)}>`),
      "#include <stddef.h>",
      ...[...kit.frameworks.abi.structs.values()].flatMap(assertions),
    ].join("\n"),
  );
  return source;
}

/** Structures with a size or an offset that the compiler does not agree with, and whatever else it says. */
function refused(stderr: string): string[] {
  const errors = stderr.split("\n").filter((line) => /error:/.test(line));
  return [
    ...new Set(
      errors.map((line) => /static_?assert(?:ion)? failed.*?[":] ?"?([\w:]+)"?$/.exec(line)?.[1] ?? line),
    ),
  ].sort();
}

test("every structure lies as the table of calls says, on WebAssembly", async () => {
  assert.ok(kit.frameworks.abi.structs.size >= 20);
  const source = writeChecks("wasm.cpp");
  const { stderr } = await compiler.run(
    [`--target=${compiler.target}`, "-fsyntax-only", "-ferror-limit=0", ...flags(), source],
    folder,
  );
  assert.deepEqual(refused(stderr), []);
});

test("on arm64 every structure lies so too, but for the two that hold pointers", async () => {
  assert.ok(compiler.knowsDriverKit);
  const source = writeChecks("arm64.cpp");
  const { stderr } = await compiler.run(
    ["-ferror-limit=0", ...realTargetArguments(compiler, flags(), source)],
    folder,
  );
  assert.deepEqual(refused(stderr), ["IOUserClientMethodArguments", "IOUserClientMethodDispatch"]);
});

test("the glue of each framework is C++ of arm64 too", async () => {
  const glue = readdirSync(join(kit.folder, "glue")).filter((name) => name.endsWith(".cpp"));
  assert.ok(glue.length >= 5);
  for (const name of glue) {
    const args = realTargetArguments(compiler, flags(), join(kit.folder, "glue", name));
    const { status, stderr } = await compiler.run(args, folder);
    assert.equal(status, 0, stderr);
  }
});

test("what holds on 32 bits alone is told in the driver's own file, and only there", async () => {
  const copy = join(folder, "ends");
  cpSync(join(import.meta.dirname, "../dexts/ends"), copy, { recursive: true });
  const source = join(copy, "Ends.cpp");
  const text = readFileSync(source, "utf8");
  const lines = text.split("\n").length;
  writeFileSync(
    source,
    `${text}static_assert(sizeof(void *) == 4, "a pointer in 32 bits");
static uint32_t Cut(void * pointer) { return reinterpret_cast<uint32_t>(pointer); }
uint32_t Kept() { return Cut(nullptr); }
`,
  );
  const { build } = await compileDext([copy], { compiler, checksRealTarget: true });
  assert.equal(build.stage, "linked");
  const said = build.realTarget.map(({ line, message, path, severity }) => [path, line, severity, message]);
  assert.deepEqual(
    said.map(([path, line, severity]) => [path, line, severity]),
    [
      [source, lines, "error"],
      [source, lines + 1, "error"],
    ],
  );
  assert.match(String(said[0][3]), /a pointer in 32 bits/);
  assert.match(String(said[1][3]), /loses information/);
});
