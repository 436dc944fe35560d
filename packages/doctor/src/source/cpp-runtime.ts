// Where the WebAssembly of the source reader's library lies, for those who hand it to a page.

/** An address of this installation; the grammar comes apart from it. */
export const cppRuntimeAddress = (): string => import.meta.resolve("web-tree-sitter/web-tree-sitter.wasm");
