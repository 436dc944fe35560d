// Styles, icon and the scripts of the pages. The scripts are built when first asked for, or by the packer.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cppRuntimeAddress } from "@drydock/doctor/source/cpp-runtime";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import type { Plugin } from "esbuild";
import { ScriptCache } from "./script-cache.ts";

const here = import.meta.dirname;

export interface Asset {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly etag: string;
}

const asset = (body: string | Uint8Array<ArrayBuffer>, type: string): Asset => ({
  body,
  type,
  etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`,
});

const files: Readonly<Record<string, () => Promise<string | Uint8Array<ArrayBuffer>>>> = {
  "style.css": async () => squeezed("style.css"),
  "more.css": async () => squeezed("more.css"),
  "favicon.svg": async () => readFileSync(join(here, "../assets/favicon.svg"), "utf8"),
  "lab.css": async () => squeezed("lab.css"),
  "page.js": () => bundled(join(here, "page-scripts/page.ts")),
  "evidence.js": () => bundled(join(here, "page-scripts/evidence.ts")),
  "people.js": () => bundled(join(here, "page-scripts/people.ts")),
  "case-worker.js": () => bundled(join(here, "page-scripts/case-worker.ts"), "cases"),
  "lab.js": () => bundled(fileURLToPath(import.meta.resolve("@drydock/lab/page/lab"))),
  "lab-case-worker.js": () =>
    bundled(fileURLToPath(import.meta.resolve("@drydock/lab/page/lab-case-worker")), "cases"),
  "lab-device-worker.js": () =>
    bundled(fileURLToPath(import.meta.resolve("@drydock/lab/page/lab-device-worker"))),
  "lab-worker.js": () => bundled(fileURLToPath(import.meta.resolve("@drydock/lab/page/lab-worker"))),
  "lab-terminal.js": () => bundled(fileURLToPath(import.meta.resolve("@drydock/lab/page/lab-terminal"))),
  "lab-static.js": () => bundled(fileURLToPath(import.meta.resolve("@drydock/lab/page/lab-static"))),
  "lab-frame.js": () => bundled(fileURLToPath(import.meta.resolve("@drydock/lab/page/lab-frame"))),
  "lab-later.js": () => bundled(fileURLToPath(import.meta.resolve("@drydock/lab/page/lab-later"))),
  "lab-screens.js": () =>
    bundled(fileURLToPath(import.meta.resolve("@drydock/lab/page/lab-screens")), "screens"),
  "lab-seeds.js": () => bundled(fileURLToPath(import.meta.resolve("@drydock/lab/page/lab-seeds"))),
  "lab-screens.css": async () => squeezed("lab-screens.css"),
  "evidence-worker.js": () => bundled(join(here, "page-scripts/evidence-worker.ts")),
  "source-worker.js": () => bundled(join(here, "page-scripts/source-worker.ts"), "source"),
  "source-runtime.wasm": async () => new Uint8Array(readFileSync(fileURLToPath(cppRuntimeAddress()))),
  "source-grammar.wasm": async () => new Uint8Array(await cppGrammar()),
  "lab-rig-worker.js": () => bundled(fileURLToPath(import.meta.resolve("@drydock/lab/page/lab-rig-worker"))),
};
const types: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  js: "text/javascript; charset=utf-8",
  wasm: "application/wasm",
};

/** Our style without comments and spaces that mean nothing. Strings in it hold no braces, colons or semicolons. */
function squeezed(name: string): string {
  return readFileSync(join(here, "../assets", name), "utf8")
    .replace(/\/\*[^*]*\*\//g, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{};,>]) ?/g, "$1")
    .replace(/: /g, ":")
    .replace(/;}/g, "}")
    .trim();
}

const root = join(here, "../../..");
const recipe = {
  bundle: true,
  minify: true,
  format: "iife",
  platform: "browser",
  target: "es2022",
  charset: "utf8",
  // A library's style comes as text and becomes a sheet: our policy has no place for others.
  loader: { ".css": "text" },
  // The C++ reader is not in the page: its library needs more than the page's policy gives.
  external: ["web-tree-sitter"],
  alias: { "node:crypto": join(here, "page-scripts/crypto-in-page.ts") },
} as const;

type Libraries = "whole" | "cases" | "screens" | "source";

/** Cases are diagnosed without the C++ reader, in a page as elsewhere: the rules that read with it stay out of their script. */
const withoutReader: Plugin = {
  name: "rules-without-reader",
  setup(build) {
    const short = fileURLToPath(import.meta.resolve("@drydock/doctor/rules/rules-without-reader"));
    build.onResolve({ filter: /\/all-rules\.ts$/ }, () => ({ path: short }));
  },
};

/** Of later screens Preact and signals are the page's own, which its first script has. Packed there are no sources to name. */
function aliasesOf(libraries: Libraries): Readonly<Record<string, string>> {
  if (libraries !== "screens") return {};
  const shared = fileURLToPath(import.meta.resolve("@drydock/lab/page/shared-preact"));
  return { preact: shared, "preact/hooks": shared, "@preact/signals": shared };
}

/** Our own packages of which scripts are made. */
const bundledPackages = [
  "packages/core",
  "packages/doctor",
  "packages/board",
  "cases",
  "apps/lab",
  "apps/board",
];

/** Where the repository's checks put what they make, too. */
let cache: ScriptCache | null = null;

function scriptCache(): ScriptCache {
  // The lock file names the bundler's version and every library's; a manifest says what of a package may be left out.
  const manifests = ["package-lock.json", ...bundledPackages.map((name) => `${name}/package.json`)];
  cache ??= new ScriptCache({
    folder: join(root, "build/scripts"),
    root,
    recipe: [
      JSON.stringify(recipe),
      withoutReader.name,
      ...manifests.map((name) => readFileSync(join(root, name), "utf8")),
    ].join("\n"),
  });
  return cache;
}

/** One plain script: it runs in a worker, in a page, and from a file on disk. */
function bundled(entry: string, libraries: Libraries = "whole"): Promise<string> {
  return scriptCache().get(entry, async () => {
    const { build } = await import("esbuild");
    const result = await build({
      ...recipe,
      alias: { ...recipe.alias, ...aliasesOf(libraries) },
      // What its library asks of Node is never asked in a page.
      external: libraries === "source" ? ["fs/promises", "module"] : [...recipe.external],
      plugins: libraries === "cases" ? [withoutReader] : [],
      entryPoints: [entry],
      absWorkingDir: root,
      metafile: true,
      write: false,
      logLevel: "silent",
    });
    return { code: result.outputFiles[0].text, inputs: Object.keys(result.metafile.inputs) };
  });
}

const made = new Map<string, Promise<Asset>>();

export const assetNames: readonly string[] = Object.keys(files);

/** By file name; null when there is none. */
export function assetOf(name: string): Promise<Asset> | null {
  if (!Object.hasOwn(files, name)) return null;
  let found = made.get(name);
  if (found === undefined) {
    // Packed, a script lies there built, and there are no sources.
    const packed = join(here, "../assets", name);
    const isBuilt = name.endsWith(".js") && existsSync(packed);
    const body = isBuilt ? Promise.resolve(readFileSync(packed, "utf8")) : files[name]();
    found = body.then((text) => asset(text, types[name.split(".")[1]]));
    // A failed build is tried again.
    found.catch(() => made.delete(name));
    made.set(name, found);
  }
  return found;
}
