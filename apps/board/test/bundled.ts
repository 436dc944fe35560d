// A program of the tests as one file: started hundreds of times, most of a start is the reading of modules.

import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

/** Each module finds what lies beside it, and starts its threads, where it was written. */
const inItsPlace: Plugin = {
  name: "in-its-place",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      loader: "ts",
      contents: readFileSync(path, "utf8")
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)))
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
    }));
  },
};

/** Answers the file to start, in this folder. */
export async function bundled(program: string, folder: string): Promise<string> {
  await build({
    entryPoints: [program],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
    external: ["esbuild", "koffi", "usb", "pg-native"],
    banner: {
      js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
    },
    plugins: [inItsPlace],
  });
  return join(folder, basename(program).replace(/\.ts$/, ".mjs"));
}
