// The compiled C++ grammar for the doctor's source reader, from the package that carries it.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** For `diagnose(..., { cppGrammar })`. Rejects with a sentence when the package is not installed. */
export async function cppGrammar(): Promise<Uint8Array> {
  let address: string;
  try {
    address = import.meta.resolve("@vscode/tree-sitter-wasm/wasm/tree-sitter-cpp.wasm");
  } catch (cause) {
    throw new Error("source is not read without the package @vscode/tree-sitter-wasm: npm install", {
      cause,
    });
  }
  return readFile(fileURLToPath(address));
}
