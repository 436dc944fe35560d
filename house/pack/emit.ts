// JavaScript, declarations and source maps of everything that is packed, with the specifiers that hold outside.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import type { PackedPackage, PackGraph } from "./pack-graph.ts";

export interface EmittedFile {
  /** Below `dist`. */
  readonly path: string;
  readonly text: string;
}

/** Specifiers in code and declarations: `from "x"`, `import("x")`, `import "x"`, `new URL("x", import.meta.url)`. */
const specifiers =
  /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)"([^"\n]+)"|(new URL\()"(\.[^"\n]+)"(?=, import\.meta\.url)/g;

/** Runs the compiler once over all packages; answers the files of each, by its name. */
export function emitAll(
  root: string,
  folder: string,
  packages: readonly PackedPackage[],
  graph: PackGraph,
): Map<string, EmittedFile[]> {
  mkdirSync(folder, { recursive: true });
  const all = packages.flatMap(({ name }) => [...(graph.files.get(name) ?? [])]);
  const project = join(folder, "tsconfig.json");
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(root, "tsconfig.base.json"),
      compilerOptions: {
        composite: false,
        incremental: false,
        emitDeclarationOnly: false,
        noCheck: true,
        allowImportingTsExtensions: false,
        rewriteRelativeImportExtensions: true,
        sourceMap: true,
        inlineSources: true,
        stripInternal: true,
        lib: ["ES2024", "DOM"],
        types: ["node"],
        typeRoots: [join(root, "node_modules/@types")],
        rootDir: root,
        outDir: join(folder, "out"),
      },
      files: all.map((file) => join(root, file)),
    }),
  );
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const run = spawnSync(process.execPath, [compiler, "-p", project], { cwd: root, encoding: "utf8" });
  if (run.status !== 0) throw new Error(`the compiler: ${run.stdout}${run.stderr}`);
  return new Map(
    packages.map((unit) => {
      const own = [...(graph.files.get(unit.name) ?? [])].sort();
      return [unit.name, own.flatMap((file) => emittedFiles(file, join(folder, "out"), unit, graph))];
    }),
  );
}

function emittedFiles(file: string, out: string, unit: PackedPackage, graph: PackGraph): EmittedFile[] {
  const stem = file.replace(/\.ts$/, "");
  const path = posix.relative(unit.sources, stem);
  const text = (ending: string) => readFileSync(join(out, `${stem}${ending}`), "utf8");
  const declarations = withSpecifiers(text(".d.ts"), graph);
  const needsNode = /\bNodeJS\.|\bBuffer\b|"node:/.test(declarations);
  return [
    { path: `${path}.js`, text: withSpecifiers(text(".js"), graph) },
    { path: `${path}.js.map`, text: text(".js.map") },
    { path: `${path}.d.ts`, text: `${needsNode ? '/// <reference types="node" />\n' : ""}${declarations}` },
  ];
}

/** `./x.ts` -> `./x.js`; what a sibling keeps inside is reached by its own path. */
function withSpecifiers(text: string, graph: PackGraph): string {
  return text.replace(specifiers, (whole, before, value, urlBefore, urlValue) => {
    if (urlValue !== undefined) return `${urlBefore}"${urlValue.replace(/\.ts$/, ".js")}"`;
    if (value.startsWith(".")) return `${before}"${value.replace(/\.ts$/, ".js")}"`;
    const [scope, name, ...rest] = value.split("/");
    const isInside = graph.inside.get(`${scope}/${name}`)?.has(rest.join("/")) ?? false;
    return isInside ? `${before}"${scope}/${name}/inside/${rest.join("/")}"` : whole;
  });
}
