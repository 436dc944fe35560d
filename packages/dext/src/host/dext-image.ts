// A built dext: the module, what it is named in, and where its code came from. Shared by all processes that run it.

import { DebugLines } from "./debug-lines.ts";
import { authorsFrames, describeFrame, type SourceFrame, sourceFrames } from "./source-stack.ts";
import { readWasmFile } from "./wasm-file.ts";

export class DextImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly module: WebAssembly.Module;
  readonly imports: readonly WebAssembly.ModuleImportDescriptor[];
  readonly #functionNames: ReadonlyMap<number, string>;
  readonly #lines: DebugLines;

  /** WasmFormatError, or the engine's own CompileError, for what is no module. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const file = readWasmFile(bytes);
    this.bytes = bytes;
    this.module = new WebAssembly.Module(bytes);
    this.imports = WebAssembly.Module.imports(this.module);
    this.#functionNames = file.functionNames;
    this.#lines = DebugLines.of(file);
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
