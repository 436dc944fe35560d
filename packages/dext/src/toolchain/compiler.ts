// What a compiler is to a build: a name, a key for what it made, and a way to run it.

export interface CompilerResult {
  readonly status: number;
  /** Diagnostics, as the compiler wrote them. */
  readonly stderr: string;
}

export interface Compiler {
  /** "clang 14.0.6 at /usr/bin/clang++". */
  readonly name: string;
  /** Changes when what it makes may change. */
  readonly key: string;
  /** Triple that it takes for WebAssembly: "wasm32-wasi", or "wasm32-wasip1" from LLVM 20 on. */
  readonly target: string;
  /** Runs it as `clang++`. Never throws for what it thinks of the sources. */
  run(args: readonly string[], folder: string): Promise<CompilerResult>;
  /** Also as the target of real dexts, syntax only. */
  readonly knowsDriverKit: boolean;
  /** Folders of the C and C++ headers for WebAssembly: the second pass reads them too, as there are no others. */
  readonly systemHeaders: readonly string[];
}

/** What a search for a compiler found, and what is missing. */
export interface CompilerReport {
  readonly compiler: Compiler | null;
  readonly tried: readonly {
    readonly what: string;
    readonly verdict: string;
    readonly advice: string | null;
  }[];
}

/** How every C++ file is compiled: as DriverKit compiles it, for WebAssembly. */
export const languageFlags: readonly string[] = [
  "-std=gnu++20",
  "-fno-exceptions",
  "-fno-rtti",
  "-fblocks",
  "-fno-delete-null-pointer-checks",
  "-fno-common",
  "-g",
  "-O0",
];

/** `DRIVERKIT` of Xcode's own settings, and what our headers need. */
export const defines: readonly string[] = ["-DTARGET_OS_DRIVERKIT=1", "-DDRYDOCK=1", "-D_WASI_EMULATED_MMAN"];

/** Bytes of memory that a dext has: the memory is made by the host and never grows. */
export const memoryBytes = 32 * 1024 * 1024;
const mainStackBytes = 256 * 1024;

export const linkFlags: readonly string[] = [
  "-mexec-model=reactor",
  "-Wl,--import-memory",
  `-Wl,--initial-memory=${memoryBytes}`,
  `-Wl,--max-memory=${memoryBytes}`,
  "-Wl,--export-table",
  "-Wl,--growable-table",
  "-Wl,--export=__stack_pointer",
  "-Wl,--allow-undefined",
  // LLVM 14 refuses to export a stack pointer that changes unless it is told not to look.
  "-Wl,--no-check-features",
  "-Wl,--stack-first",
  `-Wl,-z,stack-size=${mainStackBytes}`,
  "-Wl,--gc-sections",
];
