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

/** What the author's own files are compiled with besides, so that a run finds more. */
export interface Instruments {
  /** Every access asks a shadow of the memory (-fsanitize=address), and what C++ leaves undefined is told (-fsanitize=undefined). */
  readonly sanitize?: boolean;
  /** Every block of code counts how often it ran (-fsanitize-coverage). */
  readonly coverage?: boolean;
}

/** An eighth of the memory, at its beginning: the pass of LLVM 14 writes into the shadow itself, at a place that it is told. */
const shadowBytes = memoryBytes / 8;

/** Clang's driver refuses AddressSanitizer for WebAssembly; the compiler behind it does not. */
const sanitizeFlags: readonly string[] = [
  "-fsanitize=undefined",
  "-fno-sanitize=vptr,function",
  "-fsanitize-recover=undefined",
  "-Xclang",
  "-fsanitize=address",
  "-Xclang",
  "-fsanitize-address-use-after-scope",
  ...[
    "-asan-instrumentation-with-call-threshold=0",
    "-asan-max-inline-poisoning-size=0",
    "-asan-mapping-offset=0",
    "-asan-mapping-scale=3",
    "-asan-use-after-return=never",
  ].flatMap((flag) => ["-mllvm", flag]),
];

/** Without pruning: the code from one count to the next is then exactly one block. */
const coverageFlags: readonly string[] = ["-fsanitize-coverage=bb,no-prune,trace-pc-guard"];

export function instrumentFlags({ coverage = false, sanitize = false }: Instruments): string[] {
  return [...(sanitize ? sanitizeFlags : []), ...(coverage ? coverageFlags : [])];
}

/** Functions of the C library that look at the dext's texts for it: shadow.cpp has what is linked in their place. */
const wrapped = ["strlen", "strcpy", "strcat", "strncpy", "strcmp", "memcmp", "vsnprintf"];

/** As `linkFlags`, with room for the shadow below the data. */
export function instrumentedLinkFlags({ sanitize = false }: Instruments, target: string): string[] {
  if (!sanitize) return [...linkFlags];
  return [
    ...linkFlags.filter((flag) => flag !== stackFirst),
    // LLVM 14 knows no such word, and puts the stack behind the data unless it is told otherwise.
    ...(target === "wasm32-wasi" ? [] : ["-Wl,--no-stack-first"]),
    `-Wl,--global-base=${shadowBytes}`,
    ...wrapped.map((name) => `-Wl,--wrap=${name}`),
  ];
}

const stackFirst = "-Wl,--stack-first";

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
  stackFirst,
  `-Wl,-z,stack-size=${mainStackBytes}`,
  "-Wl,--gc-sections",
];
