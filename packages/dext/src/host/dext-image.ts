// A built dext: the module, what it is named in, and where its code came from. Shared by all processes that run it.

import { type CodeBlock, codeBlocks } from "./code-blocks.ts";
import { DebugLines, type SourcePlace } from "./debug-lines.ts";
import { authorsFrames, describeFrame, type SourceFrame, sourceFrames } from "./source-stack.ts";
import { readWasmFile, type WasmFile } from "./wasm-file.ts";

export class DextImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly module: WebAssembly.Module;
  readonly imports: readonly WebAssembly.ModuleImportDescriptor[];
  /** It was built with --sanitize: its own accesses ask the shadow. */
  readonly isSanitized: boolean;
  readonly #functionNames: ReadonlyMap<number, string>;
  readonly #lines: DebugLines;
  readonly #file: WasmFile;
  #blocks: readonly CodeBlock[] | null = null;

  /** WasmFormatError, or the engine's own CompileError, for what is no module. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const file = readWasmFile(bytes);
    this.bytes = bytes;
    this.#file = file;
    this.module = new WebAssembly.Module(bytes);
    this.imports = WebAssembly.Module.imports(this.module);
    this.isSanitized = this.imports.some(({ name }) => name === "bad_access");
    this.#functionNames = file.functionNames;
    this.#lines = DebugLines.of(file);
  }

  /** Blocks whose runs are counted; none unless it was built with `coverage`. WasmFormatError for code that nobody knows. */
  get blocks(): readonly CodeBlock[] {
    const imported = this.imports.filter(({ kind }) => kind === "function").length;
    this.#blocks ??= codeBlocks(this.bytes, this.#file, imported);
    return this.#blocks;
  }

  functionName(index: number): string {
    return this.#functionNames.get(index) ?? `function ${index}`;
  }

  /** Places of the code between two offsets in the file, in its order. */
  placesBetween(begin: number, end: number): SourcePlace[] {
    return this.#lines.between(begin, end);
  }

  /** All places, by the offset in the file at which their code begins. */
  lineRows(): Generator<readonly [fileOffset: number, place: SourcePlace | null]> {
    return this.#lines.rows();
  }

  /** Frames of the dext in a stack of the engine's, innermost first. */
  frames(stack: string): SourceFrame[] {
    return sourceFrames(stack, this.#lines, this.#functionNames);
  }

  /** As `frames`, in words, only those of the driver's own sources. */
  describe(stack: string): string[] {
    const all = this.frames(stack);
    const own = authorsFrames(all);
    return (own.length > 0 ? own : all).map(describeFrame);
  }
}
